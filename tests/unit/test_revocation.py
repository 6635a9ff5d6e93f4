"""Which tokens a revocation list refuses, and which documents are no such list."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.claims import Principal
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.logout import EVENT, Logout, check_logout_token
from jwt_authorizer.revocation import BadListError, check_revocation, read_list
from jwt_authorizer.wiring.token_status import READ_FAILURES, revocation_list
from jwt_authorizer_devkit.mint import Defect, mint
from tests.factories import ISSUER, NOW, authorizer, refused, signing_key
from tests.security.lab import CPU_LIMIT
from tests.sources import Document, Reports

if TYPE_CHECKING:
    pass

LISTED = "https://issuer.example"
REVOKED: dict[str, Any] = {
    "jti": {"token-1": 2000},
    "sid": {"session-1": 2000},
    "sub": {"user-1": 1000, "7": 1000},
    "client_id": {"app-1": 1000},
    "issued_before": 500,
}


def principal_of(claims: dict[str, object], issuer: str = LISTED) -> Principal:
    return Principal("x", issuer, None, "", frozenset(), (), 9000, 0, 9000, claims, "")


def refuses(claims: dict[str, object], entries: dict[str, Any] = REVOKED, issuer: str = LISTED) -> bool:
    revoked = read_list(json.dumps({"as_of": 1000, "issuers": {LISTED: entries}}).encode())
    try:
        check_revocation(principal_of(claims, issuer), revoked)
    except TokenError as error:
        return error.code is ErrorCode.REVOKED_TOKEN
    return False


@pytest.mark.parametrize(
    ("claims", "is_revoked"),
    [
        ({"iat": 1500, "jti": "token-1"}, True),
        ({"iat": 1500, "jti": "token-2"}, False),
        ({"iat": 1500, "jti": "token-2", "origin_jti": "token-1"}, True),
        ({"iat": 1500, "sid": "session-1"}, True),
        ({"iat": 1000, "sub": "user-1"}, True),
        ({"iat": 1000.5, "sub": "user-1"}, False),
        ({"sub": "user-1"}, True),
        ({"iat": "1500", "sub": "user-1"}, True),
        ({"iat": True, "sub": "user-1"}, True),
        ({"iat": 600, "sub": 7}, True),
        ({"iat": 600, "client_id": "app-1"}, True),
        ({"iat": 600, "azp": "app-1"}, True),
        ({"iat": 600, "client_id": "app-2", "azp": "app-1"}, False),
        ({"iat": 1001, "client_id": "app-1"}, False),
        ({"iat": 500}, True),
        ({"iat": 501}, False),
        ({"iat": 501, "jti": ["token-1"], "sid": {"session-1": 1}, "sub": None}, False),
    ],
)
def test_a_token_is_compared_with_each_kind_of_entry(claims: dict[str, object], *, is_revoked: bool) -> None:
    assert refuses(claims) is is_revoked


def test_entries_are_of_one_issuer_and_without_a_moment_no_iat_is_needed() -> None:
    assert not refuses({"jti": "token-1"}, issuer="https://other.example")
    assert not refuses({}, {"jti": {"token-1": 2000}})


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("[" * 100_000, "JSON"),
        ("[]", "issuers"),
        ('{"issuers": []}', "issuers"),
        ('{"issuers": {}, "as_of": "now"}', "as_of"),
        ('{"issuers": {}, "issuer": {}}', "'issuer'"),
        ('{"issuers": {"a": []}}', "'a'"),
        ('{"issuers": {"a": {"subs": {}}}}', "'subs'"),
        ('{"issuers": {"a": {"sub": ["user-1"]}}}', "'sub'"),
        ('{"issuers": {"a": {"sub": {"": 1}}}}', "'sub'"),
        ('{"issuers": {"a": {"jti": {"x": true}}}}', "'jti'"),
        ('{"issuers": {"a": {"sid": {"x": 1790000000000}}}}', "'sid'"),
        ('{"issuers": {"a": {"issued_before": "2026"}}}', "'issued_before'"),
        ('{"issuers": {"a": {"sub": {"u": 1}, "sub": {}}}}', "twice"),
    ],
)
def test_what_is_not_a_list_is_an_error_that_names_the_place(document: str, says: str) -> None:
    with pytest.raises(BadListError, match=says):
        read_list(document.encode())


# How the revocation list ages: when it is read, what serves after a failure, and when nothing does.


LIST = b'{"issuers": {"https://issuer.example": {"jti": {"token-1": 2000}}}}'


@pytest.mark.parametrize("broken", [None, b"", b"[]", b'{"issuers": {"a": 1}}'])
def test_a_failure_never_replaces_the_list_and_serves_it_for_a_while(broken: bytes | None) -> None:
    read, reports = Document(LIST), Reports()
    source = revocation_list(read, Ages(60, 600, 30), reports)
    source.warm(940)
    assert source.current(940) is source.current(1000), "the same document is parsed once"
    read.content = broken
    for now in (1060, 1061, 1089):
        assert "https://issuer.example" in source.current(now)
    assert read.reads == 3, "the cooldown holds"
    assert "https://issuer.example" in source.current(1659)
    with refused(ErrorCode.REVOCATION_UNAVAILABLE):
        source.current(1660)
    assert reports.count(READ_FAILURES)
    read.content = b'{"issuers": {}}'
    assert source.current(1700) == {}


def test_a_list_of_100_000_entries_costs_a_request_next_to_nothing() -> None:
    kinds = ("jti", "sid", "sub", "client_id")
    entries = {kind: {f"{kind}-{number}": 2000 for number in range(25_000)} for kind in kinds}
    revoked = read_list(json.dumps({"issuers": {LISTED: entries}}).encode())
    started = time.process_time()
    for kind in kinds * 250:
        check_revocation(principal_of({"iat": 3000, kind: "somebody"}), revoked)
    assert time.process_time() - started < CPU_LIMIT
    with refused(ErrorCode.REVOKED_TOKEN):
        check_revocation(principal_of({"iat": 2000, "sub": "sub-24999"}), revoked)


# Back-Channel Logout 1.0 section 2.6: each check of a logout token, with a token that fails it alone.


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


def check(text: str) -> Logout:
    return check_logout_token(text, authorizer().issuers, {}, frozenset({CLIENT}), NOW)


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", None])
def test_a_good_one_says_whose_session_has_ended(typ: str | None) -> None:
    assert check(logout_token(typ=typ)) == Logout(ISSUER, "user-1", "session-1", "logout-1", NOW - 10, NOW + 110)


@pytest.mark.parametrize("change", [{"aud": ["other", CLIENT]}, {"iat": NOW + 59}, {"exp": NOW - 59}], ids=str)
def test_what_may_be_otherwise(change: dict[str, object]) -> None:
    assert check(logout_token(change)).issued_at <= NOW, "a clock that is ahead must not revoke later tokens"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://other.example"}, ErrorCode.UNKNOWN_ISSUER),
        ({"aud": "another-app"}, ErrorCode.INVALID_AUDIENCE),
        ({"aud": None}, ErrorCode.INVALID_AUDIENCE),
        ({"aud": [{}]}, ErrorCode.INVALID_AUDIENCE),
        ({"iat": None}, ErrorCode.INVALID_CLAIM),
        ({"exp": None}, ErrorCode.INVALID_CLAIM),
        ({"exp": NOW - 60}, ErrorCode.TOKEN_EXPIRED),
        ({"iat": NOW + 61}, ErrorCode.TOKEN_NOT_YET_VALID),
        ({"events": {}}, ErrorCode.INVALID_CLAIM),
        ({"events": {EVENT: True}}, ErrorCode.INVALID_CLAIM),
        ({"events": [EVENT]}, ErrorCode.INVALID_CLAIM),
        ({"nonce": "n"}, ErrorCode.INVALID_CLAIM),
        ({"jti": None}, ErrorCode.INVALID_CLAIM),
        ({"jti": ""}, ErrorCode.INVALID_CLAIM),
        ({"jti": "x" * 513}, ErrorCode.INVALID_CLAIM),
        ({"exp": NOW + 3591}, ErrorCode.INVALID_CLAIM),
        ({"sub": None, "sid": None}, ErrorCode.INVALID_CLAIM),
        ({"sub": 7}, ErrorCode.INVALID_CLAIM),
        ({"sid": ["session-1"]}, ErrorCode.INVALID_CLAIM),
    ],
    ids=str,
)
def test_a_claim_that_is_wrong(change: dict[str, object], reason: ErrorCode) -> None:
    with refused(reason):
        check(logout_token(change))


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (logout_token(typ="at+jwt"), ErrorCode.UNSUPPORTED_TOKEN_TYPE),
        (logout_token(defect=Defect.ALG_NONE), ErrorCode.UNSUPPORTED_ALGORITHM),
        (logout_token(defect=Defect.HMAC_CONFUSION), ErrorCode.UNSUPPORTED_ALGORITHM),
        (logout_token(defect=Defect.FORGED), ErrorCode.BAD_SIGNATURE),
        (logout_token(defect=Defect.TAMPERED), ErrorCode.BAD_SIGNATURE),
        ("not a token", ErrorCode.MALFORMED_TOKEN),
    ],
    ids=range(6),
)
def test_a_token_that_the_issuer_did_not_sign(token: str, reason: ErrorCode) -> None:
    with refused(reason):
        check(token)
