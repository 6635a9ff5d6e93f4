"""The claims of a verified token are checked and become a principal."""

from copy import replace

import pytest

from jwt_authorizer.claim_conditions import ABSENT, Claim, find, is_met, parse_claim, parse_condition
from jwt_authorizer.claims import ClaimRules, Principal, VerifiedToken, check_claims
from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer_devkit.signing import Json
from tests.factories import ISSUER, NOW

RULES = ClaimRules(leeway=60)
EXP = 1_800_000_300


def claims(**members: object) -> Json:
    """Give the claims of a good token; ``None`` leaves one out."""
    everything: Json = {"sub": "user-1", "exp": EXP, **members}
    return {name: value for name, value in everything.items() if value is not None}


def check(rules: ClaimRules = RULES, now: float = NOW, /, **members: object) -> Principal:
    return check_claims(VerifiedToken(ISSUER, claims(**members)), rules, now)


def refused(rules: ClaimRules = RULES, now: float = NOW, /, **members: object) -> tuple[Reason, str]:
    with pytest.raises(TokenError) as caught:
        check(rules, now, **members)
    return caught.value.code, caught.value.detail


def claims_named(names: str) -> tuple[Claim, ...]:
    return tuple(parse_claim(name) for name in names.split())


# Time.


def test_the_later_of_nbf_and_iat_decides() -> None:
    assert refused(nbf=0, iat=NOW + 61)[0] is Reason.TOKEN_NOT_YET_VALID
    assert refused(nbf=NOW + 61, iat=0)[0] is Reason.TOKEN_NOT_YET_VALID
    assert check(nbf=0, iat=0).not_before == -60


# Lifetime.


def test_a_lifetime_may_be_limited() -> None:
    rules = replace(RULES, max_lifetime=600.0)
    assert check(rules, iat=EXP - 600).id == "user-1"
    assert refused(rules, iat=EXP - 601) == (Reason.TOKEN_LIFETIME_TOO_LONG, "the token lives longer than 600 seconds")
    assert refused(rules)[0] is Reason.INVALID_CLAIM
    assert check(RULES, iat=0).id == "user-1"


# Audience and client.


@pytest.mark.parametrize("audience", ["a", ["a"], ["x", "b"]], ids=str)
def test_one_audience_of_the_token_has_to_be_ours(audience: object) -> None:
    assert check(replace(RULES, audience=frozenset("ab")), aud=audience).id == "user-1"


@pytest.mark.parametrize("members", [{"client_id": "c"}, {"azp": "c"}, {"client_id": "c", "azp": "x"}], ids=str)
def test_the_client_is_client_id_or_else_azp(members: Json) -> None:
    assert check(replace(RULES, client_id=frozenset("c")), **members).id == "user-1"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"client_id": "x"},
        {"client_id": "x", "azp": "c"},
        {"client_id": ["c"]},
        {"client_id": "", "azp": "c"},
        {"client_id": None, "azp": "c"},
    ],
    ids=str,
)
def test_another_client_is_refused(members: Json) -> None:
    with pytest.raises(TokenError, match="invalid_client"):
        check_claims(VerifiedToken(ISSUER, claims() | members), replace(RULES, client_id=frozenset("c")), NOW)


def test_with_audience_and_client_both_have_to_hold() -> None:
    both = replace(RULES, audience=frozenset("a"), client_id=frozenset("c"))
    assert check(both, aud="a", client_id="c").id == "user-1"
    assert refused(both, aud="x", client_id="c")[0] is Reason.INVALID_AUDIENCE
    assert refused(both, client_id="c")[0] is Reason.INVALID_AUDIENCE
    assert refused(both, aud="a", client_id="x")[0] is Reason.INVALID_CLIENT


# Required claims.


def test_every_required_claim_has_to_hold() -> None:
    rules = replace(
        RULES, required_claims=(parse_condition("token_use", "access"), parse_condition("/g/0", ["staff", "admin"]))
    )
    assert check(rules, token_use="access", g=[["admin"]]).id == "user-1"
    code, detail = refused(rules, token_use="access", g=["guest"])
    assert (code, detail) == (Reason.INVALID_CLAIM, "the claim /g/0 is missing or has another value")
    assert "s3cret" not in refused(rules, token_use="s3cret")[1]


