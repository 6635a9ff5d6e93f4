"""What `make release` makes: the same bytes whoever builds them, and a bill of materials of just these."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import pytest

from demo.tools import ROOT, host_architecture
from jwt_authorizer_packaging.archive import sha256, zip_folder
from jwt_authorizer_packaging.assemble import PYTHON_VERSION
from jwt_authorizer_packaging.release import version_to_make
from jwt_authorizer_packaging.terraform import MODULE, PACKAGE

VERSION = version_to_make()
ARCHITECTURES = ("arm64", "x86_64")


def stem(architecture: str) -> str:
    return f"jwt-authorizer-{VERSION.label}-{architecture}"


def test_another_installer_python_user_and_place_give_the_same_bytes(release: Path, tmp_path: Path) -> None:
    # A tree where nothing of ours is installed, so that pip installs; run by the Python that made .venvs/boot.
    tree, programs = tmp_path / "tree", tmp_path / "bin"
    for name in ("authorizer", "packaging", "bundled", "scripts"):
        shutil.copytree(ROOT / name, tree / name)
    shutil.copy(ROOT / "requirements.txt", tree)
    programs.mkdir()
    (programs / "python3.13").symlink_to(Path(sys.executable).resolve())
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")}
    environment = kept | {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", "/"),  # where pip is told of an index
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
    }
    command = [
        str(ROOT / ".venvs/boot/bin/python"),
        "packaging/jwt_authorizer_packaging/assemble.py",
        "--architecture",
        "arm64",
    ]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [*command, "--into", str(tmp_path / "package")],
        cwd=tree,
        env=environment,
        umask=0o077,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "installing dependencies for arm64 with pip" in done.stdout
    zip_folder(tmp_path / "package", tmp_path / "again.zip")
    assert sha256(tmp_path / "again.zip") == sha256(release / f"{stem('arm64')}.zip")


@pytest.fixture(params=ARCHITECTURES)
def packaged(request: pytest.FixtureRequest, release: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(release / f"{stem(request.param)}.zip")


def test_the_terraform_module_has_its_files_the_template_and_the_same_package(packaged: zipfile.ZipFile) -> None:
    path = Path(str(packaged.filename))
    module = zipfile.ZipFile(path.with_name(f"{path.stem}-terraform.zip"))
    files = {file.name: file.read_bytes() for file in (ROOT / MODULE).glob("*.tf")}
    template = (
        path.with_suffix(".yaml").read_text("utf-8").replace(path.name, PACKAGE).replace("    NoEcho: true\n", "")
    )
    expected = {**files, PACKAGE: path.read_bytes(), "template.yaml": template.encode()}
    assert {name: module.read(name) for name in module.namelist()} == expected


@pytest.fixture
def bill(packaged: zipfile.ZipFile) -> dict[str, Any]:
    text = Path(str(packaged.filename)).with_suffix(".cdx.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_bill_lists_what_is_in_the_zip(packaged: zipfile.ZipFile, bill: dict[str, Any]) -> None:
    metadata = [name for name in packaged.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
    headers = [HeaderParser().parsestr(packaged.read(name).decode("utf-8")) for name in metadata]
    assert {(header["Name"], header["Version"]) for header in headers} == {
        (component["name"], component["version"]) for component in bill["components"]
    }
    # Nothing else is in it: each name at the top belongs to one of these, or is ours.
    tops = {re.sub(r"\..*", "", name.split("/")[0]) for name in packaged.namelist() if ".dist-info/" not in name}
    assert tops - {"__pycache__"} == {
        "_cffi_backend",
        "aws_lambda_powertools",
        "cryptography",
        "jmespath",
        "jwt",
        "jwt_authorizer",
        "typing_extensions",
    }
    assert all(component["licenses"] for component in bill["components"])
    assert {each["name"]: each["properties"] for each in bill["components"] if "properties" in each}.keys() == {
        "aws_lambda_powertools",
        "cffi",
    }


def test_the_bill_is_of_this_zip_and_says_what_made_it(packaged: zipfile.ZipFile, bill: dict[str, Any]) -> None:
    file = Path(str(packaged.filename))
    about = bill["metadata"]["component"]
    assert about["version"] == VERSION.label
    assert about["hashes"] == [{"alg": "SHA-256", "content": sha256(file)}]
    said = {each["name"]: each["value"] for each in about["properties"]}
    assert said["jwt-authorizer:file"] == file.name
    assert said["jwt-authorizer:bytecode"].startswith("CPython 3.13.")
    # Not of the moment, nor of chance.
    made = VERSION.released or datetime(1980, 1, 1, tzinfo=UTC)
    assert bill["metadata"]["timestamp"] == made.isoformat()
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]+", bill["serialNumber"])


def test_a_tag_that_is_not_the_version_makes_no_release(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "jwt_authorizer_packaging.release",
        "--into",
        str(tmp_path / "dist"),
        "--tag",
        "v9.9.9",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 1
    assert f"the tag is v9.9.9, this tree is {VERSION.label}" in done.stderr
    assert not (tmp_path / "dist").exists()


# What ``sam build`` puts into the package: the function, its run-time dependencies, and nothing else.


# ELF header, e_machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_MACHINES = {"arm64": 183, "x86_64": 62}


@pytest.fixture(scope="module")
def packages(release: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Unpack the zips of the release. `sam build` makes the same packages, of which the other tests deploy one."""
    folder = tmp_path_factory.mktemp("packages")
    for architecture in _MACHINES:
        (archive,) = release.glob(f"*-{architecture}.zip")
        shutil.unpack_archive(archive, folder / architecture)
    return {architecture: folder / architecture for architecture in _MACHINES}


