"""Events that are none, events with one part gone wrong, and requests that carry more than one token.

What a caller writes into a path, a method or an identity source gains nothing, now or from API Gateway's cache.
"""

import re
from collections.abc import Iterator
from functools import cache

import pytest

from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer_devkit.events import FOLDER, kinds, sample
from tests.fuzz.policies import PROBES, allows
from tests.security.lab import (
    APPSYNC_REFUSED,
    ARN,
    Json,
    Lab,
    assert_clean,
    attacker_key,
    claims,
    lab,
    routes_lab,
    sign,
)

REQUESTS = ("http-api-1.0", "http-api-2.0", "rest-request", "websocket-connect")
ODD: list[object] = [None, True, 0, -1, 1e308, "", "\0", "*", "a" * 9000, [], [[]], ["*"], {}, {"": None}]
ODD += [{"a": {"a": []}}, "\ud800", 2.5]


@pytest.fixture
def target() -> Lab:
    return lab(JWT_HTTP_API_REJECT="raise")


def failed(target: Lab, event: object, *reasons: ErrorCode) -> None:
    """Hold an event to be a 500 that nothing caches."""
    with pytest.raises(DecisionError) as caught:
        target.function(event, None)
    assert caught.value.code in reasons
    assert target.last["decision"] == "error"
    assert_clean(target.lines[-1], "")


@pytest.mark.parametrize("event", [*ODD, "allow", [sample("rest-token")], {"type": "TOKEN"}, {"version": "2.0"}])
def test_what_is_no_event(target: Lab, event: object) -> None:
    failed(target, event, ErrorCode.INVALID_EVENT)


@pytest.mark.parametrize("name", sorted(path.stem for path in FOLDER.glob("other-*.json")))
def test_events_of_other_services(target: Lab, name: str) -> None:
    failed(target, sample(name, sign()), ErrorCode.INVALID_EVENT)


def with_odd_parts(event: Json) -> Iterator[Json]:
    """Give the event with each part, and each part of a part, exchanged for each odd value."""
    for name, value in event.items():
        yield from (event | {name: odd} for odd in ODD)
        for inner in value if isinstance(value, dict) else ():
            yield from (event | {name: value | {inner: odd}} for odd in ODD)


@pytest.mark.parametrize("kind", kinds())
@pytest.mark.parametrize("forged", [True, False])
def test_no_odd_part_lets_a_forged_token_in(target: Lab, kind: str, *, forged: bool) -> None:
    """Nor is one more than a refusal or an invalid event."""
    for event in with_odd_parts(sample(kind, sign(signer=attacker_key("p256")) if forged else sign())):
        try:
            assert target.function(event, None) == APPSYNC_REFUSED or not forged
        except Exception as error:  # noqa: BLE001 - the refusal has no type of its own
            assert re.match("Unauthorized$|invalid_event", str(error))  # noqa: PT017 - AppSync is answered instead
        reasons = {"missing_token", "malformed_token", "invalid_event", "bad_signature" if forged else None}
        assert target.last.get("reason") in reasons
        assert_clean(target.lines[-1], "")


ARNS: list[object] = ["", "*", "arn:aws:execute-api:eu-west-1:1:a/s", "arn:aws:execute-api:eu-west-1:1:a/s/", 1, None]
ARNS += [[], "arn:aws:lambda:eu-west-1:1:a/s/GET/", "arn:aws:execute-api:eu-west-1:1", "arn:aws:s3:::a/s/GET/x"]
ARNS += ["a/s/GET/x"]
ARNS += [f"arn:aws:execute-api:eu-west-1:1:{api}/GET/x" for api in ("*/s", "a?/s", "a/s*", "a/?", "a/${aws:username}")]
ARNS += ["arn:*:execute-api:eu-west-1:1:a/s/GET/x", "arn:aws:execute-api:*:1:a/s/GET/x"]
ARNS += ["arn:aws:execute-api:x:?:a/s/GET/x", "arn:aws:execute-api:eu-west-1:1:/s/GET/x"]
ARNS += ["arn:aws:execute-api:eu-west-1:1:a//GET/x", {"arn": "x"}, "\ud800:" * 6]


@pytest.mark.parametrize("arn", ARNS)
@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind != "appsync"])
def test_an_arn_that_is_none(target: Lab, kind: str, arn: object) -> None:
    name = "routeArn" if kind == "http-api-2.0" else "methodArn"
    failed(target, sample(kind, sign()) | {name: arn}, ErrorCode.INVALID_EVENT)


@pytest.mark.parametrize("kind", REQUESTS)
def test_two_different_tokens_in_one_header(target: Lab, kind: str) -> None:
    mine, theirs = sign(), sign(claims(sub="user-2"))
    event = sample(kind, mine)
    for headers in (
        {"Authorization": f"Bearer {mine}", "authorization": f"Bearer {theirs}"},
        {"Authorization": f"Bearer {mine}", "AUTHORIZATION": "Basic dXNlcjpwYXNz"},
        {"Authorization": f"Bearer {mine},Bearer {theirs}"},
        {"Authorization": f"Bearer {mine}, Bearer {mine}"},
    ):
        target.refused(event | {"headers": headers}, ErrorCode.MALFORMED_TOKEN, secret=mine)
    if "multiValueHeaders" in event:
        values = [f"Bearer {mine}", f"Bearer {theirs}"]
        event |= {"headers": {"Authorization": values[1]}, "multiValueHeaders": {"Authorization": values}}
        target.refused(event, ErrorCode.MALFORMED_TOKEN, secret=theirs)


