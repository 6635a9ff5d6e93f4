"""A Lambda event becomes a request: the five kinds, where values stand in them, and what is no such event."""

import pytest

from jwt_authorizer.errors import DecisionError
from jwt_authorizer.events import EventKind, read_event
from tests.factories import ARN, Event, http_api_v2_event, request, rest_request_event


@pytest.mark.parametrize(
    ("context", "route_key"),
    [({"connectionId": "c"}, "$connect"), ({"routeKey": "$custom"}, "$custom"), ({"routeKey": None}, "$connect")],
)
def test_either_of_two_members_makes_a_websocket(context: Event, route_key: str) -> None:
    read = read_event({"type": "REQUEST", "methodArn": ARN + "$connect", "requestContext": context})
    assert (read.kind, read.route_key) == (EventKind.WEBSOCKET, route_key)


# Values of headers, query parameters and cookies.


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


@pytest.mark.parametrize("value", [None, 5, [None], ["a", 5], {}])
def test_a_header_s_value_that_is_no_text_is_refused_where_it_is_asked_for(value: object) -> None:
    read = request(headers={"Authorization": value, "Other": "fine"}, multiValueHeaders=None)
    assert read.header("other") == ("fine",)
    with pytest.raises(DecisionError, match="invalid_event"):
        read.header("authorization")


@pytest.mark.parametrize("headers", ["text", ["Authorization"], 5])
def test_headers_of_another_shape_are_refused(headers: object) -> None:
    with pytest.raises(DecisionError, match="invalid_event"):
        request(headers=headers, multiValueHeaders=None).header("Authorization")


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
    ("path", "odd"),
    [
        *((path, True) for path in ("a/../b", "a/..", "./a", "a/./b", "%6Dine", "a%2Db", "a/%2E%2E/b")),
        *((path, False) for path in ("a/b", "a/..b", "a/b..", "a/.b", "a/...", "a%2Fb", "a%20b", "")),
    ],
)
def test_a_path_that_another_reader_would_normalize_is_odd(path: str, *, odd: bool) -> None:
    assert read_event(rest_request_event("token", resource=f"GET/{path}")).has_unnormalized_path is odd


@pytest.mark.parametrize(
    ("route_key", "several"), [("ANY /orders", True), ("$default", True), ("GET /orders", False), ("GET /any", False)]
)
def test_a_route_may_be_for_several_methods(route_key: str, *, several: bool) -> None:
    assert read_event(http_api_v2_event("token", route_key=route_key)).has_any_method is several
