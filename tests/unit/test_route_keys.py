"""What an answer stands for that is cached by the API's own route."""

from __future__ import annotations

import pytest

from jwt_authorizer.policies.route_keys import answers
from jwt_authorizer.policies.verdicts import Answer, Verdicts
from jwt_authorizer.rules import Route, Rules, compile_rules

GET, DELETE = frozenset({"GET"}), frozenset({"DELETE"})
FINE = (
    Route(GET, "/orders/{id}", scopes=("read",)),
    Route(DELETE, "/orders/{id}", scopes=("write",)),
    Route(GET, "/orders/special", scopes=("admin",)),
    Route(None, "/public/{proxy+}"),
)


def said(route_key: str, *, absent: bool = False, holds: frozenset[str] = frozenset({"read"})) -> set[Answer]:
    rules: Rules = compile_rules(FINE, absent=absent)
    rights = sum(1 << number for number, need in enumerate(rules.requirements) if holds.issuperset(need.scopes))
    return set(answers(rules, Verdicts(rules), route_key, rights))


BOTH = {Answer.ALLOWED, Answer.REFUSED}


@pytest.mark.parametrize(
    ("route_key", "expected"),
    [
        ("GET /orders/{order}", {Answer.ALLOWED}),  # listed, so the API's own; its variable may have another name
        ("DELETE /orders/{id}", {Answer.REFUSED}),
        ("GET /orders/special", {Answer.REFUSED}),
        ("ANY /orders/{id}", BOTH),
        ("/orders/{id}", BOTH),  # no method: all of them
        ("GET /{proxy+}", BOTH),
        ("GET /{thing}/{id}", BOTH),
        ("ANY /public/{proxy+}", {Answer.ALLOWED}),
        ("GET /public/a/{b}", {Answer.ALLOWED}),
        ("GET /public", {Answer.REFUSED}),
        ("GET /nothing/{here+}", {Answer.REFUSED}),
        ("$default", BOTH),
        ("GET orders", BOTH),
        ("", BOTH),
    ],
)
def test_a_route_key_stands_for_all_its_requests(route_key: str, expected: set[Answer]) -> None:
    assert said(route_key) == expected


@pytest.mark.parametrize("absent", [True, False])
def test_a_key_that_no_rule_lists_breaks_the_promise_that_there_is_none(absent: bool) -> None:  # noqa: FBT001 - pytest's
    everything = frozenset({"read", "write", "admin"})
    for route_key in ("GET /orders/{proxy+}", "ANY /orders/{id}", "ANY /{proxy+}", "$default"):
        assert said(route_key, absent=absent, holds=everything) == BOTH, route_key
    assert said("GET /orders/{id}", absent=absent, holds=everything) == {Answer.ALLOWED}


def test_a_listed_key_stands_for_the_methods_that_more_specific_routes_lack() -> None:
    routes = (Route(GET, "/admin"), Route(None, "/{proxy+}"), Route(GET, "/orders/{id}"), Route(GET, "/{thing}/export"))
    rules = compile_rules(routes)
    verdicts, all_rights = Verdicts(rules), (1 << len(rules.requirements)) - 1
    assert answers(rules, verdicts, "ANY /{proxy+}", all_rights) == BOTH  # POST /admin is one of them
    assert answers(rules, verdicts, "GET /{proxy+}", all_rights) == {Answer.ALLOWED}
    assert answers(rules, verdicts, "GET /admin", all_rights) == {Answer.ALLOWED}
    assert answers(rules, verdicts, "GET /{thing}/export", all_rights) == {Answer.ALLOWED}
    assert answers(compile_rules(routes[1:2]), Verdicts(compile_rules(routes[1:2])), "ANY /{proxy+}", 1) == {
        Answer.ALLOWED
    }
