"""Find routes that a cached policy cannot both allow, and say how to fix them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.choice import choose
from jwt_authorizer.policies.compiler import MOST_WORK
from jwt_authorizer.policies.grants import given
from jwt_authorizer.policies.making import Maker
from jwt_authorizer.rules.classes import Classes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.policies.grants import Grant
    from jwt_authorizer.rules import Rules

_MOST_REQUIREMENTS = 12
"""With more kinds of rights than this, only principals with all of them are checked."""
_MOST_WARNINGS = 20


def describe_overlaps(rules: Rules) -> tuple[str, ...]:
    """Return a message for each pair of routes that a policy cannot both allow, for typical principals."""
    if not rules.resources:
        return ()
    found: dict[tuple[str, str | None], None] = {}
    classes = Classes(rules)
    for rights in _typical_rights(len(rules.requirements)):
        for route, rival in _overlaps(Maker(rules, classes, rights, slash=False, work=MOST_WORK)):
            if rival is None or (rival, route) not in found:
                found[route, rival] = None
    texts = [_text(route, rival, absent=rules.absent) for route, rival in list(found)[:_MOST_WARNINGS]]
    if len(found) > len(texts):
        texts.append(f"{len(found) - len(texts)} more pairs of routes overlap like these")
    return tuple(texts)


def _typical_rights(count: int) -> Iterator[int]:
    """Yield all rights; then for each kind all but that one, and that one alone."""
    everything = (1 << count) - 1
    yield everything
    if count <= _MOST_REQUIREMENTS:
        for number in range(count):
            yield everything & ~(1 << number)
            yield 1 << number


def _overlaps(maker: Maker) -> Iterator[tuple[str, str | None]]:
    """Yield each route that is left out because of another one, with that one if it is known."""
    routes = [
        route.route(listed) for route, method in maker.examples.routes if (listed := route.listed(method)) is not None
    ]
    grants = maker.grants()
    chosen = choose(grants, maker.examples, frozenset())
    missing = frozenset(range(len(routes))) - given(chosen)
    for number in sorted(missing):
        mine = [grant for grant in grants if number in maker.examples.touched(grant.pattern)]
        rivals = [grant for grant in grants if _exclude_each_other(grant, mine, number)]
        others = frozenset().union(*(grant.gives for grant in grants if grant not in rivals))
        named = {routes[other] for grant in rivals if grant in chosen for other in grant.gives - others}
        if not named:
            yield routes[number], None
        for rival in sorted(named):
            yield routes[number], rival


def _exclude_each_other(grant: Grant, mine: list[Grant], number: int) -> bool:
    """Return whether a grant denies a request, or the grants that allow the request deny the grant's."""
    return number in grant.takes or (number not in grant.gives and any(other.takes & grant.gives for other in mine))


def _text(route: str, rival: str | None, *, absent: bool) -> str:
    if rival is None:
        cause = (
            f"{route} overlaps with routes that some of its callers may not use, and no policy can distinguish them "
            "(IAM's * also matches a slash). Those callers' cached policies leave it out, and they see a 403 there"
        )
    else:
        cause = (
            f"{route} and {rival} overlap: no policy can allow both without allowing other paths that the rules deny "
            "(IAM's * also matches a slash). Some principals' cached policies have only one of them, and they "
            "see a 403 on the other"
        )
    if absent:
        fix = "give the routes that overlap the same rights"
    else:
        fix = (
            'set unlisted_routes = "absent" if the API has only the listed routes; or list the other paths, with '
            "{proxy+}"
        )
    return (
        f"{cause}. To fix it, {fix}; or begin one of them differently; or have API Gateway cache by route "
        "(JWT_CACHED_BY=route)"
    )
