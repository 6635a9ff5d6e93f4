"""Which version a tree is, and what is said of one whose files disagree."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from jwt_authorizer_packaging.version import ReleaseError, Version, version_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "authorizer" / "jwt_authorizer").mkdir(parents=True)
    write(tmp_path, "pyproject.toml", '[project]\nversion = "1.2.3"\n')
    write(tmp_path, "authorizer/jwt_authorizer/__init__.py", '"""About it."""\n\n__version__ = "1.2.3"\n')
    write(tmp_path, "template.yaml", "Metadata:\n  AWS::ServerlessRepo::Application:\n    SemanticVersion: 1.2.3\n")
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
        ("template.yaml", "    SemanticVersion: 2.0.0\n", r"SemanticVersion\) says 2.0.0, pyproject.toml says 1.2.3"),
        ("template.yaml", "Resources: {}\n", "says no version"),
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