@pytest.fixture(params=sorted(_MACHINES))
def package(request: pytest.FixtureRequest, packages: dict[str, Path]) -> Path:
    return packages[request.param]


def test_it_holds_the_required_distributions_and_our_code(package: Path) -> None:
    required = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    installed = {
        re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in package.glob("*.dist-info") if path.is_dir()
    }
    assert installed <= required
    assert {"cryptography", "pyjwt"} <= installed
    sources = {path.relative_to(ROOT / "authorizer") for path in (ROOT / "authorizer" / "jwt_authorizer").rglob("*.py")}
    shipped = {path.relative_to(package) for path in (package / "jwt_authorizer").rglob("*.py")}
    assert shipped == sources


def test_it_holds_nothing_that_no_run_time_code_reads(package: Path) -> None:
    # Which importable names it has is compared with the bill above.
    names = {path.name for path in package.rglob("*")}
    assert not names & {"tests", "test", "docs", "demo", "devkit", "boto3", "README.md", ".venv", "bin", "RECORD"}


def test_its_libraries_are_for_its_architecture(packages: dict[str, Path]) -> None:
    for architecture, package in packages.items():
        libraries = list(package.rglob("*.so"))
        assert libraries
        for library in libraries:
            machine = int.from_bytes(library.read_bytes()[18:20], "little")
            assert (library.name, machine) == (library.name, _MACHINES[architecture])


@pytest.mark.skipif(
    f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON_VERSION, reason="the tests run on another Python"
)
def test_each_module_comes_with_bytecode(package: Path) -> None:
    tag = sys.implementation.cache_tag
    without = [
        path for path in package.rglob("*.py") if not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").is_file()
    ]
    assert without == []
    # What the index has under the same version comes as bytecode alone.
    assert {path.relative_to(package).parts[0] for path in package.rglob("*.py")} == {"jwt_authorizer"}
    assert (package / "jwt" / "algorithms.pyc").is_file()


def test_it_starts_by_itself(packages: dict[str, Path], tmp_path: Path) -> None:
    # -I -S: neither the environment's packages nor the folder's.
    script = "import sys; sys.path.insert(0, sys.argv[1]); import jwt_authorizer.function as f; print(f.__file__)"
    package = packages[host_architecture()]
    done = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-I", "-S", "-c", script, str(package)],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert Path(done.stdout.strip()).is_relative_to(package)