@pytest.mark.parametrize("kind", REQUESTS)
def test_two_different_tokens_in_cookies_or_queries(kind: str) -> None:
    mine, theirs = sign(), sign(claims(sub="user-2"))
    bare = sample(kind, mine) | {"headers": {}, "multiValueHeaders": {}}
    cookies = lab(JWT_TOKEN_SOURCE="cookie:t", JWT_HTTP_API_REJECT="raise")
    cookies.allowed(bare | {"headers": {"Cookie": f"a=b; t={mine}; T={theirs}"}})
    both = bare | {"headers": {"Cookie": f"t={mine}; t={theirs}"}}
    cookies.refused(both, ErrorCode.MALFORMED_TOKEN, secret=mine)
    queries = lab(JWT_TOKEN_SOURCE="query:t", JWT_HTTP_API_REJECT="raise")
    single = bare | {"queryStringParameters": {"t": mine, "T": theirs}, "multiValueQueryStringParameters": {}}
    queries.allowed(single)
    queries.refused(single | {"multiValueQueryStringParameters": {"t": [mine, theirs]}}, ErrorCode.MALFORMED_TOKEN)
    queries.refused(single | {"queryStringParameters": {"t": f"{mine},{theirs}"}}, ErrorCode.MALFORMED_TOKEN)


@pytest.mark.parametrize("kind", REQUESTS)
def test_the_first_source_decides_even_where_its_token_is_bad(kind: str) -> None:
    both = lab(JWT_TOKEN_SOURCE="header:Authorization,query:t", JWT_HTTP_API_REJECT="raise")
    forged = sign(signer=attacker_key("p256"))
    event = sample(kind, forged) | {"queryStringParameters": {"t": sign()}}
    both.refused(event, ErrorCode.BAD_SIGNATURE, secret=forged)


@pytest.mark.parametrize("name", ["coo\u212aie", "c\u043eokie", "cookie ", "x-cookie", "cookies"])
def test_a_header_that_only_looks_like_cookie(name: str) -> None:
    cookies = lab(JWT_TOKEN_SOURCE="cookie:t")
    event = sample("rest-request", None)
    cookies.allowed(event | {"headers": {"COOKIE": f"t={sign()}"}, "multiValueHeaders": {}})
    cookies.refused(event | {"headers": {name: f"t={sign()}"}, "multiValueHeaders": {}}, ErrorCode.MISSING_TOKEN)


@pytest.mark.parametrize("kind", ["http-api-1.0", "http-api-2.0"])
def test_a_cache_keyed_by_something_else_than_the_token_is_told(kind: str) -> None:
    cookies = lab(JWT_TOKEN_SOURCE="cookie:t")
    event = sample(kind, None) | {"headers": {"cookie": f"t={sign()}"}}
    source = "acme" if kind == "http-api-1.0" else ["acme"]
    cookies.allowed(event | {"identitySource": source})
    assert "identity sources" in cookies.last["warnings"][0]


# Paths, methods and route keys that a caller writes.


KINDS = ("rest-token", "rest-request", "http-api-1.0", "http-api-2.0")
CACHED_BY = ("token", "route", "nothing")


by_route = cache(routes_lab)


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
    assert caught.value.code is ErrorCode.UNSAFE_CACHE


ROUTE_KEY = "GET /files/{path+}"


def simple(path: str, route_key: str, sources: list[str] | None, **changed: object) -> Json:
    """Give a payload 2.0 event whose cache is keyed by the token and further values."""
    event = asked("http-api-2.0", path, route_key, **changed)
    token = event["identitySource"]
    return event | {"identitySource": None if sources is None else [*token, *sources]}


@pytest.mark.parametrize("cached_by", ["token", "route"])
def test_yes_for_one_route_is_never_cached_for_another(cached_by: str) -> None:
    target = by_route(JWT_CACHED_BY=cached_by)
    assert target.allowed(simple("GET/orders/1", ROUTE_KEY, [ROUTE_KEY]))["isAuthorized"]
    for sources in ([], ["GET"], ["/orders/1"], ["GET /orders/{ID}"], ["$default"], None):
        unsafe(target, simple("GET/orders/1", "GET /orders/{id}", sources))


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
    target = by_route()
    event = simple("GET/files/a", ROUTE_KEY, [ROUTE_KEY])
    assert target.allowed(event)["isAuthorized"]
    spoofed, members = WRITTEN[place]
    changed = {name: event[name] | value if name == "headers" else value for name, value in members.items()}
    if not spoofed:
        assert target.allowed(event | changed)["isAuthorized"]
        return
    unsafe(target, event | changed)
    # Where the API's cache is keyed by the route as well, the value stands there once more.
    twice = simple("GET/files/a", ROUTE_KEY, [ROUTE_KEY, ROUTE_KEY])
    assert target.allowed(twice | changed)["isAuthorized"]
