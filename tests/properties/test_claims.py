"""Whatever a verified token claims: it is refused with a reason, or its principal is what it says."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from jwt_authorizer.claim_conditions import is_met, parse_condition
from jwt_authorizer.claims import ClaimRules, Principal, VerifiedToken, check_claims
from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.json_text import json_text
from jwt_authorizer.strict_json import json_object
from tests.factories import ISSUER, NOW
from tests.properties.claim_oracle import ASKED, meets, written
from tests.properties.claim_oracle import CLAIMS as CLAIMS_OF_ALL_SHAPES
from tests.properties.claim_oracle import NAMES as NAMES_AND_POINTERS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
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
