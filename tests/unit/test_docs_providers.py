"""The example for each provider lets in a token as that provider writes it, and the trap it names is one."""

import json
import re
from dataclasses import dataclass

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import generate, key_set
from tests.security.lab import NOW, bare_lab, token_event
from tests.unit.pages import DOCS

KEY = generate("RS256", "1")
TENANT = "11111111-2222-3333-4444-555555555555"
API_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@dataclass(frozen=True, slots=True)
class Provider:
    """Those claims of a provider's tokens that its example reads, as its documentation has them.

    ``trap`` is what a token that trips people has instead, and ``reason`` what it is rejected for. ``None`` leaves a
    claim out. ``principal`` and ``scope`` are what the API gets to know. What providers put into key sets beside the
    key is in ``tests/cases/keys.json``.
    """

    claims: dict[str, object]
    trap: dict[str, object]
    reason: ErrorCode
    typ: str = "JWT"
    principal: str = "user-1"
    scope: str = ""


COGNITO: dict[str, object] = {"client_id": "4f2example", "token_use": "access", "scope": "orders/read"}
OID = "00000000-0000-0000-0000-000000000001"
ENTRA: dict[str, object] = {"aud": API_ID, "oid": OID, "scp": "Orders.Read"}
KEYCLOAK: dict[str, object] = {"iss": "https://keycloak.example.com/realms/shop", "typ": "Bearer"}

