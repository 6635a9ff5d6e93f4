"""What a caller writes into a path, a method or an identity source gains nothing, now or from API Gateway's cache."""

import json
from functools import cache

import pytest

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer_devkit.events import sample
from tests.fuzz.policies import PROBES, ROUTES, allows
from tests.security.lab import ARN, Json, Lab, assert_clean, bare_lab, claims, jwks, sign

KINDS = ("rest-token", "rest-request", "http-api-1.0", "http-api-2.0")
CACHED_BY = ("token", "route", "nothing")


@cache
def by_route(**settings: str) -> Lab:
    """Build the function, once for each of the settings, with rules that have been judged by hand for every probe.

    The token may read orders.
    """
    return bare_lab(JWT_CONFIG=ROUTES.replace("JWKS", json.dumps(jwks())), **settings)


def asked(kind: str, resource: str, route_key: str = "$default", **changed: object) -> Json:
    event: Json = sample(kind, sign(claims()))
    template = route_key.partition(" ")[2] or "/{proxy+}"
    context = event.get("requestContext", {}) | {"resourcePath": template, "routeKey": route_key}
    if kind == "rest-request":
        context.pop("routeKey")
    name = "routeArn" if kind == "http-api-2.0" else "methodArn"
    return (
        event | {name: ARN + resource, "resource": template, "routeKey": route_key, "requestContext": context} | changed
    )


PATHS = ["GET/orders/*", "GET/orders/?", "GET/orders/**", "GET/orders/*/items", "GET/*", "GET/*/*"]
PATHS += ["GET/orders/${aws:username}", "GET/orders/${*}", "GET/orders/$%7B*}", "GET/orders/s*", "GET/orders/specia?"]
PATHS += ["GET/orders/speci%61l", "GET/orders/special/", "GET/orders//special", "GET//orders/special"]
PATHS += ["GET/orders/../admin", "GET/files/../admin", "GET/files/*", "GET/files/*/../../admin", "GET/files/a?b"]
PATHS += ["GET/files/${*}/${?}", "GET/orders/1%2F*", "GET/orders/1:2", "GET/orders/*:*", "GET/orders/\u2217"]
PATHS += ["GET/orders/1\n*", "GET/orders/1\0", "*/orders/1", "G?T/orders/1", "*/*", "GET*/orders/1", "${*}/files/a"]
PATHS += ["*/files/a", "get/orders/1", "GET", "GET/", "GET//", "$connect", "GET/" + "a" * 9000]
PATHS += ["GET/orders/" + "*" * 500, "GET/files/" + "*/" * 400]


