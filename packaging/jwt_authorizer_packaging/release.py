"""Make a release of this tree: ``make release``. ``docs/releasing.md`` explains the files in ``dist/``.

Each package is built twice, in different folders and environments. The release fails if the bytes differ.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from jwt_authorizer_packaging.archive import checksums, sha256, zip_folder
from jwt_authorizer_packaging.assemble import PYTHON_VERSION, ROOT, find_python
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.sbom import Package, bill_of_materials
from jwt_authorizer_packaging.terraform import fill_module
from jwt_authorizer_packaging.version import ReleaseError, Version, version_of

NAME = "jwt-authorizer"
ARCHITECTURES = ("arm64", "x86_64")
CATALOGUED = "arm64"
"""The architecture in the Serverless Application Repository, where an application has one package."""
_PROGRAMS = ROOT / ".venvs" / "tools" / "bin"
_ENTERS_THE_PACKAGE = (
    "authorizer",
    "bundled",
    "packaging",
    "terraform",
    "requirements.txt",
    "template.yaml",
    "pyproject.toml",
)
_FIRST_OF_1980 = datetime(1980, 1, 1, tzinfo=UTC)

# These must not change the bytes. The first build has the environment of the caller.
_OTHER_CIRCUMSTANCES = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "12345", "COLUMNS": "40"}
_OTHER_UMASK = 0o077


def main(arguments: list[str] | None = None) -> int:
    """Make the release, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m jwt_authorizer_packaging.release", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="the folder to fill; emptied first")
    parser.add_argument("--tag", default="", help="fail unless this is the tag of the version, such as v0.1.0")
    options = parser.parse_args(arguments)
    try:
        version = version_to_make(options.tag)
        files = make_release(version, options.into.resolve())
    except (ReleaseError, ValueError, OSError, subprocess.CalledProcessError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    for file in files:
        print(f"release: {sha256(file)[:16]}…  {file.name}")
    if version.released is None:
        print(
            f"release: this is not a release of {version.number}: CHANGELOG.md has no date for it, or there are "
            "uncommitted changes"
        )
    return 0


def version_to_make(tag: str = "") -> Version:
    """Return the version of this tree. With uncommitted changes it is not a released one.

    Raises:
        ReleaseError: The files of the tree have different versions, or the tree is not that of ``tag``.

    """
    version = version_of(ROOT)
    changed = _changed_files() if version.released else []
    if tag and changed:
        message = f"{version.number} must be made of committed files. Not committed: {', '.join(changed)}"
        raise ReleaseError(message)
    if changed:
        return Version(version.number, None)
    if tag and tag != f"v{version.label}":
        message = f"the tag is {tag}, this tree is {version.label}: tag the commit that adds the date to the changelog"
        raise ReleaseError(message)
    return version


def _changed_files() -> list[str]:
    """Return files that would be in the package but are not committed, ignored ones included."""
    if not (ROOT / ".git").exists():
        return []  # an unpacked source archive, to compare bytes with a release
    command = [
        "git",
        "status",
        "--porcelain",
        "--untracked-files=all",
        "--ignored=matching",
        "--",
        *_ENTERS_THE_PACKAGE,
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout  # noqa: S603 - our own arguments
    names = [line[3:] for line in said.splitlines()]
    return [name for name in names if "__pycache__" not in name and not name.endswith(".pyc")]


def make_release(version: Version, dist: Path) -> list[Path]:
    """Fill ``dist``, and return its files, except those for the Serverless Application Repository."""
    if dist.exists():
        shutil.rmtree(dist)
    dist.mkdir(parents=True)
    made = (
        datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC) if "SOURCE_DATE_EPOCH" in os.environ else None
    )
    made = made or version.released or _FIRST_OF_1980
    python = _python_version()
    with tempfile.TemporaryDirectory(prefix=f"{NAME}-release-") as scratch, ThreadPoolExecutor() as pool:
        packages = list(
            pool.map(lambda name: _package(Path(scratch) / name, name, version, dist, python), ARCHITECTURES)
        )
        bills = pool.map(
            lambda package: bill_of_materials(
                package, tool=_PROGRAMS / "cyclonedx-py", project=ROOT / "pyproject.toml", made=made
            ),
            packages,
        )
        for package, bill in zip(packages, bills, strict=True):
            stem = dist / package.zip_name.removesuffix(".zip")
            stem.with_name(f"{stem.name}.cdx.json").write_text(bill, "utf-8")
            text = packaged_template(f"./{package.zip_name}", package.architecture)
            stem.with_name(f"{stem.name}.yaml").write_text(text, "utf-8")
            module = Path(scratch) / package.architecture / "terraform"
            fill_module(module, dist / package.zip_name, package.architecture)
            zip_folder(module, stem.with_name(f"{stem.name}-terraform.zip"))
    _check_bills(sorted(dist.glob("*.cdx.json")))
    files = sorted(dist.iterdir())
    (dist / "SHA256SUMS").write_text(checksums(files), "utf-8")
    _catalog(dist, version)
    return [*files, dist / "SHA256SUMS"]


def _check_bills(files: list[Path]) -> None:
    """Raise :class:`ReleaseError` if a bill of materials is invalid by its schema."""
    command = [str(_PROGRAMS / "python"), "packaging/jwt_authorizer_packaging/bill_schema.py", *map(str, files)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        message = f"a bill of materials is invalid by its schema: {done.stderr.strip()}"
        raise ReleaseError(message)


def _package(scratch: Path, architecture: str, version: Version, dist: Path, python: str) -> Package:
    """Build twice, compare, and use the first."""
    zip_name = f"{NAME}-{version.label}-{architecture}.zip"
    first, second = scratch / "package", scratch / "again" / "in-a-folder-of-another-name"
    _assemble(first, architecture, os.environ, umask=-1)
    _assemble(second, architecture, os.environ | _OTHER_CIRCUMSTANCES, umask=_OTHER_UMASK)
    zip_folder(first, dist / zip_name)
    zip_folder(second, scratch / zip_name)
    if sha256(dist / zip_name) != sha256(scratch / zip_name):
        message = (
            f"two builds for {architecture} differ: {', '.join(_differing(first, second)) or 'only in their zips'}"
        )
        raise ReleaseError(message)
    return Package(first, version.label, architecture, zip_name, sha256(dist / zip_name), python)


def _assemble(folder: Path, architecture: str, environment: os._Environ[str] | dict[str, str], umask: int) -> None:
    command = [
        sys.executable,
        "packaging/jwt_authorizer_packaging/assemble.py",
        "--architecture",
        architecture,
        "--into",
        str(folder),
    ]
    subprocess.run(command, check=True, cwd=ROOT, env=environment, umask=umask, stdout=subprocess.DEVNULL)  # noqa: S603 - our own arguments


def _differing(first: Path, second: Path) -> list[str]:
    def contents(folder: Path) -> dict[str, str]:
        return {str(file.relative_to(folder)): sha256(file) for file in folder.rglob("*") if file.is_file()}

    one, other = contents(first), contents(second)
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _python_version() -> str:
    """Return the version of the Python that compiles the package."""
    python = find_python()
    if python is None:
        message = f"no Python {PYTHON_VERSION} found, which a release needs for its bytecode: `make setup` installs one"
        raise ReleaseError(message)
    script = "import platform; print(platform.python_version())"
    return subprocess.run([python, "-c", script], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603 - our own arguments


def _catalog(dist: Path, version: Version) -> None:
    """Write the folder that `sam package` and `sam publish` read."""
    folder = dist / "serverless-application-repository"
    folder.mkdir()
    zip_name = f"{NAME}-{version.label}-{CATALOGUED}.zip"
    text = packaged_template(f"./{zip_name}", CATALOGUED, catalogued=True)
    (folder / "template.yaml").write_text(text, "utf-8")
    for file in (dist / zip_name, ROOT / "README.md", ROOT / "LICENSE"):
        shutil.copyfile(file, folder / file.name)


if __name__ == "__main__":
    sys.exit(main())
