"""Tenants: an issuer with ``{tenant}`` in its name stands for many issuers, each with keys of its own.

``https://login.example.com/{tenant}/v2.0`` stands for the issuer of every accepted tenant. These are a fixed list, a
document that lists them, or any. With any, a caller can make up tenants, so only ten unknown ones are looked up in a
cooldown, and only tenants that the issuer has keys for are kept, at most 200.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.claims import Tenant
from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError
from jwt_authorizer.issuers.address import PLACEHOLDER
from jwt_authorizer.issuers.cache import FETCH_FAILURES, warm_all
from jwt_authorizer.issuers.cached_value import Ages, CachedValue, Kind, parsed
from jwt_authorizer.issuers.documents import document_text
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.keys import Key, KeySource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jwt_authorizer.authenticate import Issuer
    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.issuers.documents import Read
    from jwt_authorizer.issuers.fetched import Report

MOST_LOOKED_UP = 10
"""Unknown tenants that are looked up in one cooldown."""
MOST_KEPT = 200
_WARMED = 10
_LIST = Kind(
    ErrorCode.KEYS_UNAVAILABLE,
    "the list of tenants can't be read, and none recent enough is known",
    failures=FETCH_FAILURES,
)
_NAME = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,64}")


class FetchedKeySource(KeySource, Protocol):
    """A key source that fetches: :class:`CachedKeySource` or :class:`SeveralKeySources`."""

    @property
    def has_keys(self) -> bool:
        """Whether it has ever had keys."""

    @property
    def answered_4xx(self) -> bool:
        """Whether the issuer answered 4xx last."""

    def warm(self, now: float) -> None:
        """Fetch if due."""


def is_tenant(name: str) -> bool:
    """Return whether a string can be a tenant: 1 to 64 letters, digits, ``.``, ``_`` or ``-``, not dots alone."""
    return _NAME.fullmatch(name) is not None


def is_in_host(issuer: str) -> bool:
    """Return whether ``{tenant}`` is in an issuer's host, and not in its path."""
    return "/" not in issuer.partition(PLACEHOLDER)[0].partition("://")[2]


def placeholder_problem(issuer: str, *, any_tenant: bool) -> str | None:
    """Return what is wrong with where ``{tenant}`` is in an issuer, or ``None``."""
    host, _, path = issuer.partition("://")[2].partition("/")
    labels = host.partition(":")[0].split(".")
    if issuer.count(PLACEHOLDER) != 1 or PLACEHOLDER not in (*labels, *path.split("/")):
        return "has to have {tenant} once, for a whole segment of its path or a whole label of its host"
    if any_tenant and PLACEHOLDER in labels[-2:]:
        return "would trust every owner of a domain: with any tenant, {tenant} needs two labels of a host after it"
    return None


def tenant_list(document: bytes) -> frozenset[str]:
    """Read a document that lists tenants, one a line. Raises ``ValueError`` for a line that is not a tenant."""
    tenants = [line.strip() for line in document_text(document).splitlines()]
    for number, tenant in enumerate(tenants, 1):
        if tenant and not is_tenant(tenant):
            raise ValueError(f"line {number} is not a tenant: 1 to 64 letters, digits and . _ -")
    return frozenset(filter(None, tenants))


def cached_tenants(read: Read, location: str, ages: Ages, report: Report) -> Callable[[float], frozenset[str]]:
    """Return a function that returns the tenants in a document, which is read again as a key set is."""
    name = f"the tenants of {printable(location)}"
    return CachedValue(
        parsed(read, tenant_list), ages, lambda metric, note: report(metric, f"{name}: {note}"), _LIST
    ).current


