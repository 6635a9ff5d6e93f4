"""Finding the bearer token, and taking it apart without trusting it."""

import pytest

from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.tokens import MAX_TOKEN_LENGTH, BearerToken, TokenLocation, TokenSource, bearer_token, parse
from jwt_authorizer_devkit.signing import base64url
from tests.factories import AUTHORIZATION, Event, request

SUBPROTOCOL = TokenSource(TokenLocation.HEADER, "Sec-WebSocket-Protocol")
X_TOKEN = TokenSource(TokenLocation.HEADER, "X-Token")
COOKIE = TokenSource(TokenLocation.COOKIE, "session")
QUERY = TokenSource(TokenLocation.QUERY, "token")
HEADER = '{"alg":"ES256"}'


def found(members: Event, *sources: TokenSource, kind: EventKind = EventKind.REST_REQUEST) -> str:
    bare: Event = {"headers": None, "multiValueHeaders": None}
    return bearer_token(request(kind, None, **(bare | members)), sources or (AUTHORIZATION,)).text


def refused(code: Reason, members: Event, *sources: TokenSource, kind: EventKind = EventKind.REST_REQUEST) -> str:
    with pytest.raises(TokenError) as caught:
        found(members, *sources, kind=kind)
    assert caught.value.code is code
    return caught.value.detail


def compact(header: str | bytes, payload: str | bytes = "{}", signature: bytes = b"signature") -> str:
    parts = (part if isinstance(part, bytes) else part.encode() for part in (header, payload, signature))
    return ".".join(base64url(part) for part in parts)


def malformed(text: str) -> str:
    with pytest.raises(TokenError) as caught:
        parse(BearerToken(text))
    assert caught.value.code is Reason.MALFORMED_TOKEN
    return caught.value.detail


# Where the token is.


def test_in_another_header_the_scheme_is_optional_and_elsewhere_there_is_none() -> None:
    assert found({"headers": {"x-token": "abc"}}, X_TOKEN) == "abc"
    assert found({"headers": {"x-token": "bEARER  abc"}}, X_TOKEN) == "abc"
    refused(Reason.MISSING_TOKEN, {"headers": {"x-token": "Bearer "}}, X_TOKEN)
    assert found({"queryStringParameters": {"token": "Bearer abc"}}, QUERY) == "Bearer abc"
    assert found({"headers": {"Cookie": "a=b; session=abc"}}, COOKIE) == "abc"
    assert found({"queryStringParameters": {"token": "abc"}}, QUERY) == "abc"


@pytest.mark.parametrize(
    "members",
    [
        {"headers": {"sec-websocket-protocol": "abc"}},
        {"headers": {"Sec-WebSocket-Protocol": "bearer, abc"}},
        {"multiValueHeaders": {"Sec-WebSocket-Protocol": ["v2.example", "bearer,\tabc"]}},
    ],
    ids=str,
)
def test_of_several_subprotocols_the_last_is_the_token(members: Event) -> None:
    assert found(members, SUBPROTOCOL) == "abc"


@pytest.mark.parametrize("members", [{}, {"headers": {"sec-websocket-protocol": "abc, "}}], ids=str)
def test_without_a_last_subprotocol_there_is_no_token(members: Event) -> None:
    refused(Reason.MISSING_TOKEN, members, SUBPROTOCOL)


def test_the_first_place_that_has_one_wins() -> None:
    everywhere: Event = {
        "headers": {"Authorization": "Bearer a", "Cookie": "session=b"},
        "queryStringParameters": {"token": "c"},
    }
    assert found(everywhere, AUTHORIZATION, COOKIE, QUERY) == "a"
    assert found(everywhere, QUERY, COOKIE, AUTHORIZATION) == "c"
    assert found(everywhere | {"headers": {"Authorization": "Basic a"}}, AUTHORIZATION, COOKIE, QUERY) == "c"


def test_the_same_value_twice_is_one() -> None:
    twice: Event = {"headers": {"Authorization": "Bearer a"}, "multiValueHeaders": {"authorization": ["Bearer a"] * 2}}
    assert found(twice) == "a"
    assert found({"headers": {"Cookie": "session=a; session=a; session="}}, COOKIE) == "a"


def test_a_token_event_has_one_header_whatever_its_name_is() -> None:
    event: Event = {"authorizationToken": "Bearer abc"}
    assert found(event, kind=EventKind.REST_TOKEN) == "abc"
    assert found({"authorizationToken": "abc"}, X_TOKEN, kind=EventKind.REST_TOKEN) == "abc"
    assert "needs the scheme" in refused(Reason.MISSING_TOKEN, {"authorizationToken": "abc"}, kind=EventKind.REST_TOKEN)
    refused(Reason.MISSING_TOKEN, event, COOKIE, QUERY, kind=EventKind.REST_TOKEN)
    refused(Reason.MISSING_TOKEN, {}, kind=EventKind.REST_TOKEN)


def test_length_is_limited_before_anything_reads_the_token() -> None:
    assert BearerToken("x" * MAX_TOKEN_LENGTH).text
    with pytest.raises(TokenError) as caught:
        BearerToken("x" * (MAX_TOKEN_LENGTH + 1))
    assert caught.value.code is Reason.MALFORMED_TOKEN
    assert MAX_TOKEN_LENGTH == 16 * 1024


# Taking it apart.


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("abc", "opaque"),
        ("a.b.c.d.e", "encrypted"),
        ("a.b.c,a.b.c", "contains a comma"),
        ("a.b.c.d", "three base64url parts"),
        ("Bearer%20e30.e30.c2ln", "begins with Bearer"),
    ],
)
def test_what_is_no_compact_jws_is_malformed_and_the_log_says_what_it_is(text: str, detail: str) -> None:
    assert detail in malformed(text)


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
@pytest.mark.parametrize("stranger", list("+/=\n\0 !,é\ud800~"), ids=ascii)
def test_no_character_but_base64url_s_is_read_or_read_over(stranger: str, part: int) -> None:
    parts = compact(HEADER).split(".")
    for count in (1, 2, 3, 4):
        for place in range(len(parts[part]) + 1):
            changed = parts[part][:place] + stranger * count + parts[part][place:]
            malformed(".".join(changed if number == part else text for number, text in enumerate(parts)))
            # In the place of characters: the length, and with it the padding, stays right.
            changed = parts[part][:place] + stranger * count + parts[part][place + count :]
            malformed(".".join(changed if number == part else text for number, text in enumerate(parts)))


@pytest.mark.parametrize("field", ["abc", "Bearer abc", "bearer  abc"])
def test_a_token_event_that_may_hold_one_of_several_headers_is_read_either_way(field: str) -> None:
    assert found({"authorizationToken": field}, X_TOKEN, AUTHORIZATION, kind=EventKind.REST_TOKEN) == "abc"
