"""Which tokens a revocation list refuses, and which documents are no such list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.claims import Principal
from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.issuers.cached_value import Ages, CachedValue
from jwt_authorizer.logout import EVENT, Logout, check_logout_token
from jwt_authorizer.revocation import BadListError, check_revocation, read_list
from jwt_authorizer.wiring.token_status import READ_FAILURES, revocation_list
from jwt_authorizer_devkit.mint import Defect, mint
from tests.factories import ISSUER, NOW, FakeKeys, authorizer, signing_key
from tests.sources import Document, Reports

if TYPE_CHECKING:
    from jwt_authorizer.revocation import Revoked

LISTED = "https://issuer.example"
REVOKED = {
    "jti": {"token-1": 2000},
    "sid": {"session-1": 2000},
    "sub": {"user-1": 1000, "7": 1000},
    "client_id": {"app-1": 1000},
    "issued_before": 500,
}


def refuses(claims: dict[str, object], entries: dict[str, Any] | None = None, issuer: str = LISTED) -> bool:
    document = json.dumps({"as_of": 1000, "issuers": {LISTED: REVOKED if entries is None else entries}})
    principal = Principal("x", issuer, None, "", frozenset(), (), 9000, 0, 9000, claims, "")
    try:
        check_revocation(principal, read_list(document.encode()))
    except TokenError as error:
        return error.code is Reason.REVOKED_TOKEN
    return False


@pytest.mark.parametrize(
    ("claims", "refused"),
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
        ({"iat": 600, "sub": "user-2"}, False),
        ({"iat": 600, "client_id": "app-1"}, True),
        ({"iat": 600, "azp": "app-1"}, True),
        ({"iat": 600, "client_id": "app-2", "azp": "app-1"}, False),
        ({"iat": 1001, "client_id": "app-1"}, False),
        ({"iat": 500}, True),
        ({"iat": 501}, False),
        ({"iat": 501, "jti": ["token-1"], "sid": {"session-1": 1}, "sub": None}, False),
    ],
)
def test_a_token_is_compared_with_each_kind_of_entry(claims: dict[str, object], *, refused: bool) -> None:
    assert refuses(claims) is refused


def test_entries_are_of_one_issuer() -> None:
    assert not refuses({"jti": "token-1"}, issuer="https://other.example")


def test_an_issuer_without_a_moment_asks_for_no_iat() -> None:
    assert not refuses({}, {"jti": {"token-1": 2000}})
    assert not refuses({}, {})


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("", "JSON"),
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
        ('{"issuers": {"a": {"sid": {"x": NaN}}}}', "'sid'"),
        ('{"issuers": {"a": {"issued_before": "2026"}}}', "'issued_before'"),
        ('{"issuers": {"a": {"sub": {"u": 1}, "sub": {}}}}', "twice"),
    ],
)
def test_what_is_not_a_list_is_an_error_that_names_the_place(document: str, says: str) -> None:
    with pytest.raises(BadListError) as raised:
        read_list(document.encode())
    assert says in str(raised.value)


# How the revocation list ages: when it is read, what serves after a failure, and when nothing does.


LIST = b'{"issuers": {"https://issuer.example": {"jti": {"token-1": 2000}}}}'


def cached(read: Document, reports: Reports | None = None) -> CachedValue[Revoked]:
    return revocation_list(read, Ages(60, 600, 30), reports or Reports())


@pytest.mark.parametrize("broken", [None, b"", b"[]", b'{"issuers": {"a": 1}}'])
def test_a_failure_never_replaces_the_list_and_serves_it_for_a_while(broken: bytes | None) -> None:
    read, reports = Document(LIST), Reports()
    source = cached(read, reports)
    source.warm(1000)
    read.content = broken
    for now in (1060, 1061, 1089):
        assert "https://issuer.example" in source.current(now)
    assert read.reads == 2, "the cooldown holds"
    assert "https://issuer.example" in source.current(1659)
    with pytest.raises(DecisionError) as raised:
        source.current(1660)
    assert raised.value.code is Reason.REVOCATION_UNAVAILABLE
    assert reports.count(READ_FAILURES)
    read.content = b'{"issuers": {}}'
    assert source.current(1700) == {}


def test_the_same_document_is_parsed_once() -> None:
    read = Document(LIST)
    source = cached(read)
    first = source.current(1000)
    assert source.current(1060) is first
    assert read.reads == 2


class Compared(str):
    """Text that counts with how many others it is compared."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        Compared.comparisons += 1
        return super().__eq__(other)


def test_a_list_of_100_000_entries_costs_a_request_a_few_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Compared, "comparisons", 0)
    entries = {
        kind: {f"{kind}-{number}": 2000 for number in range(25_000)} for kind in ("jti", "sid", "sub", "client_id")
    }
    revoked = read_list(json.dumps({"issuers": {LISTED: entries}}).encode())
    claims: dict[str, object] = {kind: Compared(f"{kind}-of-nobody") for kind in entries} | {"iat": 3000}
    principal = Principal("x", LISTED, None, "", frozenset(), (), 9000, 0, 9000, claims, "")
    for _ in range(100):
        check_revocation(principal, revoked)
    assert Compared.comparisons < 1000
    claims |= {"sub": "sub-24999", "iat": 2000}
    with pytest.raises(TokenError):
        check_revocation(principal, revoked)


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


def check(text: str, keys: FakeKeys | None = None) -> Logout:
    return check_logout_token(text, authorizer(keys).issuers, {}, frozenset({CLIENT}), NOW)


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
        ({"jti": "x" * 513}, Reason.INVALID_CLAIM),
        ({"sid": "x" * 513}, Reason.INVALID_CLAIM),
        ({"exp": NOW * 1000}, Reason.INVALID_CLAIM),
        ({"exp": NOW + 3591}, Reason.INVALID_CLAIM),
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
