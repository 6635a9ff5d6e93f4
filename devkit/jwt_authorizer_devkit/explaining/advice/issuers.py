"""Tokens of an issuer that is not in the settings, but may resemble one that is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_ENTRA_V1 = re.compile(r"https://sts\.windows\.net/([^/]+)/?")
_ENTRA_V2 = re.compile(r"https://login\.microsoftonline\.com/([^/]+)/v2\.0/?")
_COGNITO = re.compile(r"https://(?:issuer-)?cognito-idp\.([a-z0-9-]+)\.amazonaws\.com/(\S+)")


def another_issuer(facts: Facts) -> Advice | None:
    """Compare the token's ``iss`` with those of the settings, the smallest difference first."""
    found = facts.claims.get("iss")
    if not isinstance(found, str) or not found:
        return Advice("no_issuer", "The token's iss is missing or not a string: tokens of an OpenID provider have one.")
    for ours in facts.watched.authorizer.issuers:
        advice = _compare(found, ours)
        if advice is not None:
            return advice
    for template in facts.watched.authorizer.tenants:
        before, _, after = template.partition("{tenant}")
        if found.startswith(before) and found.endswith(after):
            tenant = shortened(found[len(before) : len(found) - len(after)])
            said = f"The token is from the tenant {tenant} of {template}, which JWT_TENANTS does not list."
            return Advice("other_tenant", f"{said} If it may call, add it.")
    return Advice(
        "other_issuer",
        f"The token is from {shortened(found)}, which is not in the settings. If you trust that issuer, set "
        f"JWT_ISSUER={shortened(found)}, exactly as written here.",
    )


def _compare(found: str, ours: str) -> Advice | None:
    shown = shortened(found)
    if found.rstrip("/") == ours.rstrip("/"):
        with_slash = "with" if found.endswith("/") else "without"
        return Advice(
            "trailing_slash",
            f"Only the slash at the end differs: the token's iss is written {with_slash} one. Set JWT_ISSUER={shown}",
        )
    one, other = _ENTRA_V1.fullmatch(found), _ENTRA_V2.fullmatch(ours)
    if one and other:
        same = "" if one[1] == other[1] else " (and another tenant's)"
        return Advice(
            "entra_v1",
            f"This is a version 1.0 token of Entra ID{same}, and the settings name version 2.0. In the API's app "
            "registration, set requestedAccessTokenVersion to 2 in the manifest (api.requestedAccessTokenVersion).",
        )
    if _ENTRA_V2.fullmatch(found) and _ENTRA_V1.fullmatch(ours):
        return Advice(
            "entra_v2",
            f"This is a version 2.0 token of Entra ID, and the settings name version 1.0: JWT_ISSUER={shown}",
        )
    pool, our_pool = _COGNITO.fullmatch(found), _COGNITO.fullmatch(ours)
    if pool and our_pool and pool[2] == our_pool[2]:
        return Advice(
            "cognito_issuer",
            "It is the same user pool, but the issuer has the other of Cognito's two forms (IssuerConfigurationType, "
            f"ORIGINAL or UPDATED). Set JWT_ISSUER={shown}",
        )
    if pool and our_pool:
        return Advice("other_environment", f"The token is from another Cognito user pool: {shown}, not {ours}.")
    return _another_environment(found, ours)


def _another_environment(found: str, ours: str) -> Advice | None:
    shown = shortened(found)
    theirs, mine = urlsplit(found if "://" in found else f"//{found}"), urlsplit(ours)
    if found.lower().rstrip("/") == ours.lower().rstrip("/"):
        return Advice("letter_case", f"Only the case of letters differs: set JWT_ISSUER={shown}")
    if theirs.netloc == mine.netloc:
        if theirs.path.rstrip("/") == mine.path.rstrip("/"):
            return Advice("other_scheme", f"The token's iss is written {shown}, not {ours}: set it exactly so.")
        return Advice(
            "other_environment",
            f"The token is from the same host, but from another tenant, realm or environment: {shown}, not {ours}.",
        )
    same_path = theirs.path.rstrip("/") == mine.path.rstrip("/") and mine.path.strip("/")
    if same_path or _site(theirs.netloc) == _site(mine.netloc):
        return Advice(
            "other_environment",
            f"This looks like a token of another environment: it is from {shown}, and the settings are for {ours}.",
        )
    return None


def _site(host: str) -> str:
    """Return the last two labels of a host name, to recognize two hosts of the same owner."""
    return ".".join(host.partition(":")[0].split(".")[-2:])
