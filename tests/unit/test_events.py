"""A Lambda event becomes a request: the five kinds, where values stand in them, and what is no such event."""

from __future__ import annotations

import pytest

from jwt_authorizer.errors import DecisionError
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.method_arn import read_method_arn
from tests.factories import ARN, Event, http_api_v2_event, request, rest_request_event, rest_token_event


@pytest.mark.parametrize(
    ("kind", "method_and_path", "route_key", "matched"),
    [
        (EventKind.REST_TOKEN, ("GET", "/orders/1"), None, None),
        (EventKind.REST_REQUEST, ("GET", "/orders/1"), "/orders/{id}", "/orders/{id}"),
        (EventKind.WEBSOCKET, ("$connect", "$connect"), "$connect", "$connect"),
        (EventKind.HTTP_API_V1, ("GET", "/orders/1"), "/orders/{id}", "/orders/{id}"),
        (EventKind.HTTP_API_V2, ("GET", "/orders/1"), "GET /orders/{id}", "/orders/{id}"),
    ],
)
def test_each_kind_is_recognized_and_says_what_was_asked_and_what_api_gateway_matched(
    kind: EventKind, method_and_path: tuple[str, str], route_key: str | None, matched: str | None
) -> None:
    read = request(kind)
    assert (read.kind, read.stage.prefix, kind.is_http_api) == (kind, ARN, kind.startswith("http_api"))
    assert (read.method, read.path) == method_and_path
    assert (read.route_key, read.matched) == (route_key, matched)
    assert read.request_id == (None if kind is EventKind.REST_TOKEN else "request-1")


@pytest.mark.parametrize(
    ("context", "route_key"),
    [({"connectionId": "c"}, "$connect"), ({"routeKey": "$custom"}, "$custom"), ({"routeKey": None}, "$connect")],
)
def test_either_of_two_members_makes_a_websocket(context: Event, route_key: str) -> None:
    read = read_event({"type": "REQUEST", "methodArn": ARN + "$connect", "requestContext": context})
    assert (read.kind, read.route_key) == (EventKind.WEBSOCKET, route_key)


def test_payload_2_lists_what_its_cache_is_keyed_by() -> None:
    assert request(EventKind.HTTP_API_V2, identitySource=["a", None, 5, "b"]).identity_source == ("a", "b")
    assert request(EventKind.HTTP_API_V2, identitySource=None).identity_source == ()
    assert request(EventKind.REST_REQUEST, identitySource=["a"]).identity_source == ()
    assert request(EventKind.HTTP_API_V1, identitySource="a,b").identity_source == ("a,b",)
    assert request(EventKind.HTTP_API_V1, identitySource=None).identity_source == ()


# Values of headers, query parameters and cookies.


def test_header_names_match_without_case() -> None:
    read = request(headers={"aUtHoRiZaTiOn": "a", "authorizatiom": "b"}, multiValueHeaders=None)
    assert read.header("Authorization") == ("a",)
    assert read.header("Other") == ()


def test_query_names_match_exactly() -> None:
    read = request(queryStringParameters={"Token": "a", "token": "b"}, multiValueQueryStringParameters=None)
    assert read.query("token") == ("b",)


@pytest.mark.parametrize(
    ("single", "multiple", "expected"),
    [
        ({"X": "b"}, {"X": ["a", "b"]}, ("a", "b")),
        ({"X": "a"}, {"X": ["a"]}, ("a",)),
        ({"X": "a"}, {"x": ["a"]}, ("a",)),
        ({"X": "a"}, {"X": ["b"]}, ("b", "a")),
        ({"X": "a", "x": "b"}, {}, ("a", "b")),
        ({"X": "a"}, None, ("a",)),
        (None, {"X": ["a", "a"]}, ("a",)),
        ({"X": "a"}, {"X": "a"}, ("a",)),
    ],
)
def test_single_and_multiple_values_are_read_together(
    single: object, multiple: object, expected: tuple[str, ...]
) -> None:
    assert request(headers=single, multiValueHeaders=multiple).header("x") == expected
    in_query = request(queryStringParameters=single, multiValueQueryStringParameters=multiple)
    assert set(in_query.query("X")) | set(in_query.query("x")) == set(expected)


@pytest.mark.parametrize("headers", ["text", ["Authorization"], 5])
def test_headers_of_another_shape_are_refused(headers: object) -> None:
    with pytest.raises(DecisionError, match="invalid_event: headers is not a JSON object"):
        request(headers=headers).header("Authorization")


