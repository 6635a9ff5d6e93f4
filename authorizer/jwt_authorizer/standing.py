"""How a token stands with its issuer now: wires up the introspection endpoint and the revocation list.

Imported only if the settings name one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import Introspection
from jwt_authorizer.issuers.client_auth import AuthMethod, ClientAuth, remembered
from jwt_authorizer.issuers.discovery import discover_introspection
from jwt_authorizer.issuers.documents import secret_reader
from jwt_authorizer.issuers.introspection import IntrospectedIssuer, Introspector
from jwt_authorizer.issuers.revocations import list_reader, revocation_list
from jwt_authorizer.records import replace

if TYPE_CHECKING:
    from os import PathLike

    from jwt_authorizer.authenticate import Issuer
    from jwt_authorizer.authorize import Authorizer
    from jwt_authorizer.issuers.fetched import Report
    from jwt_authorizer.issuers.https import HttpsClient
    from jwt_authorizer.issuers.introspection import Endpoint
    from jwt_authorizer.issuers.session import Session
    from jwt_authorizer.settings import IntrospectionSettings, Settings


def with_standing(  # noqa: PLR0913, PLR0917 - what reading and asking depend on
    authorizer: Authorizer,
    settings: Settings,
    https: HttpsClient,
    report: Report,
    package_root: str | PathLike[str],
    now: float,
) -> Authorizer:
    """Add introspection and the revocation list to an authorizer, and read the list ahead of the first request.

    ``report`` counts a metric. ``now``: seconds since 1970.
    """
    introspection = None
    for issuer in settings.issuers:
        if issuer.introspection is not None:
            core = authorizer.issuers[issuer.issuer]
            introspector = _introspector(core, issuer.introspection, settings, https, report)
            introspection = Introspection(core, introspector, issuer.introspection.always)
    revocations = None
    if settings.revocation is not None:
        about, keys = settings.revocation, settings.keys
        read = list_reader(about.location, https.get, timeout=keys.timeout, package_root=package_root)
        revocations = revocation_list(
            read, ttl=about.ttl, max_stale=about.max_stale, cooldown=keys.cooldown, report=report
        )
        revocations.warm(now)
    return replace(authorizer, introspection=introspection, revocations=revocations)


def _introspector(
    issuer: Issuer, about: IntrospectionSettings, settings: Settings, https: HttpsClient, report: Report
) -> Introspector:
    keys = settings.keys

    def find_endpoint(session: Session) -> Endpoint:
        if about.url is not None:
            return about.url, frozenset()
        return discover_introspection(issuer.name, https.get, session, allow_http=keys.allow_http)

    read_secret = remembered(secret_reader(about.secret, timeout=keys.timeout))
    asked = IntrospectedIssuer(
        name=issuer.name,
        find_endpoint=find_endpoint,
        client=ClientAuth(about.client_id, AuthMethod(about.auth), read_secret),
        post=https.post,
        keys=issuer.keys,
        timeout=keys.timeout,
        cooldown=keys.cooldown,
        cache_seconds=about.cache_seconds,
        cache_size=settings.token_cache_size,
    )
    return Introspector(asked, report)
