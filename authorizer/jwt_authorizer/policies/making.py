"""All grants for principals with certain rights, and those of them that make a policy."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from jwt_authorizer.policies.choice import allow_all, choose, fit
from jwt_authorizer.policies.grants import Examples, Grant, denials_for, given, shapes
from jwt_authorizer.policies.patterns import ANY, Matcher
from jwt_authorizer.rules.classes import OTHER, TooMuchWorkError, View, named_methods
from jwt_authorizer.rules.model import ANY_METHOD, HTTP_METHODS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from jwt_authorizer.policies.choice import Room
    from jwt_authorizer.policies.patterns import Pattern
    from jwt_authorizer.rules import Resource, Rules
    from jwt_authorizer.rules.classes import Classes

    Routes = frozenset[tuple[str, str]]
    """Paths as listed, each with a method that some rule names, or ``OTHER``."""

_MOST_FOR_ONE = 5_000
"""Steps for the denials of one pattern."""


class Maker:
    """Makes policies for principals with certain rights (see :meth:`Rules.rights`).

    With ``slash`` they are for paths with a slash at the end. ``work`` is the number of steps for finding all denials:
    a grant that takes more is not made, so routes that overlap a lot cost a bounded time.
    """

    def __init__(self, rules: Rules, classes: Classes, rights: int, *, slash: bool, work: int) -> None:
        """Look up the rules method by method."""
        self.rights, self.slash = rights, slash
        self.examples = Examples()
        self._absent = rules.absent
        self._classes = classes
        self._work = work
        self._denied: dict[tuple[View, Pattern], frozenset[Pattern] | None] = {}
        self._grants: list[Grant] | None = None
        self.methods = (OTHER, *named_methods(rules))
        self.unnamed = tuple(method for method in HTTP_METHODS if method not in self.methods)
        self._views: dict[str, View] = {}
        alike: dict[tuple[tuple[Resource, bool], ...], View] = {}
        for method in self.methods:
            view = View(rules, rights, method, absent=rules.absent)
            self._views[method] = alike.setdefault(tuple(view.held.items()), view)
        self._allowed = [
            (method, view, resource)
            for method, view in self._views.items()
            for resource, met in view.held.items()
            if met
        ]
        for method, _, resource in self._allowed:
            self.examples.add(resource, method, self._share(resource, method), slash=slash)
        self.allows_everything = rules.default is not None and all(
            ANY_METHOD in resource.methods and all(rights >> number & 1 for number in resource.methods.values())
            for resource in rules.resources
        )

    def _share(self, resource: Resource, method: str) -> float:
        """Return how often requests with a method are for a template, if those for each rule are equally frequent."""
        methods = len(self.unnamed) if method == OTHER else 1
        return (method in resource.methods) + (ANY_METHOD in resource.methods) * methods / len(HTTP_METHODS)

    def make(self, room: Room, first: Routes, *, alone: bool) -> list[Grant]:
        """Choose grants for a policy. ``first`` are routes that it has to allow if it can; with ``alone`` no others."""
        examples = self.examples
        wanted = frozenset(
            number for number, (resource, method) in enumerate(examples.routes) if (resource.path, method) in first
        )
        if self._absent and not alone and len(examples.routes) * room.prefix > room.policy:
            patterns = [(method, *shapes(route, slash=self.slash)[0]) for method, _, route in self._allowed]
            few = allow_all(lambda missing: self._wide(patterns, missing), examples, room)
            if few:
                return few
        grants = [
            grant
            for grant in self.grants()
            if room.fits(room.texts(grant.pattern)) and not (alone and grant.gives.isdisjoint(wanted))
        ]
        return fit(self._for_all_methods(choose(grants, examples, wanted)), self._wider, examples, room, wanted)

    def grants(self) -> list[Grant]:
        """Return all grants: the ways to allow each route."""
        if self._grants is None:
            self._grants = [
                grant for method, view, resource in self._allowed for grant in self._of(method, view, resource)
            ]
        return self._grants

    def _of(self, method: str, view: View, resource: Resource) -> Iterator[Grant]:
        """Make the grants that allow a route, the best first."""
        for rest in shapes(resource, slash=self.slash):
            denials: frozenset[Pattern] | None = frozenset()
            if ANY in rest:
                denials = self._denials(view, rest)
            if denials is None or Matcher(*denials).covers(rest):
                continue
            grant = self._grant((method, *rest), ((method, *denial) for denial in denials))
            yield grant
            if resource.greedy and not grant.takes:
                return

    def _denials(self, view: View, rest: Pattern) -> frozenset[Pattern] | None:
        if self._work <= 0:
            return None
        if (view, rest) not in self._denied:
            allowance = self._classes.left = min(self._work, _MOST_FOR_ONE)
            try:
                self._denied[view, rest] = denials_for(rest, view, self._classes)
            except TooMuchWorkError:
                self._denied[view, rest] = None
            self._work -= allowance - max(0, self._classes.left)
        return self._denied[view, rest]

    def _grant(self, pattern: Pattern, denials: Iterable[Pattern]) -> Grant:
        needed = frozenset(denials)
        takes: frozenset[int] = frozenset().union(*map(self._touched, needed))
        return Grant(pattern, needed, self._touched(pattern) - takes, takes)

    def _touched(self, pattern: Pattern) -> frozenset[int]:
        before = self.examples.visited
        found = self.examples.touched(pattern)
        self._work -= (self.examples.visited - before) // 2
        return found

    def _for_all_methods(self, chosen: list[Grant]) -> list[Grant]:
        """Write ``*`` for the method where methods that no rule names get something, if that takes nothing away."""
        have = given(chosen)
        for grant in [grant for grant in chosen if grant.pattern[0] == OTHER]:
            star = self._star(grant.pattern[1:])
            if star is not None and have.isdisjoint(star.takes):
                chosen = [*(one for one in chosen if not one.gives <= star.gives), star]
        return chosen

    def _star(self, rest: Pattern) -> Grant | None:
        """Make a grant for all methods. What takes more than the method for the first ``*`` is denied."""
        denials: set[Pattern] = set() if rest[0] is ANY else {(ANY, ANY, *rest)}
        for method, view in self._views.items():
            needed = self._denials(view, rest)
            if needed is None:
                return None
            denials |= {(ANY if method == OTHER else method, *denial) for denial in needed}
        return self._grant((ANY, *rest), denials)

    def _wider(self, chosen: list[Grant]) -> Iterator[Iterable[Grant]]:
        """Make grants that may replace several, if the API has no routes but those listed: for one method, then all."""
        if self._absent:
            patterns = [grant.pattern for grant in chosen]
            yield self._wide(patterns, range(len(self.examples.routes)))
            stars = (self._star(pattern[1:]) for pattern in _several(patterns) if pattern[0] is ANY)
            yield (star for star in stars if star is not None)

    def _wide(self, patterns: list[Pattern], missing: Collection[int]) -> Iterator[Grant]:
        """Make wide grants for one method, if they cover something of ``missing``, which may shrink meanwhile."""
        for pattern in _several(patterns):
            method, *rest = pattern
            if method is not ANY and missing and self._work > 0 and not self._touched(pattern).isdisjoint(missing):
                denials = self._denials(self._views[method], tuple(rest))
                if denials is not None:
                    yield self._grant(pattern, ((method, *denial) for denial in denials))


def _several(patterns: list[Pattern]) -> list[Pattern]:
    """Return patterns that may replace several: those that may replace most first, of these the longest."""
    counts = Counter(wider for pattern in patterns for wider in _wider_patterns(pattern))
    return sorted((wider for wider in counts if counts[wider] > 1), key=lambda one: (-counts[one], -len(one)))


def _wider_patterns(pattern: Pattern) -> Iterable[Pattern]:
    """Return patterns that cover another one and may cover more: ``GET/v1/*``, ``GET/*/lines``, ``*/v1/orders/*``."""
    method, *rest = pattern
    found = {(ANY, *rest): 0}  # no set: its order would differ from start to start, and so would policies
    for length in range(len(rest)):
        found[method, *rest[:length], ANY] = 0
        found[method, ANY, *rest[length + 1 :]] = 0
        if length:
            found[ANY, *rest[:length], ANY] = 0
    found.pop(pattern, None)
    return found
