"""For random rules, tokens and requests: the rules against a second opinion, and policies against the rules.

``python -m benchmarks.policies`` runs the same comparison at length and writes its figures down.
"""

import json
import re
from collections.abc import Callable, Sequence
from copy import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.iam.access_control import IAMPolicy, PermissionResult

from jwt_authorizer.claims import Principal
from jwt_authorizer.events import EventKind
from jwt_authorizer.policies import Policy
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.rules import Allow, Deny, Route
from tests.properties.apis import (
    METHODS,
    PREFIX,
    SCOPES,
    Api,
    Asked,
    hostile_request,
    large_api,
    listed_request,
    oracle,
    principals,
    random_api,
    request,
    resource_api,
    taken_route,
    tempting_request,
)
from tests.properties.judge import Tally, check_against, compare, covers, permits

SHORT = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PLAIN = re.compile(r"[A-Za-z0-9/:*_-]+")


@st.composite
def cases(draw: st.DrawFn) -> tuple[Api, Principal, Asked, list[Asked]]:
    def pick(options: Sequence[str]) -> str:
        return draw(st.sampled_from(options))

    make = draw(st.sampled_from([resource_api, random_api]))
    api = make(pick, absent=draw(st.booleans()))
    while not api.routes:
        api = make(pick, absent=api.absent)
    who = draw(st.sampled_from(principals()))
    ask = draw(st.sampled_from([listed_request, hostile_request]))
    others = [one(pick, api) for one in (listed_request, hostile_request) for _ in range(4)]
    return api, who, ask(pick, api), others


@given(cases())
@SHORT
def test_decisions_are_those_of_the_oracle(case: tuple[Api, Principal, Asked, list[Asked]]) -> None:
    api, who, asked, others = case
    rules = api.rules
    for one in (asked, *others):
        decision = rules.decide(who, one.method, one.path)
        assert isinstance(decision, Allow) is (oracle(api, who, one) == "allowed"), one


@given(cases())
@SHORT
def test_a_cached_policy_is_exact_for_what_was_asked_and_grants_nothing_that_is_refused(
    case: tuple[Api, Principal, Asked, list[Asked]],
) -> None:
    api, who, asked, others = case
    tally = Tally()
    compiled = compare(api, PolicyCompiler(api.rules), who, asked, others=others, tally=tally)
    assert tally.wrong_for_asked == 0, compiled
    assert tally.over_grants == 0, compiled
    listed = others[:4]
    lost = [other for other in listed if oracle(api, who, other) == "allowed" and not permits(compiled, other.text)]
    assert not lost or compiled.left_out, lost


@pytest.mark.parametrize("absent", [True, False])
@pytest.mark.parametrize("make", [resource_api, random_api])
def test_no_request_that_a_policys_own_patterns_tempt_to_gets_more_than_the_rules_give(
    make: Callable[..., Api], *, absent: bool
) -> None:
    random = Random(5)  # noqa: S311 - examples, not secrets
    pick = random.choice
    tally = Tally()
    for _ in range(60):
        api = make(pick, absent=absent)
        if not api.routes:
            continue
        who = random.choice(principals())
        compiled = compare(api, PolicyCompiler(api.rules), who, listed_request(pick, api), others=(), tally=tally)
        check_against(api, who, compiled, [tempting_request(pick, compiled, api) for _ in range(100)], tally)
    assert tally.pairs > 4000
    assert tally.over_grants == tally.wrong_for_asked == 0


@pytest.mark.parametrize("absent", [True, False])
def test_large_apis_with_little_room_and_slashes_grant_nothing_that_is_refused(*, absent: bool) -> None:
    random = Random(9)  # noqa: S311 - examples, not secrets
    pick, tally = random.choice, Tally()
    for _ in range(4):
        api = large_api(pick, absent=absent, sizes=("4", "8", "16"))
        compiler = PolicyCompiler(api.rules, max_bytes=pick((700, 1500, 4000, 8192)))
        for cached_by in ("token", "route", "nothing"):
            who, asked = pick(principals()), pick((listed_request, hostile_request))(pick, api)
            asked = Asked(asked.method, asked.path + pick(("", "", "/")))
            others = [one(pick, api) for one in (listed_request, hostile_request) for _ in range(4)]
            policy = compare(api, compiler, who, asked, others=others, tally=tally, cached_by=cached_by)
            check_against(api, who, policy, [tempting_request(pick, policy, api) for _ in range(20)], tally)
    assert tally.pairs > 300
    assert tally.over_grants == tally.wrong_for_asked == 0


