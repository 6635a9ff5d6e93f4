"""Whatever text stands where a token should be: it is refused as a bad token, or it is one, bit for bit."""

import json
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jwt_authorizer.authorize import authorize
from jwt_authorizer.claim_conditions import is_met, parse_condition
from jwt_authorizer.claims import ClaimRules, Principal, VerifiedToken, check_claims
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.strict_json import json_object, json_text
from jwt_authorizer.tokens import BearerToken, UnverifiedToken, parse
from jwt_authorizer_devkit.signing import base64url
from tests.factories import (
    ISSUER,
    NOW,
    FakeKeys,
    authorizer,
    parsed_keys,
    rest_token_event,
    token,
)
from tests.properties.claim_oracle import ASKED, JSON, like, meets, written
from tests.properties.claim_oracle import CLAIMS as CLAIMS_OF_ALL_SHAPES
from tests.properties.claim_oracle import NAMES as NAMES_AND_POINTERS

ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256")
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
PART = st.text(alphabet=BASE64URL, min_size=1, max_size=40)
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
        if error.code is not ErrorCode.MALFORMED_TOKEN:
            raise
        return None


@given(st.text())
@example("e30.e30.")
@example("\ud800.\ud800.\ud800")
def test_any_text_is_a_bad_token_and_nothing_worse(text: str) -> None:
    assert read_or_malformed(text) is None
    assert not lets_in("ES256", text)


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
    with pytest.raises(TokenError, match=f"malformed_token: .*{detail}"):
        parse(BearerToken(text))


@pytest.mark.parametrize("part", [0, 1, 2], ids=["header", "payload", "signature"])
@pytest.mark.parametrize("stranger", list("+/=%\n\0 !,~\u00e9\u00ad\u200b\uff21\ud800"), ids=ascii)
def test_no_character_but_base64url_s_is_read_or_read_over(stranger: str, part: int) -> None:
    parts = compact({"alg": "ES256"}, {}, b"signature").split(".")
    for count in (1, 2, 3, 4):
        for place in range(len(parts[part]) + 1):
            # In the place of characters: the length, and with it the padding, stays right.
            for rest in (place, place + count):
                changed = parts[part][:place] + stranger * count + parts[part][rest:]
                assert read_or_malformed(".".join([*parts[:part], changed, *parts[part + 1 :]])) is None


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


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_token_with_one_bit_flipped_never_passes(alg: str) -> None:
    """At the end of a part base64url has unused bits: the same bytes could be spelled in several ways."""
    text = good(alg)
    assert lets_in(alg, text)
    for position in range(len(text)):
        for bit in range(8) if text[position + 1 : position + 2] in {".", ""} else (position % 8,):
            flipped = text[:position] + chr(ord(text[position]) ^ 1 << bit) + text[position + 1 :]
            assert not lets_in(alg, flipped)


@given(junk=st.text(min_size=1, max_size=5), before=st.booleans())
@example(junk=".", before=True)
@example(junk="A", before=False)
@example(junk="AAA", before=False)
@example(junk=f".{good('ES256')}", before=False)
def test_a_token_with_anything_before_or_behind_it_never_passes(*, junk: str, before: bool) -> None:
    text = junk + good("ES256") if before else good("ES256") + junk
    # Spaces around the value of Authorization are no part of it (RFC 9110 section 5.5).
    assert lets_in("ES256", text) is (junk.strip(" ") == "")


def test_a_token_cut_anywhere_never_passes() -> None:
    assert [end for end in range(len(good("ES256"))) if lets_in("ES256", good("ES256")[:end])] == []


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


def check(claims: dict[str, object], rules: ClaimRules, now: float = NOW) -> Principal | ErrorCode:
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


@given(NEARBY, NEARBY, NEARBY, st.floats(0, 120))
@example(NOW + 61, 0, NOW + 300, 60)
@example(0, NOW + 61, NOW + 300, 60)
@example(0, NOW + 60, NOW + 300, 60)
@example(0, 0, NOW - 60, 60)
def test_a_token_is_good_from_its_start_less_leeway_until_exp_plus_leeway(
    nbf: float, iat: float, end: float, leeway: float
) -> None:
    result = check({"sub": "a", "exp": end, "nbf": nbf, "iat": iat}, ClaimRules(leeway=leeway))
    if end + leeway <= NOW:
        assert result is ErrorCode.TOKEN_EXPIRED
    elif max(nbf, iat) - leeway > NOW:
        assert result is ErrorCode.TOKEN_NOT_YET_VALID
    else:
        assert isinstance(result, Principal)
        assert (result.not_before, result.valid_until) == (max(nbf, iat) - leeway, end + leeway)


@given(CLAIMS_OF_ALL_SHAPES, NAMES_AND_POINTERS, ASKED)
@example({"a": {"b": ["x"]}}, "/a/b/0", "x")
@example({"a": {"x": False}}, "a", "x")
def test_conditions_are_met_as_the_oracle_reads_them(claims: dict[str, object], name: str, asked: object) -> None:
    condition = parse_condition(name, asked)
    assert is_met(condition, claims) is meets(claims, name, asked)
    assert meets(claims, name, written(condition)) is meets(claims, name, asked)


FEW = [None, True, False, 0, 1, 1.0, "", "1", "a", "b"]
HELD = [*FEW, [], {}, [["a"]], *([one, other] for one in FEW for other in FEW), {"a": 1}, {"1": 1}, {"b": "a", "": 0}]
LISTS = [*([value] for value in FEW), ["a", "b"], [True, 1], [None, "a"], [0, False]]
TABLES = [{key: values} for key in ("any", "all") for values in LISTS]
TABLES += [{"any": ["{7d3c-41}"]}]  # a GUID in braces is not a path variable
TABLES += [{"all": [1], "any": ["a", "b"], "like": ["*1"]}, {"all": ["a"], "like": ["b", "*"]}, {"like": ["*"]}]


@pytest.mark.parametrize("asked", TABLES, ids=repr)
def test_what_a_claim_holds(asked: object) -> None:
    condition = parse_condition("c", asked)
    assert [held for held in HELD if is_met(condition, {"c": held}) is not meets({"c": held}, "c", asked)] == []
    assert not is_met(condition, {})


def test_patterns_match_as_regular_expressions_do() -> None:
    patterns = ["".join(pattern) for length in range(1, 6) for pattern in product("ab*", repeat=length)]
    texts = ["".join(text) for length in range(6) for text in product("ab", repeat=length)]
    for pattern in [*patterns, "a?[b].c*", "*\n"]:
        condition = parse_condition("c", {"like": pattern})
        for text in [*texts, "a?[b].c", "axb.c", "a\n"]:
            assert is_met(condition, {"c": text}) is like(text, pattern), (text, pattern)
    # A pattern costs no more than its text is long.
    assert not is_met(parse_condition("c", {"like": "*a" * 50 + "b"}), {"c": "a" * 16_000})
