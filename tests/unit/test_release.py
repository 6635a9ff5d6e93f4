"""The zip of a release: bytes that depend on nothing but names and contents."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_packaging import assemble
from jwt_authorizer_packaging.archive import sha256, zip_folder
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.version import ReleaseError, Version, version_of
from tests.cloudformation import Template

FILES = {"b.py": "b = 1\n", "a/deep/c.py": "c = 2\n" * 100, "a/B.py": "", "z.so": "binary"}


def folder(path: Path, names: list[str]) -> Path:
    for name in names:
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(FILES[name])
    return path


def test_neither_order_nor_times_nor_rights_nor_place_matter(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", list(FILES))
    other = folder(tmp_path / "a" / "longer" / "name", sorted(FILES, reverse=True))
    (other / "empty").mkdir()
    for path in other.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
        path.chmod(0o700)
    zip_folder(one, tmp_path / "one.zip")
    zip_folder(other, tmp_path / "other.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "other.zip").read_bytes()
    (one / "b.py").write_text("b = 2\n")
    zip_folder(one, tmp_path / "changed.zip")
    assert sha256(tmp_path / "changed.zip") != sha256(tmp_path / "one.zip")


def test_lambda_can_read_every_file(tmp_path: Path) -> None:
    made = folder(tmp_path / "made", list(FILES))
    (made / "b.py").chmod(0o600)
    zip_folder(made, tmp_path / "made.zip")
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a/B.py", "a/deep/c.py", "b.py", "z.so"]
        for entry in archive.infolist():
            assert archive.read(entry).decode() == FILES[entry.filename]
            # A regular file, rw-r--r--, as a Unix system would have made it; the first moment that a zip can hold.
            assert (entry.create_system, entry.external_attr >> 16) == (3, 0o100644)
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.compress_type == zipfile.ZIP_DEFLATED


# Which version a tree is, and what is said of one whose files disagree.


ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "authorizer" / "jwt_authorizer").mkdir(parents=True)
    write(tmp_path, "pyproject.toml", '[project]\nversion = "1.2.3"\n')
    write(tmp_path, "authorizer/jwt_authorizer/__init__.py", '"""About it."""\n\n__version__ = "1.2.3"\n')
    write(tmp_path, "CHANGELOG.md", "## [Unreleased]\n\n## [1.2.3] - 2027-01-31\n\n## [1.2.2] - 2027-01-01\n")
    return tmp_path


def write(tree: Path, name: str, text: str) -> None:
    (tree / name).write_text(text)


def test_a_dated_section_is_a_release(tree: Path) -> None:
    assert version_of(tree) == Version("1.2.3", datetime(2027, 1, 31, tzinfo=UTC))
    assert version_of(tree).label == "1.2.3"


def test_until_then_its_files_cannot_be_taken_for_the_release(tree: Path) -> None:
    write(tree, "CHANGELOG.md", "## [Unreleased]\n\nWill be 1.2.3, soon.\n\n## [1.2.2] - 2027-01-01\n")
    assert version_of(tree) == Version("1.2.3", None)
    assert version_of(tree).label == "1.2.3-unreleased"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        (
            "authorizer/jwt_authorizer/__init__.py",
            '__version__ = "1.2.2"\n',
            "authorizer/jwt_authorizer/__init__.py says 1.2.2, pyproject.toml says",
        ),
        ("authorizer/jwt_authorizer/__init__.py", "", "authorizer/jwt_authorizer/__init__.py says no version"),
        ("CHANGELOG.md", "## [1.2.30] - 2027-01-31\n", r"needs a section '## \[1.2.3\] - YYYY-MM-DD'"),
        ("CHANGELOG.md", "## [1.2.3] - soon\n", "CHANGELOG.md knows nothing of 1.2.3"),
        ("CHANGELOG.md", "Will be 1.2.4\n", "or, while it is being worked on, 'Will be 1.2.3'"),
    ],
)
def test_files_that_disagree_are_named(tree: Path, name: str, text: str, message: str) -> None:
    write(tree, name, text)
    with pytest.raises(ReleaseError, match=message):
        version_of(tree)


def test_this_tree_is_one_version() -> None:
    assert version_of(ROOT).number.count(".") == 2


# The template of a release: what `sam build` needs is gone, the code is the zip beside it, the rest is as it was.


CATALOG = "AWS::ServerlessRepo::Application"
ZIP = "./jwt-authorizer-1.2.3-x86_64.zip"


@pytest.fixture(scope="module")
def catalogued() -> dict[str, Any]:
    return read_document(packaged_template(ZIP, "x86_64", catalogued=True))


def test_only_the_place_of_the_code_the_architecture_and_the_catalog_are_others(
    template: Template, catalogued: dict[str, Any]
) -> None:
    expected = deepcopy(template)
    functions = [it for it in expected["Resources"].values() if it["Type"] == "AWS::Serverless::Function"]
    assert len(functions) == 3
    for function in functions:
        function["Properties"]["CodeUri"] = ZIP
        del function["Metadata"]
    expected["Parameters"]["Architecture"] = catalogued["Parameters"]["Architecture"]
    expected["Metadata"][CATALOG] |= {"LicenseUrl": "LICENSE", "ReadmeUrl": "README.md"}
    assert catalogued == expected


def test_it_refuses_the_architecture_that_its_zip_is_not_for(catalogued: dict[str, Any]) -> None:
    parameter = catalogued["Parameters"]["Architecture"]
    assert (parameter["Default"], parameter["AllowedValues"]) == ("x86_64", ["x86_64"])
    assert ZIP in parameter["Description"]


def test_without_the_catalog_no_file_is_named_that_is_not_beside_it() -> None:
    # `sam deploy` uploads what the catalog's metadata name, and fails where it is not.
    plain: dict[str, Any] = read_document(packaged_template(ZIP, "x86_64"))
    assert list(plain["Metadata"]) == ["AWS::CloudFormation::Interface"]


# What the package's build does without installing anything.


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    assemble.empty(folder)
    return folder


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_it_starts_from_nothing(package: Path) -> None:
    put(package / "old" / "left.py")
    assemble.empty(package)
    assert list(package.iterdir()) == []


def test_what_no_run_time_code_reads_goes(package: Path) -> None:
    kept = [
        put(package / "lib" / "core.py"),
        put(package / "lib" / "data.json"),
        put(package / "lib-1.0.dist-info" / "METADATA"),
        put(package / "lib-1.0.dist-info" / "licenses" / "LICENSE"),
    ]
    put(package / "bin" / "lib-tool")
    put(package / "lib" / "core.pyi")
    put(package / "lib" / "tests" / "test_core.py")
    put(package / "lib" / "__pycache__" / "core.cpython-311.pyc")
    put(package / "lib-1.0.dist-info" / "RECORD")
    put(package / "lib-1.0.dist-info" / "INSTALLER")
    assemble.strip(package)
    assert sorted(path for path in package.rglob("*") if path.is_file()) == sorted(kept)


LAMBDAS_PYTHON = pytest.mark.skipif(
    sys.version_info[:2] != assemble.version(), reason="the tests run on another Python than Lambda"
)


@LAMBDAS_PYTHON
def test_bytecode_is_never_checked_against_times(package: Path) -> None:
    source = put(package / "lib" / "core.py", "X = {'a', 'b'}\n")
    assemble.compile_all(package)
    assemble.settle(package)
    compiled = (source.parent / "__pycache__" / f"core.{sys.implementation.cache_tag}.pyc").read_bytes()
    assert compiled[:4] == importlib.util.MAGIC_NUMBER
    # PEP 552: bit 0 says that a hash stands in place of the time, bit 1 that the hash is to be checked.
    assert int.from_bytes(compiled[4:8], "little") == 0b01
    assert b"/var/task/lib/core.py" in compiled
    assert source.stat().st_mtime == source.parent.stat().st_mtime


@LAMBDAS_PYTHON
def test_a_bundled_document_is_parsed_and_a_wrong_one_fails_the_build(
    package: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(package / "rules.toml", 'cached_by = "nothing"\n')
    put(package / "other.toml", "since = 2026-11-28\n")
    assemble.compile_all(package)
    digest, _, document = (package / "rules.toml.parsed").read_text().partition("\n")
    assert (len(digest), document) == (64, '{"cached_by": "nothing"}')
    assert not (package / "other.toml.parsed").exists()
    put(package / "rules.toml", "cached_by nothing\n")
    with pytest.raises(SystemExit):
        assemble.compile_all(package)
    assert "bundled/rules.toml is not a TOML document: " in capfd.readouterr().err


@LAMBDAS_PYTHON
def test_a_check_that_does_not_compile_fails_the_build(package: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(package / "checks.py", "def check(caller)\n    pass\n")
    with pytest.raises(SystemExit):
        assemble.compile_all(package)
    assert capfd.readouterr().err.startswith("checks.py, line 1, does not compile: ")


@LAMBDAS_PYTHON
def test_docstrings_go_and_checks_stay(package: Path) -> None:
    text = '"""Page."""\n\nclass Sort:\n    """Kind."""\n\ndef check(value):\n    """Check."""\n    assert value\n'
    ours = put(package / "jwt_authorizer" / "core.py", text)
    theirs = put(package / "jwt" / "core.py", text)
    added = put(package / "added" / "core.py", text)
    assemble.compile_all(package)
    # What is ours keeps its source, for tracebacks and for the console; of what the index has, the bytecode is enough.
    assert (ours.exists(), theirs.exists(), added.exists()) == (True, False, True)
    script = """
import importlib, sys, traceback
sys.path.insert(0, sys.argv[1])
for name in ("jwt_authorizer.core", "jwt.core", "added.core"):
    module = importlib.import_module(name)
    print(name, module.__doc__, module.Sort.__doc__, module.check.__doc__)
    try:
        module.check(False)
    except AssertionError as error:
        print(traceback.extract_tb(error.__traceback__)[-1].lineno)
"""
    ended = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-I", "-S", "-c", script, str(package)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines() == [
        "jwt_authorizer.core None None None",
        "8",
        "jwt.core None None None",
        "8",
        "added.core Page. Kind. Check.",
        "8",
    ]
