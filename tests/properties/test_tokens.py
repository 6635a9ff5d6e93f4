"""Whatever text stands where a token should be: it is refused as a bad token, or it is one, bit for bit."""

import json
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jwt_authorizer.authorize import authorize
from jwt_authorizer.claim_conditions import is_met, parse_condition
from jwt_authorizer.claims import ClaimRules, Principal, VerifiedToken, check_claims
from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.strict_json import json_object, json_text
from jwt_authorizer.tokens import BearerToken, TokenLocation, TokenSource, UnverifiedToken, bearer_token, parse
from jwt_authorizer_devkit.signing import base64url
from tests.factories import (
    AUTHORIZATION,
    ISSUER,
    NOW,
    FakeKeys,
    authorizer,
    parsed_keys,
    request,
    rest_token_event,
    token,
)
from tests.properties.claim_oracle import ASKED, JSON, meets, written
from tests.properties.claim_oracle import CLAIMS as CLAIMS_OF_ALL_SHAPES
from tests.properties.claim_oracle import NAMES as NAMES_AND_POINTERS

ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256")
PART = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=1, max_size=40)
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


@given(OBJECTS, st.text(), st.binary())
def test_any_claims_come_through_as_they_were_written(claims: dict[str, object], kid: str, signature: bytes) -> None:
    read = parse(BearerToken(compact({"alg": "ES256", "kid": kid}, claims, signature)))
    assert json.dumps(read.claims, sort_keys=True) == json.dumps(claims, sort_keys=True)
    assert (read.kid, read.signature) == (kid, signature)


@given(st.dictionaries(st.text() | st.sampled_from(["alg", "kid", "typ", "crit"]), JSON | st.just("ES256"), max_size=4))
def test_any_header_is_read_or_malformed(header: dict[str, object]) -> None:
    read = read_or_malformed(compact(header, {}, b""))
    assert read is None or read.alg == header["alg"]


def with_bit_flipped(text: str, position: int, bit: int) -> str:
    flipped = bytearray(text.encode())
    flipped[position % len(flipped)] ^= 1 << bit
    return flipped.decode("latin-1")


@pytest.mark.parametrize("alg", ALGORITHMS)
@given(position=st.integers(0, 1000), bit=st.integers(0, 7))
def test_a_token_with_one_bit_flipped_never_passes(alg: str, position: int, bit: int) -> None:
    assert not lets_in(alg, with_bit_flipped(good(alg), position, bit))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_with_any_bit_of_its_last_character_flipped_never_passes(alg: str) -> None:
    """There the unused bits of base64url are: the same bytes could be spelled in several ways."""
    assert lets_in(alg, good(alg))
    for part in re.finditer(r"[^.]+", good(alg)):
        for bit in range(8):
            assert not lets_in(alg, with_bit_flipped(good(alg), part.end() - 1, bit))


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
    source = TokenSource(TokenLocation.COOKIE, "session")
    for asked in (
        request(headers={"Cookie": f"a=b; session={value}; c=d"}, multiValueHeaders=None),
        request(EventKind.HTTP_API_V2, None, cookies=["a=b", f"session={value}"]),
    ):
        assert asked.cookie("session") == (value,)
        if value:
            assert bearer_token(asked, (source,)).text == value


# ---------------------------------------------------------------------------------------------------------------
# Whatever a verified token claims: it is refused with a reason, or its principal is what it says.


NAMES = st.sampled_from(["exp", "nbf", "iat", "aud", "client_id", "azp", "sub", "scope", "scp", "groups"])
NEARBY = st.integers(int(NOW) - 100, int(NOW) + 100) | st.floats(NOW - 100, NOW + 100)
CLAIMS = st.dictionaries(NAMES, JSON | NEARBY | st.just("a"), max_size=10)
SEVERAL = st.frozensets(st.sampled_from("ab"))
RULES = st.builds(
    ClaimRules,
    audience=SEVERAL,
    client_id=SEVERAL,
    leeway=st.floats(0, 120),
    max_lifetime=st.none() | st.floats(1, 200),
    required_claims=st.just(()) | st.just((parse_condition("groups", ["a", 1]),)),
)


