"""Answers that API Gateway caches by its own route, where the rules are finer, or read a path otherwise."""

from typing import Any

import pytest

from jwt_authorizer.answers import AnswerSettings, CachedBy, HttpApiResponse
from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.function import respond
from jwt_authorizer.rules import Route, Rules, compile_rules
from jwt_authorizer.rules.classes import ALLOWED, REFUSED, Classes
from jwt_authorizer.rules.route_keys import decisions
from tests.factories import NOW, authorizer, http_api_v2_event, rest_request_event, token, websocket_event
from tests.properties.apis import overlapping

GET = frozenset({"GET"})
RULES = compile_rules(
    (
        Route(GET, "/orders/{id}", scopes=("orders:read",)),
        Route(frozenset({"DELETE"}), "/orders/{id}", scopes=("orders:admin",)),
        Route(GET, "/orders/special", scopes=("orders:admin",)),
    )
)
BY_ROUTE = AnswerSettings(cached_by=CachedBy.ROUTE)
IAM_BY_ROUTE = AnswerSettings(cached_by=CachedBy.ROUTE, http_api_response=HttpApiResponse.IAM)


def ask(event: dict[str, Any], settings: AnswerSettings) -> dict[str, Any]:
    return respond(authorize(event, authorizer(rules=RULES, answers=settings), NOW))


@pytest.mark.parametrize("settings", [BY_ROUTE, AnswerSettings()])
@pytest.mark.parametrize("route_key", ["ANY /orders/{id}", "GET /{proxy+}", "$default", "nonsense"])
def test_a_yes_is_not_cached_for_a_route_whose_requests_differ(route_key: str, settings: AnswerSettings) -> None:
    event = http_api_v2_event(token(), route_key=route_key, by_route=True)
    with pytest.raises(DecisionError, match="JWT_HTTP_API_RESPONSE=iam") as caught:
        ask(event, settings)
    assert caught.value.code is Reason.UNSAFE_CACHE


def resources(answer: dict[str, Any], effect: str) -> list[str]:
    statements = answer["policyDocument"]["Statement"]
    listed = [name for statement in statements if statement["Effect"] == effect for name in statement["Resource"]]
    return [name.partition("/prod/")[2] for name in listed]


def test_a_refusal_cached_for_a_proxy_route_does_not_keep_others_out() -> None:
    event = rest_request_event(token(), resource="GET/orders/special") | {"resource": "/{proxy+}"}
    answer = ask(event, BY_ROUTE)
    assert answer["context"]["error"] == "insufficient_scope"
    assert "GET/orders/*" in resources(answer, "Allow")
    assert "GET/orders/special" in resources(answer, "Deny")


def test_the_route_that_api_gateway_matched_has_to_allow_the_request_too() -> None:
    event = rest_request_event(token(), resource="GET/orders/%73pecial") | {"resource": "/orders/special"}
    answer = ask(event, AnswerSettings())
    assert answer["context"]["reason"] == "insufficient_scope"
    assert "GET/orders/%73pecial" in resources(answer, "Deny")


def test_a_request_refused_for_its_route_is_denied_whole_if_its_path_holds_a_pattern() -> None:
    event = rest_request_event(token(), resource="GET/orders/*pecial") | {"resource": "/orders/special"}
    assert resources(ask(event, AnswerSettings()), "Deny") == ["*"]


def test_a_route_that_the_promise_rules_out_is_refused_and_no_error() -> None:
    rules = compile_rules((Route(GET, "/orders/{id}"),), absent=True)
    event = http_api_v2_event(token(), resource="GET/other", route_key="GET /other", by_route=True)
    answer: dict[str, Any] = respond(authorize(event, authorizer(rules=rules), NOW))
    assert answer["isAuthorized"] is False
    assert answer["context"]["reason"] == "route_not_listed"


FREE = compile_rules(None)
NOTHING = AnswerSettings(cached_by=CachedBy.NOTHING)


