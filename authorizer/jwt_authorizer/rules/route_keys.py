"""What the rules say to all requests of one of the API's own routes, for answers that API Gateway caches by it.

API Gateway replays such an answer for every request of that route. The rules may be finer than the API: behind
``ANY /{proxy+}`` there may be twenty of them, and then one yes or no is not right for all. A route that the rules
list themselves is taken to be the API's, and so are those beside it: that is what ``[[routes]]`` asks for. Still, where
``GET /admin`` is beside ``ANY /{proxy+}``, ``POST /admin`` goes to the second, and the rules deny it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.rules.classes import ALLOWED, OTHER, REFUSED, TooMuchWorkError, View, named_methods
from jwt_authorizer.rules.templates import Variable, parse_template, shape

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.rules.classes import Classes, Place
    from jwt_authorizer.rules.decisions import Resource, Rules
    from jwt_authorizer.rules.templates import Template

_ANY = "ANY"
"""How a route key writes all methods."""
_MOST_WORK = 50_000
"""Steps for one route key: some 50 ms, which only routes that overlap a lot need."""


def decisions(rules: Rules, classes: Classes, route_key: str, rights: int, most_work: int = _MOST_WORK) -> int:
    """Return what the rules say to the requests that a route key such as ``GET /orders/{id}`` can stand for.

    Without a method, or with ``ANY``, it stands for all methods. The result has the bits ``ALLOWED`` and ``REFUSED``.

    A key that no rule lists breaks the promise of ``unlisted_routes = "absent"``, so that counts for nothing here. One
    that cannot be read, or behind which there is too much to look at, may stand for anything.
    """
    method, _, path = route_key.rpartition(" ")
    try:
        template = parse_template(path)
    except ValueError:
        return ALLOWED | REFUSED
    listed = rules.by_shape.get(shape(path))
    classes.left = most_work
    try:
        places = _places(classes, template)
    except TooMuchWorkError:
        return ALLOWED | REFUSED
    found = 0
    for name in (OTHER, *named_methods(rules)) if method in ("", _ANY) else (method,):
        view = View(rules, rights, name, absent=False)
        if listed is not None:
            found |= view.decide((listed,), (listed,))
        for place in places:
            if listed is None or _taken_by(place, name) is listed:
                found |= view.decision(place)
    return found


def _taken_by(place: Place, method: str) -> Resource | None:
    """Return the listed route that an HTTP API takes: those without greedy variables first, those without it not."""
    with_method = [resource for resource in place.matching if resource.listed(method)]
    return min(with_method, key=lambda resource: resource.greedy, default=None)


def _places(classes: Classes, template: Template) -> set[Place]:
    """Find the places that paths of a template lead to."""
    places = {classes.start}
    for segment in template:
        if not isinstance(segment, Variable):
            places = {classes.step(place, segment) for place in places}
        elif segment is Variable.PARAM:
            places = set(_next(classes, places))
        else:
            at_least = places if segment is Variable.REST else set(_next(classes, places))
            places = _all_below(classes, at_least)
    return places


def _next(classes: Classes, places: Iterable[Place]) -> Iterable[Place]:
    for place in places:
        classes.spend(1 + len(place.names))
        for symbol in (OTHER, *place.names):
            yield classes.step(place, symbol)


def _all_below(classes: Classes, places: set[Place]) -> set[Place]:
    found, fresh = set(places), places
    while fresh:
        fresh = set(_next(classes, fresh)) - found
        found |= fresh
    return found