def check(claims: dict[str, object], rules: ClaimRules, now: float = NOW) -> Principal | Reason:
    try:
        return check_claims(VerifiedToken(ISSUER, claims), rules, now)
    except TokenError as error:
        return error.code


@given(CLAIMS, RULES)
def test_any_claims_end_in_a_principal_or_a_reason(claims: dict[str, object], rules: ClaimRules) -> None:
    result = check(claims, rules)
    if isinstance(result, Principal):
        expires, subject = claims["exp"], claims["sub"]
        assert isinstance(expires, int | float)
        assert expires + rules.leeway > NOW
        assert result.id == str(subject)
        assert not rules.audience or "aud" in claims
        assert not rules.client_id or {"client_id", "azp"} & claims.keys()
        assert result.claims == claims


SPELLINGS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    indent=st.sampled_from([None, None, 1, "\t"]),
    separators=st.sampled_from([None, (",", ":"), (", ", ":"), (",", ": "), (" ,\r", "\t:")]),
    ensure_ascii=st.booleans(),
)
"""Of JSON, by whoever signs."""


@given(st.dictionaries(st.text(), JSON, max_size=4), SPELLINGS, st.sampled_from(["", " ", "\n"]))
def test_the_claims_text_is_the_claims_however_their_issuer_spells_them(
    more: dict[str, object], spelling: dict[str, Any], around: str
) -> None:
    spelt = around + json.dumps({**more, "sub": "a", "exp": NOW + 60}, **spelling) + around
    try:
        encoded = spelt.encode()
    except UnicodeEncodeError:
        return  # half a surrogate pair, which no token holds
    members, text = json_object(encoded)
    principal = check_claims(VerifiedToken(ISSUER, members, text), ClaimRules(), NOW)
    assert json.loads(principal.claims_text) == members
    assert principal.claims_text.isascii()
    assert principal.claims_text.isprintable()
    assert len(principal.claims_text) <= max(len(spelt), len(json_text(members)))


@given(NEARBY, NEARBY, st.floats(0, 120))
def test_a_token_is_good_from_nbf_less_leeway_until_exp_plus_leeway(start: float, end: float, leeway: float) -> None:
    result = check({"sub": "a", "exp": end, "nbf": start}, ClaimRules(leeway=leeway))
    if end + leeway <= NOW:
        assert result is Reason.TOKEN_EXPIRED
    elif start - leeway > NOW:
        assert result is Reason.TOKEN_NOT_YET_VALID
    else:
        assert isinstance(result, Principal)
        assert result.not_before <= NOW < result.valid_until


@given(st.lists(st.text(alphabet="ab:", min_size=1, max_size=3)), st.lists(st.text(alphabet="ab:", min_size=1)))
def test_scopes_are_each_there_once_in_their_order(first: list[str], second: list[str]) -> None:
    result = check({"sub": "a", "exp": NOW + 1, "scope": " ".join(first), "scp": second}, ClaimRules())
    assert isinstance(result, Principal)
    assert result.scope.split() == list(dict.fromkeys(first + second))
    assert result.scopes == set(first + second)


@given(CLAIMS_OF_ALL_SHAPES, NAMES_AND_POINTERS, ASKED)
@example({"a": {"b": ["x"]}}, "/a/b/0", "x")
@example({"a": "x"}, "a", {"like": "*"})
@example({"a": "aba"}, "a", {"like": "ab*ba"})
def test_conditions_are_met_as_the_oracle_reads_them(claims: dict[str, object], name: str, asked: object) -> None:
    condition = parse_condition(name, asked)
    assert is_met(condition, claims) is meets(claims, name, asked)
    assert meets(claims, name, written(condition)) is meets(claims, name, asked)
