"""What `make release` makes: the same bytes whoever builds them, and a bill of materials of just these."""

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

from demo.tools import ROOT
from jwt_authorizer_packaging.archive import sha256, zip_folder
from jwt_authorizer_packaging.assemble import PYTHON_VERSION
from jwt_authorizer_packaging.release import main, version_to_make
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
    names = {part for name in packaged.namelist() for part in name.split("/")}
    assert not names & {"tests", "test", "docs", "demo", "devkit", "boto3", "README.md", ".venv", "bin", "RECORD"}
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


def test_a_tag_that_is_not_the_version_makes_no_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--into", str(tmp_path / "dist"), "--tag", "v9.9.9"]) == 1
    assert f"the tag is v9.9.9, this tree is {VERSION.label}" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


# What ``sam build`` puts into the package, too: the function, its run-time dependencies, and nothing else.


@pytest.fixture
def package(packaged: zipfile.ZipFile, tmp_path: Path) -> Path:
    packaged.extractall(tmp_path)
    return tmp_path


def test_it_holds_the_required_distributions_and_our_code(package: Path) -> None:
    required = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements.txt").read_text(), re.MULTILINE))
    installed = {re.sub(r"[-_.]+", "-", path.name.split("-")[0]).lower() for path in package.glob("*.dist-info")}
    assert installed <= required
    assert {"cryptography", "pyjwt"} <= installed
    sources = {path.relative_to(ROOT / "authorizer") for path in (ROOT / "authorizer" / "jwt_authorizer").rglob("*.py")}
    shipped = {path.relative_to(package) for path in (package / "jwt_authorizer").rglob("*.py")}
    assert shipped == sources


def test_its_libraries_are_for_its_architecture(packaged: zipfile.ZipFile) -> None:
    # ELF header, e_machine: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
    machine = 183 if "arm64" in str(packaged.filename) else 62
    libraries = [name for name in packaged.namelist() if name.endswith(".so")]
    assert libraries
    for name in libraries:
        assert (name, int.from_bytes(packaged.read(name)[18:20], "little")) == (name, machine)


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
