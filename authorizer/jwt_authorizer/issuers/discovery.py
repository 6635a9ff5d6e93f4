"""Find an issuer's metadata from its name, and the URL of its key set in the metadata.

Sources: OpenID Connect Discovery 1.0 section 4, RFC 8414 sections 3 and 3.3.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.address import discovery_urls, parse_address
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS

if TYPE_CHECKING:
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.session import Session

_NOT_FOUND = 404


def discover(issuer: str, get: Get, session: Session, *, allow_http: bool) -> str:
    """Ask an issuer for the URL of its key set. Raises :class:`FetchError`."""
    uri = metadata(issuer, get, session, allow_http=allow_http).get("jwks_uri")
    if not isinstance(uri, str):
        raise FetchError(f"the discovery document of {printable(issuer)} names no jwks_uri")
    return _usable(uri, "jwks_uri", issuer, allow_http=allow_http)


def discover_introspection(issuer: str, get: Get, session: Session, *, allow_http: bool) -> tuple[str, frozenset[str]]:
    """Ask an issuer for its introspection endpoint and the ``alg`` values of its signed answers.

    RFC 8414 section 2, RFC 9701 section 7. Raises :class:`FetchError`.
    """
    document = metadata(issuer, get, session, allow_http=allow_http)
    url = document.get("introspection_endpoint")
    if not isinstance(url, str):
        raise FetchError(
            f"the discovery document of {printable(issuer)} names no introspection_endpoint: set JWT_INTROSPECTION to "
            "its URL, if the issuer has one"
        )
    listed = document.get("introspection_signing_alg_values_supported")
    names = frozenset(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else frozenset()
    return _usable(url, "introspection_endpoint", issuer, allow_http=allow_http), names & SUPPORTED_ALGORITHMS


def metadata(issuer: str, get: Get, session: Session, *, allow_http: bool) -> dict[str, object]:
    """Ask an issuer for its discovery document, which must be its own. Raises :class:`FetchError`."""
    first, second = discovery_urls(issuer, allow_http=allow_http)
    url, response = first, get(first, session)
    if response.status == _NOT_FOUND:
        url, response = second, get(second, session)
        if response.status == _NOT_FOUND:
            message = f"no discovery document at {printable(first)} nor at {printable(second)} (404): set JWT_JWKS"
            raise FetchError(message, status=_NOT_FOUND)
    try:
        document = json.loads(response.ok(url).body)
    except (ValueError, RecursionError):
        raise FetchError(f"{printable(url)} did not answer with JSON") from None
    if not isinstance(document, dict):
        raise FetchError(f"{printable(url)} did not answer with a JSON object")
    named = document.get("issuer")
    if named != issuer:
        message = f"{printable(url)} is for another issuer: {printable(repr(named))}, not {printable(repr(issuer))}"
        if isinstance(named, str) and "{tenantid}" in named:
            message += " (Entra ID's document for all tenants: an issuer has to name one tenant)"
        raise FetchError(message)
    return document


def _usable(url: str, member: str, issuer: str, *, allow_http: bool) -> str:
    """Return an address of the discovery document. Raises :class:`FetchError` if it can't be used."""
    try:
        parse_address(url, allow_http=allow_http)
    except ValueError as error:
        message = f"the discovery document of {printable(issuer)} names a {member} that is {error}: {printable(url)}"
        raise FetchError(message) from None
    return url
