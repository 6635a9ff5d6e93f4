"""Answers that API Gateway caches by its own route, where the rules are finer, or read a path otherwise."""

from typing import Any

import pytest

from jwt_authorizer.answers import AnswerSettings, CachedBy
from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.function import respond
from jwt_authorizer.rules import Rules, compile_rules
from jwt_authorizer.rules.classes import ALLOWED, REFUSED, Classes
from jwt_authorizer.rules.route_keys import decisions
from tests.factories import NOW, authorizer, http_api_v2_event, rest_request_event, token, websocket_event
from tests.fuzz.policies import allows
from tests.properties.apis import overlapping
from tests.properties.judge import listing

RULES = listing("GET /orders/{id} orders:read", "DELETE /orders/{id} orders:admin", "GET /orders/special orders:admin")
BY_ROUTE = AnswerSettings(cached_by=CachedBy.ROUTE)


def ask(event: dict[str, Any], settings: AnswerSettings) -> dict[str, Any]:
    return respond(authorize(event, authorizer(rules=RULES, answers=settings), NOW))


def rest_event(resource: str, matched: str | None) -> dict[str, Any]:
    return rest_request_event(token(), resource=resource) | {"resource": matched}


def resources(answer: dict[str, Any], effect: str) -> list[str]:
    statements = answer["policyDocument"]["Statement"]
    listed = [name for statement in statements if statement["Effect"] == effect for name in statement["Resource"]]
    return [name.partition("/prod/")[2] for name in listed]


def test_a_refusal_cached_for_a_proxy_route_does_not_keep_others_out() -> None:
    answer = ask(rest_event("GET/orders/special", "/{proxy+}"), BY_ROUTE)
    assert answer["context"]["error"] == "insufficient_scope"
    assert "GET/orders/*" in resources(answer, "Allow")
    assert "GET/orders/special" in resources(answer, "Deny")


def test_a_route_that_the_promise_rules_out_is_refused_and_no_error() -> None:
    rules = listing("GET /orders/{id}", absent=True)
    event = http_api_v2_event(token(), resource="GET/other", route_key="GET /other", by_route=True)
    answer: dict[str, Any] = respond(authorize(event, authorizer(rules=rules), NOW))
    assert answer["isAuthorized"] is False
    assert answer["context"]["reason"] == "route_not_listed"


FREE = compile_rules(None)
BY_TOKEN, NOTHING = AnswerSettings(), AnswerSettings(cached_by=CachedBy.NOTHING)


@pytest.mark.parametrize(
    ("event", "settings", "expected"),
    [
        (rest_event("GET/orders/1", "/orders/{id}"), BY_TOKEN, "*"),
        (rest_event("GET/orders/1", "/orders/{id}"), BY_ROUTE, "GET/orders/*"),
        (rest_event("GET/orders/1/", "/orders/{id}/x"), BY_ROUTE, "*"),  # the two do not fit: the template is not used
        (rest_event("GET/orders/1", None), BY_ROUTE, "*"),
        (rest_event("GET/orders/1", "/orders/{id}"), NOTHING, "GET/orders/1"),
        (rest_event("GET/orders/a*b", "/orders/{id}"), NOTHING, "GET/orders/a?b"),
        (rest_event("GET/" + "x" * 600, "/{id}"), NOTHING, "*"),
        *((websocket_event(token()), settings, "$connect") for settings in (BY_TOKEN, BY_ROUTE, NOTHING)),
    ],
    ids=range(10),
)
def test_without_routes_a_policy_reaches_as_far_as_its_cached_copy(
    event: dict[str, Any], settings: AnswerSettings, expected: str
) -> None:
    answer = respond(authorize(event, authorizer(rules=FREE, answers=settings), NOW))
    assert resources(answer, "Allow") == [expected]


ADMIN = listing("* /admin/{id} orders:admin", "* /{kind}/{id}")


@pytest.mark.parametrize("settings", [BY_TOKEN, BY_ROUTE, NOTHING], ids=lambda settings: settings.cached_by.value)
@pytest.mark.parametrize(
    ("rules", "resource", "matched", "reason"),
    [
        (RULES, "GET/orders/%73pecial", "/orders/special", "insufficient_scope"),
        (RULES, "GET/orders/*pecial", "/orders/special", "insufficient_scope"),
        (ADMIN, "GET/%61dmin/1", "/admin/{proxy+}", "route_not_listed"),
    ],
)
def test_a_path_that_api_gateway_read_as_a_refused_route_is_refused(
    *, rules: Rules, resource: str, matched: str, reason: str, settings: AnswerSettings
) -> None:
    event = rest_event(resource, matched)
    answer: Any = respond(authorize(event, authorizer(rules=rules, answers=settings), NOW))
    assert answer["context"]["reason"] == reason
    assert not allows(answer["policyDocument"]["Statement"], event["methodArn"])


def test_a_plain_path_is_read_in_one_way_only() -> None:
    answer = respond(authorize(rest_event("GET/orders/1", "/admin/{proxy+}"), authorizer(rules=ADMIN), NOW))
    assert "reason" not in answer["context"]  # type: ignore[operator]  # an answer's members have any type


def test_no_answer_for_an_odd_path_is_kept_for_its_whole_route() -> None:
    simple = http_api_v2_event(token(), resource="GET/orders//special", by_route=True)
    with pytest.raises(DecisionError) as caught:
        ask(simple, BY_ROUTE)
    assert caught.value.code is ErrorCode.UNSAFE_CACHE
    rest = rest_request_event(token(), resource="GET/orders//special")
    assert "GET/orders/*" in resources(ask(rest, BY_ROUTE), "Allow")


def test_what_a_direct_caller_names_as_route_does_not_reach_the_log_as_it_is() -> None:
    event = http_api_v2_event(token(), route_key="GET /{x}\n\u202e" + "x" * 900, by_route=True)
    with pytest.raises(DecisionError) as caught:
        ask(event, BY_ROUTE)
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 700


# ---------------------------------------------------------------------------------------------------------------
# What an answer stands for that is cached by the API's own route.


FINE = ("GET /orders/{id} read", "DELETE /orders/{id} write", "GET /orders/special admin", "* /public/{proxy+}")


def said(route_key: str, *, absent: bool = False, holds: frozenset[str] = frozenset({"read"})) -> int:
    rules = listing(*FINE, absent=absent)
    rights = sum(1 << number for number, need in enumerate(rules.requirements) if holds.issuperset(need.scopes))
    return decisions(rules, Classes(rules), route_key, rights)


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


@pytest.mark.parametrize("count", [12, 14, 40])
def test_a_key_with_too_much_behind_it_stands_for_anything(count: int) -> None:
    rules = overlapping(count, count).rules
    classes = Classes(rules)
    assert decisions(rules, classes, "ANY /{proxy+}", 0, most_work=10_000) == BOTH
    assert -1_000 < classes.left < 0  # steps are taken in lots
    few = overlapping(4, 4).rules
    assert decisions(few, Classes(few), "ANY /{proxy+}", 0) == REFUSED
