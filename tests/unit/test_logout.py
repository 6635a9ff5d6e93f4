"""Back-Channel Logout 1.0 section 2.6: each check of a logout token, with a token that fails it alone."""

from __future__ import annotations

from typing import Any

import pytest

from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.logout import EVENT, Logout, check_logout_token
from jwt_authorizer_devkit.mint import Defect, mint
from tests.factories import ISSUER, NOW, FakeKeys, authorizer, signing_key

CLIENT = "web-app"
CLAIMS: dict[str, object] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "iat": NOW - 10,
    "exp": NOW + 110,
    "jti": "logout-1",
    "sub": "user-1",
    "sid": "session-1",
    "events": {EVENT: {}},
}


def logout_token(change: dict[str, object] | None = None, *, typ: str | None = "logout+jwt", **more: Any) -> str:  # noqa: ANN401 - as mint has them
    claims = {name: value for name, value in (CLAIMS | (change or {})).items() if value is not None}
    return mint(signing_key(more.pop("alg", "ES256")), claims, header={"typ": typ}, **more)


def check(text: str, keys: FakeKeys | None = None) -> Logout:
    return check_logout_token(text, authorizer(keys).issuers, frozenset({CLIENT}), NOW)


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", None])
def test_a_good_one_says_whose_session_has_ended(typ: str | None) -> None:
    assert check(logout_token(typ=typ)) == Logout(ISSUER, "user-1", "session-1", "logout-1", NOW - 10, NOW + 110)


@pytest.mark.parametrize(
    ("change", "sub", "sid"),
    [
        ({"sub": None}, None, "session-1"),
        ({"sid": None}, "user-1", None),
        ({"aud": ["other", CLIENT]}, "user-1", "session-1"),
        ({"iat": NOW + 59}, "user-1", "session-1"),
        ({"exp": NOW - 59}, "user-1", "session-1"),
    ],
    ids=str,
)
def test_what_may_be_otherwise(change: dict[str, object], sub: str | None, sid: str | None) -> None:
    logout = check(logout_token(change))
    assert (logout.sub, logout.sid) == (sub, sid)
    assert logout.issued_at <= NOW, "a clock that is ahead must not revoke tokens that are issued later"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://other.example"}, Reason.UNKNOWN_ISSUER),
        ({"iss": None}, Reason.UNKNOWN_ISSUER),
        ({"aud": "another-app"}, Reason.INVALID_AUDIENCE),
        ({"aud": None}, Reason.INVALID_AUDIENCE),
        ({"aud": [{}]}, Reason.INVALID_AUDIENCE),
        ({"iat": None}, Reason.INVALID_CLAIM),
        ({"exp": None}, Reason.INVALID_CLAIM),
        ({"exp": NOW - 60}, Reason.TOKEN_EXPIRED),
        ({"iat": NOW + 61}, Reason.TOKEN_NOT_YET_VALID),
        ({"events": None}, Reason.INVALID_CLAIM),
        ({"events": {}}, Reason.INVALID_CLAIM),
        ({"events": {EVENT: True}}, Reason.INVALID_CLAIM),
        ({"events": [EVENT]}, Reason.INVALID_CLAIM),
        ({"nonce": "n"}, Reason.INVALID_CLAIM),
        ({"jti": None}, Reason.INVALID_CLAIM),
        ({"jti": ""}, Reason.INVALID_CLAIM),
        ({"sub": None, "sid": None}, Reason.INVALID_CLAIM),
        ({"sub": 7}, Reason.INVALID_CLAIM),
        ({"sid": ["session-1"]}, Reason.INVALID_CLAIM),
    ],
    ids=str,
)
def test_a_claim_that_is_wrong(change: dict[str, object], reason: Reason) -> None:
    with pytest.raises(TokenError) as raised:
        check(logout_token(change))
    assert raised.value.code is reason


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (logout_token(typ="at+jwt"), Reason.UNSUPPORTED_TOKEN_TYPE),
        (logout_token(defect=Defect.ALG_NONE), Reason.UNSUPPORTED_ALGORITHM),
        (logout_token(defect=Defect.HMAC_CONFUSION), Reason.UNSUPPORTED_ALGORITHM),
        (logout_token(defect=Defect.FORGED), Reason.BAD_SIGNATURE),
        (logout_token(defect=Defect.TAMPERED), Reason.BAD_SIGNATURE),
        ("not a token", Reason.MALFORMED_TOKEN),
    ],
    ids=range(6),
)
def test_a_token_that_the_issuer_did_not_sign(token: str, reason: Reason) -> None:
    with pytest.raises(TokenError) as raised:
        check(token)
    assert raised.value.code is reason


def test_without_keys_nothing_is_known() -> None:
    with pytest.raises(DecisionError):
        check(logout_token(), FakeKeys(failure=DecisionError(Reason.KEYS_UNAVAILABLE, "down")))
