"""Grants: a pattern to allow, with denials that cover everything that it covers and the rules deny.

A grant is right by itself. Denials only narrow, so every set of grants is right as well: choosing and packing can make
a policy smaller, never unsound. How much they allow is measured by examples: ordinary requests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.patterns import ANY, SLASH, Matcher
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules.classes import ALLOWED, OTHER, REFUSED
from jwt_authorizer.rules.templates import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from jwt_authorizer.policies.patterns import Pattern
    from jwt_authorizer.rules import Resource
    from jwt_authorizer.rules.classes import Classes, Place, View

_SEGMENTS, _BITS = 8, 2_000
"""Comparing so many segments with denials takes a step, and one more for so many bits of their matcher."""


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """A pattern to allow, and the denials that it needs.

    All begin with a method; with ``OTHER`` they are for each HTTP method that no rule names. ``gives`` and ``takes``
    are numbers of ordinary requests that the rules allow (see :class:`Examples`): those that the grant allows,
    and those that its denials deny.
    """

    pattern: Pattern
    denials: frozenset[Pattern]
    gives: frozenset[int]
    takes: frozenset[int]


def denials_for(pattern: Pattern, view: View, classes: Classes) -> frozenset[Pattern]:
    """Return denials that cover every request that a pattern covers and the rules deny (all without a method).

    Raises :class:`TooMuchWorkError` if that takes more steps than ``classes`` has left.
    """
    walk = _Walk(pattern, view, classes)
    walk.go((), classes.start, walk.matcher.start)
    return frozenset(walk.found)


class _Walk:
    """Follows a pattern and the tree of templates together.

    At each place ANY can be any name that continues there, or any other text, and it can go on for another segment.
    """

    def __init__(self, pattern: Pattern, view: View, classes: Classes) -> None:
        self.found: list[Pattern] = []
        self._denied = Matcher()
        self._pattern = pattern
        self.matcher = Matcher(pattern)
        self._view = view
        self._classes = classes
        self._follows: dict[tuple[Place, int], int] = {}

    def go(self, way: Pattern, place: Place, positions: int) -> None:
        """Add denials of what the rules deny among the requests that begin with ``way``, which leads to a place."""
        said = self._follow(place, positions)
        if not said & REFUSED:
            return
        self._classes.spend(1)
        if not said & ALLOWED:
            self._deny_all(way, positions)
            return
        if self._view.decision(place) == REFUSED:
            if positions & self.matcher.end:
                self._deny(way)
            if self.matcher.read(positions, SLASH) & self.matcher.end:
                self._deny((*way, SLASH))
        covered = 0
        for name, following, read in self._steps(place, positions):
            if read == covered:
                continue
            self.go((*way, ANY if name == OTHER else name), following, read)
            if name == OTHER and self._follow(following, read) & (ALLOWED | REFUSED) == REFUSED:
                # These denials begin with ANY, so they cover names as well, if the pattern reads those alike.
                covered = read

    def _deny_all(self, way: Pattern, positions: int) -> None:
        """Deny the way to a place with whatever is left of the pattern: nothing that can follow is allowed."""
        if self.matcher.takes_all(positions):
            positions = self.matcher.end
        for index in range(len(self._pattern) + 1):
            if positions >> index & 1:
                rest = self._pattern[index:]
                self._deny((*way, *rest))
                # The pattern's ANY may take further segments. If the way ends in ANY, the denial above covers them.
                if index and self._pattern[index - 1] is ANY and way[-1] is not ANY:
                    self._deny((*way, ANY, *rest))

    def _follow(self, place: Place, positions: int) -> int:
        """Return all that the rules say about what the pattern covers and what leads to a place or through it."""
        if self.matcher.takes_all(positions):
            return self._view.below(place, self._classes)
        if not place.nodes:
            return self._view.decision(place)
        found = self._follows.get((place, positions))
        if found is None:
            self._classes.spend(1)
            found = 0
            if (positions | self.matcher.read(positions, SLASH)) & self.matcher.end:
                found = self._view.decision(place)
            for _, following, read in self._steps(place, positions):
                if found & ALLOWED and found & REFUSED:
                    break  # it cannot say more that matters
                found |= self._follow(following, read)
            self._follows[place, positions] = found
        return found

    def _steps(self, place: Place, positions: int) -> Iterator[tuple[str, Place, int]]:
        names = self.matcher.expected(positions)
        if self.matcher.expects_any(positions):
            names = list(dict.fromkeys((OTHER, *names, *place.names)))  # OTHER first: see go()
        for name in names:
            if name != SLASH:
                yield name, self._classes.step(place, name), self.matcher.read(positions, name)

    def _deny(self, denial: Pattern) -> None:
        self._classes.spend(1 + len(denial) * (1 + self._denied.size // _BITS) // _SEGMENTS)
        if not self._denied.covers(denial):
            self._denied.add(denial)
            self.found.append(denial)


def shapes(resource: Resource, *, slash: bool) -> tuple[Pattern, ...]:
    """Return the patterns that allow a template's requests, the best first (without a method).

    With ``slash`` they are for paths with a slash at the end: no pattern is right for ``/orders/1/`` and for
    ``/orders/1`` if longer paths have to be denied.
    """
    shape: Pattern = tuple(ANY if isinstance(part, Variable) else part for part in resource.template)
    if resource.greedy:
        # Where a path of one segment is another rule's, longer ones can still be allowed.
        return shape, (*shape, ANY), (*shape, ANY, ANY)
    if not shape:
        return ((SLASH,),)
    if not slash:
        return (shape,)
    return ((*shape, SLASH),) if ANY in shape else ((*shape, SLASH), shape)


_WHOLE = 42
"""What the requests for one rule weigh: divisible by seven (methods of a rule for all) and by six (their paths)."""
_END = "/"  # no segment is this


class Examples:
    """The ordinary requests that a principal may send, by number: what policies are measured by.

    There is one for each route and method, with a text that no rule names in place of each variable, and three for a
    route with a greedy variable: of one, two and three segments. ``routes`` are the routes that they stand for, and
    ``visited`` counts the work of finding those that patterns cover.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self.routes: list[tuple[Resource, str]] = []
        self.visited = 0
        self._weights: list[int] = []
        self._root: dict[str, Any] = {}
        self._touched: dict[Pattern, frozenset[int]] = {}

    def add(self, route: Resource, method: str, share: float, *, slash: bool) -> None:
        """Add the requests of a route with a method. ``share``: how often they come, beside those for other rules."""
        segments = [OTHER if isinstance(part, Variable) else part for part in route.template] or [SLASH]
        paths = [segments]
        if route.greedy:
            paths += [[*segments, OTHER], [*segments, OTHER, OTHER]]
        if slash and segments != [SLASH]:
            paths = [[*path, SLASH] for path in paths] + ([] if OTHER in segments else paths)
        for path in paths:
            node = self._root
            for segment in (method, *path):
                node = node.setdefault(segment, {})
            node.setdefault(_END, []).append(len(self.routes))
            self.routes.append((route, method))
            self._weights.append(round(_WHOLE * share) // len(paths))

    def weigh(self, numbers: Iterable[int]) -> int:
        """Return what some requests weigh."""
        weights = self._weights
        return sum([weights[number] for number in numbers])

    def touched(self, pattern: Pattern) -> frozenset[int]:
        """Return the requests that a pattern covers."""
        found = self._touched.get(pattern)
        if found is None:
            found = self._touched[pattern] = frozenset(self._covered(pattern))
        return found

    def touches(self, pattern: Pattern, some: frozenset[int]) -> bool:
        """Return whether a pattern covers one of some requests."""
        return any(number in some for number in self._covered(pattern))

    def _covered(self, pattern: Pattern) -> Iterator[int]:
        node = self._root
        while pattern and pattern[0] is not ANY:
            node, pattern = node.get(pattern[0], {}), pattern[1:]
        matcher = Matcher(pattern)
        read, stack = matcher.read, [(node, matcher.start)]
        while stack:
            node, positions = stack.pop()
            self.visited += 1
            if positions & matcher.end and _END in node:
                yield from node[_END]
            names: Iterable[str] = node if matcher.expects_any(positions) else matcher.expected(positions)
            stack += [(node[one], at) for one in names if one in node and one != _END and (at := read(positions, one))]


def given(grants: Iterable[Grant]) -> frozenset[int]:
    """Return the requests that some grants allow together."""
    gives: set[int] = set()
    takes: set[int] = set()
    for grant in grants:
        gives |= grant.gives
        takes |= grant.takes
    return frozenset(gives - takes)
