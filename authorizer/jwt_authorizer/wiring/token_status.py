"""Add the checks of a token's current status to an authorizer: introspection and the revocation list.

Imported only if the settings name one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import Introspection, Issuer
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.issuers.cached_value import Ages, CachedValue, Kind, parsed
from jwt_authorizer.issuers.client_auth import ClientAuth
from jwt_authorizer.issuers.documents import document_reader, secret_reader
from jwt_authorizer.issuers.introspection import Introspector
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.issuers.sources import discover_introspection
from jwt_authorizer.records import replace
from jwt_authorizer.revocation import MAX_LIST, check_revocation, read_list
from jwt_authorizer.token_cache import TokenCache

if TYPE_CHECKING:
    from os import PathLike

    from jwt_authorizer.authorize import Authorizer, CheckRevocation
    from jwt_authorizer.issuers.documents import Read
    from jwt_authorizer.issuers.fetched import Report
    from jwt_authorizer.issuers.https import Get
    from jwt_authorizer.issuers.introspection import Endpoint
    from jwt_authorizer.revocation import Revoked
    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IntrospectionSettings, RevocationSettings
    from jwt_authorizer.wiring import Dependencies

READ_FAILURES = "RevocationListFailures"
_LIST = Kind(
    ErrorCode.REVOCATION_UNAVAILABLE,
    "the revocation list can't be read, and none recent enough is known",
    "RevocationListReads",
    READ_FAILURES,
)


def add_status_checks(authorizer: Authorizer, settings: Settings, dependencies: Dependencies, now: float) -> Authorizer:
    """Return the authorizer with introspection and the revocation list. Reads the list, ahead of the first request."""
    introspection = None
    for issuer in settings.issuers:
        if issuer.introspection is not None:
            core = authorizer.issuers[issuer.issuer]
            introspector = _introspector(core, issuer.introspection, settings, dependencies)
            introspection = Introspection(core, introspector.claims, issuer.introspection.always)
    check = None if settings.revocation is None else _revocation_check(settings.revocation, settings, dependencies, now)
    return replace(authorizer, introspection=introspection, check_revocation=check)


def list_reader(location: str, get: Get, *, timeout: float, package_root: str | PathLike[str]) -> Read:
    """Make the function that reads the list of ``JWT_REVOKED``: as :func:`document_reader`, or from a URL."""
    if not location.startswith(("https:", "http:")):
        return document_reader(location, timeout=timeout, package_root=package_root, limit=MAX_LIST)

    def read() -> bytes:
        with Session(timeout) as session:
            return get(location, session).ok(location).body

    return read


def revocation_list(read: Read, ages: Ages, report: Report) -> CachedValue[Revoked]:
    """Keep the list, by issuer. ``report`` is called with a metric's name and a detail that is safe to log."""
    return CachedValue(parsed(read, read_list), ages, report, _LIST)


def _revocation_check(
    about: RevocationSettings, settings: Settings, dependencies: Dependencies, now: float
) -> CheckRevocation:
    package_root = dependencies.package_root
    read = list_reader(about.location, dependencies.get, timeout=settings.keys.timeout, package_root=package_root)
    revocations = revocation_list(read, about.ages, dependencies.report)
    revocations.warm(now)
    return lambda principal, at: check_revocation(principal, revocations.current(at))


def _introspector(
    issuer: Issuer, about: IntrospectionSettings, settings: Settings, dependencies: Dependencies
) -> Introspector:
    keys = settings.keys

    def find_endpoint(session: Session) -> Endpoint:
        if about.url is not None:
            return about.url, frozenset()
        return discover_introspection(issuer.name, dependencies.get, session, allow_http=keys.allow_http)

    return Introspector(
        name=issuer.name,
        find_endpoint=find_endpoint,
        client=ClientAuth(about.client_id, about.auth, secret_reader(about.secret, timeout=keys.timeout)),
        post=dependencies.post,
        keys=issuer.keys,
        report=dependencies.report,
        timeout=keys.timeout,
        cooldown=keys.ages.cooldown,
        cache_seconds=about.cache_seconds,
        answers=TokenCache(settings.token_cache_size),
    )
