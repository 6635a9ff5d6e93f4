"""Policies that fit: at most 8 KB in all (API Gateway), at most 512 characters a resource.

What does not fit as it is gets worded more widely, where that grants nothing more than the rules do; what
does not fit even then is left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from authorizer.policies.words import ANY, NO_EMPTY_SEGMENT, covers, resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from authorizer.policies.repairs import Repairs
    from authorizer.policies.verdicts import Item
    from authorizer.policies.words import Pattern

MAX_POLICY = 8 * 1024
"""Bytes of a policy that an authorizer may answer with (API Gateway quotas)."""
MAX_RESOURCE = 512
"""Characters of one resource."""

_AROUND_STATEMENTS = 400
"""Bytes kept free for what is around the resources: two statements, a condition."""
_AROUND_RESOURCE = 4
"""Bytes of quotes, comma and space."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Patterns that stand or fall together, and the rules that they are for."""

    patterns: tuple[Pattern, ...]
    items: frozenset[Item]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much room there is: ``prefix`` is the length of what stands before each resource."""

    prefix: int
    policy: int = MAX_POLICY

    def fits_resource(self, text: str) -> bool:
        """Tell whether one resource is short enough."""
        return len(text) + self.prefix <= MAX_RESOURCE

    def fits(self, allowed: Iterable[str], denied: Iterable[str]) -> bool:
        """Tell whether all resources together are."""
        texts = (*allowed, *denied)
        size = sum(len(text) + self.prefix + _AROUND_RESOURCE for text in texts)
        return size + _AROUND_STATEMENTS <= self.policy and all(self.fits_resource(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Wording:
    """The resources of a policy, relative to the stage."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...]


def word(repairs: Repairs, units: Iterable[Unit]) -> Wording:
    """Write units and the denials that they need as resources."""
    patterns = {pattern for unit in units for pattern in unit.patterns}
    needed = {denial for pattern in patterns for denial in repairs.needed(pattern) or ()}
    denials = [one for one in needed if not any(other != one and covers(other, one) for other in needed)]
    denied = set(map(resource, denials))
    if any(ANY in pattern for pattern in patterns) and (denied or patterns != {(ANY,)}):
        # API Gateway may read a//b as a/b, so no pattern is right about a path with an empty segment.
        denied.add(NO_EMPTY_SEGMENT)
    return Wording(tuple(sorted(map(resource, patterns))), tuple(sorted(denied)))


def fit(repairs: Repairs, units: list[Unit], kept: Mapping[Item, float], limits: Limits) -> list[Unit]:
    """Make a policy fit, and return what is left of it. Units come in the order of their importance."""
    wording = word(repairs, units)
    if limits.fits(wording.allowed, wording.denied):
        return units
    units = _widen(repairs, units, kept)
    chosen: list[Unit] = []
    for unit in sorted(units, key=lambda unit: -len(unit.items) / _bytes(repairs, unit.patterns, limits)):
        wording = word(repairs, [*chosen, unit])
        if limits.fits(wording.allowed, wording.denied):
            chosen.append(unit)
    return chosen


def _bytes(repairs: Repairs, patterns: Iterable[Pattern], limits: Limits) -> int:
    wording = word(repairs, [Unit(tuple(patterns), frozenset())])
    return sum(len(text) + limits.prefix for text in (*wording.allowed, *wording.denied))


def _widen(repairs: Repairs, units: list[Unit], kept: Mapping[Item, float]) -> list[Unit]:
    """Replace units by wider ones that save resources and take nothing away."""
    for wider in _wider_patterns(units):
        replaced = [unit for unit in units if all(covers(wider, pattern) for pattern in unit.patterns)]
        needed = repairs.needed(wider) if len(replaced) > 1 else None
        if needed is None or any(kept.get(item) for denial in needed for item in repairs.losses(denial)):
            continue
        rest = [unit for unit in units if unit not in replaced]
        merged = [*rest, Unit((wider,), frozenset(item for unit in replaced for item in unit.items))]
        if _count(repairs, merged) < _count(repairs, units):
            units = merged
    return units


def _count(repairs: Repairs, units: list[Unit]) -> int:
    wording = word(repairs, units)
    return len(wording.allowed) + len(wording.denied)


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
    return [pattern for pattern, count in found.most_common() if count > 1]