class TenantIssuers:
    """All tenants' issuers of one ``[[issuers]]`` table."""

    def __init__(  # noqa: PLR0913 - the parts that tenants differ in
        self,
        name: str,
        issuer: Callable[[str, KeySource, Tenant], Issuer],
        claim: Claim | None,
        listed: Callable[[float], frozenset[str]] | None,
        make: Callable[[str], FetchedKeySource],
        *,
        cooldown: float,
        shared: FetchedKeySource | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look up nothing yet.

        ``name`` is the issuer with ``{tenant}`` in it. ``issuer`` makes the :class:`Issuer` of a tenant. ``claim`` must
        equal the tenant. ``listed`` returns the accepted tenants at a time (Unix seconds); ``None`` means any. ``make``
        makes a tenant's key source, and raises ``ValueError`` for a name that no URL can have. ``shared`` is the key
        source of all tenants if they share one. ``monotonic`` returns seconds of a monotonic clock.
        """
        self.name = name
        self._issuer, self._claim, self._listed, self._make = issuer, claim, listed, make
        self._cooldown, self._shared, self.monotonic = cooldown, shared, monotonic
        self._before, _, self._after = name.partition(PLACEHOLDER)
        self._in_host = is_in_host(name)
        self._known: dict[str, FetchedKeySource] = {}
        self._looked_up: dict[str, tuple[float, float, FetchedKeySource]] = {}

    def warm(self, now: float) -> None:
        """Fetch keys ahead of the first request: the shared ones, or those of the first ten listed tenants."""
        if self._shared is not None:
            self._shared.warm(now)
        try:
            tenants = () if self._listed is None else sorted(self._listed(now))[:_WARMED]
        except DecisionError:
            return
        if self._shared is None:
            warm_all([self.source(tenant, now) for tenant in tenants], now)

    def find(self, iss: str, now: float) -> Issuer | None:
        """Return the issuer of a token's ``iss``, or ``None`` if it is not of this form.

        Raises :class:`TokenError` (``unknown_issuer``) for a tenant that may not call, and :class:`DecisionError`
        (``keys_unavailable``) if the list of tenants cannot be read.
        """
        if not iss.startswith(self._before) or not iss.endswith(self._after):
            return None
        tenant = iss[len(self._before) : len(iss) - len(self._after)]
        if not is_tenant(tenant) or (self._in_host and "." in tenant):
            return None
        if not self.may_call(tenant, now):
            raise TokenError(ErrorCode.UNKNOWN_ISSUER, f"the token's tenant is not one that may call {self.name}")
        return self._issuer(iss, TenantKeys(self, tenant), Tenant(tenant, self.name, self._claim))

    def may_call(self, tenant: str, now: float) -> bool:
        """Return whether a tenant is listed."""
        return self._listed is None or tenant in self._listed(now)

    def source(self, tenant: str, now: float) -> FetchedKeySource:
        """Return the keys of a tenant that may call.

        Raises :class:`DecisionError` (``keys_unavailable``) if it is new and ten others have been looked up in this
        cooldown, and :class:`TokenError` (``unknown_issuer``) if no URL can have its name.
        """
        if self._shared is not None:
            return self._shared
        self.mark_used(tenant)
        source = self._known.get(tenant)
        if source is not None:
            return source
        if self._listed is not None:
            listed = self._listed(now)
            self._known = {name: it for name, it in self._known.items() if name in listed}
            source = self._known[tenant] = self._made(tenant)
            return source
        self._looked_up = {name: it for name, it in self._looked_up.items() if it[0] <= now < it[1]}
        if tenant in self._looked_up:
            return self._looked_up[tenant][2]
        if len(self._looked_up) >= MOST_LOOKED_UP:
            detail = f"the tenant is not known, and {MOST_LOOKED_UP} others have just been looked up"
            raise DecisionError(ErrorCode.KEYS_UNAVAILABLE, detail)
        source = self._made(tenant)
        self._looked_up[tenant] = (now, now + self._cooldown, source)
        return source

    def keep_looked_up(self, tenant: str, now: float, seconds: float) -> None:
        """Keep a tenant that was looked up if it has keys. ``seconds``: how long the fetch took."""
        if tenant not in self._looked_up:
            return
        started, until, source = self._looked_up[tenant]
        if started == now:  # as a failure's cooldown, it counts from the end of the fetch
            self._looked_up[tenant] = (started, until + seconds, source)
        if source.has_keys:
            self._known[tenant] = source
            if len(self._known) > MOST_KEPT:
                del self._known[next(iter(self._known))]

    def mark_used(self, tenant: str) -> None:
        """Note that a known tenant is the most recently used one."""
        if tenant in self._known:
            self._known[tenant] = self._known.pop(tenant)

    def _made(self, tenant: str) -> FetchedKeySource:
        try:
            return self._make(tenant)
        except ValueError as error:
            raise TokenError(ErrorCode.UNKNOWN_ISSUER, f"no issuer can have this tenant: {error}") from None


class TenantKeys:
    """The keys of one tenant. Implements :class:`jwt_authorizer.keys.KeySource`."""

    __slots__ = ("_held", "_issuers", "_tenant")

    def __init__(self, issuers: TenantIssuers, tenant: str, held: KeySource | None = None) -> None:
        """``held`` is the source of the last candidates, or the one that verified a remembered token."""
        self._issuers, self._tenant, self._held = issuers, tenant, held

    def candidates(self, alg: str, kid: str | None, now: float) -> Iterable[Key]:
        """Return the tenant's keys; a tenant that the issuer does not have is ``unknown_issuer``."""
        source = self._issuers.source(self._tenant, now)
        started = self._issuers.monotonic()
        try:
            return source.candidates(alg, kid, now)
        except DecisionError:
            if source.answered_4xx and not source.has_keys:
                detail = "the issuer has no such tenant: it answered 4xx when asked for its keys"
                raise TokenError(ErrorCode.UNKNOWN_ISSUER, detail) from None
            raise
        finally:
            self._held = source
            self._issuers.keep_looked_up(self._tenant, now, self._issuers.monotonic() - started)

    def source_of(self, key: Key) -> KeySource:
        """Return the source of this key's set. Its version changes once the tenant may no longer call."""
        return self if self._held is None else TenantKeys(self._issuers, self._tenant, self._held.source_of(key))

    def version(self, now: float) -> int:
        """Return the key set's version; another one once the tenant may no longer call."""
        if self._held is None or not self._issuers.may_call(self._tenant, now):
            return -1
        self._issuers.mark_used(self._tenant)
        return self._held.version(now)
