"""Policies that fit: at most 8 KB in all (API Gateway), at most 512 characters a resource.

What does not fit as it is gets worded more widely, where that grants nothing more than the rules do; what
does not fit even then is left out.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

from jwt_authorizer.policies.statements import MAX_RESOURCE
from jwt_authorizer.policies.verdicts import TooMuchWork
from jwt_authorizer.policies.words import ANY, NO_EMPTY_SEGMENT, covers, resource
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from jwt_authorizer.policies.repairs import Repairs
    from jwt_authorizer.policies.verdicts import Item
    from jwt_authorizer.policies.words import Pattern

MAX_POLICY = 8 * 1024
"""Bytes of a policy that an authorizer may answer with (API Gateway quotas)."""

_AROUND_STATEMENTS = 400
"""Bytes kept free for what is around the resources: two statements, a condition."""
_LEAST_REPLACED = 2
_MOST_WALKED = 40_000
"""How much is looked at for wider patterns: some 150 ms on a whole CPU, which only large APIs come to."""
_AROUND_RESOURCE = 4
"""Bytes of quotes, comma and space."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Patterns that stand or fall together, the denials that they need, and the rules that they are for."""

    patterns: frozenset[Pattern]
    denials: frozenset[Pattern]
    items: frozenset[Item]

    @property
    def allowed(self) -> frozenset[str]:
        """The resources to allow, relative to the stage."""
        return frozenset(map(resource, self.patterns))

    @property
    def denied(self) -> frozenset[str]:
        """The resources to deny beside them."""
        denied = frozenset(map(resource, self.denials))
        if not denied and (self.patterns == {(ANY,)} or not any(ANY in pattern for pattern in self.patterns)):
            return denied
        # API Gateway may read a//b as a/b, so no pattern is right about a path with an empty segment.
        return denied | {NO_EMPTY_SEGMENT}


@dataclass(frozen=True, slots=True)
class Wording:
    """The resources of a policy, relative to the stage."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much room there is: ``prefix`` is the length of what stands before each resource.

    ``walked`` is how much may be looked at to save room, in words: see :class:`authorizer.policies.verdicts.Verdicts`.
    """

    prefix: int
    policy: int = MAX_POLICY
    walked: int = _MOST_WALKED

    def size(self, texts: Iterable[str]) -> int:
        """Bytes of some resources."""
        return sum(len(text) + self.prefix + _AROUND_RESOURCE for text in texts)

    def fits(self, allowed: Collection[str], denied: Collection[str]) -> bool:
        """Tell whether resources are few and short enough for one policy."""
        longest = max(map(len, (*allowed, *denied)), default=0) + self.prefix
        return longest <= MAX_RESOURCE and self.size((*allowed, *denied)) + _AROUND_STATEMENTS <= self.policy


def word(units: Iterable[Unit]) -> Wording:
    """Write units as resources: none of them twice, and no denial that another one covers."""
    units = tuple(units)
    denials = {denial for unit in units for denial in unit.denials}
    spared = {resource(one) for one in denials if any(other != one and covers(other, one) for other in denials)}
    allowed = {text for unit in units for text in unit.allowed}
    denied = {text for unit in units for text in unit.denied} - spared
    return Wording(tuple(sorted(allowed)), tuple(sorted(denied)))


def fit(
    repairs: Repairs, units: list[Unit], kept: Mapping[Item, float], limits: Limits, first: frozenset[Item]
) -> list[Unit]:
    """Make a policy fit, and return what is left of it. What is for the rules in ``first`` goes last."""
    if limits.fits(*_texts(units)):
        return units
    units = _widen(repairs, units, kept, limits)
    chosen: list[Unit] = []
    allowed: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()

    def order(unit: Unit) -> tuple[bool, float]:
        return unit.items.isdisjoint(first), limits.size((*unit.allowed, *unit.denied)) / len(unit.items)

    for unit in sorted(units, key=order):
        if limits.fits(allowed | unit.allowed, denied | unit.denied):
            chosen.append(unit)
            allowed |= unit.allowed
            denied |= unit.denied
    return chosen


def _texts(units: Iterable[Unit]) -> tuple[set[str], set[str]]:
    allowed: set[str] = set()
    denied: set[str] = set()
    for unit in units:
        allowed |= unit.allowed
        denied |= unit.denied
    return allowed, denied


def _widen(repairs: Repairs, units: list[Unit], kept: Mapping[Item, float], limits: Limits) -> list[Unit]:
    """Replace units by wider ones that save bytes and take nothing away."""
    size = limits.size(chain(*_texts(units)))
    spared = frozenset(item for item, share in kept.items() if share)
    start = repairs.walked
    for wider in _wider_patterns(units):
        if repairs.walked - start > limits.walked:
            break
        replaced = [unit for unit in units if all(covers(wider, pattern) for pattern in unit.patterns)]
        if len(replaced) < _LEAST_REPLACED:
            continue
        most = sum(len(unit.patterns) + len(unit.denials) for unit in replaced)
        try:
            needed = repairs.needed_sparing(wider, most, spared)
        except TooMuchWork:
            break  # what there is already is right as well
        if needed is None:
            continue
        items = frozenset(item for unit in replaced for item in unit.items)
        merged = [unit for unit in units if unit not in replaced]
        merged.append(Unit(frozenset({wider}), needed, items))
        smaller = limits.size(chain(*_texts(merged)))
        if smaller < size:
            units, size = merged, smaller
    return units


def _wider_patterns(units: list[Unit]) -> list[Pattern]:
    """List patterns that cover more than one unit, those that cover most of them first."""
    found: Counter[Pattern] = Counter()
    for unit in units:
        mine: set[Pattern] = set()
        for pattern in unit.patterns:
            mine.add((ANY, *pattern[1:]))
            for length in range(len(pattern)):
                mine.add((*pattern[:length], ANY))
                mine.add((ANY, *pattern[1:length], ANY))
        found.update(mine)
    several = [pattern for pattern, count in found.items() if count >= _LEAST_REPLACED]
    return sorted(several, key=lambda pattern: (-found[pattern], resource(pattern)))
