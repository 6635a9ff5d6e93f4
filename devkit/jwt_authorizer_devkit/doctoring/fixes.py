"""How to fix a failed fetch of keys."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.aws_access import remedy
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer_devkit.doctoring.exchanges import Asked, Exchange

# By a pattern of the error message; the first match counts. ``location``: that of the settings; ``last``: the last URL.
_FIXES = (
    (
        "CERTIFICATE_VERIFY_FAILED",
        "Install a certificate of a public authority at the issuer. (Locally: set SSL_CERT_FILE to the certificate.)",
    ),
    (r"\(404\)|answered 404$", "JWT_JWKS=<the address of the issuer's key set>"),
    ("does not resolve", "Compare {location} with the URL that the provider shows: this host does not resolve here."),
    ("Connection refused", "Start the issuer, or give the port that it listens on: nothing listens on this one."),
    ("JSON", "Open {last}: it has to be JSON. If it is a web page, the issuer's URL or path is wrong."),
    (
        "no complete answer within",
        "JWT_HTTP_TIMEOUT_SECONDS=8, or a copy of the keys that the refresher updates: JWT_JWKS=s3://… or ssm:…",
    ),
)


def fix_for(asked: Asked, exchanges: Iterable[Exchange], problem: str) -> str | None:
    """Return how to fix a failed fetch, if that is known."""
    issuer, well_known, document = asked.issuer.partition("/.well-known/")
    if well_known and asked.jwks is None:
        return f"JWT_ISSUER={issuer} (leave out {well_known}{document}: that is where its discovery document is)"
    location = last = asked.jwks or asked.issuer
    if not location.startswith("http"):
        return remedy(problem)
    for exchange in exchanges:
        last = exchange.url
        named = metadata(exchange).get("issuer")
        if isinstance(named, str) and named != asked.issuer and "{tenantid}" not in named:
            return f"JWT_ISSUER={shortened(named)}"
    fix = next((fix for sign, fix in _FIXES if re.search(sign, problem)), None)
    return fix and fix.format(location=shortened(location), last=shortened(last))


def metadata(exchange: Exchange) -> dict[str, object]:
    """Return an answer's JSON object; an empty one if it is not an object."""
    try:
        document = json.loads(exchange.response.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
