"""Finding the bearer token, and taking it apart without trusting it."""

from __future__ import annotations

import json

import pytest

from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.strict_json import MAX_NESTING, BadJsonError, is_one_line, json_object, json_text
from jwt_authorizer.tokens import (
    MAX_TOKEN_LENGTH,
    BearerToken,
    TokenPlace,
    TokenSource,
    bearer_token,
    parse,
    token_type,
)
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import base64url
from tests.factories import AUTHORIZATION, EVENTS, Event, request, token

SUBPROTOCOL = TokenSource(TokenPlace.HEADER, "Sec-WebSocket-Protocol")
X_TOKEN = TokenSource(TokenPlace.HEADER, "X-Token")
COOKIE = TokenSource(TokenPlace.COOKIE, "session")
QUERY = TokenSource(TokenPlace.QUERY, "token")
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


@pytest.mark.parametrize("kind", EVENTS)
def test_each_kind_of_event_carries_the_token_after_bearer(kind: EventKind) -> None:
    assert bearer_token(request(kind, "abc"), (AUTHORIZATION,)).text == "abc"


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


def test_no_token_anywhere_names_the_places() -> None:
    detail = refused(Reason.MISSING_TOKEN, {}, AUTHORIZATION, COOKIE, QUERY)
    assert "header:Authorization, cookie:session, query:token" in detail


def test_the_same_value_twice_is_one() -> None:
    twice: Event = {"headers": {"Authorization": "Bearer a"}, "multiValueHeaders": {"authorization": ["Bearer a"] * 2}}
    assert found(twice) == "a"
    assert found({"headers": {"Cookie": "session=a; session=a; session="}}, COOKIE) == "a"


def test_values_that_payload_2_joined_with_a_comma_are_no_token() -> None:
    joined = found({"headers": {"authorization": f"Bearer {token()},Bearer {token()}"}}, kind=EventKind.HTTP_API_V2)
    assert "contains a comma" in malformed(joined)


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


def test_a_token_is_taken_apart() -> None:
    text = token({"email": "a@example.com"}, header={"typ": "at+jwt"})
    read = parse(BearerToken(text))
    assert (read.alg, read.kid, read.typ) == ("ES256", "key-1", "at+jwt")
    assert read.claims["email"] == "a@example.com"
    assert read.signing_input.decode() == text.rpartition(".")[0]
    assert base64url(read.signature) == text.rpartition(".")[2]


def test_neither_kid_nor_typ_is_required() -> None:
    read = parse(BearerToken(compact(HEADER)))
    assert (read.kid, read.typ) == (None, None)


@pytest.mark.parametrize("typ", ["JWT", "jwt", "application/jwt", "APPLICATION/JWT"])
def test_types_are_compared_without_case_and_prefix(typ: str) -> None:
    assert token_type(typ) == "jwt"
    assert token_type("text/jwt") == "text/jwt"


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("abc", "opaque"),
        ("", "opaque"),
        ("a.b.c.d.e", "encrypted"),
        ("a.b.c,a.b.c", "contains a comma"),
        ("opaque,e30.e30.c2ln", "contains a comma"),
        ("e30.e30.c2ln,opaque", "contains a comma"),
        ("a.b", "three base64url parts"),
        ("a.b.c.d", "three base64url parts"),
        ('{"payload":"e30"}', "opaque"),
        ("Bearer%20e30.e30.c2ln", "begins with Bearer"),
    ],
)
def test_what_is_no_compact_jws_is_malformed(text: str, detail: str) -> None:
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


@pytest.mark.parametrize("length", range(1, 7))
def test_every_length_of_a_signature_is_read(length: int) -> None:
    signature = bytes(range(250, 250 + length)) if length < 6 else b"\xfb\xff\xfe\x00\x01\x02"
    assert parse(BearerToken(compact(HEADER, signature=signature))).signature == signature


def test_which_algorithm_is_accepted_is_not_decided_here() -> None:
    assert parse(BearerToken(token(defect=Defect.ALG_NONE))).alg == "none"


@pytest.mark.parametrize("field", ["abc", "Bearer abc", "bearer  abc"])
def test_a_token_event_that_may_hold_one_of_several_headers_is_read_either_way(field: str) -> None:
    assert found({"authorizationToken": field}, X_TOKEN, AUTHORIZATION, kind=EventKind.REST_TOKEN) == "abc"


# ---------------------------------------------------------------------------------------------------------------
# JSON that no two parsers read differently.


def read(text: str) -> dict[str, object]:
    members, own_text = json_object(text.encode())
    assert own_text == text
    return members


def refused_of_json(document: str | bytes) -> str:
    with pytest.raises(BadJsonError) as caught:
        json_object(document if isinstance(document, bytes) else document.encode())
    return str(caught.value)


def test_nesting_is_counted_outside_texts_up_to_the_limit() -> None:
    deepest = "[" * (MAX_NESTING - 1) + "]" * (MAX_NESTING - 1)
    assert read(f'{{"a":{deepest},"b":[],"c":{deepest}}}')["b"] == []
    assert "nested deeper" in refused_of_json(f'{{"a":{deepest},"b":[{deepest}]}}')
    many = json.dumps({"text": "[{" * 100 + '\\"', "list": [[], {}] * 50})
    assert read(many)["text"] == "[{" * 100 + '\\"'


def test_pairs_of_escaped_surrogates_are_text() -> None:
    assert read('{"a":"\\ud83d\\ude00\\u00e4"}') == {"a": "\U0001f600ä"}


def test_nobody_waits_for_a_payload_of_quotes() -> None:
    # Counting levels must not try each quote anew as the start of a text: that would take seconds.
    payload = "[" * (MAX_NESTING + 1) + '"' * 11_000
    assert "nested deeper" in refused_of_json(payload)
    assert "valid JSON" in refused_of_json("[]" * (MAX_NESTING + 1) + '"\\' * 5_500)


# JSON that may be passed on as its sender wrote it.


ONE_LINE = ['{"a":"b","e":[1, 2]}', '{"a":"\\u00e4\\n"}', "{}", '{ "a": {"b" : [true,null,-1.5e3]}} ']
NOT_ONE_LINE = ["", '{"a":1,\n"b":2}', '{"a":1,\r"b":2}', '{"a":1,\t"b":2}', ' {"a":1}', '{"a":"\x7f"}', '{"a":"ä"}']


@pytest.mark.parametrize("text", ONE_LINE)
def test_a_line_is_printable_ascii(text: str) -> None:
    assert is_one_line(text)
    assert text.isascii()
    assert text.isprintable()


@pytest.mark.parametrize("text", NOT_ONE_LINE)
def test_what_is_longer_or_stranger_is_none(text: str) -> None:
    assert not is_one_line(text)


@pytest.mark.parametrize("text", [text for text in [*ONE_LINE, *NOT_ONE_LINE] if text])
def test_what_we_word_ourselves_is_the_same_on_one_line(text: str) -> None:
    value = json.loads(text)
    assert json.loads(json_text(value)) == value
    assert is_one_line(json_text(value))
