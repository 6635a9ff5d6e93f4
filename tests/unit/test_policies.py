"""The policy that an answer carries: what it allows and denies, where a cache replays it for other requests."""

from copy import replace

import pytest

from jwt_authorizer.errors import Reason
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.policies import Statement, policies_for
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.policies.patterns import Matcher
from jwt_authorizer.rules import Allow, Deny, Route, compile_rules
from jwt_authorizer.rules.classes import Classes
from tests.properties.apis import METHODS, Api, Asked, overlapping, principal
from tests.properties.judge import ORDERS, Tally, asks, compare, compiled, listing, permits, resources

EVERYTHING = ("*",)
NO_EMPTY = "*//*"
DEEP = ("GET /a/{x}", "GET /a/{x}/b/{y}")

# ---------------------------------------------------------------------------------------------------------------
# One answer for all routes of a token


def test_a_cached_policy_allows_the_other_routes_as_well() -> None:
    policy = compiled(listing(*ORDERS), "GET /orders")
    assert resources(policy) == ("GET/orders", "GET/orders/*")
    # a//b, what is longer than any route (GET/orders/me/ among it), and what another rule refuses.
    assert resources(policy, "Deny") == (NO_EMPTY, "GET/orders/*/*", "GET/orders/me")
    assert policy.left_out == ()


@pytest.mark.parametrize("asked", ["GET /orders/1", "GET /orders", "GET /orders/" + "x" * 600])
def test_a_grant_whose_denial_is_too_long_for_a_resource_is_left_out(asked: str) -> None:
    rules = listing("GET /orders", "GET /orders/{id}", f"GET /orders/{'x' * 600} admin")
    policy = compiled(rules, asked)
    written = [resource for statement in policy.statements for resource in statement.resources]
    assert max(map(len, written)) < 100
    assert permits(policy, "GET/orders")
    assert permits(policy, "GET/orders/1") is (asked == "GET /orders/1")
    assert not permits(policy, f"GET/orders/{'x' * 600}")
    assert "GET /orders/{id}" in policy.left_out


def test_a_refused_request_gets_the_policy_for_all_others() -> None:
    rules = listing(*ORDERS)
    refused = compiled(rules, "POST /orders")
    assert refused == compiled(rules, "GET /orders")
    assert not permits(refused, "POST/orders")


def test_under_absent_only_what_other_routes_refuse_is_denied() -> None:
    policy = compiled(listing(*ORDERS, absent=True), "GET /orders/1")
    assert resources(policy) == ("GET/orders", "GET/orders/*")
    assert resources(policy, "Deny") == (NO_EMPTY, "GET/orders/me", "GET/orders/me/*")


def test_a_request_against_the_promise_is_refused_all_the_same() -> None:
    rules = listing("GET /a/{id}", absent=True)
    policy = compiled(rules, "GET /a/1/b")
    assert not permits(policy, "GET/a/1/b")
    assert permits(policy, "GET/a/1")
    assert compiled(rules, "GET /a/1/*").statements == (Statement("Deny", EVERYTHING),)


def test_a_rule_for_all_methods_is_one_resource_or_one_for_each_method() -> None:
    assert resources(compiled(listing("* /health", absent=True), "GET /health")) == ("*/health",)
    several = compiled(listing("* /health", "* /{x}/health"), "GET /health")
    assert "GET/health" in resources(several)
    assert "*/health" not in resources(several)


def test_the_default_route_is_everything() -> None:
    policy = compiled(listing("* $default"), "GET /x")
    assert policy.statements == (Statement("Allow", EVERYTHING),)


def test_where_a_greedy_route_has_a_refused_one_inside_the_longer_paths_are_still_granted() -> None:
    policy = compiled(listing("GET /files/{path+}", "GET /files/{name} read"), "GET /files/a/b")
    assert permits(policy, "GET/files/a/b/c")
    assert not permits(policy, "GET/files/a")
    assert policy.left_out == ("GET /files/{path+}",)


def test_of_two_routes_that_exclude_each_other_the_one_asked_for_is_granted() -> None:
    rules = listing(*DEEP)
    first, second = compiled(rules, "GET /a/1"), compiled(rules, "GET /a/1/b/2")
    assert permits(first, "GET/a/2")
    assert permits(second, "GET/a/2/b/3")
    assert first.left_out == ("GET /a/{x}/b/{y}",)
    assert second.left_out == ("GET /a/{x}",)


