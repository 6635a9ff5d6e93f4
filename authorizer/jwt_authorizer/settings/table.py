"""Every setting there is: its name, how it is read, and what holds where it is not set.

An environment variable is the name in upper case behind ``JWT_``; in the TOML document of ``JWT_CONFIG``
it is the name as it stands here. The README's table is held equal to this one by a test.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy, HttpApiResponse
from jwt_authorizer.records import dataclass
from jwt_authorizer.settings import values
from jwt_authorizer.settings.model import HttpApiReject

if TYPE_CHECKING:
    from collections.abc import Callable

PREFIX = "JWT_"


class Place(StrEnum):
    """Where a setting belongs once there is a TOML document."""

    ISSUER = "issuer"
    """In a ``[[issuers]]`` table, or above all tables as the default for every issuer."""
    DOCUMENT = "document"
    """Above all tables."""
    EITHER = "either"
    """Above all tables, or still in its environment variable."""
    ENVIRONMENT = "environment"
    """Only ever an environment variable."""


@dataclass(frozen=True, slots=True)
class Setting[T, D]:
    """One setting. ``read`` raises :class:`ValueError` saying what would be right."""

    name: str
    read: Callable[[object], T]
    default: D
    place: Place

    @property
    def variable(self) -> str:
        """The environment variable's name."""
        return PREFIX + self.name.upper()


_I, _D, _E = Place.ISSUER, Place.DOCUMENT, Place.EITHER
_DEFAULT_ALGORITHMS = values.algorithms("RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA")

ISSUER = Setting("issuer", values.text, None, _I)
AUDIENCE = Setting("audience", values.texts, (), _I)
CLIENT_ID = Setting("client_id", values.texts, (), _I)
JWKS = Setting("jwks", values.text, None, _I)
ALGORITHMS = Setting("algorithms", values.algorithms, _DEFAULT_ALGORITHMS, _I)
LEEWAY = Setting("leeway_seconds", values.seconds(0), 60.0, _I)
MAX_LIFETIME = Setting("max_lifetime_seconds", values.seconds(1), None, _I)
TOKEN_TYPES = Setting("token_types", values.token_types, frozenset[str](), _I)
REQUIRED_CLAIMS = Setting("required_claims", values.required_claims, (), _I)
REQUIRED_SCOPES = Setting("required_scopes", values.scopes, (), _I)
PRINCIPAL_CLAIM = Setting("principal_claim", values.text, "sub", _I)
TOKEN_SOURCE = Setting("token_source", values.token_sources, values.token_sources("header:Authorization"), _D)
CONTEXT_CLAIMS = Setting("context_claims", values.context_claims, (), _D)
USAGE_KEY_CLAIM = Setting("usage_key_claim", values.text, None, _D)
CACHED_BY = Setting("cached_by", values.choice(CachedBy), CachedBy.TOKEN, _E)
END_WITH_TOKEN = Setting("end_with_token", values.boolean, default=False, place=_E)
HTTP_API_RESPONSE = Setting("http_api_response", values.choice(HttpApiResponse), HttpApiResponse.SIMPLE, _E)
HTTP_API_REJECT = Setting("http_api_reject", values.choice(HttpApiReject), HttpApiReject.DENY, _E)
JWKS_TTL = Setting("jwks_ttl_seconds", values.seconds(1, 86_400), 600.0, _E)
JWKS_MAX_STALE = Setting("jwks_max_stale_seconds", values.seconds(0), 3600.0, _E)
JWKS_COOLDOWN = Setting("jwks_cooldown_seconds", values.seconds(1, 3600), 30.0, _E)
HTTP_TIMEOUT = Setting("http_timeout_seconds", values.seconds(0.1, 8), 3.0, _E)
TOKEN_CACHE_SIZE = Setting("token_cache_size", values.count, 1000, _E)
ALLOW_HTTP = Setting("allow_http", values.boolean, default=False, place=_E)
CONFIG = Setting("config", values.text, None, Place.ENVIRONMENT)

SETTINGS: tuple[Setting[object, object], ...] = (
    ISSUER,
    AUDIENCE,
    CLIENT_ID,
    JWKS,
    ALGORITHMS,
    LEEWAY,
    MAX_LIFETIME,
    TOKEN_TYPES,
    REQUIRED_CLAIMS,
    REQUIRED_SCOPES,
    PRINCIPAL_CLAIM,
    TOKEN_SOURCE,
    CONTEXT_CLAIMS,
    USAGE_KEY_CLAIM,
    CACHED_BY,
    END_WITH_TOKEN,
    HTTP_API_RESPONSE,
    HTTP_API_REJECT,
    JWKS_TTL,
    JWKS_MAX_STALE,
    JWKS_COOLDOWN,
    HTTP_TIMEOUT,
    TOKEN_CACHE_SIZE,
    ALLOW_HTTP,
    CONFIG,
)
"""In the order in which people read about them."""
