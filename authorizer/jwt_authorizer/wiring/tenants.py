"""Put the issuers together that have ``{tenant}`` in their name; see :mod:`jwt_authorizer.issuers.tenants`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.authenticate import Issuer
from jwt_authorizer.issuers.address import PLACEHOLDER
from jwt_authorizer.issuers.documents import document_reader
from jwt_authorizer.issuers.tenants import TenantIssuers, kept_tenants
from jwt_authorizer.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.issuers.tenants import TenantSource
    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings, KeySettings
    from jwt_authorizer.wiring.authorizer import Dependencies


def tenant_issuers(
    settings: Settings, keys_of: Callable[[IssuerSettings], TenantSource], dependencies: Dependencies
) -> tuple[TenantIssuers, ...]:
    """Make one :class:`TenantIssuers` for each issuer with ``{tenant}``. ``keys_of`` makes a tenant's key cache."""
    return tuple(
        _tenant_issuers(issuer, _listed(issuer.tenants, settings.keys, dependencies), settings.keys, keys_of)
        for issuer in settings.issuers
        if issuer.tenants is not None
    )


def of_tenant(issuer: IssuerSettings, tenant: str) -> IssuerSettings:
    """Return the settings of one tenant's issuer."""
    jwks = tuple(location.replace(PLACEHOLDER, tenant) for location in issuer.jwks)
    return replace(issuer, issuer=issuer.issuer.replace(PLACEHOLDER, tenant), jwks=jwks)


def _tenant_issuers(
    issuer: IssuerSettings,
    listed: Callable[[float], frozenset[str]] | None,
    keys: KeySettings,
    keys_of: Callable[[IssuerSettings], TenantSource],
) -> TenantIssuers:
    is_shared = bool(issuer.jwks) and not any(PLACEHOLDER in location for location in issuer.jwks)
    return TenantIssuers(
        issuer.issuer,
        lambda iss, keys, tenant: Issuer(iss, issuer.algorithms, issuer.token_types, issuer.claim_rules, keys, tenant),
        issuer.tenant_claim,
        listed,
        lambda tenant: keys_of(of_tenant(issuer, tenant)),
        cooldown=keys.ages.cooldown,
        shared=keys_of(issuer) if is_shared else None,
    )


def _listed(
    tenants: tuple[str, ...] | str, keys: KeySettings, dependencies: Dependencies
) -> Callable[[float], frozenset[str]] | None:
    """Return what returns the tenants that may call at a time; ``None`` if any may."""
    if tenants == "any":
        return None
    if isinstance(tenants, tuple):
        fixed = frozenset(tenants)
        return lambda _: fixed
    return kept_tenants(
        document_reader(tenants, timeout=keys.timeout, package_root=dependencies.package_root),
        tenants,
        keys.ages,
        dependencies.report,
    )
