"""The example for each provider lets in a token as that provider writes it, and the trap it names is one."""

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest

from jwt_authorizer.errors import Reason
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import generate
from tests.unit.pages import DOCS

NOW = 1_795_480_000
KEY = generate("RS256", "1")
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"
TENANT = "11111111-2222-3333-4444-555555555555"
API_ID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


@dataclass(frozen=True, slots=True)
class Provider:
    """The claims of a provider's tokens, from its documentation; what a token that trips people has instead.

    ``jwk`` is what its key sets have beside the key itself. ``None`` leaves a claim or a member out. ``typ`` is in the
    header.
    ``principal`` and ``scope`` are what the API gets to know.
    """

    claims: dict[str, object]
    trap: dict[str, object]
    reason: Reason
    jwk: dict[str, object] = field(default_factory=lambda: {"use": "sig"})
    typ: str | None = "JWT"
    principal: str = "user-1"
    scope: str = ""


X5C: dict[str, object] = {"use": "sig", "x5t": "x", "x5c": ["MIIC"], "e": "AQAB"}
DOTNET: dict[str, object] = {"use": "sig", "key_ops": [], "oth": [], "x5c": [], "x5t": None}
"""Members of key sets that are certificates as well (Entra ID), and of those that .NET's serializer writes."""

COGNITO: dict[str, object] = {"client_id": "4f2example", "token_use": "access", "scope": "orders/read"}
OID = "00000000-0000-0000-0000-000000000001"
ENTRA: dict[str, object] = {
    "aud": API_ID,
    "azp": "client-1",
    "oid": OID,
    "scp": "Orders.Read",
    "tid": TENANT,
    "ver": "2.0",
}
KEYCLOAK: dict[str, object] = {
    "iss": "https://keycloak.example.com/realms/shop",
    "typ": "Bearer",
    "realm_access": {"roles": ["staff"]},
}

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
            "cognito:groups": ["staff"],
            **COGNITO,
        },
        {"token_use": "id", "aud": "4f2example", "client_id": None},
        Reason.INVALID_CLIENT,
        scope="orders/read",
    ),
    "Amazon Cognito#2": Provider(
        {"iss": "https://issuer-cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example", **COGNITO},
        {"iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Example"},
        Reason.UNKNOWN_ISSUER,
        scope="orders/read",
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
        jwk=X5C,
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
        Reason.INVALID_AUDIENCE,
        jwk=X5C,
        scope="openid read:orders write:orders",
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
        typ=None,
        scope="openid orders:read",
    ),
    "Microsoft Entra ID": Provider(
        {"iss": f"https://login.microsoftonline.com/{TENANT}/v2.0", **ENTRA},
        {"iss": f"https://sts.windows.net/{TENANT}/", "aud": f"api://{API_ID}", "ver": "1.0"},
        Reason.UNKNOWN_ISSUER,
        jwk=X5C | {"alg": None},
        principal=OID,
        scope="Orders.Read",
    ),
    "Keycloak": Provider(
        {**KEYCLOAK, "aud": ["orders-api", "account"], "azp": "web-frontend", "scope": "openid profile"},
        {"aud": "account"},
        Reason.INVALID_AUDIENCE,
        jwk=X5C,
        scope="openid profile",
    ),
    "Keycloak#3": Provider(
        {
            **KEYCLOAK,
            "aud": "orders-api",
            "azp": "nightly-batch",
            "sub": None,  # without the client scope basic
            "resource_access": {"orders-api": {"roles": ["read", "write"]}},
            "scope": "profile",
        },
        {"typ": "ID"},
        Reason.INVALID_CLAIM,
        jwk=X5C,
        principal="nightly-batch",
        scope="profile staff read write",
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
        {"hd": None},  # a private account with that address
        Reason.INVALID_CLAIM,
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
    "Azure AD B2C": Provider(
        {
            "iss": f"https://myapp.b2clogin.com/{TENANT}/v2.0/",
            "aud": API_ID,
            "azp": "client-1",
            "tfp": "B2C_1_signin",
            "scp": "orders.read",
            "ver": "1.0",
            "nbf": NOW - 60,
        },
        {"iss": f"https://myapp.b2clogin.com/{TENANT}/v2.0"},
        Reason.UNKNOWN_ISSUER,
        jwk={"use": "sig", "nbf": 1_493_763_266, "alg": None},
        scope="orders.read",
    ),
    "Clerk": Provider(
        {
            "iss": "https://clerk.example.com",
            "azp": "https://app.example.com",
            "sub": "user_2abc",
            "sid": "sess_2abc",
            "fva": [0, -1],
            "o": {"id": "org_1", "rol": "admin", "slg": "acme"},
            "v": 2,
        },
        {"azp": "https://evil.example.com"},
        Reason.INVALID_CLAIM,
        jwk={"use": "sig", "kid": "ins_2abc"},
        principal="user_2abc",
    ),
    "Cloudflare Access": Provider(
        {
            "iss": "https://myteam.cloudflareaccess.com",
            "aud": ["4714c1358e65fe4b408ad6d432a5f878f08194bdb4752441fd56faefa9b2b6f2"],
            "type": "app",
            "sub": "",
            "common_name": "e367826f93b8d71185e03fe518aff3b4.access",
        },
        {"sub": "", "common_name": None},
        Reason.INVALID_CLAIM,
        typ=None,
        principal="e367826f93b8d71185e03fe518aff3b4.access",
    ),
    "Duende IdentityServer": Provider(
        {
            "iss": "https://id.example.com",
            "aud": "orders",
            "client_id": "nightly-batch",
            "sub": None,
            "scope": ["orders.read", "orders.write"],
            "nbf": NOW - 60,
        },
        {"aud": "https://id.example.com/resources"},
        Reason.INVALID_AUDIENCE,
        jwk=DOTNET,
        typ="at+jwt",
        principal="nightly-batch",
        scope="orders.read orders.write",
    ),
    "GitHub Actions": Provider(
        {
            "iss": "https://token.actions.githubusercontent.com",
            "aud": "https://api.example.com",
            "sub": "repo:octo-org/orders:environment:production",
            "repository": "octo-org/orders",
            "repository_owner": "octo-org",
            "repository_owner_id": "1234567",
            "environment": "production",
        },
        {"sub": "repo:octo-org/orders:environment:staging"},
        Reason.INVALID_CLAIM,
        jwk=X5C,
        principal="repo:octo-org/orders:environment:production",
    ),
    "Microsoft Entra External ID": Provider(
        {"iss": f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0", **ENTRA},
        {"iss": f"https://myapp.ciamlogin.com/{TENANT}/v2.0"},
        Reason.UNKNOWN_ISSUER,
        jwk=X5C | {"alg": None, "issuer": f"https://{TENANT}.ciamlogin.com/{TENANT}/v2.0"},
        principal=OID,
        scope="Orders.Read",
    ),
    "Supabase": Provider(
        {
            "iss": "https://abcdefghijklmnop.supabase.co/auth/v1",
            "aud": "authenticated",
            "role": "authenticated",
            "aal": "aal1",
            "session_id": "00000000-0000-0000-0000-000000000002",
            "is_anonymous": False,
            "app_metadata": {"provider": "email", "role": "staff"},
            "user_metadata": {},
        },
        {"is_anonymous": True},
        Reason.INVALID_CLAIM,
        jwk={"use": "sig", "key_ops": ["verify"], "ext": True},
    ),
    "WorkOS": Provider(
        {
            "iss": "https://api.workos.com",
            "sub": "user_01HBEQKA6K4QJAS93VPE39W1JT",
            "sid": "session_01HQSXZGF8FHF7A9ZZFCW4387R",
            "org_id": "org_01HRDMC6CM357W30QMHMQ96Q0S",
            "role": "member",
            "permissions": ["orders:read", "orders:write"],
        },
        {"iss": "https://api.workos.com/"},
        Reason.UNKNOWN_ISSUER,
        jwk={"use": "sig", "x5c": ["MIIC"], "x5t#S256": "x"},
        typ=None,
        principal="user_01HBEQKA6K4QJAS93VPE39W1JT",
        scope="orders:read orders:write",
    ),
    "Zitadel": Provider(
        {
            "iss": "https://myapp-abc123.zitadel.cloud",
            "aud": ["290000000000000002@orders", "290000000000000001"],
            "client_id": "290000000000000002@orders",
            "urn:zitadel:iam:org:project:roles": {"admin": {"290000000000000003": "example.com"}, "viewer": {}},
        },
        {"aud": ["290000000000000002@orders"]},
        Reason.INVALID_AUDIENCE,
        scope="admin viewer",
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_example_lets_in_a_token_as_the_provider_writes_it(provider: str) -> None:
    about = PROVIDERS[provider]
    line, answer = _answered(provider, about.claims)
    assert (line["decision"], line.get("reason")) == ("allow", None)
    assert (answer["principalId"], answer["context"]["scope"]) == (about.principal, about.scope)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_token_that_trips_people_is_refused_for_that_reason(provider: str) -> None:
    about = PROVIDERS[provider]
    line, _ = _answered(provider, about.claims | about.trap)
    assert (line["decision"], line.get("reason")) == ("reject", about.reason)


def _answered(provider: str, claims: dict[str, object]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Set the authorizer up by an example, with a key of ours in its shape. Return the line and the answer."""
    section, _, number = provider.partition("#")
    _, _, after = (DOCS / "providers.md").read_text("utf-8").partition(f"\n## {section}\n")
    examples = re.findall(r"^```env\n(.*?)^```$", after.partition("\n## ")[0], re.DOTALL | re.MULTILINE)
    example = examples[int(number or 1) - 1]
    about = PROVIDERS[provider]
    environment = dict(line.split("=", 1) for line in example.splitlines())
    jwk = {**KEY.public_jwk(), **about.jwk}
    jwks = {"keys": [{name: value for name, value in jwk.items() if value is not None or name in ("use", "key_ops")}]}
    environment["JWT_JWKS"] = json.dumps(jwks)
    lines: list[str] = []
    function = create_function(environment, write=lines.append, clock=lambda: NOW)
    everything = {"sub": "user-1", "iat": NOW - 60, "exp": NOW + 3600, **claims}
    members = {name: value for name, value in everything.items() if value is not None}
    token = mint(KEY, members, header={"typ": about.typ, "kid": jwk["kid"]})
    answer: dict[str, Any] = {}
    with suppress(Exception):  # how a bad token becomes 401
        answer = function({"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": ARN}, None)
    return json.loads(lines[0]), answer