@pytest.mark.parametrize(
    ("members", "overage"),
    [
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {}}, True),
        ({"hasgroups": "true"}, True),
        ({"_claim_names": {"roles": "src1"}}, False),
        ({"_claim_names": ["groups"]}, False),
        ({"_claim_names": {"groups": "src1"}, "groups": ["other"]}, False),
        ({}, False),
    ],
    ids=str,
)
def test_groups_that_entra_left_out_are_told_from_groups_that_are_missing(members: Json, *, overage: bool) -> None:
    code, detail = refused(replace(RULES, required_claims=(parse_condition("groups", "staff"),)), **members)
    assert code is Reason.INVALID_CLAIM
    assert ("Entra ID left the claim groups out" in detail) is overage


# Principal and scopes.


@pytest.mark.parametrize(
    ("names", "members", "principal_id"),
    [
        ("sub", {}, "user-1"),
        ("email", {"email": "a@example.com"}, "a@example.com"),
        ("sub", {"sub": 1234}, "1234"),
        ("number", {"number": -5}, "-5"),
        ("sub client_id", {"client_id": "c"}, "user-1"),
        ("sub client_id", {"sub": None, "client_id": "c"}, "c"),
        ("sub client_id", {"sub": "", "client_id": "c"}, "c"),
        ("user sub", {"user": 0}, "0"),
        ("/k8s.io/name sub", {"k8s.io": {"name": "orders"}}, "orders"),
        ("/k8s.io/name sub", {"k8s.io": {"name": None}}, "user-1"),
    ],
)
def test_the_first_claim_that_names_somebody_is_the_principal(names: str, members: Json, principal_id: str) -> None:
    principal = check(replace(RULES, principal_claims=claims_named(names)), **members)
    subject = {"sub": "user-1", **members}["sub"]
    assert (principal.id, principal.subject) == (principal_id, None if subject is None else str(subject))


@pytest.mark.parametrize("value", [True, 1.5, ["a"], {}], ids=str)
@pytest.mark.parametrize(("names", "claim"), [("user", "user"), ("user sub", "user"), ("email", "sub")])
def test_a_principal_or_subject_of_another_type_is_refused_and_not_passed_over(
    names: str, claim: str, value: object
) -> None:
    code, detail = refused(replace(RULES, principal_claims=claims_named(names)), **{"email": "a", claim: value})
    assert (code, detail) == (Reason.INVALID_CLAIM, f"the claim {claim} is neither a string nor an integer")


@pytest.mark.parametrize(
    ("members", "scope"),
    [
        ({}, ""),
        ({"scope": "b a b"}, "b a"),
        ({"scope": " a  b "}, "a b"),
        ({"scope": ["b", "a"]}, "b a"),
        ({"scp": "a"}, "a"),
        ({"scp": ["a", "b"], "scope": "b c"}, "b c a"),
        ({"scope": 5, "scp": {"a": 1, "b c": 2}}, "a"),
        ({"scope": ["a", 5, "", None]}, "a"),
        ({"scope": "a\tb c"}, "c"),
        ({"scope": ["a", "b admin", "c\u00a0admin", " d"]}, "a"),
    ],
    ids=str,
)
def test_scopes_are_read_from_both_claims_in_both_forms(members: Json, scope: str) -> None:
    principal = check(**members)
    assert principal.scope == scope
    assert principal.scopes == frozenset(scope.split(" ")) - {""}


# ---------------------------------------------------------------------------------------------------------------
# Claim pointers, and what a claim must hold.