@given(cases(), st.sampled_from(["route", "nothing"]))
@SHORT
def test_a_policy_for_one_route_or_request_is_exact_and_grants_nothing_that_is_refused(
    case: tuple[Api, Principal, Asked, list[Asked]], cached_by: str
) -> None:
    api, who, asked, others = case
    rules = api.rules
    decision = rules.decide(who, asked.method, asked.path)
    compiled = PolicyCompiler(rules).compile(who, decision, request(asked), cached_by)
    assert permits(compiled, asked.text) is isinstance(decision, Allow)
    for other in others:
        assert not (permits(compiled, other.text) and oracle(api, who, other) == "refused"), other


def test_one_answer_for_a_route_is_right_for_each_request_that_an_http_api_sends_by_it() -> None:
    random = Random(6)  # noqa: S311 - examples, not secrets
    pick, compared = random.choice, 0
    for _ in range(150):
        api = pick((random_api, resource_api))(pick, absent=pick((True, False)))
        catch_all = Route(None, pick(("$default", "/{proxy+}")), (pick(SCOPES),))
        others = (route for route in api.routes if "+}" not in route.path and route.path != "$default")
        api = Api((*others, catch_all), api.absent)
        who, compiler = pick(principals()), PolicyCompiler(api.rules)
        asked = [Asked(pick(METHODS), listed_request(pick, api).path) for _ in range(40)]
        for one in asked:
            # HTTP APIs are not known to read a path with an empty segment as another one.
            route_key = taken_route(api, one)
            event = replace(request(one), kind=EventKind.HTTP_API_V2, route_key=route_key)
            decision = compiler.rules.decide(who, one.method, one.path, event.matched)
            if not isinstance(decision, Allow) or not compiler.one_answer(who, decision, event):
                continue
            for other in asked:
                if taken_route(api, other) == route_key:
                    assert oracle(api, who, other) == "allowed", (route_key, other)
                    compared += other is not one
    assert compared > 1000


@given(cases())
@SHORT
def test_moto_is_of_the_same_opinion(case: tuple[Api, Principal, Asked, list[Asked]]) -> None:
    api, who, asked, others = case
    rules = api.rules
    compiled = PolicyCompiler(rules).compile(who, rules.decide(who, asked.method, asked.path), request(asked), "token")
    if not all(PLAIN.fullmatch(resource) for statement in compiled.statements for resource in statement.resources):
        return  # moto reads "?", "$" and "." in a resource as a regular expression does
    judge = _moto(compiled)
    for other in (asked, *others):
        verdict = judge.is_action_permitted("execute-api:Invoke", PREFIX + other.text) is PermissionResult.PERMITTED
        assert verdict is permits(compiled, other.text)
        assert not (verdict and oracle(api, who, other) == "refused")


def _moto(compiled: Policy) -> IAMPolicy:
    statements = [
        {
            "Effect": statement.effect,
            "Action": "execute-api:Invoke",
            "Resource": [PREFIX + resource for resource in statement.resources],
        }
        for statement in compiled.statements
    ]
    return IAMPolicy({"policy_document": json.dumps({"Version": "2012-10-17", "Statement": statements})})


@given(cases(), st.integers(500, 3000))
@SHORT
def test_a_policy_without_room_for_everything_grants_less_and_nothing_else(
    case: tuple[Api, Principal, Asked, list[Asked]], room: int
) -> None:
    api, who, asked, others = case
    tally = Tally()
    compiler = PolicyCompiler(api.rules, max_bytes=room)
    compiled = compare(api, compiler, who, asked, others=others, tally=tally)
    assert tally.over_grants == 0
    assert len(json.dumps([PREFIX + one for statement in compiled.statements for one in statement.resources])) <= room
    if isinstance(compiler.rules.decide(who, asked.method, asked.path), Deny):
        assert not permits(compiled, asked.text)


@given(st.text("ab*?${}/", max_size=8), st.text("ab*?${}/", max_size=8))
@SHORT
def test_the_judge_matches_as_iam_does(pattern: str, text: str) -> None:
    tokens = re.findall(r"\$\{[*?$]\}|\$\{|.", pattern)
    if "${" in tokens:
        with pytest.raises(AssertionError, match="a policy variable"):
            covers(pattern, text)
        return

    def matches(at: int, start: int) -> bool:
        if at == len(tokens):
            return start == len(text)
        token = tokens[at]
        if token == "*":
            return any(matches(at + 1, rest) for rest in range(start, len(text) + 1))
        meant = token[2] if len(token) > 1 else token
        return start < len(text) and (token == "?" or text[start] == meant) and matches(at + 1, start + 1)

    assert covers(pattern, text) is matches(0, 0)
