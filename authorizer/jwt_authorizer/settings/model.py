"""The types of settings: one row of the table (:class:`Setting`), and all values once they are read and checked."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.records import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.answers import AnswerSettings
    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.claims import ClaimRules
    from jwt_authorizer.issuers.cached_value import Ages
    from jwt_authorizer.rules import Rules
    from jwt_authorizer.tokens import TokenSource

PREFIX = "JWT_"


class Place(StrEnum):
    """Where a setting may be written if there is a TOML document (``JWT_CONFIG``)."""

    ISSUER = "issuer"
    """In a ``[[issuers]]`` table, or above all tables as the default for every issuer."""
    DOCUMENT = "document"
    """Above all tables, and only there: with a document, its variable is an error."""
    EITHER = "either"
    """Above all tables, or still in its environment variable."""
    ENVIRONMENT = "environment"
    """Only ever an environment variable."""


T_co = TypeVar("T_co", covariant=True)
D_co = TypeVar("D_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Setting(Generic[T_co, D_co]):
    """One setting. ``read`` raises :class:`ValueError` saying what would be right.

    ``may_be_secret``: a wrong value may be a private key among the public ones, or a secret instead of its location.
    """

    name: str
    read: Callable[[object], T_co]
    default: D_co
    place: Place
    may_be_secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable's name."""
        return PREFIX + self.name.upper()


@dataclass(frozen=True, slots=True)
class IntrospectionSettings:
    """Token introspection at an issuer. ``url`` is ``None`` with discovery; ``secret`` is the secret's location."""

    url: str | None
    always: bool
    client_id: str
    secret: str
    auth: str
    cache_seconds: float


@dataclass(frozen=True, slots=True)
class RevocationSettings:
    """The location of the revocation list, and how long it is used."""

    location: str
    ages: Ages


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """One issuer: its exact ``iss``, its key sources (``jwks``; empty: discovery), and the rules for its tokens.

    With ``{tenant}`` in ``issuer``, ``tenants`` are the accepted tenants, ``any``, or the location of a list of them.
    """

    issuer: str
    jwks: tuple[str, ...]
    algorithms: frozenset[str]
    token_types: frozenset[str]
    claim_rules: ClaimRules
    introspection: IntrospectionSettings | None = None
    tenants: tuple[str, ...] | str | None = None
    tenant_claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class KeySettings:
    """How key sets are fetched and how long they are used.

    ``timeout`` (seconds) and the cooldown are also those of introspection, the revocation list and DynamoDB;
    ``allow_http`` is for every URL.
    """

    ages: Ages
    timeout: float
    allow_http: bool


class LogAllowed(StrEnum):
    """What the line of an allowed request holds (``JWT_LOG_ALLOWED``)."""

    FULL = "full"
    METRIC = "metric"


class LogPrincipal(StrEnum):
    """How a line names the principal (``JWT_LOG_PRINCIPAL``)."""

    PLAIN = "plain"
    HASH = "hash"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged; ``principal_key`` is set with ``hash``."""

    allowed: LogAllowed = LogAllowed.FULL
    principal: LogPrincipal = LogPrincipal.PLAIN
    principal_key: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class BoundTokenSettings:
    """What is done with bound tokens. ``kinds`` is ``refuse`` or ``ignore`` alone, or any of ``dpop`` and ``mtls``.

    ``dpop_urls`` is empty where the event's own URL counts; ``dpop_max_age`` is in seconds; ``dpop_replay`` is
    ``memory`` or ``dynamodb:TABLE``.
    """

    kinds: frozenset[str]
    required: bool
    dpop_urls: tuple[str, ...]
    dpop_max_age: float
    dpop_replay: str

    @property
    def checked(self) -> frozenset[str]:
        """The kinds that are checked; empty if none is."""
        return self.kinds & {"dpop", "mtls"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set, checked and ready to use."""

    issuers: tuple[IssuerSettings, ...]
    rules: Rules
    token_sources: tuple[TokenSource, ...]
    answers: AnswerSettings
    keys: KeySettings
    bound_tokens: BoundTokenSettings
    token_cache_size: int
    log: LogSettings
    revocation: RevocationSettings | None = None
    hook: str | None = None
