"""What an answer stands for that is cached by the API's own route.

API Gateway replays such an answer for every request of that route. The rules may be finer than the API: behind
``ANY /{proxy+}`` there may be twenty of them, and then one yes or no is not right for all. A route that the rules
list themselves is taken to be the API's, and so are those beside it: that is what ``[[routes]]`` asks for. Still, where
``GET /admin`` is beside ``ANY /{proxy+}``, ``POST /admin`` goes to the second, and the rules refuse it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.verdicts import Answer, TooMuchWork
from jwt_authorizer.policies.words import OTHER
from jwt_authorizer.rules.templates import Variable, parse_template, shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.policies.verdicts import Place, Verdicts
    from jwt_authorizer.rules import Resource, Rules
    from jwt_authorizer.rules.templates import Template

_ANY = "ANY"
"""How a route key writes all methods."""
_MOST_WORK = 50_000
"""Steps (see :class:`Verdicts`) for one route key: some 50 ms, which only routes that overlap a lot come to."""


def answers(
    rules: Rules, verdicts: Verdicts, route_key: str, rights: int, most_work: int = _MOST_WORK
) -> frozenset[Answer]:
    """Collect what the rules say to the requests that a route key such as ``GET /orders/{id}`` can stand for.

    Without a method, or with ``ANY``, it stands for all methods.

    A key that no rule lists breaks the promise of ``unlisted_routes = "absent"``, so that counts for nothing here. One
    that cannot be read, or behind which there is too much to look at, may stand for anything.
    """
    method, _, path = route_key.rpartition(" ")
    try:
        template = parse_template(path)
    except ValueError:
        return frozenset({Answer.ALLOWED, Answer.REFUSED})
    methods = verdicts.methods if method in ("", _ANY) else (method,)
    listed = rules.by_shape.get(shape(path))
    verdicts.limit(most_work)
    try:
        places = _places(verdicts, template)
    except TooMuchWork:
        return frozenset({Answer.ALLOWED, Answer.REFUSED})
    found = {
        verdicts.answer(name, place, rights)
        for place in places
        for name in methods
        if listed is None or _taken_by(place, name) is listed
    }
    if listed is not None:
        found |= {verdicts.answer_of(name, (listed,), (listed,), rights) for name in methods}
    return frozenset(Answer.REFUSED if one is Answer.IMPOSSIBLE else one for one in found)


def _taken_by(place: Place, method: str) -> Resource | None:
    """Tell which of the listed routes an HTTP API takes: those without greedy variables first, those without it not."""
    with_method = [resource for resource in place.matching if resource.listed(method)]
    return min(with_method, key=lambda resource: resource.greedy, default=None)


def _places(verdicts: Verdicts, template: Template) -> set[Place]:
    """Find the places that paths of a template lead to."""
    places = {verdicts.start}
    for segment in template:
        if not isinstance(segment, Variable):
            places = {verdicts.step(place, segment) for place in places}
        elif segment is Variable.PARAM:
            places = set(_next(verdicts, places))
        else:
            at_least = places if segment is Variable.REST else set(_next(verdicts, places))
            places = _all_below(verdicts, at_least)
    return places


def _next(verdicts: Verdicts, places: Iterable[Place]) -> Iterable[Place]:
    return (verdicts.step(place, symbol) for place in places for symbol in (OTHER, *place.names))


def _all_below(verdicts: Verdicts, places: set[Place]) -> set[Place]:
    found, fresh = set(places), places
    while fresh:
        fresh = set(_next(verdicts, fresh)) - found
        found |= fresh
    return found
