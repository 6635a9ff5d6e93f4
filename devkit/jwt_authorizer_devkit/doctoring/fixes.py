"""The line that fixes a failed fetch of keys."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.aws_access import remedy
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer_devkit.doctoring.exchanges import Asked, Exchange

# By a pattern of the problem's text; the first counts. ``place`` is what the settings name, ``last`` what was asked.
_FIXES = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "Give the issuer a certificate of a public authority. (Locally: set SSL_CERT_FILE to the certificate.)",
    ),
    (r"\(404\)|answered 404$", "JWT_JWKS=<the address of the issuer's key set>"),
    ("does not resolve", "Compare {place} with what the provider shows: from here there is no such host."),
    ("Connection refused", "Start the issuer, or give the port that it listens on: at this one nobody answers."),
    ("JSON", "Open {last}: it has to be JSON. A page for people means that the issuer, or its path, is another one."),
    (
        "no complete answer within",
        "JWT_HTTP_TIMEOUT_SECONDS=8, or a copy of the keys that something refreshes: JWT_JWKS=s3://… or ssm:…",
    ),
)


def fix_for(asked: Asked, exchanges: Iterable[Exchange], problem: str) -> str | None:
    """Find the line that fixes a failed fetch."""
    issuer, well_known, document = asked.issuer.partition("/.well-known/")
    if well_known and asked.jwks is None:
        return f"JWT_ISSUER={issuer} (leave out {well_known}{document}: that is where its discovery document is)"
    place = last = asked.jwks or asked.issuer
    if not place.startswith("http"):
        return remedy(problem)
    for exchange in exchanges:
        last = exchange.url
        named = metadata(exchange).get("issuer")
        if isinstance(named, str) and named != asked.issuer and "{tenantid}" not in named:
            return f"JWT_ISSUER={shortened(named)}"
    fix = next((fix for sign, fix in _FIXES if re.search(sign, problem)), None)
    return fix and fix.format(place=shortened(place), last=shortened(last))


def metadata(exchange: Exchange) -> dict[str, object]:
    """Read an answer as a discovery document; empty for what is none."""
    try:
        document = json.loads(exchange.response.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
