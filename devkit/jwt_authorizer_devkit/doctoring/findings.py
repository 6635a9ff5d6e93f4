"""What a check comes to."""

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
    """One thing that was looked at: what was found, and the line that fixes it."""

    topic: str
    level: Level
    said: str
    fix: str | None = None

    @property
    def to_fix(self) -> bool:
        """Whether something should be done."""
        return self.level in (Level.WARNING, Level.PROBLEM)
