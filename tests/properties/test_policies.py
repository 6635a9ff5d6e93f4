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
from jwt_authorizer.policies.choice import MAX_POLICY
from jwt_authorizer.policies.compiler import PolicyCompiler
from jwt_authorizer.rules import Allow, Route
from jwt_authorizer_devkit.explaining.resources import compile_patterns
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

SHORT = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


@given(cases(), st.sampled_from(["token", "token", "route", "nothing"]), st.just(MAX_POLICY) | st.integers(500, 3000))
@SHORT
def test_decisions_are_the_oracles_and_a_policy_grants_nothing_else(
    case: tuple[Api, Principal, Asked, list[Asked]], cached_by: str, room: int
) -> None:
    api, who, asked, others = case
    compiler, tally = PolicyCompiler(api.rules, max_bytes=room), Tally()
    allowed = {one: isinstance(compiler.rules.decide(who, one.method, one.path), Allow) for one in (asked, *others)}
    assert allowed == {one: oracle(api, who, one) == "allowed" for one in allowed}
    compiled = compare(api, compiler, who, asked, others=others, tally=tally, cached_by=cached_by)
    assert tally.over_grants == 0, compiled
    assert tally.wrong_for_asked == 0 or (room < MAX_POLICY and allowed[asked]), compiled
    assert len(json.dumps([PREFIX + one for statement in compiled.statements for one in statement.resources])) <= room
    lost = [one for one in others[:4] if allowed[one] and not permits(compiled, one.text)]
    assert not lost or compiled.left_out or cached_by != "token", lost
    if all(PLAIN.fullmatch(resource) for statement in compiled.statements for resource in statement.resources):
        judge = _moto(compiled)  # which reads "?", "$" and "." in a resource as a regular expression does
        for one in allowed:
            verdict = judge.is_action_permitted("execute-api:Invoke", PREFIX + one.text) is PermissionResult.PERMITTED
            assert verdict is permits(compiled, one.text)


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


@pytest.mark.parametrize(
    ("make", "absent", "lost"),
    [
        (resource_api, True, 0),
        (resource_api, False, 35),
        (random_api, True, 27),
        (random_api, False, 93),
    ],
)
def test_whatever_its_patterns_tempt_to_a_policy_grants_no_more_than_the_rules_and_hardly_less(
    make: Callable[..., Api],
    absent: bool,  # noqa: FBT001 - a table of cases
    lost: int,
) -> None:
    pick, tempt = Random(5).choice, Random(6).choice  # noqa: S311 - examples, not secrets
    ordinary, odd = Tally(), Tally()
    for _ in range(60):
        api = make(pick, absent=absent)
        if not api.routes:
            continue
        who = pick(principals())
        others = [listed_request(pick, api) for _ in range(40)]
        compiled = compare(api, PolicyCompiler(api.rules), who, others[0], others=others, tally=ordinary)
        check_against(api, who, compiled, [tempting_request(tempt, compiled, api) for _ in range(100)], odd)
    assert odd.pairs > 4000
    assert ordinary.over_grants == ordinary.wrong_for_asked == odd.over_grants == 0
    assert ordinary.left_out <= lost < ordinary.allowed // 10


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


@given(st.text("ab*?${}/", max_size=8), st.text("ab*?${}/", max_size=8))
@SHORT
def test_the_judge_and_explain_match_as_iam_does(pattern: str, text: str) -> None:
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
    if "$" not in pattern:
        assert (compile_patterns([pattern]).match(text) is not None) is matches(0, 0)
