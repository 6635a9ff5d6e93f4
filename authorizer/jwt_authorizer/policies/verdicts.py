"""What the rules say about whole classes of requests at once.

Words that lead to the same place in the tree of templates get the same answer, however they are spelled. So
the requests that a pattern covers, though endless, fall into few classes, and looking at one word of each
is looking at all.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from jwt_authorizer.policies.words import OTHER, SLASH, accepts, advance
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules.model import ANY_METHOD
from jwt_authorizer.rules.templates import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from jwt_authorizer.policies.words import Pattern, Word
    from jwt_authorizer.rules import Resource, Rules
    from jwt_authorizer.rules.templates import Node

    _Key = tuple[tuple[int, ...], tuple[int, ...]]
    _Readings = tuple[tuple[Pattern, int], ...]
    _State: TypeAlias = "tuple[str, Place, int, _Readings]"

_ENDLESS = 1 << 62
_RANK = {Variable.PARAM: 1, Variable.GREEDY: 2, Variable.REST: 3}


class Answer(Enum):
    """What the rules say about a class of requests."""

    ALLOWED = auto()
    REFUSED = auto()
    IMPOSSIBLE = auto()  # by the promise that the API has no routes but those listed


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """One rule on one resource: the number of the resource, and the method it lists (``*`` included)."""

    resource: int
    listed: str


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a path leads to in the tree of templates."""

    nodes: tuple[Node[Resource], ...]
    greedy: tuple[Resource, ...]
    matching: tuple[Resource, ...]
    deciding: tuple[Resource, ...]
    names: tuple[str, ...]


class TooMuchWork(Exception):  # noqa: N818 - it is no error: the answer is then found in another way
    """What is asked for costs more steps than :meth:`Verdicts.limit` has granted."""


class Verdicts:
    """Answers questions about classes of requests under one set of rules. Keeps the places it has been to.

    ``walked`` counts the words looked at: what an answer costs, without a clock. ``left`` are the steps (about as
    many microseconds) that may still be taken before :class:`TooMuchWork`; routes that overlap a lot would take any.
    """

    def __init__(self, rules: Rules) -> None:
        """Start at the root of the templates."""
        self.walked = 0
        self.left = _ENDLESS
        self._rules = rules
        self._places: dict[_Key, Place] = {}
        self._steps: dict[tuple[Place, str], Place] = {}
        self.numbers = {resource: number for number, resource in enumerate(rules.resources)}
        self.start = self._place((rules.root,), ())
        named = {method for resource in rules.resources for method in resource.methods} - {ANY_METHOD}
        # A method that no rule names is as good as any other.
        self.methods = (OTHER, *sorted(named))

    def limit(self, steps: int) -> None:
        """Grant so many steps from here on."""
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take steps, or raise :class:`TooMuchWork`."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchWork

    def answer(self, method: str, place: Place, rights: int) -> Answer:
        """Say what the rules say to a principal with these rights."""
        return self.answer_of(method, place.deciding, place.matching, rights)

    def answer_of(
        self, method: str, deciding: tuple[Resource, ...], matching: tuple[Resource, ...], rights: int
    ) -> Answer:
        """Say what the rules say where these resources decide, and these match the path at all."""
        if deciding and all(self._holds(resource, method, rights) for resource in deciding):
            return Answer.ALLOWED
        if self._rules.absent and not any(resource.listed(method) for resource in matching):
            return Answer.IMPOSSIBLE
        return Answer.REFUSED

    def items(self, method: str, place: Place) -> tuple[Item, ...]:
        """Name the rules that decide there."""
        return tuple(Item(self.numbers[resource], resource.listed(method) or "") for resource in place.deciding)

    def explore(self, pattern: Pattern, without: tuple[Pattern, ...] = ()) -> Iterator[tuple[Word, str, Place]]:
        """Walk over a word of each class that a pattern covers and others do not, the shortest first.

        What no rule names comes before what one does, so a word has no name in it that it could do without.
        """
        methods = self.methods if pattern[0] is None else (pattern[0],)
        queue: list[tuple[Word, _State]] = []
        for method in methods:
            left = _advance_all([(other, 1) for other in without], method)
            queue.append(((method,), (method, self.start, advance(pattern, 1, method), left)))
        seen: set[_State] = set()
        for word, (method, place, read, left) in queue:  # it grows while it is walked over
            self.walked += 1
            self.spend(1 + len(left))
            denied = [other for other, positions in left if accepts(other, positions)]
            if accepts(pattern, read) and not denied:
                yield word, method, place
            if word[-1] == SLASH or any(other[-1] is None for other in denied):
                continue  # nothing is longer, or whatever is longer is denied as well
            names = dict.fromkeys((OTHER, *place.names, *_next(pattern, read), SLASH))
            for other, positions in left:
                names.update(dict.fromkeys(_next(other, positions)))
            self.spend(len(names) // 4)  # most of them lead nowhere, which is soon seen
            for symbol in names:
                reading = advance(pattern, read, symbol)
                if not reading:
                    continue
                self.spend(1 + len(left))
                following = place if symbol == SLASH else self.step(place, symbol)
                state = (method, following, reading, _advance_all(left, symbol))
                if symbol == SLASH:
                    queue.append(((*word, symbol), state))
                elif state not in seen:
                    seen.add(state)
                    queue.append(((*word, symbol), state))

    def step(self, place: Place, symbol: str) -> Place:
        """Go one segment further."""
        self.spend(1)
        found = self._steps.get((place, symbol))
        if found is None:
            self.spend(2 * (len(place.nodes) + len(place.greedy)))
            nodes: list[Node[Resource]] = []
            for node in place.nodes:
                nodes += [child for child in (node.static.get(symbol), node.param) if child is not None]
            greedy = [node.greedy for node in place.nodes if node.greedy is not None]
            found = self._place(tuple(nodes), (*place.greedy, *greedy))
            self._steps[place, symbol] = found
        return found

    def _holds(self, resource: Resource, method: str, rights: int) -> bool:
        listed = resource.listed(method)
        return listed is not None and bool(rights >> resource.methods[listed] & 1)

    def _place(self, nodes: tuple[Node[Resource], ...], greedy: tuple[Resource, ...]) -> Place:
        key = (tuple(map(id, nodes)), tuple(map(id, greedy)))
        if key not in self._places:
            plain = sorted((node.value for node in nodes if node.value is not None), key=specificity)
            found = sorted((*plain, *greedy), key=specificity)
            default = () if self._rules.default is None else (self._rules.default,)
            deciding = tuple(found[:1]) or default
            if deciding and deciding[0].greedy:
                deciding += tuple(plain[:1])
            names = sorted({name for node in nodes for name in node.static})
            self._places[key] = Place(nodes, greedy, (*found, *default), deciding, tuple(names))
        return self._places[key]


def specificity(resource: Resource) -> tuple[int, ...]:
    """Order the templates that match one path, the most specific first."""
    return tuple(_RANK[segment] if isinstance(segment, Variable) else 0 for segment in resource.template)


def _advance_all(readings: Iterable[tuple[Pattern, int]], symbol: str) -> _Readings:
    """Read one more segment with each pattern, and drop those that it does not fit."""
    following = ((pattern, advance(pattern, positions, symbol)) for pattern, positions in readings)
    return tuple((pattern, positions) for pattern, positions in following if positions)


def _next(pattern: Pattern, positions: int) -> list[str]:
    return [part for index, part in enumerate(pattern) if part is not None and positions >> index & 1]
