"""Every setting: its name, how it is read, its default, and its description.

An environment variable is the name in upper case after ``JWT_``; a key of the TOML document of ``JWT_CONFIG`` is the
name as written here; a parameter of ``template.yaml`` is the variable in camel case.

This table is the only place where a setting is described. Its description is the string below it (Markdown; links are
relative to the repository), and its section is the comment above. Python drops such strings when it compiles, so
they cost the function nothing: ``jwt_authorizer_devkit.described`` reads them from this source. ``make generate``
writes them into the template and the pages.
"""

from __future__ import annotations

from jwt_authorizer.answers import CachedBy, HttpApiReject, HttpApiResponse
from jwt_authorizer.settings import claim_values, issuer_values, values
from jwt_authorizer.settings.model import LogAllowed, LogPrincipal, Place, Setting

_I, _D, _E = Place.ISSUER, Place.DOCUMENT, Place.EITHER
_DEFAULT_ALGORITHMS = values.algorithms("RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA")

# --- What a token has to be

ISSUER = Setting("issuer", issuer_values.issuer, None, _I)
"""The exact `iss` of your tokens, trailing slash included. Keys are found through its discovery document.

Default: required
"""
AUDIENCE = Setting("audience", values.exact_strings, (), _I)
"""The `aud` values that mean your API, comma-separated. A token must have one of them.

Default: required, or `JWT_CLIENT_ID`, or `JWT_ANY_AUDIENCE`
"""
CLIENT_ID = Setting("client_id", values.exact_strings, (), _I)
"""Clients that may call, comma-separated: the claim `client_id`, else `azp`. With an audience as well, both must
match.
"""
ANY_AUDIENCE = Setting("any_audience", values.boolean, default=False, place=_I)
"""`true`: accept every token of this issuer, whatever its audience and client. Only for an issuer, or a key set, that
serves no other API: [Clerk](docs/providers.md#clerk) and [WorkOS](docs/providers.md#workos) have one for each
application. Not together with an audience or a client.
"""
JWKS = Setting("jwks", issuer_values.locations, (), _I, may_be_secret=True)
"""Another source of keys: an `https://` URL, `file:PATH` in the package, `ssm:/name`, `s3://bucket/key`, or the JSON
key set. In the document of `JWT_CONFIG` also a list of these: a token may be signed by a key of any of them.

Default: from discovery
"""
TENANTS = Setting("tenants", issuer_values.tenants, None, _I, may_be_secret=True)
"""With `{tenant}` in the issuer, the [tenants](docs/tenants.md) that may call: comma-separated; a document that lists
them, one a line (`file:`, `ssm:`, `s3://`); or `any`.
"""
TENANT_CLAIM = Setting("tenant_claim", claim_values.claim, None, _I)
"""A claim that must equal the tenant in `iss` (`tid` with Entra ID)."""
ALGORITHMS = Setting("algorithms", values.algorithms, _DEFAULT_ALGORITHMS, _I)
"""Accepted `alg` values, comma-separated. `none` and `HS*` are never accepted. `EdDSA` includes `Ed25519`.
`ML-DSA-44`, `ML-DSA-65` and `ML-DSA-87` (RFC 9964) are accepted if they are listed.

Default: `RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA`
"""
LEEWAY = Setting("leeway_seconds", values.seconds(0), 60.0, _I)
"""Clock skew allowed for `exp`, `nbf` and `iat`, in seconds."""
MAX_LIFETIME = Setting("max_lifetime_seconds", values.seconds(1), None, _I)
"""Reject tokens with a longer lifetime (`exp - iat`) than this, in seconds."""
TOKEN_TYPES = Setting("token_types", values.token_types, frozenset[str](), _I)
"""Accepted values of the header `typ`, comma-separated, such as `at+jwt`. Case does not matter."""
REQUIRED_CLAIMS = Setting("required_claims", claim_values.required_claims, (), _I)
"""JSON object of claims and [what each must hold](docs/claims.md): a value, one of a list, or `any`, `all` and `like`;
else 401 (an HTTP API: 403). A name that begins with `/` is a JSON Pointer to a nested claim: `/realm_access/roles`.
"""
REQUIRED_SCOPES = Setting("required_scopes", values.scopes, (), _I)
"""Scopes that every request needs, separated by commas or spaces; else 403."""
SCOPE_CLAIMS = Setting("scope_claims", claim_values.claims, claim_values.claims("scope,scp"), _I)
"""The claims whose values are the token's scopes, comma-separated: `scope,/realm_access/roles`. A string is split
at spaces; a list's items and an object's member names count.

Default: `scope,scp`
"""
PRINCIPAL_CLAIM = Setting("principal_claim", claim_values.claims, claim_values.claims("sub"), _I)
"""The claim that becomes `principalId`; of several, comma-separated, the first that is a non-empty string or an
integer: `sub,client_id`. A token without any is rejected.

Default: `sub`
"""
TOKEN_SOURCE = Setting("token_source", values.token_sources, values.token_sources("header:Authorization"), _D)
"""Where the token is, first match wins, comma-separated: `header:NAME`, `cookie:NAME`, `query:NAME`. `Bearer`
is required in `Authorization`, optional in other headers. Of the values of `Sec-WebSocket-Protocol`, which browsers can
set, the last is the token.

Default: `header:Authorization`
"""

