"""Whatever text stands where a token should be: it is refused as a bad token, or it is one, bit for bit."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jwt_authorizer.authorize import authorize
from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.tokens import BearerToken, TokenPlace, TokenSource, UnverifiedToken, bearer_token, parse
from jwt_authorizer_devkit.signing import base64url
from tests.factories import AUTHORIZATION, NOW, FakeKeys, authorizer, parsed_keys, request, rest_token_event, token

ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256")
PART = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=5)


@cache
def good(alg: str) -> str:
    return token(alg=alg)


@cache
def keys(alg: str) -> FakeKeys:
    return FakeKeys(parsed_keys(alg))


def lets_in(alg: str, bearer: str) -> bool:
    """Ask the whole core, remembering nothing. Anything but a yes has to be a refusal of the token."""
    outcome = authorize(rest_token_event(bearer), authorizer(keys(alg), cache_size=0), NOW)
    assert outcome.result in {"allow", "reject"}, outcome
    return outcome.result == "allow"


def compact(header: object, payload: object, signature: bytes) -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64url(part) for part in parts)


def read_or_malformed(text: str) -> UnverifiedToken | None:
    """Parse a text; what cannot be parsed has to be malformed, and nothing else."""
    try:
        return parse(BearerToken(text))
    except TokenError as error:
        if error.code is not Reason.MALFORMED_TOKEN:
            raise
        return None


@given(st.text())
@example("e30.e30.")
@example("a.b.c.d.e")
@example("\ud800.\ud800.\ud800")
def test_any_text_is_a_bad_token_and_nothing_worse(text: str) -> None:
    with pytest.raises(TokenError):
        parse(BearerToken(text))
    assert not lets_in("ES256", text)


@given(PART, PART, PART | st.just(""))
def test_any_three_parts_are_read_or_malformed(header: str, payload: str, signature: str) -> None:
    read = read_or_malformed(f"{header}.{payload}.{signature}")
    if read is not None:
        assert read.signing_input == f"{header}.{payload}".encode()
        assert base64url(read.signature) == signature


@given(st.binary(), st.binary(), st.binary())
def test_any_bytes_in_three_parts_are_read_or_malformed(header: bytes, payload: bytes, signature: bytes) -> None:
    read = read_or_malformed(".".join(base64url(part) for part in (header, payload, signature)))
    assert read is None or read.signature == signature


@given(OBJECTS, st.text(), st.binary())
def test_any_claims_come_through_as_they_were_written(claims: dict[str, object], kid: str, signature: bytes) -> None:
    read = parse(BearerToken(compact({"alg": "ES256", "kid": kid}, claims, signature)))
    assert json.dumps(read.claims, sort_keys=True) == json.dumps(claims, sort_keys=True)
    assert (read.kid, read.signature) == (kid, signature)


@given(st.dictionaries(st.text() | st.sampled_from(["alg", "kid", "typ", "crit"]), JSON | st.just("ES256"), max_size=4))
def test_any_header_is_read_or_malformed(header: dict[str, object]) -> None:
    read = read_or_malformed(compact(header, {}, b""))
    assert read is None or read.alg == header["alg"]


@pytest.mark.parametrize("alg", ALGORITHMS)
@given(data=st.data())
def test_a_token_with_one_bit_flipped_never_passes(alg: str, data: st.DataObject) -> None:
    text = good(alg).encode()
    position = data.draw(st.integers(0, len(text) - 1))
    bit = data.draw(st.integers(0, 7))
    flipped = bytearray(text)
    flipped[position] ^= 1 << bit
    assert not lets_in(alg, flipped.decode("latin-1"))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_with_any_bit_of_its_last_character_flipped_never_passes(alg: str) -> None:
    """There the unused bits of base64url are: the same bytes could be spelled in several ways."""
    assert lets_in(alg, good(alg))
    for part_end in (index - 1 for index in (*dots(good(alg)), len(good(alg)))):
        for bit in range(8):
            flipped = bytearray(good(alg).encode())
            flipped[part_end] ^= 1 << bit
            assert not lets_in(alg, flipped.decode("latin-1"))


def dots(text: str) -> list[int]:
    return [index for index, character in enumerate(text) if character == "."]


@pytest.mark.parametrize("alg", ALGORITHMS)
@given(data=st.data())
def test_a_signature_with_one_bit_flipped_never_passes(alg: str, data: st.DataObject) -> None:
    head, _, encoded = good(alg).rpartition(".")
    signature = bytearray(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    bit = data.draw(st.integers(0, len(signature) * 8 - 1))
    signature[bit // 8] ^= 1 << bit % 8
    assert not lets_in(alg, f"{head}.{base64url(bytes(signature))}")


@given(junk=st.text(min_size=1, max_size=5), before=st.booleans())
@example(junk="=", before=False)
@example(junk="\n", before=False)
@example(junk="\u0000", before=True)
@example(junk=".", before=True)
@example(junk="A", before=False)
def test_a_token_with_anything_before_or_behind_it_never_passes(*, junk: str, before: bool) -> None:
    text = junk + good("ES256") if before else good("ES256") + junk
    # Spaces around the value of Authorization are no part of it (RFC 9110 section 5.5).
    assert lets_in("ES256", text) is (junk.strip(" ") == "")


@given(st.integers(0, 2**31))
def test_a_token_cut_anywhere_never_passes(length: int) -> None:
    text = good("ES256")
    assert not lets_in("ES256", text[: length % len(text)])


@given(
    st.text() | st.builds("{}{}{}".format, st.sampled_from(["Bearer", "bearer ", " BEARER  "]), st.text(), st.just(""))
)
def test_any_authorization_is_the_token_behind_bearer_or_none(value: str) -> None:
    asked = request(headers={"Authorization": value}, multiValueHeaders=None)
    scheme, _, rest = value.strip(" ").partition(" ")
    if scheme.lower() == "bearer" and scheme.isascii() and rest.strip(" "):
        assert bearer_token(asked, (AUTHORIZATION,)).text == rest.strip(" ")
    else:
        with pytest.raises(TokenError, match="missing_token"):
            bearer_token(asked, (AUTHORIZATION,))


@given(
    st.text(alphabet=st.characters(exclude_characters=';"', exclude_categories=["Cs"]).filter(lambda c: c not in " \t"))
)
def test_any_cookie_s_value_is_found_as_it_was_sent(value: str) -> None:
    source = TokenSource(TokenPlace.COOKIE, "session")
    for asked in (
        request(headers={"Cookie": f"a=b; session={value}; c=d"}, multiValueHeaders=None),
        request(EventKind.HTTP_API_V2, None, cookies=["a=b", f"session={value}"]),
    ):
        assert asked.cookie("session") == (value,)
        if value:
            assert bearer_token(asked, (source,)).text == value
