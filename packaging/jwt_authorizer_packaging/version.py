"""The version of this tree. Three files have it and must agree. ``make generate`` writes it to others."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_OURS = re.compile(r'^__version__ = "(?P<version>[^"]+)"$', re.MULTILINE)


class ReleaseError(Exception):
    """A release of this tree cannot be made. The message says what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version. ``released`` is the date in the changelog, or ``None`` if it has no date yet."""

    number: str
    released: datetime | None

    @property
    def label(self) -> str:
        """The number, with a suffix if it is not released."""
        return self.number if self.released else f"{self.number}-unreleased"


def version_of(root: Path) -> Version:
    """Read the version of the tree at ``root``.

    Raises:
        ReleaseError: The files disagree.

    """
    number: str = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    package = "authorizer/jwt_authorizer/__init__.py"
    found = _OURS.search((root / package).read_text("utf-8"))
    other = found["version"] if found else "no version"
    if other != number:
        raise ReleaseError(f"{package} says {other}, pyproject.toml says {number}: both must be the same")
    changes = (root / "CHANGELOG.md").read_text("utf-8")
    section = re.search(rf"^## \[{re.escape(number)}\] - (\d{{4}}-\d\d-\d\d)$", changes, re.MULTILINE)
    if section is not None:
        return Version(number, datetime.fromisoformat(section[1]).replace(tzinfo=UTC))
    if re.search(rf"^Will be {re.escape(number)}\b", changes, re.MULTILINE):
        return Version(number, None)
    message = (
        f"CHANGELOG.md does not mention {number}: it needs a section '## [{number}] - YYYY-MM-DD' or, before the "
        f"release, 'Will be {number}' under Unreleased"
    )
    raise ReleaseError(message)