# --- What the backend gets

CONTEXT_CLAIMS = Setting("context_claims", claim_values.context_claims, (), _D)
"""Claims that the backend gets under a key of their own, comma-separated, `key=claim` to rename:
`email,is_verified=https://authgear.com/claims/user/is_verified`. A JSON Pointer to a nested claim needs
a key: `role=/app/role`.
"""
USAGE_KEY_CLAIM = Setting("usage_key_claim", claim_values.claim, None, _D)
"""The claim that becomes `usageIdentifierKey`, for REST usage plans with `apiKeySource: AUTHORIZER`."""

# --- Opaque tokens

INTROSPECTION = Setting("introspection", issuer_values.introspection, None, _I)
"""Where to ask about tokens that are not JWTs: `discovery`, or the `https://` URL of the introspection endpoint. See
[opaque tokens](docs/opaque-tokens.md).
"""
INTROSPECT = Setting("introspect", values.one_of("opaque", "always"), "opaque", _I)
"""`always`: ask about JWTs as well, so that a revoked one is rejected."""
INTROSPECTION_CLIENT_ID = Setting("introspection_client_id", values.string, None, _I)
"""This API's own client id at the issuer, for introspection."""
INTROSPECTION_SECRET = Setting("introspection_secret", issuer_values.secret_location, None, _I, may_be_secret=True)
"""Location of the client's secret: `ssm:/name` or `secretsmanager:NAME`; for `private_key_jwt` its private key, a JWK
or PEM.
"""
INTROSPECTION_AUTH = Setting(
    "introspection_auth",
    values.one_of("client_secret_basic", "client_secret_post", "private_key_jwt"),
    "client_secret_basic",
    _I,
)
"""How this API authenticates there: `client_secret_basic`, `client_secret_post` or `private_key_jwt`."""
INTROSPECTION_CACHE = Setting("introspection_cache_seconds", values.seconds(0, 3600), 60.0, _I)
"""How long the answer about an active token is remembered, at most until its `exp`."""

# --- Bound tokens

BOUND_TOKENS = Setting("bound_tokens", values.bound_tokens, ("refuse",), _E)
"""[Bound tokens](docs/bound-tokens.md), which have a claim `cnf`: reject them (`refuse`), check `dpop`, `mtls` or both
(comma-separated, others are rejected), or `ignore` the binding.

Default: `refuse`
"""
REQUIRE_BOUND_TOKENS = Setting("require_bound_tokens", values.boolean, default=False, place=_E)
"""`true`: reject a token without a binding that was checked. Needs `dpop` or `mtls`."""
DPOP_URLS = Setting("dpop_urls", values.strings, (), _E, may_be_secret=True)
"""The URLs that clients call, up to the route's path, comma-separated, where they
[differ from what API Gateway sees](docs/bound-tokens.md#the-url): `https://api.example.com/v1`.

Default: from the event
"""
DPOP_MAX_AGE = Setting("dpop_max_age_seconds", values.seconds(1, 3600), 60.0, _E)
"""Age up to which a DPoP proof is accepted, in seconds, besides the leeway."""
DPOP_REPLAY = Setting("dpop_replay", values.replay_store, "memory", _E)
"""Where used DPoP proofs are remembered: `memory` (each execution environment its own) or `dynamodb:TABLE` (all of
them).

Default: `memory`
"""

# --- Your own check, and the challenge