PROVIDERS = {
    "Authgear": Provider(
        {
            "iss": "https://myapp.authgear.cloud",
            "aud": ["https://myapp.authgear.cloud"],
            "client_id": "497d841ea22f33d3",
            "https://authgear.com/claims/user/is_anonymous": False,
        },
        {"aud": "497d841ea22f33d3"},  # an ID token
        ErrorCode.INVALID_AUDIENCE,
    ),
    "Amazon Cognito": Provider(
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example", **COGNITO},
        {"token_use": "id", "aud": "4f2example", "client_id": None},
        ErrorCode.INVALID_CLIENT,
        scope="orders/read",
    ),
    "Amazon Cognito#2": Provider(
        {"iss": "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example", **COGNITO},
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example"},
        ErrorCode.UNKNOWN_ISSUER,
        scope="orders/read",
    ),
    "Auth0": Provider(
        {
            "iss": "https://myapp.eu.auth0.com/",
            "aud": ["https://api.example.com", "https://myapp.eu.auth0.com/userinfo"],
            "scope": "openid read:orders",
        },
        {"iss": "https://myapp.eu.auth0.com"},
        ErrorCode.UNKNOWN_ISSUER,
        typ="at+jwt",
        scope="openid read:orders",
    ),
    "Auth0#2": Provider(
        {
            "iss": "https://myapp.eu.auth0.com/",
            "aud": "https://api.example.com",
            "scope": "openid read:orders",
            "permissions": ["read:orders", "write:orders"],
        },
        {"aud": "client-1"},  # an ID token
        ErrorCode.INVALID_AUDIENCE,
        scope="openid read:orders write:orders",
    ),
    "Okta": Provider(
        {
            "iss": "https://dev-12345.okta.com/oauth2/default",
            "aud": "api://default",
            "cid": "0oa1example",
            "scp": ["openid", "orders:read"],
        },
        {"iss": "https://dev-12345.okta.com", "aud": "https://dev-12345.okta.com"},  # the org's own server
        ErrorCode.UNKNOWN_ISSUER,
        scope="openid orders:read",
    ),
    "Microsoft Entra ID": Provider(
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", **ENTRA},
        {"iss": f"https://sts.windows.net/{TENANT}/", "aud": f"api://{API_ID}"},  # version 1
        ErrorCode.UNKNOWN_ISSUER,
        principal=OID,
        scope="Orders.Read",
    ),
    "Keycloak": Provider(
        {**KEYCLOAK, "aud": ["orders-api", "account"], "scope": "openid profile"},
        {"aud": "account"},
        ErrorCode.INVALID_AUDIENCE,
        scope="openid profile",
    ),
    "Keycloak#3": Provider(
        {
            **KEYCLOAK,
            "aud": "orders-api",
            "azp": "nightly-batch",
            "sub": None,  # without the client scope basic
            "scope": "profile",
            "realm_access": {"roles": ["staff"]},
            "resource_access": {"orders-api": {"roles": ["read", "write"]}},
        },
        {"typ": "ID"},
        ErrorCode.INVALID_CLAIM,
        principal="nightly-batch",
        scope="profile staff read write",
    ),
    "Google": Provider(
        {"iss": "https://accounts.google.com", "aud": "1234567890-abc.apps.googleusercontent.com", "hd": "example.com"},
        {"hd": None},  # a private account with an address of that domain
        ErrorCode.INVALID_CLAIM,
    ),
    "Firebase": Provider(
        {"iss": "https://securetoken.google.com/my-project", "aud": "my-project"},
        {"aud": "https://securetoken.google.com/my-project"},
        ErrorCode.INVALID_AUDIENCE,
    ),
    "Azure AD B2C": Provider(
        {"iss": f"https://myapp.b2clogin.com/{TENANT}/v2.0/", "aud": API_ID, "scp": "orders.read"},
        {"iss": f"https://myapp.b2clogin.com/{TENANT}/v2.0"},
        ErrorCode.UNKNOWN_ISSUER,
        scope="orders.read",
    ),
    "Clerk": Provider(
        {"iss": "https://clerk.example.com", "azp": "https://app.example.com"},
        {"azp": "https://evil.example.com"},
        ErrorCode.INVALID_CLAIM,
    ),
    "Cloudflare Access": Provider(
        {
            "iss": "https://myteam.cloudflareaccess.com",
            "aud": ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"],
            "sub": "",
            "common_name": "e367826f93b8d71185e03fe518aff3b4.access",
        },
        {"common_name": None},
        ErrorCode.INVALID_CLAIM,
        principal="e367826f93b8d71185e03fe518aff3b4.access",
    ),
    "Duende IdentityServer": Provider(
        {
            "iss": "https://id.example.com",
            "aud": "orders",
            "client_id": "nightly-batch",
            "sub": None,
            "scope": ["orders.read", "orders.write"],
        },
        {"aud": "https://id.example.com/resources"},
        ErrorCode.INVALID_AUDIENCE,
        typ="at+jwt",
        principal="nightly-batch",
        scope="orders.read orders.write",
    ),
    "GitHub Actions": Provider(
        {
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "https://api.example.com",
            "sub": "repo:octo-org/orders:environment:production",
            "repository_owner_id": "1234567",
        },
        {"sub": "repo:octo-org/orders:environment:staging"},
        ErrorCode.INVALID_CLAIM,
        principal="repo:octo-org/orders:environment:production",
    ),
    "Microsoft Entra External ID": Provider(
        {"iss": f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0", **ENTRA},
        {"iss": f"https://myapp.ciamlogin.com/{TENANT}/v2.0"},
        ErrorCode.UNKNOWN_ISSUER,
        principal=OID,
        scope="Orders.Read",
    ),
    "Supabase": Provider(
        {
            "iss": "https://abcdefghijklmnop.supabase.co/auth/v1",
            "aud": "authenticated",
            "role": "authenticated",
            "is_anonymous": False,
        },
        {"is_anonymous": True},
        ErrorCode.INVALID_CLAIM,
    ),
    "WorkOS": Provider(
        {"iss": "https://api.workos.com", "permissions": ["orders:read", "orders:write"]},
        {"iss": "https://api.workos.com/"},
        ErrorCode.UNKNOWN_ISSUER,
        scope="orders:read orders:write",
    ),
    "Zitadel": Provider(
        {
            "iss": "https://myapp-abc123.zitadel.cloud",
            "aud": ["290000000000000002@orders", "290000000000000001"],
            "urn:zitadel:iam:org:project:roles": {"admin": {"290000000000000003": "example.com"}, "viewer": {}},
        },
        {"aud": ["290000000000000002@orders"]},
        ErrorCode.INVALID_AUDIENCE,
        scope="admin viewer",
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_example_lets_in_the_provider_s_token_and_refuses_the_one_that_trips_people(provider: str) -> None:
    section, _, number = provider.partition("#")
    _, _, after = (DOCS / "providers.md").read_text("utf-8").partition(f"\n## {section}\n")
    examples = re.findall(r"^```env\n(.*?)^```$", after.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
    environment = dict(line.split("=", 1) for line in examples[int(number or 1) - 1].splitlines())
    about, target = PROVIDERS[provider], bare_lab(**environment | {"JWT_JWKS": json.dumps(key_set((KEY,)))})

    def event(claims: dict[str, object]) -> dict[str, object]:
        everything = {"sub": "user-1", "iat": NOW - 60, "exp": NOW + 3600, **claims}
        members = {name: value for name, value in everything.items() if value is not None}
        return token_event(mint(KEY, members, header={"typ": about.typ}))

    answer = target.allowed(event(about.claims))
    assert (answer["principalId"], answer["context"]["scope"]) == (about.principal, about.scope)
    target.refused(event(about.claims | about.trap), about.reason)