@pytest.mark.parametrize("value", [None, 5, [None], ["a", 5], {}])
def test_a_header_s_value_that_is_no_text_is_refused_where_it_is_asked_for(value: object) -> None:
    read = request(headers={"Authorization": value, "Other": "fine"}, multiValueHeaders=None)
    assert read.header("other") == ("fine",)
    with pytest.raises(DecisionError, match="invalid_event: headers has a value that is not a text"):
        read.header("authorization")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("session=abc", ("abc",)),
        ("a=1; session=abc; b=2", ("abc",)),
        ("a=1;session=abc", ("abc",)),
        ("\tsession=abc ", ("abc",)),
        ('session="abc"', ("abc",)),
        ('session="', ('"',)),
        ('session=""', ("",)),
        ("session=a=b=", ("a=b=",)),
        ("session=", ("",)),
        ("session=a; session=b", ("a", "b")),
        ('session=a; session="a"', ("a",)),
        ("Session=abc", ()),
        ("mysession=abc", ()),
        ("session", ()),
        ("session =abc", ()),
    ],
)
def test_cookies_are_read_from_their_header(header: str, expected: tuple[str, ...]) -> None:
    assert request(headers={"Cookie": header}, multiValueHeaders=None).cookie("session") == expected


def test_payload_2_lists_cookies_apart() -> None:
    assert request(EventKind.HTTP_API_V2, cookies=["a=1", "session=abc", 5, None]).cookie("session") == ("abc",)
    assert request(EventKind.HTTP_API_V2, cookies="session=abc").cookie("session") == ()
    both = request(EventKind.HTTP_API_V2, cookies=["session=a"], headers={"cookie": "session=b"})
    assert both.cookie("session") == ("b", "a")


@pytest.mark.parametrize(
    ("members", "sent"),
    [
        ({"headers": {"x": "GET /a,b", "y": "GET /a,b"}}, 2),
        ({"headers": {"x": "c, GET /a,b"}}, 1),
        ({"headers": {"x": "c, GET /a,b,GET /a,b"}, "queryStringParameters": {"x": "GET /a,b"}}, 2),
        ({"cookies": ["GET /a,b"]}, 1),
        ({"cookies": ["GET /a,b", "c=d"], "headers": {"x": "GET /a,bc"}, "queryStringParameters": {"x": 5}}, 0),
        ({"headers": None, "queryStringParameters": None, "cookies": [5]}, 0),
        ({}, 0),
    ],
    ids=str,
)
def test_what_a_caller_wrote_is_told_from_what_api_gateway_wrote(members: Event, sent: int) -> None:
    assert request(EventKind.HTTP_API_V2, **members).times_sent("GET /a,b") == sent


def test_a_token_event_has_the_value_of_its_one_header() -> None:
    assert read_event(rest_token_event("abc")).token_field == "Bearer " + "abc"
    assert read_event(rest_token_event(None)).token_field is None
    assert read_event(rest_request_event("abc")).token_field is None


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        *((path, True) for path in ("a/../b", "a/..", "./a", "a/./b", "%6Dine", "a%2Db", "a/%2E%2E/b")),
        *((path, False) for path in ("a/b", "a/..b", "a/b..", "a/.b", "a/...", "a%2Fb", "a%20b", "")),
    ],
)
def test_a_path_that_another_reader_would_normalize_is_odd(path: str, *, odd: bool) -> None:
    assert read_event(rest_request_event("token", resource=f"GET/{path}")).has_odd_path is odd


@pytest.mark.parametrize(
    ("route_key", "several"), [("ANY /orders", True), ("$default", True), ("GET /orders", False), ("GET /any", False)]
)
def test_a_route_may_be_for_several_methods(route_key: str, *, several: bool) -> None:
    assert read_event(http_api_v2_event("token", route_key=route_key)).has_any_method is several


# ---------------------------------------------------------------------------------------------------------------
# An ARN may hold almost anything behind the method, and a pattern nowhere before it.


@pytest.mark.parametrize(
    ("arn", "expected"),
    [
        ("arn:aws:execute-api:us-east-1:1:api/test/GET", ("api", "test", "GET", "/")),
        ("arn:aws-cn:execute-api:cn-north-1:1:api/*/GET/a", ("api", "*", "GET", "/a")),
    ],
)
def test_an_arn_is_taken_apart_and_put_together_unharmed(arn: str, expected: tuple[str, ...]) -> None:
    stage, method, path = read_method_arn(arn)
    assert (stage.api_id, stage.name, method, path) == expected
    assert (stage.prefix + method + path).removesuffix("/") == arn.removesuffix("/")
