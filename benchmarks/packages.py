"""Build the packages that are compared: ours as ``sam build`` makes it, the obvious authorizer's, and the floor.

The obvious one is built as ``sam build`` does by default with a ``requirements.txt``: wheels unpacked beside the code,
without bytecode.
"""

from __future__ import annotations

import compileall
import io
import os
import py_compile
import re
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

from benchmarks.process import Package, base_interpreter
from benchmarks.workload import AUDIENCE, ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.workload import Workload

BUILD = ROOT / ".build" / "bench"
_LOCK = ROOT / "requirements" / "dev.txt"
_CRYPTOGRAPHY = ("cryptography", "cffi", "pycparser")
_OBVIOUS = ("aws-lambda-powertools", "jmespath", "typing-extensions", "pyjwt", *_CRYPTOGRAPHY)
_RUNTIME = ("awslambdaric", "simplejson", "snapshot-restore-py")


def runtime() -> Path:
    """Install the runtime client, which is in Lambda's image with its bytecode."""
    return _installed("runtime", _RUNTIME, bytecode=True)


def ours(load: Workload) -> Package:
    """Build our package as ``sam build`` does, for this machine's architecture."""
    folder = BUILD / "ours"
    machine = "arm64" if os.uname().machine in ("aarch64", "arm64") else "x86_64"
    _run(
        [
            sys.executable,
            "packaging/jwt_authorizer_packaging/assemble.py",
            "--architecture",
            machine,
            "--into",
            str(folder),
        ]
    )
    environment = {
        "JWT_ISSUER": load.issuer,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS": load.provider.jwks_url,
        "SSL_CERT_DIR": str(load.hashed),
    }
    return Package("ours", folder, "jwt_authorizer.handler.lambda_handler", environment)


def obvious(load: Workload) -> Package:
    """Build the obvious authorizer's package as ``sam build`` does by default."""
    folder = _installed("obvious", _OBVIOUS, bytecode=False)
    shutil.copy(ROOT / "benchmarks" / "peers" / "obvious.py", folder / "app.py")
    environment = {
        "JWT_ISSUER": load.issuer,
        "JWT_AUDIENCE": AUDIENCE,
        "JWKS_URL": load.provider.jwks_url,
        "SSL_CERT_FILE": str(load.certificates),
    }
    return Package("obvious", folder, "app.lambda_handler", environment)


def floor() -> Package:
    """Build the floor, with bytecode as ours has it."""
    folder = _installed("floor", _CRYPTOGRAPHY, bytecode=True)
    shutil.copy(ROOT / "benchmarks" / "peers" / "floor.py", folder / "app.py")
    _add_bytecode(folder)
    return Package("floor", folder, "app.lambda_handler", {})


def zipped_size(folder: Path) -> int:
    """Return the size of a package as it is uploaded, in bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder))
    return target.tell()


def _installed(name: str, distributions: Sequence[str], *, bytecode: bool) -> Path:
    """Install locked distributions into a folder of their own."""
    folder = BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lock = BUILD / f"{name}.txt"
    lock.write_text(locked(_LOCK.read_text("utf-8"), distributions), "utf-8")
    wanted = ["--no-deps", "--require-hashes", "--target", str(folder), "--requirement", str(lock)]
    own = ROOT / ".venvs" / "boot" / "bin" / "uv"
    uv = str(own) if own.is_file() else shutil.which("uv")
    if uv is not None:
        _run([uv, "pip", "install", "--quiet", "--python", base_interpreter(), "--link-mode", "copy", *wanted])
    else:
        _run([base_interpreter(), "-m", "pip", "install", "--quiet", "--no-compile", "--only-binary", ":all:", *wanted])
    shutil.rmtree(folder / "bin", ignore_errors=True)
    if bytecode:
        _add_bytecode(folder)
    return folder


def locked(lock: str, distributions: Sequence[str]) -> str:
    """Return the entries of some distributions in a lock file. Raises :class:`LookupError` if one is missing."""
    entries = {match[1]: match[0] for match in re.finditer(r"^([a-z0-9-]+)==(?:.*\\\n)*.*$", lock, re.MULTILINE)}
    missing = [name for name in distributions if name not in entries]
    if missing:
        message = f"requirements/dev.txt lacks {', '.join(missing)}"
        raise LookupError(message)
    return "".join(entries[name] + "\n" for name in distributions)


def _add_bytecode(folder: Path) -> None:
    compileall.compile_dir(folder, quiet=2, force=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)


def _run(command: list[str]) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(command, check=True, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603 - our own
