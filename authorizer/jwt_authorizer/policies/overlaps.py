"""What cached policies have to leave out, found at start-up and said in words that help to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.repairs import Repairs
from jwt_authorizer.policies.selection import kept, select
from jwt_authorizer.policies.verdicts import TooMuchWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.policies.selection import Choice
    from jwt_authorizer.policies.verdicts import Item, Verdicts
    from jwt_authorizer.rules import Rules

_MOST_REQUIREMENTS = 12
"""With more kinds of rights than this, only those who have all of them, or all but some, are looked at."""
_MOST_WARNINGS = 20
_MOST_WALKED = 3_000
"""How much is looked at before start-up goes on: some 10 ms on a whole CPU, and all there is for a small API."""
_MOST_WORK = 200_000
"""Steps (see :class:`Verdicts`) after which it stops wherever it is: some 200 ms, if routes overlap a lot."""
_TOO_MUCH = (
    "the routes overlap too much to look through all of it, so some principals' cached answers allow no more than the "
    "request that was asked for, and they see the others as a 403. To mend it, have API Gateway cache by route "
    '(JWT_CACHED_BY=route); or set unlisted_routes = "absent", or have fewer variables beside fixed segments'
)
_HALF = 0.5


def describe_overlaps(
    rules: Rules, verdicts: Verdicts, most_walked: int = _MOST_WALKED, most_work: int = _MOST_WORK
) -> tuple[str, ...]:
    """Name the pairs of routes that a policy cannot both allow, for typical principals, and say what to do."""
    found: dict[tuple[Item, Item | None], None] = {}
    start = verdicts.walked
    verdicts.limit(most_work)
    unfinished = False
    for rights in _typical_rights(len(rules.requirements)):
        if verdicts.walked - start > most_walked:
            break
        try:
            _add_overlaps(Repairs(rules, verdicts, rights), found)
        except TooMuchWork:
            unfinished = True
            break
    texts = [_text(rules, item, rival) for item, rival in list(found)[:_MOST_WARNINGS]]
    if len(found) > len(texts):
        texts.append(f"{len(found) - len(texts)} more pairs of routes overlap like these")
    return (*texts, _TOO_MUCH) if unfinished else tuple(texts)


def _add_overlaps(repairs: Repairs, found: dict[tuple[Item, Item | None], None]) -> None:
    choice = select(repairs, {item: repairs.grants(item) for item in repairs.items}, frozenset())
    for item, share in kept(repairs, choice).items():
        if share < _HALF:
            rivals: list[Item | None] = [*_rivals(repairs, choice, item)]
            for rival in rivals or [None]:
                if rival is None or (rival, item) not in found:
                    found[item, rival] = None


def _typical_rights(count: int) -> Iterator[int]:
    """All rights there are; then all but one kind, and one kind alone."""
    everything = (1 << count) - 1
    yield everything
    if count <= _MOST_REQUIREMENTS:
        for number in range(count):
            yield everything & ~(1 << number)
            yield 1 << number


def _rivals(repairs: Repairs, choice: Choice, item: Item) -> list[Item]:
    """Find the rules that are granted at the cost of this one."""
    grants = repairs.grants(item)
    mine = {denial for grant in grants for denial in grant.denials}
    rivals = []
    for other, grant in choice.items():
        if other == item or grant is None:
            continue
        taken = any(repairs.losses(denial).get(item, 0) >= _HALF for denial in grant.denials)
        if taken or any(repairs.losses(denial).get(other, 0) >= _HALF for denial in mine):
            rivals.append(other)
    return rivals


def _text(rules: Rules, item: Item, rival: Item | None) -> str:
    name = _name(rules, item)
    if rival is None:
        cause = (
            f"{name} overlaps with routes that some who may use it may not use, and no policy can tell them apart "
            "(IAM's * also matches a slash). In their cached answers it is left out, and they see it as a 403"
        )
    else:
        cause = (
            f"{name} and {_name(rules, rival)} overlap: no policy can allow both without allowing paths between them "
            "that the rules refuse (IAM's * also matches a slash). Some principals' cached answers have only one of "
            "them, and they see the other as a 403"
        )
    if rules.absent:
        mend = "give the routes that overlap the same rights"
    else:
        mend = (
            'set unlisted_routes = "absent" if the API has no routes but those listed; or list what is between them, '
            "with {proxy+}"
        )
    return (
        f"{cause}. To mend it, {mend}; or have one of them begin differently; or have API Gateway cache by route "
        "(JWT_CACHED_BY=route)"
    )


def _name(rules: Rules, item: Item) -> str:
    return rules.resources[item.resource].route(item.listed)
