"""Routes that overlap a lot: what finding a policy may cost, counted in steps, and what is answered beyond that."""

from __future__ import annotations

from copy import replace
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.policies.overlaps import describe_overlaps
from jwt_authorizer.policies.repairs import Repairs
from jwt_authorizer.policies.route_keys import answers
from jwt_authorizer.policies.selection import select
from jwt_authorizer.policies.sizes import Limits, Unit, fit
from jwt_authorizer.policies.verdicts import Answer, Item, TooMuchWork, Verdicts
from jwt_authorizer.rules import Route, Rules
from tests.properties.apis import PREFIX, Api, Asked, principal
from tests.properties.judge import Tally, compare, permits
from tests.unit.policy_lines import asks, compiled, listing, resources

if TYPE_CHECKING:
    from jwt_authorizer.policies.words import Pattern

ANY = None
LARGEST_OVERSHOOT = 5_000
"""Steps are taken in lots; the last one may go beyond the limit, by what is looked at in one go."""


def overlapping(count: int, depth: int, *, absent: bool = False, methods: frozenset[str] | None = None) -> Api:
    """List routes of variables, each with one fixed segment somewhere, and each with a scope of its own."""
    routes = []
    for number in range(count):
        segments = [f"{{p{place}}}" for place in range(depth)]
        segments[number % depth] = f"a{number}"
        routes.append(Route(methods, "/" + "/".join(segments), (f"s{number}",)))
    return Api(tuple(routes), absent)


WIDE = [(20, 5), (12, 8), (12, 12)]
GIVEN_UP = "all routes: they overlap too much to find a policy for them"


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize(("count", "depth"), WIDE)
def test_a_search_ends_where_its_steps_do(count: int, depth: int, *, absent: bool) -> None:
    rules = overlapping(count, depth, absent=absent).rules
    verdicts = Verdicts(rules)
    repairs = Repairs(rules, verdicts, (1 << len(rules.requirements)) - 2)
    verdicts.limit(20_000)
    with pytest.raises(TooMuchWork):
        select(repairs, {item: repairs.grants(item) for item in repairs.items}, frozenset())
    assert -LARGEST_OVERSHOOT < verdicts.left < 0
    assert verdicts.walked < 20_000


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize(("count", "depth"), WIDE)
def test_beyond_it_the_request_is_allowed_alone(count: int, depth: int, *, absent: bool) -> None:
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
        policy = compare(api, compiler, who, one, others=asked, tally=tally)
        assert policy.left_out == (GIVEN_UP,)
    assert (tally.wrong_for_asked, tally.over_grants) == (0, 0)
    assert tally.left_out > 0


def test_giving_up_is_remembered_for_all_who_have_the_same_rights() -> None:
    compiler = PolicyCompiler(overlapping(12, 8).rules, most_work=5_000)
    scopes = [f"s{number}" for number in range(1, 12)]
    first = compiled(compiler.rules, "GET /x/a1/x/x/x/x/x/x", *scopes, compiler=compiler)
    walked = compiler._verdicts.walked  # noqa: SLF001 - what it cost is nothing that a policy shows
    second = compiled(compiler.rules, "GET /x/x/a2/x/x/x/x/x", *scopes, compiler=compiler)
    assert compiler._verdicts.walked == walked  # noqa: SLF001 - as above
    assert (resources(first), resources(second)) == (("GET/x/a1/x/x/x/x/x/x",), ("GET/x/x/a2/x/x/x/x/x",))
    assert not permits(second, "GET/x/a1/x/x/x/x/x/x")


def test_one_route_is_given_up_as_well() -> None:
    compiler = PolicyCompiler(overlapping(12, 8).rules, most_work=1_000)
    policy = compiled(compiler.rules, "GET /x/a1/x/x/x/x/x/x", "s1", cached_by="route", compiler=compiler)
    assert (resources(policy), policy.left_out) == (("GET/x/a1/x/x/x/x/x/x",), (GIVEN_UP,))


def test_an_ordinary_api_is_looked_through_whole() -> None:
    lines = [f"{method} /r{n}{rest} s{n % 5}" for n in range(75) for method in ("GET", "PUT") for rest in ("", "/{id}")]
    for absent in (True, False):
        rules = listing(*lines, absent=absent)
        policy = compiled(rules, "GET /r1", "s0", "s1", "s2", "s3")
        assert GIVEN_UP not in policy.left_out
        assert permits(policy, "GET/r1")
        assert not any("too much" in warning for warning in PolicyCompiler(rules).warnings("token"))


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize(("count", "depth"), WIDE)
def test_start_up_stops_looking_and_says_so_once(count: int, depth: int, *, absent: bool) -> None:
    rules = overlapping(count, depth, absent=absent).rules
    verdicts = Verdicts(rules)
    warnings = describe_overlaps(rules, verdicts, most_work=20_000)
    assert sum("overlap too much" in warning for warning in warnings) == 1
    assert "JWT_CACHED_BY=route" in warnings[-1]
    assert 'unlisted_routes = "absent"' in warnings[-1]
    assert -LARGEST_OVERSHOOT < verdicts.left < 0


@pytest.mark.parametrize("count", [12, 14, 15, 40])
def test_a_route_key_with_too_much_behind_it_stands_for_anything(count: int) -> None:
    rules: Rules = overlapping(count, count).rules
    verdicts = Verdicts(rules)
    assert answers(rules, verdicts, "ANY /{proxy+}", 0, most_work=10_000) == {
        Answer.ALLOWED,
        Answer.REFUSED,
    }
    assert -LARGEST_OVERSHOOT < verdicts.left < 0


def test_a_route_key_with_little_behind_it_is_looked_through() -> None:
    rules = overlapping(4, 4).rules
    assert answers(rules, Verdicts(rules), "ANY /{proxy+}", 0) == {Answer.REFUSED}


def test_wider_patterns_that_take_too_much_work_are_done_without() -> None:
    rules = listing(*(f"GET /a/b{n}{'x' * 60}" for n in range(20)), absent=True)
    verdicts = Verdicts(rules)
    repairs = Repairs(rules, verdicts, rights=1)
    units = [_unit(number, ("GET", "a", f"b{number}{'x' * 60}")) for number in range(20)]
    kept = dict.fromkeys(repairs.items, 1.0)
    limits = Limits(len(PREFIX), 2_000)
    assert len(fit(repairs, units, kept, limits, frozenset())) == 1
    repairs = Repairs(rules, verdicts, rights=1)
    verdicts.limit(0)
    assert 1 < len(fit(repairs, units, kept, limits, frozenset())) < len(units)


def _unit(number: int, pattern: Pattern) -> Unit:
    return Unit(frozenset({pattern}), frozenset(), frozenset({Item(number, "GET")}))


def test_where_that_is_unknown_no_answer_counts_as_right_for_all_of_the_route() -> None:
    rules = overlapping(20, 20).rules
    request = replace(asks("GET /x"), route_key="/{proxy+}")
    decision = rules.decide(principal(), "GET", "/x")
    # This principal may nothing at all, which is not found out.
    compiler = PolicyCompiler(rules)
    assert not compiler.one_answer(principal(), decision, request)
    assert compiler.may_be_allowed(principal(), request)
    assert PolicyCompiler(overlapping(4, 4).rules).one_answer(principal(), decision, request)
