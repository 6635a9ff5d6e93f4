"""Patterns: a method and segments, as IAM's resources can express them.

Between two slashes IAM's ``*`` matches one segment or more, because it also matches slashes. Nothing in IAM's language
means exactly one segment. So a pattern is a tuple of segments in which ``ANY`` stands for one segment or more, and a
request is a tuple of plain texts: its method, its segments, and an empty one for a slash at the end.

Source: IAM user guide, "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    Pattern = tuple[str | None, ...]
    _Node: TypeAlias = "dict[str | None, _Node]"

ANY = None
"""One segment or more, whatever they are."""

SLASH = ""
"""The empty segment after a slash at the end. API Gateway ignores it, IAM does not."""

NO_EMPTY_SEGMENT: Pattern = (ANY, SLASH, ANY)
"""``*//*``: API Gateway may read ``a//b`` as ``a/b``, so no policy with a ``*`` in it allows such a path."""


_END, _LOOP, _ANYTHING = "/", "//", "///"  # no segment is one of these


class Matcher:
    """Reads segments one by one. ``positions`` is a set of bits: how many parts of the pattern may have been read."""

    __slots__ = ("_loops", "_names", "_parts", "end")

    def __init__(self, pattern: Pattern) -> None:
        """Prepare to read what ``pattern`` may cover. Reading starts at position 1."""
        self.end = 1 << len(pattern)
        self._parts: Pattern = pattern
        self._loops = 0
        self._names: dict[str, int] = {}
        for index, part in enumerate(pattern):
            if part is ANY:
                self._loops |= 1 << index
            else:
                self._names[part] = self._names.get(part, 0) | 1 << index

    def read(self, positions: int, segment: str) -> int:
        """Return the positions after one more segment. 0: the pattern does not cover this."""
        # Behind ANY a position also stays where it is, since ANY takes one segment more.
        return (positions & (self._loops | self._names.get(segment, 0))) << 1 | positions & self._loops << 1

    def expects_any(self, positions: int) -> bool:
        """Return whether the next segment may be anything."""
        return bool(positions & (self._loops | self._loops << 1))

    def expected(self, positions: int) -> list[str]:
        """Return the names that the pattern itself has at these positions."""
        return [name for name, at in self._names.items() if positions & at]

    def takes_all(self, positions: int) -> bool:
        """Return whether everything longer is covered as well: the pattern ends in ANY, and that has been reached."""
        return bool(positions & self.end & self._loops << 1)

    def endings(self, positions: int) -> Iterator[tuple[Pattern, bool]]:
        """Yield what of the pattern is still to be read, and whether any segments may come before it."""
        if self.takes_all(positions):
            positions = self.end
        for index in range(len(self._parts) + 1):
            if positions >> index & 1:
                yield self._parts[index:], bool(self._loops << 1 >> index & 1)

    def covers(self, other: Pattern) -> bool:
        """Return whether the pattern covers everything that another one does.

        What stands for the other's ``ANY`` is text that only an ``ANY`` reads, and that would read anything.
        """
        positions = 1
        for part in other:
            positions = self.read(positions, _ANYTHING if part is ANY else part)
            if not positions:
                return False
        return bool(positions & self.end)


def resource(pattern: Pattern) -> str:
    """Write a pattern as IAM does, relative to the stage: ``GET/orders/*``."""
    return "/".join("*" if part is ANY else part for part in pattern)


class Tree:
    """Several patterns, arranged by their segments so that a request is compared with all of them at once."""

    __slots__ = ("_root", "visited")

    def __init__(self, patterns: Iterable[Pattern] = ()) -> None:
        """Begin with some patterns."""
        self._root: _Node = {}
        self.visited = 0  # what comparing has cost
        for pattern in patterns:
            self.add(pattern)

    def add(self, pattern: Pattern) -> None:
        """Add one more pattern."""
        node = self._root
        for part in pattern:
            node = node.setdefault(part, {})
            if part is ANY:
                node[_LOOP] = node  # ANY takes one segment more
        node[_END] = node

    def covers(self, parts: Iterable[str | None]) -> bool:
        """Return whether one of the patterns covers a request, or everything that another pattern does.

        Takes time linear in the number of segments.
        """
        states: Iterable[_Node] = (self._root,)
        for part in parts:
            following: dict[int, _Node] = {}
            for node in states:
                for child in (node.get(part), node.get(ANY), node.get(_LOOP)):
                    if child is not None:
                        following[id(child)] = child
            if not following:
                return False
            self.visited += len(following)
            states = following.values()
        return any(_END in node for node in states)


def without_covered(patterns: Iterable[Pattern]) -> list[Pattern]:
    """Drop each pattern that another one covers."""
    tree, kept = Tree(), []
    # A pattern that covers another one is not longer, and if it is as long, it has more of ANY.
    for pattern in sorted(patterns, key=lambda one: (len(one), -one.count(ANY))):
        if not tree.covers(pattern):
            tree.add(pattern)
            kept.append(pattern)
    return kept
