"""Claims that a true signature covers and that are still not what they have to be: other types, other spellings."""

from __future__ import annotations

import pytest

from jwt_authorizer.errors import Reason
from tests.security.lab import AUDIENCE, ISSUER, NOW, Lab, claims, lab, sign, token_event


@pytest.fixture
def target() -> Lab:
    return lab()


TIMES: list[object] = [
    None,
    True,
    False,
    "",
    str(int(NOW) + 300),
    "2027-01-15T08:00:00Z",
    [],
    [NOW + 300],
    {},
    -1,
    2**53,
    1e300,
    -1e300,
]


@pytest.mark.parametrize("value", TIMES)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times_that_are_none(target: Lab, name: str, value: object) -> None:
    target.attacked(sign(claims(**{name: value})), Reason.INVALID_CLAIM)


@pytest.mark.parametrize("leeway", ["0", "60"])
def test_a_token_counts_in_its_time_alone(leeway: str) -> None:
    target, off = lab(JWT_LEEWAY_SECONDS=leeway), int(leeway)
    target.allowed(token_event(sign(claims(exp=NOW - off + 1, nbf=NOW + off, iat=NOW + off))))
    target.attacked(sign(claims(exp=NOW - off)), Reason.TOKEN_EXPIRED)
    target.attacked(sign(claims(nbf=NOW + off + 1)), Reason.TOKEN_NOT_YET_VALID)
    target.attacked(sign(claims(iat=NOW + off + 1)), Reason.TOKEN_NOT_YET_VALID)


def test_a_token_that_never_expires(target: Lab) -> None:
    forever = claims()
    del forever["exp"]
    target.attacked(sign(forever), Reason.INVALID_CLAIM)


ISSUERS: list[object] = [
    None,
    1,
    True,
    [ISSUER],
    {ISSUER: 1},
    "",
    ISSUER + "/",
    ISSUER.upper(),
    ISSUER[:-1],
    ISSUER[1:],
]
ISSUERS += [f" {ISSUER}", f"{ISSUER}\0", f"{ISSUER}\n", ISSUER.replace("https", "http"), f"{ISSUER}.evil.example"]
ISSUERS += [
    ISSUER.replace("issuer", "\u0456ssuer"),
    ISSUER.replace("e", "\u0065\u0301", 1),
    f"{ISSUER}#",
    "iss",
    "https:",
]


@pytest.mark.parametrize("iss", ISSUERS)
def test_issuers_that_only_look_like_ours(target: Lab, iss: object) -> None:
    target.attacked(sign(claims(iss=iss)), Reason.UNKNOWN_ISSUER)


AUDIENCES: list[object] = [
    None,
    1,
    True,
    "",
    [],
    [[AUDIENCE]],
    {AUDIENCE: 1},
    [AUDIENCE, 1],
    [AUDIENCE, None],
    "https:",
]
AUDIENCES += [
    AUDIENCE + "/",
    AUDIENCE[:-1],
    AUDIENCE.upper(),
    f"{AUDIENCE} x",
    f"x,{AUDIENCE}",
    AUDIENCE.replace("a", "\u0430"),
]


@pytest.mark.parametrize("aud", AUDIENCES)
def test_audiences_that_only_look_like_ours(target: Lab, aud: object) -> None:
    target.attacked(sign(claims(aud=aud)), Reason.INVALID_AUDIENCE)


@pytest.mark.parametrize("sub", [None, "", True, 1.5, [], ["user-1"], {}])
def test_subjects_that_name_nobody(target: Lab, sub: object) -> None:
    target.attacked(sign(claims(sub=sub)), Reason.INVALID_CLAIM)


@pytest.mark.parametrize("value", [0, 0.0, "false", "", None, [], [0], {}])
def test_a_required_claim_is_compared_as_json_compares(value: object) -> None:
    target = lab(JWT_REQUIRED_CLAIMS='{"is_anonymous": false}')
    target.allowed(token_event(sign(claims(is_anonymous=False))))
    target.attacked(sign(claims(is_anonymous=value)), Reason.INVALID_CLAIM)


@pytest.mark.parametrize(
    "scope", ["admin2", "adm in", "Admin", "admin\0", "admin\t", "\u0430dmin", ["admin x"], {"admin": 1}, [["admin"]]]
)
def test_a_required_scope_is_one_whole_scope(scope: object) -> None:
    target = lab(JWT_REQUIRED_SCOPES="admin")
    target.allowed(token_event(sign(claims(scope="x admin"))))
    answer = target.answered(token_event(sign(claims(scope=scope))))
    assert target.last["reason"] == Reason.INSUFFICIENT_SCOPE
    assert [statement["Effect"] for statement in answer["policyDocument"]["Statement"]] == ["Deny"]
