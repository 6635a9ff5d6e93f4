"""The context of an answer, and the challenge in it."""

from __future__ import annotations

from copy import replace

import pytest

from jwt_authorizer.contexts import DpopChallenge, challenge, claims_context, rejection_context
from jwt_authorizer.errors import Reason
from tests.factories import principal

METADATA = "https://api.example.com/.well-known/oauth-protected-resource"


@pytest.mark.parametrize(
    ("error", "scopes", "metadata", "expected"),
    [
        (None, (), None, 'Bearer realm="api"'),
        (None, (), METADATA, f'Bearer resource_metadata="{METADATA}"'),
        ("invalid_token", (), None, 'Bearer error="invalid_token"'),
        (
            "insufficient_scope",
            ("orders:read", "orders:write"),
            METADATA,
            f'Bearer error="insufficient_scope", scope="orders:read orders:write", resource_metadata="{METADATA}"',
        ),
    ],
)
def test_a_challenge_is_complete(
    error: str | None, scopes: tuple[str, ...], metadata: str | None, expected: str
) -> None:
    assert challenge(error, scopes, metadata) == expected


BOTH, ALONE = DpopChallenge("ES256 PS256"), DpopChallenge("ES256 PS256", alone=True)


@pytest.mark.parametrize(
    ("reason", "dpop", "expected"),
    [
        (Reason.MISSING_TOKEN, BOTH, 'Bearer realm="api", DPoP algs="ES256 PS256"'),
        (Reason.MISSING_TOKEN, ALONE, 'DPoP algs="ES256 PS256"'),
        (Reason.TOKEN_EXPIRED, BOTH, 'Bearer error="invalid_token", DPoP algs="ES256 PS256"'),
        (Reason.MISSING_DPOP_PROOF, ALONE, 'DPoP error="invalid_token", algs="ES256 PS256"'),
        (Reason.INVALID_DPOP_PROOF, BOTH, 'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'),
        (Reason.REPLAYED_DPOP_PROOF, ALONE, 'DPoP error="invalid_dpop_proof", algs="ES256 PS256"'),
    ],
)
def test_a_challenge_names_the_schemes_that_are_accepted(reason: Reason, dpop: DpopChallenge, expected: str) -> None:
    context = rejection_context(reason, None, dpop)
    assert context["www_authenticate"] == expected
    assert context["error"] == "invalid_token"


def test_a_request_without_a_token_is_told_of_no_error() -> None:
    assert rejection_context(Reason.MISSING_TOKEN, None)["www_authenticate"] == 'Bearer realm="api"'


def test_a_tenant_is_in_the_context_if_there_is_one() -> None:
    who = principal()
    assert "tenant" not in claims_context(who, (), as_json_text=True)
    of_acme = replace(who, tenant="acme")
    assert claims_context(of_acme, (), as_json_text=True)["tenant"] == "acme"
