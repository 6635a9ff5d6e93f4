"""What a release is made of, without installing anything: tests/e2e/test_release.py makes one."""

import importlib.util
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
from jwt_authorizer_packaging.archive import zip_folder
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.version import ReleaseError, Version, version_of
from tests.cloudformation import Template


def put(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_lambda_can_read_every_file_of_the_zip(tmp_path: Path) -> None:
    put(tmp_path / "made" / "b.py", "b = 1\n").chmod(0o600)
    put(tmp_path / "made" / "a" / "deep" / "c.py")
    zip_folder(tmp_path / "made", tmp_path / "made.zip")
    with zipfile.ZipFile(tmp_path / "made.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {"a/deep/c.py": b"", "b.py": b"b = 1\n"}
        # A regular file, rw-r--r--, as a Unix system would have made it; the first moment that a zip can hold.
        about = {(it.create_system, it.external_attr >> 16, it.date_time) for it in archive.infolist()}
        assert about == {(3, 0o100644, (1980, 1, 1, 0, 0, 0))}


# Which version a tree is.


RELEASED = {
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "authorizer/jwt_authorizer/__init__.py": '"""About it."""\n\n__version__ = "1.2.3"\n',
    "CHANGELOG.md": "## [Unreleased]\n\n## [1.2.3] - 2027-01-31\n\n## [1.2.2] - 2027-01-01\n",
}


@pytest.mark.parametrize(
    ("changes", "version", "label"),
    [
        ({}, Version("1.2.3", datetime(2027, 1, 31, tzinfo=UTC)), "1.2.3"),
        # Its files can't be taken for those of the release.
        ({"CHANGELOG.md": "Will be 1.2.3, soon.\n"}, Version("1.2.3", None), "1.2.3-unreleased"),
        ({"authorizer/jwt_authorizer/__init__.py": '__version__ = "1.2.2"\n'}, None, "__init__.py says 1.2.2"),
        ({"authorizer/jwt_authorizer/__init__.py": ""}, None, "__init__.py says no version"),
        ({"CHANGELOG.md": "## [1.2.30] - 2027-01-31\n"}, None, "CHANGELOG.md does not mention 1.2.3"),
        ({"CHANGELOG.md": "## [1.2.3] - soon\n"}, None, "CHANGELOG.md does not mention 1.2.3"),
    ],
)
def test_a_version_is_what_all_files_say(
    changes: dict[str, str], version: Version | None, label: str, tmp_path: Path
) -> None:
    for name, text in (RELEASED | changes).items():
        put(tmp_path / name, text)
    if version is None:
        with pytest.raises(ReleaseError, match=label):
            version_of(tmp_path)
    else:
        assert version_of(tmp_path) == version
        assert version.label == label


@pytest.mark.parametrize("catalogued", [True, False])
def test_only_the_code_s_location_the_architecture_and_the_catalog_are_others(
    template: Template, *, catalogued: bool
) -> None:
    packaged: dict[str, Any] = read_document(packaged_template("./x86_64.zip", "x86_64", catalogued=catalogued))
    expected = deepcopy(template)
    for function in expected["Resources"].values():
        if function["Type"] == "AWS::Serverless::Function":
            function["Properties"]["CodeUri"] = "./x86_64.zip"
            del function["Metadata"]
    architecture = packaged["Parameters"].pop("Architecture")
    # It refuses the architecture that its zip is not for.
    assert (architecture["Default"], architecture["AllowedValues"]) == ("x86_64", ["x86_64"])
    del expected["Parameters"]["Architecture"]
    # `sam deploy` uploads what the catalog's metadata name, and fails where it is not.
    catalog = expected["Metadata"].pop("AWS::ServerlessRepo::Application")
    if catalogued:
        files = {"LicenseUrl": "LICENSE", "ReadmeUrl": "README.md"}
        expected["Metadata"]["AWS::ServerlessRepo::Application"] = catalog | files
    assert packaged == expected


# Bytecode.


LAMBDAS_PYTHON = pytest.mark.skipif(
    sys.version_info[:2] != assemble.version(), reason="the tests run on another Python than Lambda"
)


@LAMBDAS_PYTHON
def test_a_bundled_document_is_parsed(tmp_path: Path) -> None:
    put(tmp_path / "rules.toml", 'cached_by = "nothing"\n')
    put(tmp_path / "other.toml", "since = 2026-11-28\n")
    assemble.compile_all(tmp_path)
    digest, _, document = (tmp_path / "rules.toml.parsed").read_text().partition("\n")
    assert (len(digest), document) == (64, '{"cached_by": "nothing"}')
    assert not (tmp_path / "other.toml.parsed").exists()


@LAMBDAS_PYTHON
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("rules.toml", "cached_by nothing\n", "bundled/rules.toml is not a TOML document: "),
        ("checks.py", "def check(caller)\n    pass\n", "checks.py, line 1, does not compile: "),
    ],
)
def test_a_file_that_cannot_be_read_fails_the_build(
    name: str, text: str, said: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path / name, text)
    with pytest.raises(SystemExit):
        assemble.compile_all(tmp_path)
    assert capfd.readouterr().err.startswith(said)


@LAMBDAS_PYTHON
def test_bytecode_is_never_checked_against_times_and_has_no_docstrings_but_all_checks(tmp_path: Path) -> None:
    text = '"""Page."""\n\nclass Sort:\n    """Kind."""\n\ndef check(value):\n    """Check."""\n    assert value\n'
    ours, theirs, added = (put(tmp_path / name / "core.py", text) for name in ("jwt_authorizer", "jwt", "added"))
    assemble.compile_all(tmp_path)
    # What is ours keeps its source, for tracebacks and for the console; of what the index has, the bytecode is enough.
    assert (ours.exists(), theirs.exists(), added.exists()) == (True, False, True)
    compiled = theirs.with_suffix(".pyc").read_bytes()
    # PEP 552: bit 0 says that a hash stands in place of the time, bit 1 that the hash is to be checked.
    assert compiled[:8] == importlib.util.MAGIC_NUMBER + (0b01).to_bytes(4, "little")
    assert b"/var/task/jwt/core.py" in compiled
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
        [sys.executable, "-I", "-S", "-c", script, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines() == [
        *("jwt_authorizer.core None None None", "8"),
        *("jwt.core None None None", "8"),
        *("added.core Page. Kind. Check.", "8"),
    ]