@pytest.mark.parametrize("cached_by", CACHED_BY)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_a_policy_never_allows_what_the_rules_refuse(path: str, kind: str, cached_by: str) -> None:
    target = by_route(JWT_CACHED_BY=cached_by, JWT_HTTP_API_RESPONSE="iam")
    answer = target.answered(asked(kind, path))
    assert target.last["decision"] in {"allow", "deny"}
    assert_clean(target.lines[-1], "")
    statements = answer["policyDocument"]["Statement"]
    assert [probe for probe, allowed in PROBES.items() if not allowed and allows(statements, ARN + probe)] == []
    if target.last["decision"] == "deny":
        assert not allows(statements, ARN + path)
    elif len(path) < 100:
        assert allows(statements, ARN + path)
    if cached_by == "nothing" and not set("*?$") & set(path):
        assert [probe for probe in PROBES if probe != path and allows(statements, ARN + probe)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_plain_request_does_get_its_policy(kind: str) -> None:
    target = by_route(JWT_HTTP_API_RESPONSE="iam")
    answer = target.allowed(asked(kind, "GET/orders/1", "GET /orders/{id}"))
    statements = answer["policyDocument"]["Statement"]
    assert [probe for probe, allowed in PROBES.items() if allowed and not allows(statements, ARN + probe)] == []


@pytest.mark.parametrize("kind", ["rest-request", "http-api-1.0", "http-api-2.0"])
@pytest.mark.parametrize("path", ["GET/orders/speci%61l", "GET/orders/special%2e", "GET/files/%2e%2e/orders/special"])
def test_a_path_that_api_gateway_read_differently_gains_nothing(path: str, kind: str) -> None:
    target = by_route(JWT_HTTP_API_RESPONSE="iam", JWT_CACHED_BY="nothing")
    answer = target.answered(asked(kind, path, "GET /orders/special"))
    assert target.last["decision"] == "deny"
    assert not allows(answer["policyDocument"]["Statement"], ARN + path)


def unsafe(target: Lab, event: Json) -> None:
    """Hold an event to be a 500 that says how to mend the API."""
    with pytest.raises(DecisionError, match="unsafe_cache") as caught:
        target.function(event, None)
    assert caught.value.code is Reason.UNSAFE_CACHE


ROUTE_KEY = "GET /orders/{id}"


def simple(path: str, route_key: str, sources: list[str] | None, **changed: object) -> Json:
    """Give a payload 2.0 event whose cache is keyed by the token and further values."""
    event = asked("http-api-2.0", path, route_key, **changed)
    token = event["identitySource"]
    return event | {"identitySource": None if sources is None else [*token, *sources]}


@pytest.mark.parametrize("cached_by", ["token", "route"])
def test_yes_for_one_route_is_never_cached_for_another(cached_by: str) -> None:
    target = by_route(JWT_CACHED_BY=cached_by)
    assert target.allowed(simple("GET/orders/1", "GET /files/{path+}", ["GET /files/{path+}"]))["isAuthorized"]
    for sources in ([], ["GET"], ["/orders/1"], ["GET /orders/{ID}"], ["$default"], None):
        unsafe(target, simple("GET/orders/1", ROUTE_KEY, sources))


def test_yes_for_a_route_that_the_rules_tell_apart_is_never_given() -> None:
    """Behind a wide route there are rules that differ. A route that the rules list is taken to be the API's own."""
    target = by_route(JWT_CACHED_BY="route")
    for route_key in ("ANY /orders/{id}", "ANY /{proxy+}", "GET /{proxy+}", "$default"):
        unsafe(target, simple("GET/orders/1", route_key, [route_key]))
    answer = target.answered(simple("PUT/orders/1", "PUT /orders/{id}", ["PUT /orders/{id}"]))
    assert answer["isAuthorized"] is False


WRITTEN: dict[str, tuple[bool, Json]] = {
    "a header": (True, {"headers": {"x-route": ROUTE_KEY}}),
    "a header among others": (True, {"headers": {"x-route": f"a,{ROUTE_KEY}"}}),
    "a cookie": (True, {"cookies": [ROUTE_KEY]}),
    "a query": (True, {"queryStringParameters": {"route": ROUTE_KEY}}),
    "a query among others": (True, {"queryStringParameters": {"route": f"{ROUTE_KEY}, a"}}),
    "a longer header": (False, {"headers": {"referer": f"https://example.com/{ROUTE_KEY}"}}),
    "a cookie's value": (False, {"cookies": [f"a={ROUTE_KEY}"]}),
    "a path parameter": (False, {"pathParameters": {"proxy": ROUTE_KEY}}),
    "the raw query": (False, {"rawQueryString": ROUTE_KEY}),
}
"""Where a caller writes a route's key, and whether it may be an identity source there."""


@pytest.mark.parametrize("place", WRITTEN)
def test_a_route_key_that_the_caller_wrote_is_none(place: str) -> None:
    target = bare_lab(JWT_CONFIG=ROUTES.replace("JWKS", json.dumps(jwks())).replace("/orders/special", "/special"))
    event = simple("GET/orders/1", ROUTE_KEY, [ROUTE_KEY])
    assert target.allowed(event)["isAuthorized"]
    spoofed, members = WRITTEN[place]
    changed = {name: event[name] | value if name == "headers" else value for name, value in members.items()}
    if not spoofed:
        assert target.allowed(event | changed)["isAuthorized"]
        return
    unsafe(target, event | changed)
    # Where the API's cache is keyed by the route as well, the value stands there once more.
    twice = simple("GET/orders/1", ROUTE_KEY, [ROUTE_KEY, ROUTE_KEY])
    assert target.allowed(twice | changed)["isAuthorized"]
