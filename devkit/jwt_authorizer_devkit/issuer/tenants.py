"""One local issuer for each tenant: their path has ``{tenant}`` in it, their keys are their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer_devkit.issuer.provider import Provider

if TYPE_CHECKING:
    from collections.abc import Iterable

PLACEHOLDER = "{tenant}"


def add_tenants(provider: Provider, tenants: Iterable[str]) -> None:
    """Give a provider with ``{tenant}`` in its path these tenants, with keys for the same algorithms."""
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
    """Return the issuer that has something at ``path``: a tenant's, or the provider itself."""
    tenant = next((name for name, it in provider.tenants.items() if it.endpoint(path)), None)
    return provider if tenant is None else tenant_of(provider, tenant)