HOOK = Setting(
    "hook",
    values.matching(
        r"[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*",
        "must be module:function, such as checks:check for the function check of bundled/checks.py",
    ),
    None,
    _E,
)
"""[Your own check](docs/hooks.md): `module:function` in `bundled/`. It may refuse, and add to the context."""
RESOURCE_METADATA = Setting(
    "resource_metadata",
    values.matching(
        r"https://(?!.*,http)[!#-?A-\[\]-~]+",
        "must be one https:// URL in printable ASCII, without @, quotes, backslashes and spaces",
    ),
    None,
    _E,
)
"""The URL of your API's metadata document (RFC 9728), for the challenge in a
[401 or 403](docs/gateway-responses.md).
"""

# --- How API Gateway calls and caches

CACHED_BY = Setting("cached_by", values.one_of(*CachedBy), CachedBy.TOKEN, _E)
"""What API Gateway keys its [cache of answers](docs/caching.md) by: `token`, `route` or `nothing`."""
END_WITH_TOKEN = Setting("end_with_token", values.boolean, default=False, place=_E)
"""`true`: a cached policy ends when its token expires. [Test it on your API first](docs/end-with-token.md)."""
HTTP_API_RESPONSE = Setting("http_api_response", values.one_of(*HttpApiResponse), HttpApiResponse.SIMPLE, _E)
"""What your HTTP API expects with payload 2.0: `simple` (`EnableSimpleResponses: true`) or `iam`."""
HTTP_API_REJECT = Setting("http_api_reject", values.one_of(*HttpApiReject), HttpApiReject.DENY, _E)
"""A bad token on an HTTP API: `deny` answers 403. `raise` raises `Unauthorized`, which AWS documents as 401 for the
other APIs only: test it first.
"""

# --- How keys are fetched and cached

JWKS_TTL = Setting("jwks_ttl_seconds", values.seconds(1, 86_400), 600.0, _E)
"""Age at which keys are fetched again, in seconds. The issuer's `Cache-Control: max-age` counts instead, between 60
and 3600.
"""
JWKS_MAX_STALE = Setting("jwks_max_stale_seconds", values.seconds(0), 3600.0, _E)
"""How long past that the last good keys are used while fetching fails, in seconds."""
JWKS_COOLDOWN = Setting("jwks_cooldown_seconds", values.seconds(1, 3600), 30.0, _E)
"""Shortest time between two fetches for an unknown key, and after a failure, in seconds."""
HTTP_TIMEOUT = Setting("http_timeout_seconds", values.seconds(0.1, 8), 3.0, _E)
"""Time limit of one fetch, in seconds, at most 8."""
TOKEN_CACHE_SIZE = Setting("token_cache_size", values.count, 1000, _E)
"""Verified tokens that each execution environment remembers; `0` turns it off."""

ALLOW_HTTP = Setting("allow_http", values.boolean, default=False, place=_E)
"""Allow `http://` issuers and key sources. For local work only; the function warns about it when it starts."""

# --- What is logged

LOG_ALLOWED = Setting("log_allowed", values.one_of(*LogAllowed), LogAllowed.FULL, _E)
"""The [log line](docs/errors.md#the-log-line) of an allowed request: `full`, or `metric`: its metrics and the request
ids, nothing else.
"""
LOG_PRINCIPAL = Setting("log_principal", values.one_of(*LogPrincipal), LogPrincipal.PLAIN, _E)
"""The principal's id in the log, which is personal data: `plain`, `hash` (16 hexadecimal digits, the same for the same
id), or `none`.
"""
LOG_PRINCIPAL_KEY = Setting("log_principal_key", values.string, None, _E, may_be_secret=True)
"""The key for `hash`: `ssm:/name`, `secretsmanager:NAME`, or a string of at least 16 characters.

Default: required with `hash`
"""

# --- Token revocation

REVOKED = Setting("revoked", values.string, None, _E)
"""A [list of revoked tokens](docs/revocation.md): `s3://bucket/key`, `ssm:/name`, `file:PATH`, or an `https://` URL."""
REVOKED_TTL = Setting("revoked_ttl_seconds", values.seconds(1, 3600), 60.0, _E)
"""Age at which the list is read again, in seconds."""
REVOKED_MAX_STALE = Setting("revoked_max_stale_seconds", values.seconds(0), 600.0, _E)
"""How long the last good list is used past that, in seconds. After that every request is a 500."""

# --- Several issuers and rules by route

CONFIG = Setting("config", values.string, None, Place.ENVIRONMENT)
"""[Several issuers, or rules by route](docs/settings.md#rules-by-route): a TOML document, as `file:PATH`, `ssm:/name`,
`s3://bucket/key`, or the text itself.
"""

SETTINGS: tuple[Setting[object, object], ...] = tuple(it for it in globals().values() if isinstance(it, Setting))
"""All settings, in the order of the documentation."""
