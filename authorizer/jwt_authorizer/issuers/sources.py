"""Make the function that fetches a key set, from ``JWT_JWKS`` or, without it, by discovery.

Sources: OpenID Connect Discovery 1.0 section 4, RFC 8414 sections 3 and 3.3.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.address import discovery_urls, parse_address
from jwt_authorizer.issuers.documents import document_reader
from jwt_authorizer.issuers.fetched import Fetched, FetchError, printable
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.keys import KeySet, parse_key_set
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from jwt_authorizer.issuers.documents import Read
    from jwt_authorizer.issuers.https import Get

    Fetch = Callable[[], Fetched[KeySet]]

REFRESHED_AT = "refreshed_at"
"""Member that the refresher adds to its copy of a key set: the Unix time at which it fetched the set."""
_NOT_FOUND = 404


def key_fetcher(  # noqa: PLR0913 - the settings that matter to fetching, one by one
    issuer: str,
    jwks: str | None,
    *,
    allow_http: bool,
    timeout: float,
    package_root: str | PathLike[str],
    get: Get | None = None,
) -> Fetch:
    """Make the function that fetches an issuer's key set. It raises only :class:`FetchError`.

    ``jwks`` is one source of ``JWT_JWKS``; with ``None`` the issuer's discovery document says where the keys are, and
    is read anew each time. ``timeout`` is in seconds, for one fetch with discovery. ``package_root`` is the folder that
    ``file:`` paths are relative to, and may not leave. ``get`` replaces :meth:`HttpsClient.get`; issuers may share one,
    and with it its certificates.

    Raises ``ValueError`` for a setting that can never work, and :class:`FetchError` for a file that is not a key set.
    """
    over_network = get or HttpsClient(allow_http=allow_http).get
    if jwks is None:
        check_discoverable(issuer, allow_http=allow_http)
        return lambda: _fetch_over_network(
            lambda session: discover(issuer, over_network, session, allow_http=allow_http), over_network, timeout
        )
    if jwks.lstrip().startswith("{"):
        fetched = Fetched(parse_key_set(jwks), document=jwks.encode())
        return lambda: fetched
    if jwks.startswith(("https:", "http:")):
        parse_address(jwks, allow_http=allow_http)
        return lambda: _fetch_over_network(lambda _: jwks, over_network, timeout)
    if not jwks.startswith(("file:", "ssm:", "s3:")):
        raise ValueError(
            "neither an https:// URL, file:PATH, ssm:/name, s3://bucket/key nor a key set (text that starts with '{')"
        )
    read = document_reader(jwks, timeout=timeout, package_root=package_root)
    if jwks.startswith("file:"):
        _fetch_document(jwks, read)  # what was packaged wrong stays wrong
    return lambda: _fetch_document(jwks, read)


def check_discoverable(issuer: str, *, allow_http: bool) -> None:
    """Raise ``ValueError`` if an issuer's keys can't be found by discovery."""
    try:
        discovery_urls(issuer, allow_http=allow_http)
    except ValueError as error:
        message = f"keys can't be discovered from this issuer, it is {error}: "
        if "://" in issuer:
            message += "set JWT_JWKS"
        else:  # as a rule forgotten; Google's older tokens have none indeed
            message += "write https:// before it; only if the iss of your tokens has none, set JWT_JWKS instead"
        raise ValueError(message) from None


def discover(issuer: str, get: Get, session: Session, *, allow_http: bool) -> str:
    """Ask an issuer for the URL of its key set. Raises :class:`FetchError`."""
    return _url(_metadata(issuer, get, session, allow_http=allow_http), "jwks_uri", "", allow_http=allow_http)


def discover_introspection(issuer: str, get: Get, session: Session, *, allow_http: bool) -> tuple[str, frozenset[str]]:
    """Ask an issuer for its introspection endpoint and the ``alg`` values of its signed answers.

    RFC 8414 section 2, RFC 9701 section 7. Raises :class:`FetchError`.
    """
    document = _metadata(issuer, get, session, allow_http=allow_http)
    hint = ": set JWT_INTROSPECTION to its URL, if the issuer has one"
    url = _url(document, "introspection_endpoint", hint, allow_http=allow_http)
    listed = document.get("introspection_signing_alg_values_supported")
    names = frozenset(name for name in listed if isinstance(name, str)) if isinstance(listed, list) else frozenset()
    return url, names & SUPPORTED_ALGORITHMS


def _metadata(issuer: str, get: Get, session: Session, *, allow_http: bool) -> Mapping[str, object]:
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


def _url(document: Mapping[str, object], member: str, hint: str, *, allow_http: bool) -> str:
    """Return a URL that a discovery document names. Raises :class:`FetchError` if there is none that can be used."""
    url, names = document.get(member), f"the discovery document of {printable(str(document['issuer']))} names"
    if not isinstance(url, str):
        raise FetchError(f"{names} no {member}{hint}")
    try:
        parse_address(url, allow_http=allow_http)
    except ValueError as error:
        raise FetchError(f"{names} a {member} that is {error}: {printable(url)}") from None
    return url


def _fetch_over_network(locate: Callable[[Session], str], get: Get, timeout: float) -> Fetched[KeySet]:
    with Session(timeout) as session:
        url = locate(session)
        response = get(url, session).ok(url)
    key_set = _parse(response.body, printable(url.partition("?")[0]))
    return Fetched(key_set, max_age=response.max_age(), document=response.body)


def _fetch_document(location: str, read: Read) -> Fetched[KeySet]:
    document = read()
    key_set = _parse(document, location)
    as_of = json.loads(document).get(REFRESHED_AT)
    return Fetched(key_set, as_of=as_of if isinstance(as_of, int | float) else None, document=document)


def _parse(document: bytes, location: str) -> KeySet:
    try:
        return parse_key_set(document)
    except ValueError as error:
        raise FetchError(f"{location}: {printable(str(error), 500)}") from error
