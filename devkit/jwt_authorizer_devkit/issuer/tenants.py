"""One local issuer for each tenant. The path has ``{tenant}`` in it, and each tenant has its own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer_devkit.issuer.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACEHOLDER = "{tenant}"


def add_tenants(provider: Provider, tenants: Iterable[str]) -> None:
    """Add tenants to a provider with ``{tenant}`` in its path, with keys for the same algorithms."""
    for tenant in tenants:
        provider.tenants[tenant] = Provider(
            path=provider.path.replace(PLACEHOLDER, tenant),
            algorithms=tuple(key.alg for key in provider.keys),
            jwks_headers=provider.jwks_headers,
        )


def tenant_of(provider: Provider, tenant: str) -> Provider:
    """Return the issuer of one tenant. Raises ``KeyError`` if there is no such tenant."""
    found = provider.tenants[tenant]
    found.origin = provider.origin
    return found


def serving(provider: Provider, path: str) -> Provider:
    """Return the issuer that has an endpoint at ``path``: a tenant's, or the provider itself."""
    tenant = next((name for name, it in provider.tenants.items() if it.endpoint(path)), None)
    return provider if tenant is None else tenant_of(provider, tenant)
