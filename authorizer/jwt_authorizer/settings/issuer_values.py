"""Read the settings of issuers, their keys and their secrets: as :mod:`jwt_authorizer.settings.values`."""

from __future__ import annotations

import re

from jwt_authorizer.errors import shown
from jwt_authorizer.issuers.documents import secret_reader
from jwt_authorizer.settings.values import string, strings

_ENTRA_ID = r"login\.(partner\.)?microsoftonline\.(com|us|cn)|(login|sts)\.(windows\.net|chinacloudapi\.cn)"
"""Its hosts, with those of the national clouds."""
_NEVER_AN_ISSUER = (
    (r"/\.well-known/", "is the URL of a discovery document: leave out /.well-known/ and what follows"),
    (r"[,;\s]\s*https?://", "lists several issuers: JWT_CONFIG takes several, in [[issuers]] tables"),
    (r"\*", "has a wildcard, but iss is compared as text: write the issuer out"),
    (r"\{(?!tenant\})|<|\$\(|(?<!\{tenant)\}", "has a placeholder other than {tenant}: write its value"),
    (r"^[^/]*//?[^/]*@", "has a user name: no token's iss contains one"),
    (r"^[\[\"']", "is read as it is, brackets and quotes included: leave them out"),
    (r"[\n\r\t]|:.* ", "has white space in it: no token's iss has"),
    (
        rf"^https://({_ENTRA_ID})/(common|organizations|consumers)\b",
        "is where users of any tenant sign in to Entra ID: tokens have the tenant's id in its place",
    ),
)
"""What no token has as its ``iss``, with what would be right."""

_ODD_IN_AN_ISSUER = frozenset("*{}<>$@,; \n\r\t[\"'")


def issuer(value: object) -> str:
    """Read an issuer, and reject what no token has as its ``iss`` (RFC 7519 section 4.1.1, RFC 8414 section 2)."""
    name = string(value)
    # Start-up compiles no pattern for an ordinary issuer.
    if not _ODD_IN_AN_ISSUER.isdisjoint(name) or any(
        part in name for part in ("/.well-known/", "microsoft", "windows", "chinacloud")
    ):
        for pattern, why in _NEVER_AN_ISSUER:
            if re.search(pattern, name):
                raise ValueError(why)
    return name


def locations(value: object) -> tuple[str, ...]:
    """Read where keys come from: a string, or a TOML array of them. A key set has commas of its own."""
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ValueError("expected at least one source of keys")
    found = tuple(string(item) for item in items)
    for item in found:
        if not item.startswith("http"):
            continue
        if _is_discovery(item):
            raise ValueError(
                "a discovery document is not a key set: leave this setting out, or take the document's jwks_uri"
            )
        if ",http" in item:
            raise ValueError("lists several URLs: in the document of JWT_CONFIG, jwks may be a list of them")
    return found


def _is_discovery(url: str) -> bool:
    return any(f"/.well-known/{name}" in url for name in ("openid-configuration", "oauth-authorization-server"))


def tenants(value: object) -> tuple[str, ...] | str:
    """Read the tenants that may call: a list, ``any``, or the location of a document that lists them."""
    if isinstance(value, str) and (value.strip() == "any" or value.strip().startswith(("file:", "ssm:", "s3:"))):
        return value.strip()
    from jwt_authorizer.issuers.tenants import is_tenant  # noqa: PLC0415 - only settings with tenants need it

    found = strings(value)
    for name in found:
        if not is_tenant(name):
            raise ValueError(f"{shown(name, whole=value)!r} is not a tenant: 1 to 64 letters, digits and . _ -")
    return found


def introspection(value: object) -> str:
    """Read where the introspection endpoint is: ``discovery``, or its URL."""
    found = string(value)
    if found != "discovery" and not found.startswith(("https://", "http://")):
        raise ValueError("expected discovery, or the https:// URL of the introspection endpoint")
    if _is_discovery(found):
        raise ValueError("a discovery document is not an endpoint: write discovery, or its introspection_endpoint")
    return found


def secret_location(value: object) -> str:
    """Read where a secret is. The message never repeats the value, which may be the secret itself."""
    found = string(value)
    if not found.startswith(("ssm:", "secretsmanager:")):
        raise ValueError("expected ssm:/name or secretsmanager:NAME: where the secret is, not the secret itself")
    secret_reader(found, timeout=1)
    return found
