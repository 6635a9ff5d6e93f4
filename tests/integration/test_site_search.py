"""What people type into the site's search finds its page, first or second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.site_search import Index
from tests.integration.test_site import site

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["site"]

QUERIES = {
    "revoke": "revocation",
    "revocation": "revocation",
    "logout": "revocation",
    "clock skew": "glossary",
    "leeway": "errors",
    "key rotation": "faq",
    "403 second path": "caching",
    "403 on another path": "faq",
    "missing authentication token": "faq",
    "unauthorized": "faq",
    "CORS": "gateway-responses",
    "preflight": "attach",
    "multi-tenant": "faq",
    "M2M": "faq",
    "client credentials": "faq",
    "opaque token": "opaque-tokens",
    "introspection": "opaque-tokens",
    "DPoP": "bound-tokens",
    "mutual TLS": "bound-tokens",
    "nested claim": "claims",
    "cross-account": "attach",
    "custom domain": "attach",
    "WAF": "attach",
    "throttling": "attach",
    "provisioned concurrency": "faq",
    "SnapStart": "faq",
    "OpenTelemetry": "faq",
    "X-Ray": "faq",
    "cold start": "performance",
    "cost": "faq",
    "memory size": "performance",
    "TTL": "end-with-token",
    "cache": "caching",
    "JWT_CACHED_BY": "caching",
    "unsafe_cache": "errors",
    "cookie": "faq",
    "websocket": "faq",
    "Sec-WebSocket-Protocol": "faq",
    "Cognito": "providers",
    "Auth0": "providers",
    "Okta": "providers",
    "Entra ID": "providers",
    "Keycloak roles": "providers",
    "audience": "errors",
    "scopes": "errors",
    "roles groups": "faq",
    "WWW-Authenticate": "gateway-responses",
    "alarm": "runbook",
    "dashboard": "operations",
    "VPC": "examples/private-vpc/index",
    "Terraform": "examples/terraform/index",
    "CDK": "examples/cdk/index",
    "OpenAPI": "rules-tools",
    "Verified Permissions": "compare",
    "native JWT authorizer": "faq",
    "threat model": "threat-model",
    "sam local": "events/index",
    "issuer down": "faq",
    "upgrade": "releasing",
    "pytest fixture": "testing",
    "JWE encrypted": "glossary",
    "MCP": "examples/mcp-server/index",
}


@pytest.fixture(scope="module")
def index(site: Path) -> Index:
    return Index.of(site)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_its_page_first_or_second(index: Index, query: str) -> None:
    assert f"{QUERIES[query]}.html" in index.pages(query)[:2]
