"""What a grant needs to be denied beside it, and what such a denial costs.

A grant is tried against the rules: the shortest request that it covers and the rules refuse becomes, with
whatever no rule names made ``ANY``, a denial; and so on until there is none left. So a grant together with
its denials is right by construction, and more denials can only make it narrower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.verdicts import Answer, Item
from jwt_authorizer.policies.words import ANY, OTHER, SLASH, generalize, matches, typical
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules.model import ANY_METHOD, HTTP_METHODS
from jwt_authorizer.rules.templates import Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jwt_authorizer.policies.verdicts import Verdicts
    from jwt_authorizer.policies.words import Pattern, Word
    from jwt_authorizer.rules import Resource, Rules

_MOST_DENIALS = 40
"""A grant that needs more is not worth its bytes."""
_PARTLY = 0.1
"""The loss where a denial touches some of the requests that a rule allows: those with a certain text in them."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Patterns that allow a rule's requests, ``value`` of them (1: all), and the denials they need."""

    patterns: tuple[Pattern, ...]
    denials: frozenset[Pattern]
    value: float


class Repairs:
    """Finds grants and what they cost for principals with certain rights. Keeps what it has found."""

    def __init__(self, rules: Rules, verdicts: Verdicts, rights: int, *, slash: bool = False) -> None:
        """Take the rights as bits: see :meth:`authorizer.rules.Rules.rights`.

        With ``slash`` the grants are for paths with a slash at the end.
        """
        self._resources = rules.resources
        self.slash = slash
        self._verdicts = verdicts
        self.rights = rights
        self._needed: dict[Pattern, frozenset[Pattern] | None] = {}
        self._losses: dict[Pattern, Mapping[Item, float]] = {}
        self._grants: dict[Item, list[Grant]] = {}
        self.items = tuple(
            Item(number, listed)
            for number, resource in enumerate(rules.resources)
            for listed, requirement in resource.methods.items()
            if rights >> requirement & 1
        )
        self._examples = {
            item: _examples(self._resources[item.resource], item.listed, slash=slash) for item in self.items
        }
        # Nothing that is allowed is as long as this, so denying it costs nothing and serves all grants.
        lengths = [len(resource.template) + 1 for resource in rules.resources]
        endless = any(self._resources[item.resource].greedy for item in self.items)
        self._too_long: tuple[Pattern, ...] = (
            () if endless or rules.absent else ((ANY,) * (max(lengths, default=1) + 1 + slash),)
        )

    @property
    def walked(self) -> int:
        """What it has cost so far: see :class:`Verdicts`."""
        return self._verdicts.walked

    def spend(self, steps: int) -> None:
        """Count work that is not in words: see :meth:`Verdicts.spend`."""
        self._verdicts.spend(steps)

    def grants(self, item: Item) -> list[Grant]:
        """List the ways to allow a rule's requests, the best first."""
        if item not in self._grants:
            self._grants[item] = self._find_grants(item)
        return self._grants[item]

    def _find_grants(self, item: Item) -> list[Grant]:
        resource = self._resources[item.resource]
        named = dict.fromkeys((*HTTP_METHODS, *self._verdicts.methods))
        others = tuple(method for method in named if method not in (OTHER, *resource.methods))
        methods = [(item.listed,)] if item.listed != ANY_METHOD else [(ANY,), others]
        grants = []
        for spelling in methods:
            for shape, value in _shapes(resource, slash=self.slash):
                patterns = tuple((method, *shape) for method in spelling)
                if self.slash and shape != (SLASH,) and ANY not in shape:
                    patterns += tuple(pattern[:-1] for pattern in patterns)  # costs nothing, and is right as well
                if patterns == ((ANY, ANY),) and resource.template == (Variable.REST,):
                    patterns = ((ANY,),)
                denials = self._needed_by(patterns)
                if denials is None:
                    continue
                grants.append(Grant(patterns, denials, value))
                harmless = not any(self.losses(denial) for denial in denials)
                if value == 1 and harmless and len(denials) <= len(others):
                    return grants  # nothing can be better
        return grants

    def _needed_by(self, patterns: tuple[Pattern, ...]) -> frozenset[Pattern] | None:
        denials: set[Pattern] = set()
        for pattern in patterns:
            needed = self.needed(pattern)
            if needed is None:
                return None
            denials |= needed
        return frozenset(denials)

    def needed(self, pattern: Pattern) -> frozenset[Pattern] | None:
        """Find the denials that make a pattern right; ``None`` where they would be too many, or leave nothing of it."""
        if pattern not in self._needed:
            self._needed[pattern] = self._search(pattern, _MOST_DENIALS, frozenset())
        return self._needed[pattern]

    def needed_sparing(self, pattern: Pattern, most: int, spared: frozenset[Item]) -> frozenset[Pattern] | None:
        """Find at most so many denials that make a pattern right and touch none of some rules, if there are any."""
        if self._too_long:
            return None  # whatever is wider covers paths that no route lists, and so do the denials for them
        return self._search(pattern, min(most, _MOST_DENIALS), spared)

    def _search(self, pattern: Pattern, most: int, spared: frozenset[Item]) -> frozenset[Pattern] | None:
        if ANY not in pattern:
            return frozenset()
        if pattern[0] is not ANY or len(pattern) == 1:
            return self._search_one(pattern, self._too_long, most, spared)
        # For all methods. What takes more than the method for the first ANY is denied, and need not be looked at.
        rest = pattern[1:]
        denials: frozenset[Pattern] = frozenset((*self._too_long, (ANY, ANY, *rest)))
        for method in self._verdicts.methods:
            more = self._search_one((method, *rest), denials, most, spared)
            if more is None:
                return None
            denials = more
        return denials

    def _search_one(
        self, pattern: Pattern, given: Iterable[Pattern], most: int, spared: frozenset[Item]
    ) -> frozenset[Pattern] | None:
        denials = list(given)
        if any(spared and not spared.isdisjoint(self.losses(denial)) for denial in denials):
            return None
        while True:
            found: list[Pattern] = []
            for word, method, place in self._verdicts.explore(pattern, tuple(denials)):
                self.spend(len(found))
                if any(matches(denial, word) for denial in found):
                    continue
                if self._verdicts.answer(method, place, self.rights) is not Answer.REFUSED:
                    continue
                denial = generalize(word)
                if denial == generalize(typical(pattern)) or len(denials) + len(found) > most:
                    return None
                found.append(denial)
            if any(spared and not spared.isdisjoint(self.losses(denial)) for denial in found):
                return None
            if not found:
                return frozenset(denials)
            denials += found

    def losses(self, denial: Pattern) -> Mapping[Item, float]:
        """Tell which allowed rules a denial touches, and how much of each it takes away (1: all)."""
        if denial not in self._losses:
            self._losses[denial] = self._all_methods(denial) if denial[0] is ANY else self._one_method(denial)
        losses = self._losses[denial]
        self.spend(1 + len(losses) // 4)
        return losses

    def _one_method(self, denial: Pattern) -> Mapping[Item, float]:
        touched = {
            item
            for word, method, place in self._verdicts.explore(denial)
            if (word[-1] == SLASH) is self.slash and self._verdicts.answer(method, place, self.rights) is Answer.ALLOWED
            for item in self._verdicts.items(method, place)
        }
        return {item: max(_PARTLY, self._loss(denial, item)) for item in sorted(touched)}

    def _all_methods(self, denial: Pattern) -> Mapping[Item, float]:
        """Go by examples alone: the first ``ANY`` would lead through all rules, for losses that are slight."""
        if denial in self._too_long:
            return {}
        self._verdicts.walked += len(self.items)
        self.spend(len(self.items))
        losses = ((item, self._loss(denial, item)) for item in self.items)
        return {item: loss for item, loss in losses if loss}

    def _loss(self, denial: Pattern, item: Item) -> float:
        words = self._examples[item]
        return sum(matches(denial, word) for word in words) / len(words)


def _shapes(resource: Resource, *, slash: bool) -> list[tuple[Pattern, float]]:
    """List the patterns for a template, and the share of its requests that they cover."""
    shape: Pattern = tuple(ANY if isinstance(part, Variable) else part for part in resource.template)
    if not resource.greedy:
        return [((*shape, SLASH) if slash else shape or (SLASH,), 1.0)]
    # Where a path of one segment more is another rule's, those that are longer may still be granted.
    return [(shape, 1.0), ((*shape, ANY), 0.6), ((*shape, ANY, ANY), 0.3)]


def _examples(resource: Resource, method: str, *, slash: bool) -> list[Word]:
    """Give requests that a rule decides, in which nothing is named that its template and method do not name."""
    segments = tuple(OTHER if isinstance(part, Variable) else part for part in resource.template)
    end = (SLASH,) if slash else ()
    if not resource.greedy:
        return [(method, *segments, *end)]
    return [(method, *segments, *(OTHER,) * more, *end) for more in range(3)]
