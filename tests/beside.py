"""What may lie beside this clone, for tests that are skipped without it; a variable names it where it is elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.factories import Event

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED_EVENTS = "TEST_AWS_EVENTS"


def beside(name: str, variable: str) -> Path | None:
    """Find the folder that an environment variable names, or else one of this name in a neighbour of the clone's."""
    named = os.environ.get(variable)
    if named is not None:
        return Path(named) if named else None  # set to nothing: as if there were none
    return next((folder for folder in sorted(ROOT.parent.glob(f"*/{name}")) if folder.is_dir()), None)


def published_event(name: str) -> Event:
    """Read an event as AWS publishes it, or skip the test."""
    folder = beside("aws-events", PUBLISHED_EVENTS)
    if folder is None or not (folder / f"{name}.json").is_file():
        pytest.skip(f"needs AWS's sample {name}.json, in the folder that {PUBLISHED_EVENTS} names")
    event: Event = json.loads((folder / f"{name}.json").read_text("utf-8"))
    return event
