"""What an answer stands for that is cached by the API's own route."""

from __future__ import annotations

import pytest

from jwt_authorizer.rules import Route, Rules, compile_rules
from jwt_authorizer.rules.classes import ALLOWED, REFUSED, Classes
from jwt_authorizer.rules.route_keys import answers
from tests.properties.apis import overlapping

GET, DELETE = frozenset({"GET"}), frozenset({"DELETE"})
FINE = (
    Route(GET, "/orders/{id}", scopes=("read",)),
    Route(DELETE, "/orders/{id}", scopes=("write",)),
    Route(GET, "/orders/special", scopes=("admin",)),
    Route(None, "/public/{proxy+}"),
)


def said(route_key: str, *, absent: bool = False, holds: frozenset[str] = frozenset({"read"})) -> int:
    rules: Rules = compile_rules(FINE, absent=absent)
    rights = sum(1 << number for number, need in enumerate(rules.requirements) if holds.issuperset(need.scopes))
    return answers(rules, Classes(rules), route_key, rights)


BOTH = ALLOWED | REFUSED


@pytest.mark.parametrize(
    ("route_key", "expected"),
    [
        ("GET /orders/{order}", ALLOWED),  # listed, so the API's own; its variable may have another name
        ("DELETE /orders/{id}", REFUSED),
        ("GET /orders/special", REFUSED),
        ("ANY /orders/{id}", BOTH),
        ("/orders/{id}", BOTH),  # no method: all of them
        ("GET /{proxy+}", BOTH),
        ("GET /{thing}/{id}", BOTH),
        ("ANY /public/{proxy+}", ALLOWED),
        ("GET /public/a/{b}", ALLOWED),
        ("GET /public", REFUSED),
        ("GET /nothing/{here+}", REFUSED),
        ("$default", BOTH),
        ("GET orders", BOTH),
        ("", BOTH),
    ],
)
def test_a_route_key_stands_for_all_its_requests(route_key: str, expected: int) -> None:
    assert said(route_key) == expected


@pytest.mark.parametrize("absent", [True, False])
def test_a_key_that_no_rule_lists_breaks_the_promise_that_there_is_none(absent: bool) -> None:  # noqa: FBT001 - pytest's
    everything = frozenset({"read", "write", "admin"})
    for route_key in ("GET /orders/{proxy+}", "ANY /orders/{id}", "ANY /{proxy+}", "$default"):
        assert said(route_key, absent=absent, holds=everything) == BOTH, route_key
    assert said("GET /orders/{id}", absent=absent, holds=everything) == ALLOWED


def test_a_listed_key_stands_for_the_methods_that_more_specific_routes_lack() -> None:
    routes = (Route(GET, "/admin"), Route(None, "/{proxy+}"), Route(GET, "/orders/{id}"), Route(GET, "/{thing}/export"))
    rules = compile_rules(routes)
    classes, all_rights = Classes(rules), (1 << len(rules.requirements)) - 1
    assert answers(rules, classes, "ANY /{proxy+}", all_rights) == BOTH  # POST /admin is one of them
    assert answers(rules, classes, "GET /{proxy+}", all_rights) == ALLOWED
    assert answers(rules, classes, "GET /admin", all_rights) == ALLOWED
    assert answers(rules, classes, "GET /{thing}/export", all_rights) == ALLOWED
    alone = compile_rules(routes[1:2])
    assert answers(alone, Classes(alone), "ANY /{proxy+}", 1) == ALLOWED


@pytest.mark.parametrize("count", [12, 14, 15, 40])
def test_a_key_with_too_much_behind_it_stands_for_anything(count: int) -> None:
    rules = overlapping(count, count).rules
    classes = Classes(rules)
    assert answers(rules, classes, "ANY /{proxy+}", 0, most_work=10_000) == BOTH
    assert -1_000 < classes.left < 0  # steps are taken in lots
    few = overlapping(4, 4).rules
    assert answers(few, Classes(few), "ANY /{proxy+}", 0) == REFUSED
