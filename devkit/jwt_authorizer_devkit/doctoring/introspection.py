"""Introspect a made-up token, exactly as the function would."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import TYPE_CHECKING

from jwt_authorizer.errors import AuthorizerError, ErrorCode
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.issuers.sources import discover_introspection
from jwt_authorizer.records import replace
from jwt_authorizer.tokens import BearerToken
from jwt_authorizer.wiring import Dependencies, build_authorizer, key_sources
from jwt_authorizer_devkit.doctoring.findings import Finding, Level
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings

_FIX = (
    "Check JWT_INTROSPECTION, and at the issuer the client that JWT_INTROSPECTION_CLIENT_ID names: its secret, and "
    "its permission to introspect."
)


def examine_introspection(settings: Settings, package_root: str | PathLike[str], now: float) -> Iterator[Finding]:
    """If an issuer has introspection, find its endpoint and try this API's credentials there.

    ``now``: seconds since 1970.
    """
    for issuer in settings.issuers:
        if issuer.introspection is not None:
            https = HttpsClient(allow_http=settings.keys.allow_http)
            yield from _signing(issuer, settings, https)
            yield _asked(issuer, settings, https, package_root, now)


def _signing(issuer: IssuerSettings, settings: Settings, https: HttpsClient) -> Iterator[Finding]:
    """Report which algorithms sign answers (RFC 9701 section 7). If discovery fails, :func:`_asked` reports that."""
    about = issuer.introspection
    if about is None or about.url is not None:
        yield Finding(
            "introspection", Level.NOTE, "JWT_INTROSPECTION is a URL, so the function requests unsigned answers."
        )
        return
    try:
        with Session(settings.keys.timeout) as session:
            allow_http = settings.keys.allow_http
            url, algorithms = discover_introspection(issuer.issuer, https.get, session, allow_http=allow_http)
    except FetchError:
        return
    signed = f"are signed with {' or '.join(sorted(algorithms))}" if algorithms else "are not signed"
    yield Finding("introspection", Level.NOTE, f"The endpoint is {shortened(url, 200)}. Its answers {signed}.")


def _asked(
    issuer: IssuerSettings, settings: Settings, https: HttpsClient, package_root: str | PathLike[str], now: float
) -> Finding:
    alone = replace(settings, issuers=(issuer,), revocation=None, hook=None)

    def unreported(_metric: str, _note: str) -> None:
        """Do not count it: the finding reports it."""

    dependencies = Dependencies(https.get, https.post, unreported, package_root)
    asked = build_authorizer(alone, *key_sources(alone, dependencies), dependencies, now).introspection
    try:
        if asked is not None:
            asked.claims_of(BearerToken(f"made-up-{token_urlsafe(24)}"), now)
    except AuthorizerError as error:
        if error.code is ErrorCode.INACTIVE_TOKEN:
            said = "The endpoint accepts this API's credentials: it says that a made-up token is not active."
            return Finding("introspection", Level.GOOD, said)
        return Finding("introspection", Level.PROBLEM, f"{shortened(error.detail, 400).rstrip('.')}.", _FIX)
    said = "The endpoint says that a made-up token is active, so the function would accept any token."
    return Finding("introspection", Level.PROBLEM, said, "Point JWT_INTROSPECTION at the issuer's real endpoint.")
