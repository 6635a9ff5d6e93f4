"""Which of the grants to make, where the denial that one needs takes away what another allows."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jwt_authorizer.policies.repairs import Grant, Repairs
    from jwt_authorizer.policies.verdicts import Item
    from jwt_authorizer.policies.words import Pattern

    Choice = dict[Item, Grant | None]

_FEW = 3000
"""So many combinations are tried one by one; of more, the best is approached step by step."""
_FIRST = 1000.0
"""The weight of a rule that has to be allowed, among rules that weigh 1."""
_RESOURCE = 0.001
"""What a resource in the policy costs, so that the shorter of two equal policies is chosen."""


def select(repairs: Repairs, options: Mapping[Item, list[Grant]], must: frozenset[Item]) -> Choice:
    """Choose a grant, or none, for each rule, so that as much as possible is allowed. ``must`` comes first."""
    choice: Choice = {}
    for group in _groups(repairs, options):
        part = {item: options[item] for item in group}
        combinations = 1
        for grants in part.values():
            combinations *= len(grants) + 1
        best = _try_all(repairs, part, must) if combinations <= _FEW else _approach(repairs, part, must)
        choice.update(best)
    return choice


def kept(repairs: Repairs, choice: Choice) -> dict[Item, float]:
    """Tell how much of each rule's requests a choice allows: from 0 to 1."""
    denials = {denial for grant in choice.values() if grant is not None for denial in grant.denials}
    shares = {item: 0.0 if grant is None else grant.value for item, grant in choice.items()}
    for denial in denials:
        for item, loss in repairs.losses(denial).items():
            if item in shares:
                shares[item] = max(0.0, shares[item] - loss)
    return shares


def _groups(repairs: Repairs, options: Mapping[Item, list[Grant]]) -> list[list[Item]]:
    """Split the rules into groups that have no influence on each other."""
    leader = {item: item for item in options}

    def lead(item: Item) -> Item:
        while leader[item] != item:
            leader[item] = leader[leader[item]]
            item = leader[item]
        return item

    touching: dict[Pattern, Item] = {}
    for item, grants in options.items():
        for denial in {denial for grant in grants for denial in grant.denials}:
            touched = [other for other in repairs.losses(denial) if other in leader]
            if not touched:
                continue
            for other in (touching.setdefault(denial, item), *touched):
                leader[lead(other)] = lead(item)
    groups: dict[Item, list[Item]] = {}
    for item in options:
        groups.setdefault(lead(item), []).append(item)
    return list(groups.values())


def _worth(repairs: Repairs, choice: Choice, must: frozenset[Item]) -> float:
    repairs.spend(len(choice))
    cost = sum(len(grant.patterns) + len(grant.denials) for grant in choice.values() if grant is not None)
    shares = kept(repairs, choice)
    worth = sum(share * (_FIRST if item in must else 1.0) for item, share in shares.items()) - cost * _RESOURCE
    return round(worth, 6)  # so that what is equal is equal, in whatever order it was added up


def _try_all(repairs: Repairs, options: Mapping[Item, list[Grant]], must: frozenset[Item]) -> Choice:
    # The options to grant come before the option not to, so of equals the one that grants more is found first.
    combinations = product(*([*grants, None] for grants in options.values()))
    return max(
        (dict(zip(options, combination, strict=True)) for combination in combinations),
        key=lambda choice: _worth(repairs, choice, must),
    )


def _approach(repairs: Repairs, options: Mapping[Item, list[Grant]], must: frozenset[Item]) -> Choice:
    """Begin once with all grants and once with none, change one at a time while that helps, and take the better end."""
    everything: Choice = {item: grants[0] if grants else None for item, grants in options.items()}
    nothing: Choice = dict.fromkeys(options)
    ends = [_Climb(repairs, options, start, must).end() for start in (everything, nothing)]
    return max(ends, key=lambda choice: _worth(repairs, choice, must))


class _Climb:
    """A choice that gets better step by step."""

    def __init__(
        self, repairs: Repairs, options: Mapping[Item, list[Grant]], start: Choice, must: frozenset[Item]
    ) -> None:
        self._repairs, self._options, self._must = repairs, options, must
        self._choice = dict(start)
        # Denials that touch nothing here are of no account.
        self._harm: dict[Grant | None, frozenset[Pattern]] = {None: frozenset()}
        for grants in options.values():
            for grant in grants:
                harmful = (one for one in grant.denials if options.keys() & repairs.losses(one).keys())
                self._harm[grant] = frozenset(harmful)
        self._uses = Counter(denial for grant in self._choice.values() for denial in self._harm[grant])

    def end(self) -> Choice:
        """Go on until no single change is worth anything."""
        improved = True
        while improved:
            improved = False
            for item, grants in self._options.items():
                for grant in (*grants, None):
                    if grant is not self._choice[item] and self._gain(item, grant) > _RESOURCE / 2:
                        self._uses.subtract(self._harm[self._choice[item]])
                        self._uses.update(self._harm[grant])
                        self._uses = +self._uses
                        self._choice[item] = grant
                        improved = True
        return self._choice

    def _gain(self, item: Item, grant: Grant | None) -> float:
        """Tell what it is worth to choose another grant for a rule, given all other choices."""
        old = self._choice[item]
        self._repairs.spend(1 + len(self._uses) // 4)
        present = set(self._uses)
        gone = {denial for denial in self._harm[old] - self._harm[grant] if self._uses[denial] == 1}
        come = self._harm[grant] - present
        others = self._lost_by_others(item, gone) - self._lost_by_others(item, come)
        return others + self._own(item, grant, present - gone | come) - self._own(item, old, present)

    def _lost_by_others(self, item: Item, denials: Iterable[Pattern]) -> float:
        losses = (pair for denial in denials for pair in self._repairs.losses(denial).items())
        return sum(
            loss * self._weight(other)
            for other, loss in losses
            if other != item and self._choice.get(other) is not None
        )

    def _own(self, item: Item, grant: Grant | None, present: Iterable[Pattern]) -> float:
        if grant is None:
            return 0.0
        lost = sum(self._repairs.losses(denial).get(item, 0.0) for denial in present)
        cost = (len(grant.patterns) + len(grant.denials)) * _RESOURCE
        return (grant.value - lost) * self._weight(item) - cost

    def _weight(self, item: Item) -> float:
        return _FIRST if item in self._must else 1.0
