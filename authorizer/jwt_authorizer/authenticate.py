"""Authenticate the caller: check a token with its issuer's keys and rules, and return its principal.

:func:`find_issuer` chooses the issuer by the token's ``iss``. :func:`verify_jwt` checks a JWT with its keys and claim
rules. An opaque token is sent to the issuer's introspection endpoint, whose answer is checked by the same claim rules
(:func:`introspect`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.claims import VerifiedToken, check_claims, has_expired
from jwt_authorizer.errors import AuthorizerError, ErrorCode, TokenError
from jwt_authorizer.keys import check_signature
from jwt_authorizer.records import dataclass
from jwt_authorizer.token_cache import Remembered
from jwt_authorizer.tokens import Scheme, is_jwt, token_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from jwt_authorizer.claims import ClaimRules, Principal, Tenant
    from jwt_authorizer.events import Request
    from jwt_authorizer.keys import Key, KeySource
    from jwt_authorizer.tokens import BearerToken, UnverifiedToken

    # Called with an iss and Unix time in seconds. Returns the iss's issuer or None, and raises as find_issuer() does.
    FindIssuer: TypeAlias = "Callable[[str, float], Issuer | None]"

_NOT_ACCESS_TOKENS = frozenset({"logout+jwt", "secevent+jwt", "token-introspection+jwt", "dpop+jwt"})
"""Types of JWTs that one issuer or client signs for other purposes (RFC 8725 section 3.12)."""
_NAMED = 5
"""Values of a setting that a message lists at most."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: its exact ``iss``, the rules for its tokens, and its keys."""

    name: str
    algorithms: frozenset[str]
    token_types: frozenset[str]
    claim_rules: ClaimRules
    keys: KeySource
    tenant: Tenant | None = None


@dataclass(frozen=True, slots=True)
class Introspection:
    """The issuer that is asked about opaque tokens (RFC 7662); if ``always``, about its JWTs as well.

    ``claims_of`` asks it: :meth:`jwt_authorizer.issuers.introspection.Introspector.claims`.
    """

    issuer: Issuer
    claims_of: Callable[[BearerToken, float], Mapping[str, object]]
    always: bool


def reject_bound_tokens(_request: Request, bearer: BearerToken, claims: Mapping[str, object], _now: float) -> None:
    """Reject every bound token (RFC 7800): the default, without the modules that check a binding (``binding/``)."""
    if "cnf" in claims:
        detail = "the token is bound (it has a cnf), and JWT_BOUND_TOKENS does not say that dpop or mtls is checked"
        raise TokenError(ErrorCode.UNSUPPORTED_BINDING, detail)
    _check_scheme(bearer, claims)


def ignore_binding(_request: Request, bearer: BearerToken, claims: Mapping[str, object], _now: float) -> None:
    """Accept a bound token without its proof. Only the scheme is checked."""
    _check_scheme(bearer, claims)


def _check_scheme(bearer: BearerToken, claims: Mapping[str, object]) -> None:
    """Reject an unbound token that was sent as DPoP (RFC 9449 section 7.1)."""
    if bearer.scheme is Scheme.DPOP and "cnf" not in claims:
        raise TokenError(ErrorCode.UNBOUND_TOKEN, "the token was sent as DPoP, and is not bound: send it as Bearer")


def is_still_valid(remembered: Remembered, now: float) -> bool:
    """Return whether a remembered token has not expired, and its issuer's keys are unchanged.

    Fetches the keys first if that is due. If it is not valid, the caller verifies the token again from the start, which
    finds the error code if it is to be rejected. Raises :class:`DecisionError` (``keys_unavailable``) if the keys are
    past their stale limit.
    """
    principal = remembered.principal
    return principal.not_before <= now < principal.valid_until and remembered.keys.version(now) == remembered.version


def introspect(bearer: BearerToken, introspection: Introspection, now: float) -> Principal:
    """Ask the issuer about an opaque token (RFC 7662). Its answer is checked as the claims of a JWT are."""
    issuer = introspection.issuer
    verified = VerifiedToken(issuer.name, introspection.claims_of(bearer, now))
    return check_claims(verified, issuer.claim_rules, now)


def introspect_jwt(bearer: BearerToken, principal: Principal, introspection: Introspection, now: float) -> None:
    """Ask the issuer about one of its JWTs that has passed the checks of :func:`verify_jwt`: it may be revoked."""
    if principal.issuer == introspection.issuer.name and is_jwt(bearer):
        introspection.claims_of(bearer, now)


def find_issuer(
    token: UnverifiedToken, issuers: Mapping[str, Issuer], tenants: Mapping[str, FindIssuer], now: float
) -> Issuer:
    """Return the issuer of the token's ``iss``; only this issuer's keys can then verify the token.

    ``tenants`` has a function for each issuer with ``{tenant}``, which returns the issuer of one tenant. Raises
    :class:`TokenError` (``unknown_issuer``), and :class:`DecisionError` (``keys_unavailable``) if the list of tenants
    cannot be read.
    """
    name = token.claims.get("iss")
    issuer = issuers.get(name) if isinstance(name, str) else None
    if issuer is None and isinstance(name, str):
        issuer = next(filter(None, (find(name, now) for find in tenants.values())), None)
    if issuer is None:
        expected = _listed([*issuers, *tenants])
        raise TokenError(ErrorCode.UNKNOWN_ISSUER, f"the token's iss is not exactly one of: {expected}")
    return issuer


def verify_jwt(token: UnverifiedToken, issuer: Issuer, now: float) -> Remembered:
    """Check a JWT's ``alg``, ``typ``, signature and claims. Return what the token cache keeps of it."""
    if token.alg not in issuer.algorithms:
        accepted = _listed(sorted(issuer.algorithms))
        raise TokenError(ErrorCode.UNSUPPORTED_ALGORITHM, f"the token's alg is not one of: {accepted}")
    if issuer.token_types and (token.typ is None or token_type(token.typ) not in issuer.token_types):
        raise TokenError(
            ErrorCode.UNSUPPORTED_TOKEN_TYPE, f"the token's typ is not one of: {_listed(sorted(issuer.token_types))}"
        )
    if token.typ is not None and token_type(token.typ) in _NOT_ACCESS_TOKENS:
        raise TokenError(ErrorCode.UNSUPPORTED_TOKEN_TYPE, "the token's typ says that it is not an access token")
    key = check_signature(token, _candidates(token, issuer, now))
    keys = issuer.keys.source_of(key)
    verified = VerifiedToken(issuer.name, token.claims, token.payload, issuer.tenant)
    principal = check_claims(verified, issuer.claim_rules, now)
    return Remembered(principal, keys, keys.version(now), token.alg, token.kid)


def _candidates(token: UnverifiedToken, issuer: Issuer, now: float) -> Iterable[Key]:
    """Return the keys that may have signed the token.

    If there are none and the token says itself that it has expired, reject it as expired.
    """
    try:
        return issuer.keys.candidates(token.alg, token.kid, now)
    except AuthorizerError:
        if has_expired(token, issuer.claim_rules, now):
            raise TokenError(ErrorCode.TOKEN_EXPIRED, "the token has expired, and its key is not available") from None
        raise


def _listed(values: Iterable[str]) -> str:
    """Return the first five values of a setting, for a message, and how many more there are."""
    ordered = list(values)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more
