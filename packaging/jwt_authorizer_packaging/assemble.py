"""Build the function's package: our code, its run-time dependencies, and nothing else.

``sam build`` runs this; see ``artifact.mk``. It needs Python 3.9 or later and uv or pip, of any version that has
``--require-hashes`` and ``--platform``. The Python that builds may be another version than Lambda's. Each dependency is
a wheel for Lambda, so the other architecture does not need a compiler or a container.

The same inputs give the same bytes: times are fixed, and files that installers write about themselves are left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON_VERSION = "3.13"

# Lambda's python3.13 is Amazon Linux 2023, with glibc 2.34.
_WHEELS = {"arm64": "aarch64", "x86_64": "x86_64"}
_GLIBC = ("manylinux_2_34", "manylinux_2_28", "manylinux_2_17", "manylinux2014")
_UV_GLIBC = "manylinux_2_34"

# Files that are not read at run time. METADATA stays, for scanners, and so do licenses.
_LEFT_OUT = (
    "__pycache__",
    ".lock",
    "bin",
    "*.pyi",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/direct_url.json",
    "*.dist-info/uv_cache.json",
    "*/tests",
    "*/test",
    # cryptography needs only cffi's backend, which is beside the package; the rest builds such backends.
    "cffi",
    "pycparser",
    "pycparser-*.dist-info",
    # Only Powertools' Logger and its imports are used. The rest would be a fifth of the zipped package.
    "aws_lambda_powertools/event_handler",
    "aws_lambda_powertools/logging/formatters",
    "aws_lambda_powertools/metrics/provider/datadog",
    "aws_lambda_powertools/middleware_factory",
    "aws_lambda_powertools/shared/*_*serializer.py",
    "aws_lambda_powertools/utilities/[!_j]*",
)
_FIRST_OF_1980 = 315_532_800
"""Unix seconds; the earliest time in a zip."""


def main(arguments: list[str] | None = None) -> int:
    """Fill the given folder, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--architecture", choices=sorted(_WHEELS), required=True)
    parser.add_argument("--into", type=Path, required=True, help="the folder to fill; emptied first")
    options = parser.parse_args(arguments)
    package: Path = options.into.resolve()
    empty(package)
    try:
        install_dependencies(package, options.architecture)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"artifact: dependencies could not be installed: {error}", file=sys.stderr)
        return 1
    strip(package)
    copy_own(package)
    compile_all(package)
    settle(package)
    files = [path for path in package.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    say(f"{options.architecture}: {len(files)} files, {size / 1e6:.1f} MB")
    return 0


def empty(package: Path) -> None:
    """Empty the folder: a second build must not contain files of the first one."""
    if package.exists():
        shutil.rmtree(package)
    package.mkdir(parents=True)


def install_dependencies(package: Path, architecture: str) -> None:
    """Install ``requirements.txt`` as wheels for Lambda, with the hash of each file checked."""
    requirements = str(ROOT / "requirements.txt")
    wanted = ["--target", str(package), "--require-hashes", "--no-deps", "--requirement", requirements]
    machine = _WHEELS[architecture]
    uv = find_uv()
    if uv is not None:
        say(f"installing dependencies for {architecture} with {uv}")
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--only-binary", ":all:"]
        command += ["--python-version", PYTHON_VERSION, "--python-platform", f"{machine}-{_UV_GLIBC}"]
        command += ["--link-mode", "copy", *wanted]
    else:
        say(f"installing dependencies for {architecture} with pip")
        command = [*find_pip(), "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", PYTHON_VERSION]
        for glibc in _GLIBC:
            command += ["--platform", f"{glibc}_{machine}"]
        command += wanted
    # The target folder is not an environment: packages in PYTHONPATH or an active venv must not count as installed.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(command, check=True, env=environment, cwd=ROOT)  # noqa: S603 - our own arguments


def find_uv() -> str | None:
    """Return the project's own uv, or one on the path."""
    own = ROOT / ".venvs" / "boot" / "bin" / "uv"
    return str(own) if own.is_file() else shutil.which("uv")


def find_pip() -> list[str]:
    """Return a command that runs pip. Several distributions ship Python without it."""
    for python in (sys.executable, "python3.13", "python3", "python"):
        command = [python, "-m", "pip"]
        if works([*command, "--version"]):
            return command
    message = "neither uv nor pip found: `make setup` installs uv"
    raise FileNotFoundError(message)


def works(command: list[str]) -> bool:
    """Return whether a command exists and succeeds."""
    try:
        return subprocess.run(command, check=False, capture_output=True, cwd=ROOT).returncode == 0  # noqa: S603 - our own arguments
    except OSError:
        return False


def strip(package: Path) -> None:
    """Remove files that are not read at run time."""
    for pattern in _LEFT_OUT:
        for path in sorted(package.glob(pattern) if "/" in pattern else package.rglob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()


def copy_own(package: Path) -> None:
    """Copy ``authorizer/`` and ``bundled/``, the files of ``file:`` settings, to the top of the package."""
    own = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "authorizer", package, ignore=own, dirs_exist_ok=True)
    bundled = ROOT / "bundled"
    if bundled.is_dir():
        shutil.copytree(bundled, package, ignore=shutil.ignore_patterns("README.md", ".*"), dirs_exist_ok=True)


def compile_all(package: Path) -> None:
    """Add bytecode, since Python cannot save it at a cold start: Lambda's file system is read-only.

    It is marked as unchecked. A check by the source's time would fail, since the zip changes times. Compiling needs the
    same version of Python as Lambda. Without it, the package works too, but is larger and starts more slowly. Which
    docstrings and sources are left out: :mod:`jwt_authorizer_packaging.bytecode`.

    Raises ``SystemExit`` if a file does not compile, or a document is not TOML.
    """
    python = find_python()
    if python is None:
        say(f"no Python {PYTHON_VERSION} found: the package ships without bytecode and will start more slowly")
        return
    command = [python, "-I", "-X", "no_debug_ranges", str(Path(__file__).with_name("bytecode.py")), str(package)]
    # A fixed hash seed, since the order of a set of constants is part of the bytecode.
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    if subprocess.run(command, check=False, env=environment, cwd=ROOT).returncode:  # noqa: S603 - our own arguments
        sys.exit(1)  # it has printed the error


def find_python() -> str | None:
    """Return an interpreter of Lambda's version of Python, if any."""
    check = f"import sys; sys.exit(sys.implementation.name != 'cpython' or sys.version_info[:2] != {version()})"
    candidates = [str(ROOT / ".venv" / "bin" / "python"), sys.executable, f"python{PYTHON_VERSION}"]
    uv = find_uv()
    if uv is not None:
        found = subprocess.run(  # noqa: S603 - our own arguments
            [uv, "python", "find", "--no-python-downloads", PYTHON_VERSION],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        candidates += found.stdout.split("\n")[:1]
    return next((python for python in candidates if python and works([python, "-c", check])), None)


def version() -> tuple[int, ...]:
    """Return :data:`PYTHON_VERSION` as numbers."""
    return tuple(int(part) for part in PYTHON_VERSION.split("."))


def settle(package: Path) -> None:
    """Set the same time for every file, and a mode with which Lambda's user can read it."""
    for path in sorted(package.rglob("*"), reverse=True):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_FIRST_OF_1980, _FIRST_OF_1980))


def say(text: str) -> None:
    """Print a message. SAM CLI shows standard output at once, standard error only after a failure."""
    print(f"artifact: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