def test_of_a_route_that_costs_many_others_only_the_request_is_granted() -> None:
    rules = listing("GET /a/{x}", "GET /a/{x}/b/{y}", "GET /a/{x}/c/{y}", "GET /a/{x}/d/{y}")
    policy = compiled(rules, "GET /a/1")
    assert permits(policy, "GET/a/1")
    assert not permits(policy, "GET/a/2")
    assert all(permits(policy, f"GET/a/1/{name}/2") for name in "bcd")
    assert policy.left_out == ("GET /a/{x}",)


@pytest.mark.parametrize("path", ["/orders//1", "/orders/1//", "//orders"])
def test_beside_an_odd_path_what_can_do_without_denying_it_is_still_granted(path: str) -> None:
    rules = listing(*ORDERS)
    policy = compiled(rules, f"GET {path}")
    assert permits(policy, f"GET{path}")
    assert permits(policy, "GET/orders")
    assert not permits(policy, "GET/orders/me")


def test_an_odd_path_with_a_pattern_in_it_is_granted_alone() -> None:
    policy = compiled(listing(*ORDERS, "GET /files/{p+}"), "GET /files//*")
    assert resources(policy) == ("GET/files//?",)


# ---------------------------------------------------------------------------------------------------------------
# One answer for a route, or for a request


def test_an_answer_for_a_route_is_for_all_its_parameters_and_no_other_route() -> None:
    policy = compiled(listing(*ORDERS, "GET /orders/{id}/lines/{line}"), "GET /orders/1", cached_by="route")
    assert permits(policy, "GET/orders/2")
    assert not permits(policy, "GET/orders")
    assert not permits(policy, "GET/orders/me")


@pytest.mark.parametrize("cached_by", ["route", "nothing"])
def test_a_refusal_of_one_route_or_request_denies_everything(cached_by: str) -> None:
    policy = compiled(listing(*ORDERS), "POST /orders", cached_by=cached_by)
    assert policy.statements == (Statement("Deny", EVERYTHING),)


def test_an_answer_for_one_request_is_that_request() -> None:
    policy = compiled(listing(*ORDERS), "GET /orders/a:b%2Fc", cached_by="nothing")
    assert policy.statements == (Statement("Allow", ("GET/orders/a:b%2Fc",)),)


def test_whether_one_answer_does_for_a_route_of_the_api() -> None:
    def on(route_key: str) -> Request:
        return replace(asks("GET /orders", EventKind.HTTP_API_V2), route_key=route_key)

    yes, no = Allow("GET /orders"), Deny(Reason.INSUFFICIENT_SCOPE)
    assert policies_for(compile_rules(None)).one_answer(principal(), yes, on("GET /x"))
    assert policies_for(compile_rules(None)).may_be_allowed(principal(), on("GET /x"))
    compiler = PolicyCompiler(listing("GET /orders", "GET /orders/{id} read"))
    for number in range(300):  # more than are kept
        assert compiler.one_answer(principal(), no, on(f"GET /none{number}"))
        assert not compiler.one_answer(principal(), yes, on(f"GET /none{number}"))
    for who in (principal(), principal("read"), principal()):
        for decision in (yes, no):
            assert not compiler.one_answer(who, decision, on("GET /{proxy+}"))
        held = "read" in who.scopes
        assert compiler.one_answer(who, yes, on("GET /orders/{order}")) is held
        assert compiler.one_answer(who, no, on("GET /orders/{order}")) is not held
        assert compiler.may_be_allowed(who, on("GET /orders/{order}")) is held
        assert compiler.may_be_allowed(who, on("GET /{proxy+}"))


# ---------------------------------------------------------------------------------------------------------------
# Routes that overlap a lot, on purpose or not: finding a policy is bounded, and what it has not found is left out.


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


def test_only_so_many_policies_are_kept() -> None:
    routes = [Route(None, f"/r{number}", (f"s{number}",)) for number in range(9)]
    rules = compile_rules(routes)
    compiler = PolicyCompiler(rules)
    first = compiled(rules, "GET /r0", "s0", compiler=compiler)
    for rights in range(2, 300):
        scopes = [f"s{bit}" for bit in range(9) if rights >> bit & 1]
        compiled(rules, "GET /r0", *scopes, compiler=compiler)
    again = compiled(rules, "GET /r0", "s0", compiler=compiler)
    assert again == first
    assert again is not first
