"""Routes that overlap a lot, on purpose or not: finding a policy is bounded, and what it has not found is left out."""

from __future__ import annotations

from copy import replace

import pytest

from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.policies.patterns import Matcher
from jwt_authorizer.rules import Route
from jwt_authorizer.rules.classes import Classes
from tests.properties.apis import METHODS, Api, Asked, overlapping, principal
from tests.properties.judge import Tally, compare, permits
from tests.unit.policy_lines import asks, compiled, listing, resources

WIDE = [(20, 5), (12, 8), (12, 12), (300, 6)]


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize(("count", "depth"), WIDE)
def test_what_is_found_within_the_budget_is_right(count: int, depth: int, *, absent: bool) -> None:
    api = overlapping(count, depth, absent=absent, methods=frozenset({"GET"}))
    compiler = PolicyCompiler(api.rules, most_work=5_000)
    who = principal(*(f"s{number}" for number in range(1, count)))
    paths = [
        "/a0" + "/x" * (depth - 1),
        *("/x" * place + f"/a{place}" + "/x" * (depth - place - 1) for place in (1, 4)),
    ]
    paths += ["/a0/a1" + "/x" * (depth - 2), "/x", "/x/a1" + "/*" * (depth - 2)]
    asked = [Asked("GET", path) for path in paths]
    tally = Tally()
    for one in asked:
        assert compare(api, compiler, who, one, others=asked, tally=tally).left_out
    assert (tally.wrong_for_asked, tally.over_grants) == (0, 0)


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize("kind", ["overlapping", "tenants", "methods", "deep"])
def test_the_work_is_bounded_whatever_the_rules(kind: str, monkeypatch: pytest.MonkeyPatch, *, absent: bool) -> None:
    routes = {
        "overlapping": overlapping(300, 6).routes,
        "tenants": [
            Route(frozenset({method}), f"/{{tenant}}/r{number}{rest}", (f"s{number % 10}",))
            for number in range(100)
            for method, rest in (("GET", ""), ("GET", "/{id}"), ("PUT", "/{id}"), ("GET", "/{id}/lines/{line}"))
        ],
        "methods": [
            Route(None if number % 2 else frozenset({METHODS[number % 7]}), f"/r{number}/{{id}}", (f"s{number % 10}",))
            for number in range(300)
        ],
        "deep": overlapping(40, 40).routes,
    }[kind]
    counts = {"steps": 0, "segments": 0}
    step, read = Classes.step, Matcher.read

    def counted_step(*arguments: object) -> object:
        counts["steps"] += 1
        return step(*arguments)  # type: ignore[arg-type]  # passed on as they are

    def counted_read(*arguments: object) -> object:
        counts["segments"] += 1
        return read(*arguments)  # type: ignore[arg-type]  # as above

    monkeypatch.setattr(Classes, "step", counted_step)
    monkeypatch.setattr(Matcher, "read", counted_read)
    rules = Api(tuple(routes), absent).rules
    compiled(rules, "GET /none", *(f"s{number}" for number in range(1, 10)))
    assert counts["steps"] < 300_000
    assert counts["segments"] < 3_000_000


def test_the_result_is_remembered_for_all_who_have_the_same_rights() -> None:
    compiler = PolicyCompiler(overlapping(12, 8).rules, most_work=0)
    scopes = [f"s{number}" for number in range(1, 12)]
    first = compiled(compiler.rules, "GET /x/a1/x/x/x/x/x/x", *scopes, compiler=compiler)
    second = compiled(compiler.rules, "GET /x/x/a2/x/x/x/x/x", *scopes, compiler=compiler)
    assert (resources(first), resources(second)) == (("GET/x/a1/x/x/x/x/x/x",), ("GET/x/x/a2/x/x/x/x/x",))
    assert not permits(second, "GET/x/a1/x/x/x/x/x/x")
    assert len(first.left_out) == 11


def test_an_ordinary_api_is_looked_through_whole() -> None:
    lines = [f"{method} /r{n}{rest} s{n % 5}" for n in range(75) for method in ("GET", "PUT") for rest in ("", "/{id}")]
    policy = compiled(listing(*lines, absent=True), "GET /r1", "s0", "s1", "s2", "s3")
    assert policy.left_out == ()
    assert permits(policy, "GET/r1")


def test_where_too_much_is_behind_a_route_no_answer_counts_as_right_for_all_of_it() -> None:
    rules = overlapping(20, 20).rules
    request = replace(asks("GET /x"), route_key="/{proxy+}")
    decision = rules.decide(principal(), "GET", "/x")
    # This principal may nothing at all, which is not found out.
    compiler = PolicyCompiler(rules)
    assert not compiler.one_answer(principal(), decision, request)
    assert compiler.may_be_allowed(principal(), request)
    assert PolicyCompiler(overlapping(4, 4).rules).one_answer(principal(), decision, request)
