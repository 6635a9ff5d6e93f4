"""Check the claims of a token whose signature has been verified, and make a :class:`Principal` of them.

RFC 7519 section 4.1 for the registered claims; RFC 8693 section 4.2 for ``scope``; ``scp`` is what Entra ID and
Okta write.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NoReturn

from jwt_authorizer.claim_conditions import ABSENT, Claim, find, is_met, overage
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.records import dataclass, field, request_dataclass
from jwt_authorizer.strict_json import is_one_line, json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jwt_authorizer.claim_conditions import ClaimCondition
    from jwt_authorizer.tokens import UnverifiedToken

_LONGEST_KEPT = 1024
"""Characters of a scope that is cached once it is parsed, at most, so that the cache is bounded."""
_MAX_NUMERIC_DATE = 2**53
"""Seconds. Beyond it a number is not a date, and JSON parsers no longer agree about it (RFC 7493 section 2.2)."""
_SUBJECT = Claim("sub", ("sub",))


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the tokens of one issuer must contain. Durations are in seconds. An empty set or tuple requires nothing."""

    audience: frozenset[str] = frozenset()
    client_id: frozenset[str] = frozenset()
    leeway: float = 60
    max_lifetime: float | None = None
    required_claims: tuple[ClaimCondition, ...] = ()
    required_scopes: tuple[str, ...] = ()
    scope_claims: tuple[Claim, ...] = (Claim("scope", ("scope",)), Claim("scp", ("scp",)))
    principal_claims: tuple[Claim, ...] = (_SUBJECT,)


@dataclass(frozen=True, slots=True)
class Tenant:
    """The tenant in a token's ``iss``.

    ``configured_issuer`` is the issuer as the settings have it, with ``{tenant}``. ``claim`` must equal ``name``.
    """

    name: str
    configured_issuer: str
    claim: Claim | None = None


@request_dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token whose signature has been verified, or an introspection endpoint's answer. Its claims are not checked yet.

    ``payload`` is the JSON that the claims were parsed from; empty for an introspection endpoint's answer.
    """

    issuer: str
    claims: Mapping[str, object] = field(repr=False)
    payload: str = field(default="", repr=False)
    tenant: Tenant | None = None


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, by a token that has been verified and checked.

    ``not_before`` and ``valid_until`` are Unix seconds with the leeway included: the token is good while
    ``not_before <= now < valid_until``. ``scope`` keeps the token's order, ``scopes`` is for lookups.
    ``required_scopes`` are those that the settings of its issuer require for every request. ``claims_text`` is one line
    of JSON in ASCII: the issuer's own text if it is such a line. If the settings write the issuer with ``{tenant}``,
    ``tenant`` is the token's, and ``configured_issuer`` is the issuer as written there. Requests share a principal: it
    never changes.
    """

    id: str
    issuer: str
    subject: str | None
    scope: str
    scopes: frozenset[str]
    required_scopes: tuple[str, ...]
    expires_at: float
    not_before: float
    valid_until: float
    claims: Mapping[str, object] = field(repr=False)
    claims_text: str = field(repr=False, compare=False)
    tenant: str | None = None
    configured_issuer: str | None = None


def check_claims(token: VerifiedToken, rules: ClaimRules, now: float) -> Principal:
    """Check the claims of a verified token at ``now`` (Unix time in seconds).

    Raises :class:`TokenError` with the reason of the first check that fails: times, lifetime, audience,
    client, required claims, principal.
    """
    claims = token.claims
    expires_at = numeric_date(claims, "exp")
    if expires_at is None:
        _reject(ErrorCode.INVALID_CLAIM, "the token has no exp: tokens that never expire are not accepted")
    issued_at = numeric_date(claims, "iat")
    starts_at = issued_at or 0
    if "nbf" in claims:
        starts_at = max(starts_at, numeric_date(claims, "nbf") or 0)
    not_before, valid_until = starts_at - rules.leeway, expires_at + rules.leeway
    _check_time(not_before, valid_until, now)
    if rules.max_lifetime is not None:
        _check_lifetime(issued_at, expires_at, rules.max_lifetime)
    if rules.audience:
        _check_audience(claims, rules.audience)
    if rules.client_id:
        _check_client(claims, rules.client_id)
    for condition in rules.required_claims:
        if not is_met(condition, claims):
            detail = overage(condition, claims) or f"the claim {condition.claim.name} is missing or has another value"
            _reject(ErrorCode.INVALID_CLAIM, detail)
    tenant = token.tenant
    if tenant is not None and tenant.claim is not None and find(claims, tenant.claim) != tenant.name:
        _reject(ErrorCode.INVALID_CLAIM, f"the claim {tenant.claim.name} is not the tenant in iss")
    scope, scopes = _scope(claims, rules.scope_claims)
    return Principal(
        _principal_id(claims, rules.principal_claims),
        token.issuer,
        _identifier(claims, _SUBJECT),
        scope,
        scopes,
        rules.required_scopes,
        expires_at,
        not_before,
        valid_until,
        claims,
        token.payload if is_one_line(token.payload) else json_text(claims),
        tenant.name if tenant else None,
        tenant.configured_issuer if tenant else None,
    )


