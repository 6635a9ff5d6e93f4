"""Which tokens a revocation list refuses, and which documents are no such list."""

from __future__ import annotations

import json
from typing import Any

import pytest

from jwt_authorizer.claims import Principal
from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.revocation import BadListError, check_revocation, read_list

ISSUER = "https://issuer.example"
REVOKED = {
    "jti": {"token-1": 2000},
    "sid": {"session-1": 2000},
    "sub": {"user-1": 1000, "7": 1000},
    "client_id": {"app-1": 1000},
    "issued_before": 500,
}


def refuses(claims: dict[str, object], entries: dict[str, Any] | None = None, issuer: str = ISSUER) -> bool:
    document = json.dumps({"as_of": 1000, "issuers": {ISSUER: REVOKED if entries is None else entries}})
    principal = Principal("x", issuer, None, "", frozenset(), (), 9000, 0, 9000, claims)
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
