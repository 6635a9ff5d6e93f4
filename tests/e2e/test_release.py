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

import pytest

from demo.tools import ROOT
from jwt_authorizer_packaging.archive import sha256, zip_folder
from jwt_authorizer_packaging.assemble import PYTHON_VERSION
from jwt_authorizer_packaging.release import main, version_to_make
from jwt_authorizer_packaging.terraform import MODULE, PACKAGE

VERSION = version_to_make()


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
    environment = {
        name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_proxy")
    }
    environment |= {"PATH": f"{programs}:/usr/bin:/bin", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    environment["HOME"] = os.environ.get("HOME", "/")  # where pip is told of an index
    command = [str(ROOT / ".venvs/boot/bin/python"), "packaging/jwt_authorizer_packaging/assemble.py"]
    command += ["--architecture", "arm64", "--into", str(tmp_path / "package")]
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, cwd=tree, env=environment, umask=0o077, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "installing dependencies for arm64 with pip" in done.stdout
    zip_folder(tmp_path / "package", tmp_path / "again.zip")
    assert sha256(tmp_path / "again.zip") == sha256(release / f"{stem('arm64')}.zip")


@pytest.fixture(params=("arm64", "x86_64"))
def packaged(request: pytest.FixtureRequest, release: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(release / f"{stem(request.param)}.zip")


def test_the_terraform_module_has_its_files_the_template_and_the_same_package(packaged: zipfile.ZipFile) -> None:
    path = Path(str(packaged.filename))
    module = zipfile.ZipFile(path.with_name(f"{path.stem}-terraform.zip"))
    files = {file.name: file.read_bytes() for file in (ROOT / MODULE).glob("*.tf")}
    template = path.with_suffix(".yaml").read_text("utf-8").replace(path.name, PACKAGE)
    template = template.replace("    NoEcho: true\n", "")
    expected = {**files, PACKAGE: path.read_bytes(), "template.yaml": template.encode()}
    assert {name: module.read(name) for name in module.namelist()} == expected


def test_the_zip_has_our_code_and_what_its_bill_of_materials_lists(packaged: zipfile.ZipFile) -> None:
    file = Path(str(packaged.filename))
    bill = json.loads(file.with_suffix(".cdx.json").read_text("utf-8"))
    metadata = [name for name in packaged.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name)]
    headers = [HeaderParser().parsestr(packaged.read(name).decode("utf-8")) for name in metadata]
    assert {(header["Name"], header["Version"]) for header in headers} == {
        (component["name"], component["version"]) for component in bill["components"]
    }
    assert all(component["licenses"] for component in bill["components"])
    # Nothing else is in it: each name at the top belongs to one of these, or is ours.
    tops = {re.sub(r"\..*", "", name.split("/")[0]) for name in packaged.namelist() if ".dist-info/" not in name}
    theirs = {"aws_lambda_powertools", "cryptography", "_cffi_backend", "jmespath", "jwt", "typing_extensions"}
    assert tops - {"__pycache__"} == theirs | {"jwt_authorizer"}
    ours = {path.relative_to(ROOT / "authorizer") for path in (ROOT / "authorizer" / "jwt_authorizer").rglob("*.py")}
    # What the index has under the same version comes as bytecode alone.
    assert {Path(name) for name in packaged.namelist() if name.endswith(".py")} == ours
    assert not {part for name in packaged.namelist() for part in name.split("/")} & {"tests", "bin", "RECORD"}
    about = bill["metadata"]["component"]
    assert (about["version"], about["hashes"]) == (VERSION.label, [{"alg": "SHA-256", "content": sha256(file)}])
    # Not of the moment, nor of chance.
    made = VERSION.released or datetime(1980, 1, 1, tzinfo=UTC)
    assert bill["metadata"]["timestamp"] == made.isoformat()
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f-]+", bill["serialNumber"])


def test_a_tag_that_is_not_the_version_makes_no_release(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--into", str(tmp_path / "dist"), "--tag", "v9.9.9"]) == 1
    assert f"the tag is v9.9.9, this tree is {VERSION.label}" in capsys.readouterr().err
    assert not (tmp_path / "dist").exists()


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
def test_each_module_comes_with_bytecode(packaged: zipfile.ZipFile) -> None:
    names = set(packaged.namelist())
    sources = [Path(name) for name in names if name.endswith(".py")]
    compiled = {
        str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc") for path in sources
    }
    assert compiled - names == set()
    assert "jwt/algorithms.pyc" in names
