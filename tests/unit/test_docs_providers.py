"""The example for each provider lets in a token as that provider writes it, and the trap it names is one."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from jwt_authorizer.errors import Reason
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import generate, key_set
from tests.unit.pages import DOCS

NOW = 1_795_480_000
KEY = generate("RS256", "1")
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"
TENANT = "11111111-2222-3333-4444-555555555555"
API_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@dataclass(frozen=True, slots=True)
class Provider:
    """The claims of a provider's tokens, from its documentation; what a token that trips people has instead."""

    claims: dict[str, object]
    trap: dict[str, object]
    reason: Reason
    missing: frozenset[str] = field(default=frozenset())


PROVIDERS = {
    "Authgear": Provider(
        {
            "iss": "https://myapp.authgear.cloud",
            "aud": ["https://myapp.authgear.cloud"],
            "client_id": "497d841ea22f33d3",
            "https://authgear.com/claims/user/can_reauthenticate": True,
            "https://authgear.com/claims/user/is_anonymous": False,
            "https://authgear.com/claims/user/is_verified": True,
        },
        {"aud": "497d841ea22f33d3"},  # an ID token
        Reason.INVALID_AUDIENCE,
    ),
    "Amazon Cognito": Provider(
        {
            "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example",
            "client_id": "4f2example",
            "token_use": "access",
            "scope": "orders/read",
            "cognito:groups": ["staff"],
        },
        {"token_use": "id", "aud": "4f2example"},
        Reason.INVALID_CLIENT,
        frozenset({"client_id"}),
    ),
    "Auth0": Provider(
        {
            "iss": "https://myapp.eu.auth0.com/",
            "aud": ["https://api.example.com", "https://myapp.eu.auth0.com/userinfo"],
            "azp": "client-1",
            "scope": "openid read:orders",
        },
        {"iss": "https://myapp.eu.auth0.com"},
        Reason.UNKNOWN_ISSUER,
    ),
    "Okta": Provider(
        {
            "iss": "https://dev-12345.okta.com/oauth2/default",
            "aud": "api://default",
            "cid": "0oa1example",
            "uid": "00u1example",
            "scp": ["openid", "orders:read"],
        },
        {"iss": "https://dev-12345.okta.com", "aud": "https://dev-12345.okta.com"},  # the org's own server
        Reason.UNKNOWN_ISSUER,
    ),
    "Microsoft Entra ID": Provider(
        {
            "iss": f"https://login.microsoftonline.com/{TENANT}/v2.0",
            "aud": API_ID,
            "azp": "client-1",
            "oid": "00000000-0000-0000-0000-000000000001",
            "scp": "Orders.Read",
            "tid": TENANT,
            "ver": "2.0",
        },
        {"iss": f"https://sts.windows.net/{TENANT}/", "aud": f"api://{API_ID}", "ver": "1.0"},
        Reason.UNKNOWN_ISSUER,
    ),
    "Keycloak": Provider(
        {
            "iss": "https://keycloak.example.com/realms/shop",
            "aud": ["orders-api", "account"],
            "azp": "web-frontend",
            "typ": "Bearer",
            "realm_access": {"roles": ["staff"]},
            "scope": "openid profile",
        },
        {"aud": "account"},
        Reason.INVALID_AUDIENCE,
    ),
    "Google": Provider(
        {
            "iss": "https://accounts.google.com",
            "aud": "1234567890-abc.apps.googleusercontent.com",
            "azp": "1234567890-abc.apps.googleusercontent.com",
            "hd": "example.com",
            "email": "somebody@example.com",
            "email_verified": True,
        },
        {"email": "somebody@example.com"},  # a private account with that address
        Reason.INVALID_CLAIM,
        frozenset({"hd"}),
    ),
    "Firebase": Provider(
        {
            "iss": "https://securetoken.google.com/my-project",
            "aud": "my-project",
            "user_id": "user-1",
            "auth_time": NOW - 60,
            "firebase": {"sign_in_provider": "password", "identities": {}},
        },
        {"aud": "https://securetoken.google.com/my-project"},
        Reason.INVALID_AUDIENCE,
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_example_lets_in_a_token_as_the_provider_writes_it(provider: str) -> None:
    assert _verdict(provider, PROVIDERS[provider].claims) == ("allow", None)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_token_that_trips_people_is_refused_for_that_reason(provider: str) -> None:
    about = PROVIDERS[provider]
    claims = {name: value for name, value in about.claims.items() if name not in about.missing} | about.trap
    assert _verdict(provider, claims) == ("reject", about.reason)


def _verdict(provider: str, claims: dict[str, object]) -> tuple[object, object]:
    """Set the authorizer up by a provider's example, with a key of ours. Return decision and reason for a token."""
    _, _, after = (DOCS / "providers.md").read_text("utf-8").partition(f"\n## {provider}\n")
    example = re.search(r"^```env\n(.*?)^```$", after, re.DOTALL | re.MULTILINE)
    assert example is not None
    environment = dict(line.split("=", 1) for line in example[1].splitlines())
    environment["JWT_JWKS"] = json.dumps(key_set((KEY,)))
    lines: list[str] = []
    function = create_function(environment, write=lines.append, clock=lambda: NOW)
    token = mint(KEY, {"sub": "user-1", "iat": NOW - 60, "exp": NOW + 3600, **claims})
    with suppress(Exception):  # how a bad token becomes 401
        function({"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": ARN}, None)
    line = json.loads(lines[0])
    return line["decision"], line.get("reason")