@pytest.mark.parametrize(
    ("resource", "matched", "settings", "expected"),
    [
        ("GET/orders/1", "/orders/{id}", AnswerSettings(), "*"),
        ("GET/orders/1", "/orders/{id}", BY_ROUTE, "GET/orders/*"),
        ("GET/orders/1/", "/orders/{id}/x", BY_ROUTE, "*"),  # the two do not fit: then the template is not used
        ("GET/orders/1", None, BY_ROUTE, "*"),
        ("GET/orders/1", "/orders/{id}", NOTHING, "GET/orders/1"),
        ("GET/orders/a*b", "/orders/{id}", NOTHING, "GET/orders/a?b"),
        ("GET/" + "x" * 600, "/{id}", NOTHING, "*"),
    ],
)
def test_without_routes_a_policy_reaches_as_far_as_its_cached_copy(
    resource: str, matched: str | None, settings: AnswerSettings, expected: str
) -> None:
    event = rest_request_event(token(), resource=resource) | {"resource": matched}
    answer = respond(authorize(event, authorizer(rules=FREE, answers=settings), NOW))
    assert resources(answer, "Allow") == [expected]


@pytest.mark.parametrize(
    "settings", [AnswerSettings(), BY_ROUTE, NOTHING], ids=lambda settings: settings.cached_by.value
)
def test_without_routes_a_websocket_may_connect(settings: AnswerSettings) -> None:
    answer = respond(authorize(websocket_event(token()), authorizer(rules=FREE, answers=settings), NOW))
    assert resources(answer, "Allow") == ["$connect"]


ADMIN = compile_rules((Route(None, "/admin/{id}", scopes=("orders:admin",)), Route(None, "/{kind}/{id}")))


@pytest.mark.parametrize(
    "settings", [AnswerSettings(), BY_ROUTE, NOTHING], ids=lambda settings: settings.cached_by.value
)
def test_a_path_that_api_gateway_read_as_a_refused_route_is_refused(settings: AnswerSettings) -> None:
    event = rest_request_event(token(), resource="GET/%61dmin/1") | {"resource": "/admin/{proxy+}"}
    answer = respond(authorize(event, authorizer(rules=ADMIN, answers=settings), NOW))
    assert answer["context"]["reason"] == "route_not_listed"  # type: ignore[index]  # an answer's members have any type
    assert "GET/%61dmin/1" in resources(answer, "Deny") or resources(answer, "Deny") == ["*"]


def test_a_plain_path_is_read_in_one_way_only() -> None:
    event = rest_request_event(token(), resource="GET/orders/1") | {"resource": "/admin/{proxy+}"}
    answer = respond(authorize(event, authorizer(rules=ADMIN), NOW))
    assert "reason" not in answer["context"]  # type: ignore[operator]  # an answer's members have any type


def test_no_answer_for_an_odd_path_is_kept_for_its_whole_route() -> None:
    simple = http_api_v2_event(token(), resource="GET/orders//special", by_route=True)
    with pytest.raises(DecisionError) as caught:
        ask(simple, BY_ROUTE)
    assert caught.value.code is Reason.UNSAFE_CACHE
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


DELETE = frozenset({"DELETE"})
FINE = (
    Route(GET, "/orders/{id}", scopes=("read",)),
    Route(DELETE, "/orders/{id}", scopes=("write",)),
    Route(GET, "/orders/special", scopes=("admin",)),
    Route(None, "/public/{proxy+}"),
)


def said(route_key: str, *, absent: bool = False, holds: frozenset[str] = frozenset({"read"})) -> int:
    rules: Rules = compile_rules(FINE, absent=absent)
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


@pytest.mark.parametrize("count", [12, 14, 15, 40])
def test_a_key_with_too_much_behind_it_stands_for_anything(count: int) -> None:
    rules = overlapping(count, count).rules
    classes = Classes(rules)
    assert decisions(rules, classes, "ANY /{proxy+}", 0, most_work=10_000) == BOTH
    assert -1_000 < classes.left < 0  # steps are taken in lots
    few = overlapping(4, 4).rules
    assert decisions(few, Classes(few), "ANY /{proxy+}", 0) == REFUSED
