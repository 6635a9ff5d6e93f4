"""A Lambda event becomes a request: the five kinds, where values and the token stand in them."""

import pytest

from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError
from jwt_authorizer.events import EventKind, read_event
from jwt_authorizer.tokens import BearerToken, TokenLocation, TokenSource, bearer_token
from tests.factories import ARN, AUTHORIZATION, Event, http_api_v2_event, request, rest_request_event

SUBPROTOCOL = TokenSource(TokenLocation.HEADER, "Sec-WebSocket-Protocol")
X_TOKEN = TokenSource(TokenLocation.HEADER, "X-Token")
COOKIE = TokenSource(TokenLocation.COOKIE, "session")
QUERY = TokenSource(TokenLocation.QUERY, "token")


@pytest.mark.parametrize(
    ("context", "route_key"),
    [({"connectionId": "c"}, "$connect"), ({"routeKey": "$custom"}, "$custom"), ({"routeKey": None}, "$connect")],
)
def test_either_of_two_members_makes_a_websocket(context: Event, route_key: str) -> None:
    read = read_event({"type": "REQUEST", "methodArn": ARN + "$connect", "requestContext": context})
    assert (read.kind, read.route_key) == (EventKind.WEBSOCKET, route_key)


# Values of headers, query parameters and cookies.


@pytest.mark.parametrize(
    ("single", "multiple", "expected"),
    [
        ({"X": "b"}, {"X": ["a", "b"]}, ("a", "b")),
        ({"X": "a"}, {"x": ["a"]}, ("a",)),
        ({"X": "a"}, {"X": ["b"]}, ("b", "a")),
        ({"X": "a", "x": "b"}, {}, ("a", "b")),
        ({"X": "a"}, None, ("a",)),
        (None, {"X": ["a", "a"]}, ("a",)),
        ({"X": "a"}, {"X": "a"}, ("a",)),
    ],
)
def test_single_and_multiple_values_are_read_together(
    single: Event | None, multiple: Event | None, expected: tuple[str, ...]
) -> None:
    assert request(headers=single, multiValueHeaders=multiple).header("x") == expected
    # The names of query parameters match exactly.
    query = request(queryStringParameters=single, multiValueQueryStringParameters=multiple).query
    assert set(query("X")) | set(query("x")) == set(expected)
    assert (query("x") == ()) is ("x" not in {**(single or {}), **(multiple or {})})


@pytest.mark.parametrize("value", [None, 5, [None], ["a", 5], {}])
def test_a_header_s_value_that_is_no_text_is_refused_where_it_is_asked_for(value: object) -> None:
    read = request(headers={"Authorization": value, "Other": "fine"}, multiValueHeaders=None)
    assert read.header("other") == ("fine",)
    with pytest.raises(DecisionError, match="invalid_event"):
        read.header("authorization")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a=1;session=abc; b=2", ("abc",)),
        ("\tsession=abc ", ("abc",)),
        ('session="abc"', ("abc",)),
        ('session="', ('"',)),
        ('session=""', ("",)),
        ("session=a=b=", ("a=b=",)),
        ("session=a; session=b", ("a", "b")),
        ('session=a; session="a"', ("a",)),
        ("session=\u00a0a\tb\u2003 ", ("\u00a0a\tb\u2003",)),
        ("Session=abc; mysession=abc; session; session =abc", ()),
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


# Where the token is. tests/cases/places.json has the ordinary locations, tests/security/ what is refused.


EVERYWHERE: Event = {"headers": {"Authorization": "Bearer a", "Cookie": "session=b"}}
EVERYWHERE |= {"queryStringParameters": {"token": "Bearer c"}}


@pytest.mark.parametrize(
    ("members", "sources", "expected"),
    [
        ({"headers": {"authorization": " BEARER  abc\u00a0 "}}, (AUTHORIZATION,), "abc\u00a0"),
        ({"headers": {"x-token": "bEARER  abc"}}, (X_TOKEN,), "abc"),
        ({"headers": {"x-token": "Bearer "}}, (X_TOKEN,), None),
        # Several subprotocols: the last is the token.
        ({"headers": {"sec-websocket-protocol": "abc"}}, (SUBPROTOCOL,), "abc"),
        ({"multiValueHeaders": {"Sec-WebSocket-Protocol": ["v2", "bearer,\tabc"]}}, (SUBPROTOCOL,), "abc"),
        ({"headers": {"sec-websocket-protocol": "abc, "}}, (SUBPROTOCOL,), None),
        ({}, (SUBPROTOCOL,), None),
        # The first source that has a token wins. In a cookie or query parameter there is no scheme.
        (EVERYWHERE, (AUTHORIZATION, COOKIE, QUERY), "a"),
        (EVERYWHERE, (QUERY, COOKIE, AUTHORIZATION), "Bearer c"),
        (EVERYWHERE | {"headers": {"Authorization": "Basic a"}}, (AUTHORIZATION, COOKIE, QUERY), "Bearer c"),
        # The same value twice is one.
        ({"headers": {"X-Token": "a"}, "multiValueHeaders": {"x-token": ["a"] * 2}}, (X_TOKEN,), "a"),
        ({"headers": {"Cookie": "session=a; session=a; session="}}, (COOKIE,), "a"),
        # A TOKEN event has one header, whatever its name is.
        ({"authorizationToken": "Bearer abc"}, (AUTHORIZATION,), "abc"),
        ({"authorizationToken": "abc"}, (X_TOKEN,), "abc"),
        ({"authorizationToken": "Bearer abc"}, (X_TOKEN, AUTHORIZATION), "abc"),
        ({"authorizationToken": "abc"}, (X_TOKEN, AUTHORIZATION), "abc"),
        ({"authorizationToken": "abc"}, (AUTHORIZATION,), None),
        ({"authorizationToken": "Bearer abc"}, (COOKIE, QUERY), None),
    ],
    ids=repr,
)
def test_where_the_token_is(members: Event, sources: tuple[TokenSource, ...], expected: str | None) -> None:
    kind = EventKind.REST_TOKEN if "authorizationToken" in members else EventKind.REST_REQUEST
    bare: Event = {"headers": None, "multiValueHeaders": None}
    asked = request(kind, None, **(bare | members))
    if expected is None:
        with pytest.raises(TokenError, match=r"missing_token: .* needs the scheme Bearer"):
            bearer_token(asked, sources)
    else:
        assert bearer_token(asked, sources).text == expected


def test_length_is_limited_before_anything_reads_the_token() -> None:
    assert BearerToken("x" * 16 * 1024).text
    with pytest.raises(TokenError) as caught:
        BearerToken("x" * (16 * 1024 + 1))
    assert caught.value.code is ErrorCode.MALFORMED_TOKEN
