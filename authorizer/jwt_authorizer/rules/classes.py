"""Classes of requests: paths that lead to the same place in the tree of templates get the same decision.

Paths are endless, places are few. So what all paths that a pattern covers get is found by visiting places.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jwt_authorizer.records import dataclass, field
from jwt_authorizer.rules.model import ANY_METHOD
from jwt_authorizer.rules.templates import Variable

if TYPE_CHECKING:
    from jwt_authorizer.rules.decisions import Resource, Rules
    from jwt_authorizer.rules.templates import Node

OTHER = "*"
"""Stands for a segment or a method that no rule names, and is in no template.

A policy can only write ``ANY`` for it, which covers named ones too.
"""

ALLOWED, REFUSED, IMPOSSIBLE = 1, 2, 4
"""What the rules say about a request. Bits, so that one number can hold what they say about many requests.

``IMPOSSIBLE``: with ``unlisted_routes = "absent"`` the API has no route that this request could come by.
"""


class TooMuchWorkError(Exception):
    """The rules overlap so much that the question takes more steps than it may."""


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a path leads to in the tree of templates. ``names`` are the fixed segments that go on from here.

    Without ``nodes`` every longer path is at the same place.
    """

    nodes: tuple[Node[Resource], ...]
    greedy: tuple[Resource, ...]
    matching: tuple[Resource, ...]
    deciding: tuple[Resource, ...]
    names: tuple[str, ...]
    steps: dict[str, Place] = field(default_factory=dict)


class Classes:
    """All places of one set of rules. A place is made when a path first leads there, and kept.

    ``left`` is the number of steps (roughly microseconds) that may still be taken before :class:`TooMuchWorkError`.
    """

    def __init__(self, rules: Rules) -> None:
        """Start at the root of the templates."""
        self.left = 0
        self._default = () if rules.default is None else (rules.default,)
        self._places: dict[tuple[tuple[int, ...], tuple[int, ...]], Place] = {}
        self.start = self._place((rules.root,), ())

    def spend(self, steps: int) -> None:
        """Take steps. Raise :class:`TooMuchWorkError` if there are not enough left."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchWorkError

    def step(self, place: Place, symbol: str) -> Place:
        """Return the place one segment further. ``symbol`` is a name from the rules, or ``OTHER``."""
        found = place.steps.get(symbol)
        if found is None:
            self.spend(2 + len(place.nodes) + len(place.greedy))
            nodes: list[Node[Resource]] = []
            for node in place.nodes:
                nodes += [child for child in (node.static.get(symbol), node.param) if child is not None]
            more = tuple(node.greedy for node in place.nodes if node.greedy is not None)
            found = place.steps[symbol] = self._place(tuple(nodes), place.greedy + more)
        return found

    def _place(self, nodes: tuple[Node[Resource], ...], greedy: tuple[Resource, ...]) -> Place:
        key = (tuple(map(id, nodes)), tuple(map(id, greedy)))
        found = self._places.get(key)
        if found is None:
            plain = sorted((node.value for node in nodes if node.value is not None), key=specificity)
            listed = sorted((*plain, *greedy), key=specificity)
            deciding = tuple(listed[:1]) or self._default
            if deciding and deciding[0].greedy:  # HTTP APIs prefer a template without a greedy variable
                deciding += tuple(plain[:1])
            names = tuple(dict.fromkeys(name for node in nodes for name in node.static))
            found = self._places[key] = Place(nodes, greedy, (*listed, *self._default), deciding, names)
        return found


@cache  # overlapping routes are at many places together
def specificity(resource: Resource) -> tuple[int, ...]:
    """Order the templates that match one path, the most specific first."""
    return tuple(segment.value if isinstance(segment, Variable) else 0 for segment in resource.template)


class View:
    """What the rules say to principals with certain rights (see :meth:`Rules.rights`), for one method.

    ``held`` are the resources that list the method, and whether the principal meets their requirement.
    """

    def __init__(self, rules: Rules, rights: int, method: str, *, absent: bool) -> None:
        """Look up the rules for the method. ``absent``: see ``IMPOSSIBLE``."""
        self.held: dict[Resource, bool] = {}
        for resource in rules.resources:
            listed = resource.listed(method)
            if listed is not None:
                self.held[resource] = bool(rights >> resource.methods[listed] & 1)
        self._absent = absent
        self._decisions: dict[Place, int] = {}
        self._below: dict[Place, int] = {}

    def decide(self, deciding: tuple[Resource, ...], matching: tuple[Resource, ...]) -> int:
        """Return what the rules say where some resources decide, and these match at all."""
        if deciding and all(map(self.held.get, deciding)):
            return ALLOWED
        if self._absent and self.held.keys().isdisjoint(matching):
            return IMPOSSIBLE
        return REFUSED

    def decision(self, place: Place) -> int:
        """Return what the rules say about a path that leads to a place."""
        found = self._decisions.get(place)
        if found is None:
            found = self._decisions[place] = self.decide(place.deciding, place.matching)
        return found

    def below(self, place: Place, classes: Classes) -> int:
        """Return all that the rules say about the paths that lead to a place or through it."""
        found = self._below.get(place)
        if found is None:
            classes.spend(1)
            found = self.decision(place)
            if place.nodes:
                for symbol in (OTHER, *place.names):
                    found |= self.below(classes.step(place, symbol), classes)
            self._below[place] = found
        return found


def named_methods(rules: Rules) -> tuple[str, ...]:
    """Return the methods that rules name. Any other is as good as ``OTHER``."""
    return tuple(sorted({method for resource in rules.resources for method in resource.methods} - {ANY_METHOD}))
