"""A value for each setting that is not its default, a whole document, and requests that it decides.

What is recorded of a release is what these mean to it, so each stays as it is once a release has it. A new setting
gets a line here.
"""

from __future__ import annotations

ISSUER = "https://issuer.example.com"
AUDIENCE = "https://api.example.com"

DOCUMENT = f"""\
unlisted_routes = "deny"
leeway_seconds = 30
cached_by = "route"
token_source = ["header:Authorization"]

[context]
email = "email"

[[issuers]]
issuer = "{ISSUER}"
audience = ["{AUDIENCE}"]
algorithms = ["ES256"]

[[issuers]]
issuer = "https://second.example.com"
client_id = ["4f2example"]
required_claims = {{ token_use = "access" }}

[[routes]]
method = "GET"
path = "/orders/{{id}}"
scopes = ["orders:read"]

[[routes]]
method = ["PUT", "DELETE"]
path = "/orders/{{id}}"
any_scopes = ["orders:write", "admin"]
claims = {{ email = ["a@example.com"] }}

[[routes]]
path = "$connect"
scopes = ["orders:read"]

[[routes]]
method = "*"
path = "/admin/{{proxy+}}"
scopes = ["admin"]
issuers = ["{ISSUER}"]
"""

REQUESTS = (
    ("GET", "/orders/7", "orders:read"),
    ("GET", "/orders/7", "profile"),
    ("DELETE", "/orders/7", "orders:write"),
    ("DELETE", "/orders/7", "orders:read"),
    ("POST", "/admin/a/b", "admin"),
    ("GET", "/elsewhere", "orders:read admin"),
)
"""Method, path, and the scope of the token."""

EXAMPLES = {
    "issuer": ISSUER,
    "audience": f"{AUDIENCE}, https://other.example.com",
    "client_id": "4f2example,5a3example",
    "jwks": "https://issuer.example.com/keys",
    "algorithms": "RS256, EdDSA",
    "leeway_seconds": "5.5",
    "max_lifetime_seconds": "3600",
    "token_types": "at+jwt, application/JWT",
    "required_claims": '{"token_use": "access", "hd": ["example.com", "example.org"], "level": 3}',
    "required_scopes": "orders:read, orders:write profile",
    "principal_claim": "email",
    "token_source": "header:Authorization, cookie:session, query:token",
    "context_claims": "email,is_verified=https://authgear.com/claims/user/is_verified",
    "usage_key_claim": "api_key",
    "cached_by": "route",
    "end_with_token": "true",
    "http_api_response": "iam",
    "http_api_reject": "raise",
    "jwks_ttl_seconds": "300",
    "jwks_max_stale_seconds": "7200",
    "jwks_cooldown_seconds": "10",
    "http_timeout_seconds": "2.5",
    "token_cache_size": "0",
    "allow_http": "true",
    "config": DOCUMENT,
}
