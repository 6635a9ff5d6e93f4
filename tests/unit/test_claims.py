"""The claims of a verified token are checked and become a principal."""

from copy import replace

import pytest

from jwt_authorizer.claim_conditions import ABSENT, find, parse_claim, parse_condition
from jwt_authorizer.claims import ClaimRules, Principal, VerifiedToken, check_claims
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer_devkit.signing import Json
from tests.factories import ISSUER, NOW

RULES = ClaimRules(leeway=60)
EXP = 1_800_000_300


def claims(**members: object) -> Json:
    """Give the claims of a good token; ``None`` leaves one out."""
    everything: Json = {"sub": "user-1", "exp": EXP, **members}
    return {name: value for name, value in everything.items() if value is not None}


def check(rules: ClaimRules = RULES, /, **members: object) -> Principal:
    return check_claims(VerifiedToken(ISSUER, claims(**members)), rules, NOW)


def refused(rules: ClaimRules, /, **members: object) -> tuple[ErrorCode, str]:
    with pytest.raises(TokenError) as caught:
        check(rules, **members)
    return caught.value.code, caught.value.detail


# Times: tests/properties/test_tokens.py. Audiences and types of claims: tests/security/test_hostile_tokens.py.


def test_a_lifetime_may_be_limited() -> None:
    rules = replace(RULES, max_lifetime=600.0)
    assert check(rules, iat=EXP - 600).id == "user-1"
    assert refused(rules, iat=EXP - 601) == (
        ErrorCode.TOKEN_LIFETIME_TOO_LONG,
        "the token lives longer than 600 seconds",
    )
    assert refused(rules)[0] is ErrorCode.INVALID_CLAIM


# Audience and client.


@pytest.mark.parametrize(
    ("members", "accepted"),
    [
        ({"client_id": "c"}, True),
        ({"azp": "c"}, True),
        ({"client_id": "c", "azp": "x"}, True),
        ({"client_id": "x", "azp": "c"}, False),
        ({"client_id": ["c"]}, False),
        ({"client_id": "", "azp": "c"}, False),
        ({"client_id": None, "azp": "c"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_the_client_is_client_id_or_else_azp(members: Json, *, accepted: bool) -> None:
    # Beside an audience, both have to hold.
    both = replace(RULES, audience=frozenset("a"), client_id=frozenset("c"))
    token = VerifiedToken(ISSUER, {**claims(aud=["x", "a"]), **members})
    if accepted:
        assert check_claims(token, both, NOW).id == "user-1"
        assert refused(both, aud="x", **members)[0] is ErrorCode.INVALID_AUDIENCE
        assert refused(both, **members)[0] is ErrorCode.INVALID_AUDIENCE
    else:
        with pytest.raises(TokenError, match="invalid_client"):
            check_claims(token, both, NOW)


# Required claims.


def test_every_required_claim_has_to_hold() -> None:
    conditions = parse_condition("token_use", "access"), parse_condition("/g/0", ["staff", "admin"])
    rules = replace(RULES, required_claims=conditions)
    assert check(rules, token_use="access", g=[["admin"]]).id == "user-1"
    message = "the claim /g/0 is missing or has another value"
    assert refused(rules, token_use="access", g=["guest"]) == (ErrorCode.INVALID_CLAIM, message)
    assert "s3cret" not in refused(rules, token_use="s3cret")[1]


@pytest.mark.parametrize(
    ("members", "overage"),
    [
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {}}, True),
        ({"hasgroups": "true"}, True),
        ({"_claim_names": {"roles": "src1"}}, False),
        ({"_claim_names": ["groups"]}, False),
        ({"_claim_names": {"groups": "src1"}, "groups": ["other"]}, False),
    ],
    ids=str,
)
def test_groups_that_entra_left_out_are_told_from_groups_that_are_missing(members: Json, *, overage: bool) -> None:
    code, detail = refused(replace(RULES, required_claims=(parse_condition("groups", "staff"),)), **members)
    assert code is ErrorCode.INVALID_CLAIM
    assert ("Entra ID left the claim groups out" in detail) is overage


# Principal and scopes.


@pytest.mark.parametrize(
    ("names", "members", "principal_id"),
    [
        ("email", {"email": "a@example.com"}, "a@example.com"),
        ("number", {"number": -5}, "-5"),
        ("sub client_id", {"sub": "", "client_id": "c"}, "c"),
        ("user sub", {"user": 0}, "0"),
        ("/k8s.io/name sub", {"k8s.io": {"name": "orders"}}, "orders"),
        ("/k8s.io/name sub", {"k8s.io": {"name": None}}, "user-1"),
    ],
)
def test_the_first_claim_that_names_somebody_is_the_principal(names: str, members: Json, principal_id: str) -> None:
    named = tuple(parse_claim(name) for name in names.split())
    principal = check(replace(RULES, principal_claims=named), **members)
    assert (principal.id, principal.subject) == (principal_id, {"sub": "user-1", **members}["sub"])


@pytest.mark.parametrize("value", [True, 1.5, ["a"], {}], ids=str)
@pytest.mark.parametrize("claim", ["user", "sub"])
def test_a_principal_or_subject_of_another_type_is_refused_and_not_passed_over(claim: str, value: object) -> None:
    rules = replace(RULES, principal_claims=(parse_claim("user"), parse_claim("email")))
    message = f"the claim {claim} is neither a string nor an integer"
    assert refused(rules, email="a", **{claim: value}) == (ErrorCode.INVALID_CLAIM, message)


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


# What a claim holds: tests/properties/test_tokens.py against a second reading, tests/cases/claims.json by example.


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "has an empty list"),
        ({}, "an empty table"),
        ({"all": []}, "has an empty list"),
        ([[1]], "something else"),
        ({"any": {"like": "a"}}, "something else"),
        ({"none": ["a"]}, "has none: expected .* any, all and like"),
        ({"any": "a", "ALL": "b"}, "has ALL"),
        ({"like": ""}, "needs a non-empty string in like"),
        ({"like": ["a*", None]}, "needs a non-empty string in like"),
        ({"like": []}, "needs a non-empty string in like"),
        ({"all": [1.0, float("inf")]}, "nan or infinite"),
        ("{id}", "path variables have no values"),
        ({"any": ["a", "{proxy+}"]}, "path variables have no values"),
    ],
    ids=repr,
)
def test_what_can_never_hold_is_refused(asked: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_condition("c", asked)


@pytest.mark.parametrize("pointer", ["/a~", "/a~2b", "/realm~access"])
def test_a_pointer_that_is_none_is_refused(pointer: str) -> None:
    with pytest.raises(ValueError, match="is not a JSON Pointer"):
        parse_condition(pointer, "x")