# RFC 6901 section 5, of what a claim's name can be; the whole document has no name that begins with a slash.
RFC_6901 = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, 'k"l': 6, " ": 7, "m~n": 8}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        *[("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3)],
        *[("/foo/1", "baz"), ("/g|h", 4), ("/i\\j", 5), ('/k"l', 6), ("/ ", 7), ("/m~0n", 8)],
        *[(f"/foo/{index}", ABSENT) for index in ("2", "00", "-", "-1", "1e0", "\u0661", "9" * 5000, "", "bar")],
        *[("/foo/0/0", ABSENT), ("/a~1b/x", ABSENT), ("/nothing", ABSENT), ("foo/0", ABSENT), ("a/b", 1), ("", 0)],
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_pointer_finds_what_the_rfc_says(pointer: str, value: object) -> None:
    assert find(RFC_6901, parse_claim(pointer)) is value or find(RFC_6901, parse_claim(pointer)) == value


@pytest.mark.parametrize("pointer", ["/a~", "/a~2b", "/~/b", "/realm~access"])
def test_a_pointer_that_is_none_is_refused(pointer: str) -> None:
    with pytest.raises(ValueError, match="is not a JSON Pointer"):
        parse_condition(pointer, "x")


@pytest.mark.parametrize(
    ("asked", "met", "not_met"),
    [
        ("a", ["a", ["x", "a"], {"a": False}], ["A", "ab", [], {}, ["b"], [["a"]], {"b": "a"}, None, 5]),
        (["b", "a"], ["a", ["b"], {"b": 1}], ["c", []]),
        (1, [1, 1.0, [1]], [True, "1", {"1": 1}]),
        (True, [True, [True]], [1, "true", {"true": 1}]),
        (False, [False], [0, "", None, [], {}]),
        ({"any": [None]}, [None, [None]], [False, 0, "", {"None": 1}]),
        ({"all": ["a", "b"]}, [["b", "x", "a"], {"a": 1, "b": 1}], ["a", ["a"], {"a": 1}, "a b"]),
        ({"all": "a"}, ["a"], ["b"]),
        ({"like": "repo:*/x:*"}, ["repo:/x:", "repo:a/b/x:y", ["n", "repo:a/x:b"]], ["repo:x:", "srepo:/x:", 5]),
        ({"like": ["a*", "*b"]}, ["a", "xb", {"xb": 1}, "a\nb"], ["ba", "", None, True]),
        ({"like": "a?[b].c"}, ["a?[b].c"], ["aX[b].c", "axbc"]),
        ({"like": "*"}, ["", "x", ["x"]], [1, None, [], {}]),
        ({"like": "ab*ba"}, ["abba"], ["aba"]),
        ({"like": "*a*a*"}, ["aa", "baca"], ["a", "ba"]),
        ({"like": "*ab*b"}, ["abb", "ab-b"], ["ab"]),
        ({"like": "a*b*c"}, ["abc", "a-b-b-c"], ["acb", "ab", "acc"]),
        (
            {"all": ["s"], "any": ["e", "u"], "like": "t-*"},
            [["s", "u", "t-1"]],
            [["s", "u"], ["s", "t-1"], ["e", "t-1"]],
        ),
    ],
    ids=repr,
)
def test_what_a_claim_holds(asked: object, met: list[object], not_met: list[object]) -> None:
    condition = parse_condition("c", asked)
    assert [value for value in met if not is_met(condition, {"c": value})] == []
    assert [value for value in not_met if is_met(condition, {"c": value})] == []
    assert not is_met(condition, {})


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "has an empty list"),
        ({}, "an empty table"),
        ({"any": []}, "has an empty list"),
        ({"all": []}, "has an empty list"),
        ([[1]], "something else"),
        ([{}], "something else"),
        ({"any": {"like": "a"}}, "something else"),
        ({"none": ["a"]}, "has none: expected .* any, all and like"),
        ({"any": "a", "ALL": "b"}, "has ALL"),
        ({"like": 5}, "needs a non-empty string in like"),
        ({"like": ""}, "needs a non-empty string in like"),
        ({"like": ["a*", None]}, "needs a non-empty string in like"),
        ({"like": []}, "needs a non-empty string in like"),
        (float("nan"), "nan or infinite"),
        ({"all": [1.0, float("inf")]}, "nan or infinite"),
        ("{id}", "path variables have no values"),
        ({"any": ["a", "{proxy+}"]}, "path variables have no values"),
    ],
    ids=repr,
)
def test_what_can_never_hold_is_refused(asked: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_condition("c", asked)


def test_a_guid_in_braces_is_not_taken_for_a_path_variable() -> None:
    assert is_met(parse_condition("c", "{7d3c-41}"), {"c": "{7d3c-41}"})


def test_a_pattern_costs_no_more_than_its_text_is_long() -> None:
    assert not is_met(parse_condition("c", {"like": "*a" * 50 + "b"}), {"c": "a" * 16_000})
