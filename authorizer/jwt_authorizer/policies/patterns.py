"""Patterns: a method and segments, as IAM's resources can express them.

Between two slashes IAM's ``*`` matches one segment or more, because it also matches slashes. Nothing in IAM's language
means exactly one segment. So a pattern is a tuple of segments in which ``ANY`` stands for one segment or more, and a
request is a tuple of plain texts: its method, its segments, and an empty one for a slash at the end.

Source: IAM user guide, "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Pattern = tuple[str | None, ...]

ANY = None
"""One segment or more, whatever they are: ``*`` in a policy. ``OTHER`` of ``rules/classes.py`` is in none."""

SLASH = ""
"""The empty segment after a slash at the end. API Gateway ignores it, IAM does not."""

NO_EMPTY_SEGMENT: Pattern = (ANY, SLASH, ANY)
"""``*//*``: API Gateway may read ``a//b`` as ``a/b``, so no policy with a ``*`` in it allows such a path."""


_ANYTHING = "/"  # no segment is this


class Matcher:
    """Reads segments one by one, and compares them with all of its patterns at once.

    ``positions`` is a set of bits: how many parts of each pattern may have been read. The patterns stand side by side,
    each with a bit more than it has parts. Reading begins at ``start`` and may finish at ``end``.
    """

    __slots__ = ("_loops", "_names", "end", "size", "start")

    def __init__(self, *patterns: Pattern) -> None:
        """Begin with some patterns."""
        self.start = self.end = self._loops = self.size = 0
        self._names: dict[str, int] = {}
        for pattern in patterns:
            self.add(pattern)

    def add(self, pattern: Pattern) -> None:
        """Add one more pattern."""
        bit = 1 << self.size
        self.start |= bit
        for part in pattern:
            if part is ANY:
                self._loops |= bit
            else:
                self._names[part] = self._names.get(part, 0) | bit
            bit <<= 1
        self.end |= bit
        self.size += len(pattern) + 1

    def read(self, positions: int, segment: str) -> int:
        """Return the positions after one more segment. 0: no pattern covers this."""
        # Behind ANY a position also stays where it is, since ANY takes one segment more.
        return (positions & (self._loops | self._names.get(segment, 0))) << 1 | positions & self._loops << 1

    def expects_any(self, positions: int) -> bool:
        """Return whether the next segment may be anything."""
        return bool(positions & (self._loops | self._loops << 1))

    def expected(self, positions: int) -> list[str]:
        """Return the names that the patterns themselves have at these positions."""
        return [name for name, at in self._names.items() if positions & at]

    def takes_all(self, positions: int) -> bool:
        """Return whether everything longer is covered as well: a pattern ends in ANY, and that has been reached."""
        return bool(positions & self.end & self._loops << 1)

    def covers(self, other: Iterable[str | None]) -> bool:
        """Return whether one of the patterns covers a request, or everything that another pattern does.

        What stands for the other's ``ANY`` is text that only an ``ANY`` reads, and that would read anything.
        """
        positions = self.start
        for part in other:
            positions = self.read(positions, _ANYTHING if part is ANY else part)
            if not positions:
                return False
        return bool(positions & self.end)


def resource(pattern: Pattern) -> str:
    """Write a pattern as IAM does, relative to the stage: ``GET/orders/*``."""
    return "/".join("*" if part is ANY else part for part in pattern)


def without_covered(patterns: Iterable[Pattern]) -> list[Pattern]:
    """Drop each pattern that another one covers."""
    matcher, kept = Matcher(), []
    # A pattern that covers another one is not longer, and if it is as long, it has more of ANY.
    for pattern in sorted(patterns, key=lambda one: (len(one), -one.count(ANY))):
        if not matcher.covers(pattern):
            matcher.add(pattern)
            kept.append(pattern)
    return kept