def _check_time(not_before: float, valid_until: float, now: float) -> None:
    if now >= valid_until:
        _reject(ErrorCode.TOKEN_EXPIRED, f"the token expired {now - valid_until:.0f} seconds ago, leeway included")
    if now < not_before:
        seconds = f"{not_before - now:.0f} seconds"
        _reject(ErrorCode.TOKEN_NOT_YET_VALID, f"the token becomes valid in {seconds} (nbf or iat, leeway included)")


def has_expired(token: UnverifiedToken, rules: ClaimRules, now: float) -> bool:
    """Return whether a token claims to have expired. Its signature has not been checked."""
    try:
        expires_at = numeric_date(token.claims, "exp")
    except TokenError:
        return False
    return expires_at is not None and now >= expires_at + rules.leeway


def numeric_date(claims: Mapping[str, object], name: str) -> float | None:
    """Read a NumericDate (RFC 7519 section 2), in Unix seconds; ``None`` if it is absent.

    Raises :class:`TokenError` (``invalid_claim``) for what is not a number, or out of range.
    """
    if name not in claims:
        return None
    value = claims[name]
    # To Python a boolean is a number; to JSON it is not.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1 < value < _MAX_NUMERIC_DATE:
        _reject(ErrorCode.INVALID_CLAIM, f"the claim {name} is not a number of seconds since 1970")
    return value


def _check_lifetime(issued_at: float | None, expires_at: float, longest: float) -> None:
    if issued_at is None:
        _reject(ErrorCode.INVALID_CLAIM, "the token has no iat, so its lifetime cannot be limited")
    if expires_at - issued_at > longest:
        _reject(ErrorCode.TOKEN_LIFETIME_TOO_LONG, f"the token lives longer than {longest:g} seconds")


def _check_audience(claims: Mapping[str, object], accepted: frozenset[str]) -> None:
    """``aud`` is a string or a list of them, one of which must be an accepted one (RFC 7519 section 4.1.3)."""
    audience = claims.get("aud")
    if isinstance(audience, str) and audience in accepted:
        return
    named = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(item, str) for item in named):
        _reject(ErrorCode.INVALID_AUDIENCE, "the token has no aud that is a string or a list of strings")
    if accepted.isdisjoint(named):
        _reject(ErrorCode.INVALID_AUDIENCE, "the token's aud is for another API than JWT_AUDIENCE names")


def _check_client(claims: Mapping[str, object], accepted: frozenset[str]) -> None:
    client = claims["client_id"] if "client_id" in claims else claims.get("azp")
    if not isinstance(client, str) or client not in accepted:
        _reject(ErrorCode.INVALID_CLIENT, "the token's client_id (or azp) is not one that JWT_CLIENT_ID names")


def _principal_id(claims: Mapping[str, object], named: tuple[Claim, ...]) -> str:
    """Return the first of these claims that is a non-empty string or an integer."""
    for claim in named:
        if found := _identifier(claims, claim):
            return found
    names = " or ".join(claim.name for claim in named)
    raise TokenError(ErrorCode.INVALID_CLAIM, f"the token has no {names}, which JWT_PRINCIPAL_CLAIM asks for")


def _identifier(claims: Mapping[str, object], claim: Claim) -> str | None:
    """Return a string, or an integer's decimal digits: frameworks issue tokens with the number of a user as ``sub``."""
    value = find(claims, claim)
    if isinstance(value, str):
        return value
    if value is None or value is ABSENT:
        return None
    if type(value) is not int:  # to Python, true is a number
        _reject(ErrorCode.INVALID_CLAIM, f"the claim {claim.name} is neither a string nor an integer")
    return str(value)


def _scope(claims: Mapping[str, object], named: tuple[Claim, ...]) -> tuple[str, frozenset[str]]:
    """Collect the scopes of these claims, each scope once."""
    held = [value for claim in named if (value := find(claims, claim)) is not ABSENT]
    if len(held) == 1 and isinstance(text := held[0], str) and len(text) <= _LONGEST_KEPT:
        return _scope_text(text)
    return _each_once([scope for value in held for scope in _scopes_in(value)])


@lru_cache(maxsize=64)
def _scope_text(scope: str) -> tuple[str, frozenset[str]]:
    """Parse a ``scope`` string. A client requests the same scopes each time, so the result is cached."""
    return _each_once(_scopes_in(scope))


def _each_once(scopes: Iterable[str]) -> tuple[str, frozenset[str]]:
    once = dict.fromkeys(scopes)
    return " ".join(once), frozenset(once)


def _scopes_in(value: object) -> list[str]:
    """List the scopes of one claim: a string's words, a list's items, an object's member names.

    An item with white space in it is not a scope (RFC 6749 section 3.3): a backend would read it as two.
    """
    listed = value.split(" ") if isinstance(value, str) else value if isinstance(value, list | dict) else ()
    return [item for item in listed if isinstance(item, str) and item.split() == [item]]


def _reject(code: ErrorCode, detail: str) -> NoReturn:
    raise TokenError(code, detail)
