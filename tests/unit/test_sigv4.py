"""Signature Version 4 against AWS's published test suite, and against AWS's own library."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from unittest.mock import patch

import pytest
from botocore import auth  # type: ignore[import-untyped]  # AWS ships no types
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]  # AWS ships no types
from botocore.credentials import Credentials as TheirCredentials  # type: ignore[import-untyped]  # AWS ships no types

from jwt_authorizer.sigv4 import Credentials, sign

EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
SESSION_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwth"
    "Ax7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAki"
    "Y9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
MADE_AT = calendar.timegm((2015, 8, 30, 12, 36, 0))


@pytest.mark.parametrize(
    ("method", "headers", "body", "session_token", "signature"),
    [
        ("GET", {}, b"", None, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("POST", {}, b"", None, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "POST",
            {"My-Header1": "value1"},
            b"",
            None,
            "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
        ),
        (
            "POST",
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1",
            None,
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
        ("POST", {}, b"", SESSION_TOKEN, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    ],
    ids=["get-vanilla", "post-vanilla", "post-header-key-case", "post-x-www-form-urlencoded", "post-sts-header-before"],
)
def test_the_published_examples(
    method: str, headers: dict[str, str], body: bytes, session_token: str | None, signature: str
) -> None:
    credentials = Credentials(EXAMPLE.access_key_id, EXAMPLE.secret_access_key, session_token)
    signed = sign(
        method,
        "example.amazonaws.com",
        headers,
        body,
        credentials=credentials,
        region="us-east-1",
        service="service",
        now=MADE_AT,
    )
    assert signed["Authorization"].endswith(f"Signature={signature}")
    assert signed["X-Amz-Date"] == "20150830T123600Z"
    assert signed.get("X-Amz-Security-Token") == session_token


def test_a_request_to_dynamodb_is_signed_as_botocore_signs_it() -> None:
    url, body = "https://dynamodb.eu-west-1.amazonaws.com/", b'{"TableName": "used-proofs", "a": "  \xc3\xa9"}'
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.PutItem",
        "X-A": " b  c ",
    }
    theirs = AWSRequest("POST", url, headers=headers, data=body)
    made_at = datetime.fromtimestamp(MADE_AT, UTC)
    with patch.object(auth, "get_current_datetime", lambda **_: made_at, create=True):
        auth.SigV4Auth(
            TheirCredentials(EXAMPLE.access_key_id, EXAMPLE.secret_access_key, SESSION_TOKEN), "dynamodb", "eu-west-1"
        ).add_auth(theirs)
    ours = sign(
        "POST",
        "dynamodb.eu-west-1.amazonaws.com",
        headers,
        body,
        credentials=Credentials(EXAMPLE.access_key_id, EXAMPLE.secret_access_key, SESSION_TOKEN),
        region="eu-west-1",
        service="dynamodb",
        now=MADE_AT,
    )
    assert ours["Authorization"] == theirs.headers["Authorization"]


def test_no_secret_shows_itself() -> None:
    shown = repr(Credentials("AKIDEXAMPLE", "the-secret", "the-session"))
    assert "the-secret" not in shown
    assert "the-session" not in shown
