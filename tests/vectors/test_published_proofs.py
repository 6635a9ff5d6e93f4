"""The published example of a DPoP proof passes at its own time, and at no other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jwt_authorizer.binding.dpop import DpopSettings, check_proof
from jwt_authorizer.errors import TokenError
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.tokens import BearerToken, Scheme
from tests.factories import request

EXAMPLE = json.loads((Path(__file__).parent / "rfc9449.json").read_text("utf-8"))
TOKEN = BearerToken(EXAMPLE["access_token"], Scheme.DPOP)
SETTINGS = DpopSettings(frozenset({"ES256"}))


def example() -> Request:
    """Give the request of the example, as a REST API's event."""
    return request(
        EventKind.REST_REQUEST,
        headers={"DPoP": EXAMPLE["proof"]},
        multiValueHeaders=None,
        requestContext={"domainName": "resource.example.org", "path": "/protectedresource"},
    )


@pytest.mark.parametrize("age", [0, 60, 119, -60])
def test_the_example_passes_at_its_time(age: int) -> None:
    issued_at = EXAMPLE["issued_at"]
    used = check_proof(example(), TOKEN, EXAMPLE["jkt"], SETTINGS, issued_at + age)
    assert used.until == issued_at + 120


@pytest.mark.parametrize("age", [120, -61])
def test_the_example_is_too_old_or_too_new_at_another(age: int) -> None:
    with pytest.raises(TokenError, match=r"check 11\)"):
        check_proof(example(), TOKEN, EXAMPLE["jkt"], SETTINGS, EXAMPLE["issued_at"] + age)
