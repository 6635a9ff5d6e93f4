"""The sample events of ``events/``, with a token inserted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jwt_authorizer_devkit.signing import Json

_INSTALLED = Path(__file__).resolve().parent / "sample_events"
FOLDER = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).resolve().parents[2] / "events"
"""Inside the installed package, or in the checkout beside it."""
PLACEHOLDER = "TOKEN_GOES_HERE"
"""The samples have this instead of a token, after ``Bearer``."""


def kinds() -> tuple[str, ...]:
    """Return the names of the samples that the authorizer answers."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.json") if not path.stem.startswith("other-")))


def sample(kind: str, token: str | None = PLACEHOLDER) -> Json:
    """Return the sample ``kind`` with this token; ``None`` leaves out the members with the token.

    Raises ``FileNotFoundError`` if there is no such sample.
    """
    event = json.loads((FOLDER / f"{kind}.json").read_text())
    replaced = _replace(event, token)
    assert isinstance(replaced, dict)  # noqa: S101 - every sample is an object
    return replaced


_GONE = object()


def _replace(value: object, token: str | None) -> object:
    match value:
        case dict():
            members = {name: _replace(member, token) for name, member in value.items()}
            return {name: member for name, member in members.items() if member is not _GONE}
        case list():
            items = [_replace(item, token) for item in value]
            return [item for item in items if item is not _GONE]
        case str() if PLACEHOLDER in value:
            return _GONE if token is None else value.replace(PLACEHOLDER, token)
        case _:
            return value
