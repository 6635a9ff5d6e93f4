"""What an answer stands for that is cached by the API's own route."""

from __future__ import annotations

import pytest

from authorizer.policies.route_keys import answers
from authorizer.policies.verdicts import Answer, Verdicts
from authorizer.rules import Route, Rules, compile_rules

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


def test_requests_that_the_api_cannot_have_do_not_count() -> None:
    everything = frozenset({"read", "write", "admin"})
    assert said("GET /orders/{proxy+}", absent=True, holds=everything) == {Answer.ALLOWED}
    assert said("GET /orders/{proxy+}", absent=False, holds=everything) == BOTH
