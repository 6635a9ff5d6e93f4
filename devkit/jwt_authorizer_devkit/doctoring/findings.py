"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    GOOD = "good"
    NOTE = "note"
    """Worth knowing; nothing has to be done."""
    WARNING = "warning"
    """Works, but should be fixed."""
    PROBLEM = "problem"
    """Does not work, or is not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check: what was found, and how to fix it."""

    topic: str
    level: Level
    said: str
    fix: str | None = None

    @property
    def to_fix(self) -> bool:
        """Whether something should be done."""
        return self.level in (Level.WARNING, Level.PROBLEM)
