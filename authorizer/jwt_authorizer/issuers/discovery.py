"""Finding an issuer's keys from nothing but its name.

Sources: OpenID Connect Discovery 1.0 section 4, RFC 8414 sections 3 and 3.3.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.fetched import FetchError, printable

if TYPE_CHECKING:
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.session import Session

_OK = 200
_NOT_FOUND = 404


def discovery_urls(issuer: str, *, allow_http: bool) -> tuple[str, str]:
    """Where an issuer's metadata may be: OpenID's place (behind the path), RFC 8414's (before it).

    Raises ``ValueError`` for an issuer that is no URL, or that has a query.
    """
    address = parse_address(issuer, allow_http=allow_http)
    if address.query:
        message = "a URL with a query, which no issuer has (OpenID Connect Discovery 1.0 section 3)"
        raise ValueError(message)
    path = address.path.removesuffix("/")
    return (
        f"{address.origin}{path}/.well-known/openid-configuration",
        f"{address.origin}/.well-known/oauth-authorization-server{path}",
    )


def discover(issuer: str, get: Get, session: Session, *, allow_http: bool) -> str:
    """Ask an issuer for the address of its key set. Raises :class:`FetchError`."""
    first, second = discovery_urls(issuer, allow_http=allow_http)
    url, response = first, get(first, session)
    if response.status == _NOT_FOUND:
        url, response = second, get(second, session)
        if response.status == _NOT_FOUND:
            message = f"no discovery document at {printable(first)} nor at {printable(second)} (404): set JWT_JWKS"
            raise FetchError(message)
    if response.status != _OK:
        message = f"{printable(url)} answered {response.status}"
        raise FetchError(message)
    try:
        document = json.loads(response.body)
    except (ValueError, RecursionError):
        message = f"{printable(url)} did not answer with JSON"
        raise FetchError(message) from None
    if not isinstance(document, dict):
        message = f"{printable(url)} did not answer with a JSON object"
        raise FetchError(message)
    return _jwks_uri(document, issuer, url, allow_http=allow_http)


def _jwks_uri(document: dict[str, object], issuer: str, url: str, *, allow_http: bool) -> str:
    named = document.get("issuer")
    if named != issuer:
        message = f"{printable(url)} is for another issuer: {printable(repr(named))}, not {printable(repr(issuer))}"
        if isinstance(named, str) and "{tenantid}" in named:
            message += " (Entra ID's document for all tenants: an issuer has to name one tenant)"
        raise FetchError(message)
    uri = document.get("jwks_uri")
    if not isinstance(uri, str):
        message = f"{printable(url)} names no jwks_uri"
        raise FetchError(message)
    try:
        parse_address(uri, allow_http=allow_http)
    except ValueError as error:
        message = f"{printable(url)} names a jwks_uri that is {error}: {printable(uri)}"
        raise FetchError(message) from None
    return uri
