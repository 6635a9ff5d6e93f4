"""A token becomes a principal: which issuer is trusted with it, and what is checked before it is believed.

A JWT is checked with its issuer's keys and rules (:func:`verify`). About a token that is not a JWT the issuer is asked,
and its answer is checked as the claims of a JWT are (:func:`ask`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.claims import VerifiedToken, check_claims, has_expired
from jwt_authorizer.errors import AuthorizerError, Reason, TokenError
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

    # Returns the issuer of an iss at a time, or None. Raises as issuer_of() if its tenant may not call.
    FindIssuer: TypeAlias = "Callable[[str, float], Issuer | None]"

_NOT_ACCESS_TOKENS = frozenset({"logout+jwt", "secevent+jwt", "token-introspection+jwt", "dpop+jwt"})
"""Types of JWTs that one issuer or client signs for other purposes (RFC 8725 section 3.12)."""
_NAMED = 5
"""Values of a setting that a message lists at most."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: its exact ``iss``, what its tokens have to be, and where its keys come from."""

    name: str
    algorithms: frozenset[str]
    token_types: frozenset[str]
    claim_rules: ClaimRules
    keys: KeySource
    tenant: Tenant | None = None


@dataclass(frozen=True, slots=True)
class Introspection:
    """The issuer that is asked about tokens which are not JWTs; if ``always``, about its JWTs as well.

    ``claims_of`` asks: :meth:`jwt_authorizer.issuers.introspection.Introspector.claims`.
    """

    issuer: Issuer
    claims_of: Callable[[BearerToken, float], Mapping[str, object]]
    always: bool


def reject_bound(request: Request, bearer: BearerToken, claims: Mapping[str, object], now: float) -> None:
    """Reject a token that is bound (RFC 7800): nothing here checks whether its sender holds what it is bound to."""
    if "cnf" in claims:
        detail = "the token is bound (it has a cnf), and JWT_BOUND_TOKENS does not say that dpop or mtls is checked"
        raise TokenError(Reason.UNSUPPORTED_BINDING, detail)
    ignore_binding(request, bearer, claims, now)


def ignore_binding(_request: Request, bearer: BearerToken, claims: Mapping[str, object], _now: float) -> None:
    """Take a bound token as a bearer token. The scheme DPoP is for bound tokens only (RFC 9449 section 7.1)."""
    if bearer.scheme is Scheme.DPOP and "cnf" not in claims:
        raise TokenError(Reason.UNBOUND_TOKEN, "the token was sent as DPoP, and is not bound: send it as Bearer")


def is_still_good(known: Remembered, now: float) -> bool:
    """Check again what may have changed since a token was verified: the time, and the issuer's keys.

    If it returns false, the token is verified again from the start, which finds the reason to reject it.
    """
    principal = known.principal
    return principal.not_before <= now < principal.valid_until and known.keys.generation(now) == known.generation


def ask(bearer: BearerToken, introspection: Introspection, now: float) -> Principal:
    """Ask the issuer about a token that is not a JWT. Its answer is checked as the claims of a JWT are."""
    issuer = introspection.issuer
    verified = VerifiedToken(issuer.name, introspection.claims_of(bearer, now))
    return check_claims(verified, issuer.claim_rules, now)


def ask_about_jwt(bearer: BearerToken, principal: Principal, introspection: Introspection, now: float) -> None:
    """Ask the issuer about a JWT of its own that has passed every other check: it may have been revoked."""
    if principal.issuer == introspection.issuer.name and is_jwt(bearer):
        introspection.claims_of(bearer, now)


def issuer_of(
    token: UnverifiedToken, issuers: Mapping[str, Issuer], tenants: Mapping[str, FindIssuer], now: float
) -> Issuer:
    """Choose whose keys and rules the token is checked against; only that issuer's keys can then verify it.

    ``tenants`` finds the issuers of tenants, by the setting with ``{tenant}``. Raises :class:`TokenError`
    (``unknown_issuer``), and :class:`DecisionError` (``keys_unavailable``) if it is not known which tenants may call.
    """
    name = token.claims.get("iss")
    issuer = issuers.get(name) if isinstance(name, str) else None
    if issuer is None and isinstance(name, str):
        issuer = next(filter(None, (find(name, now) for find in tenants.values())), None)
    if issuer is None:
        expected = _listed([*issuers, *tenants])
        raise TokenError(Reason.UNKNOWN_ISSUER, f"the token's iss is not exactly one of: {expected}")
    return issuer


def verify(token: UnverifiedToken, issuer: Issuer, now: float) -> Remembered:
    """Check a JWT's alg, typ, signature and claims. Return what the token cache keeps."""
    if token.alg not in issuer.algorithms:
        accepted = _listed(sorted(issuer.algorithms))
        raise TokenError(Reason.UNSUPPORTED_ALGORITHM, f"the token's alg is not one of: {accepted}")
    if issuer.token_types and (token.typ is None or token_type(token.typ) not in issuer.token_types):
        raise TokenError(
            Reason.UNSUPPORTED_TOKEN_TYPE, f"the token's typ is not one of: {_listed(sorted(issuer.token_types))}"
        )
    if token.typ is not None and token_type(token.typ) in _NOT_ACCESS_TOKENS:
        raise TokenError(Reason.UNSUPPORTED_TOKEN_TYPE, "the token's typ says that it is not an access token")
    keys = issuer.keys.holder(check_signature(token, _candidates(token, issuer, now)))
    verified = VerifiedToken(issuer.name, token.claims, token.payload, issuer.tenant)
    principal = check_claims(verified, issuer.claim_rules, now)
    return Remembered(principal, keys, keys.generation(now), token.alg, token.kid)


def _candidates(token: UnverifiedToken, issuer: Issuer, now: float) -> Iterable[Key]:
    """Find the keys that may have signed the token.

    If there are none and the token itself says that it has expired, reject it as expired.
    """
    try:
        return issuer.keys.candidates(token.alg, token.kid, now)
    except AuthorizerError:
        if has_expired(token, issuer.claim_rules, now):
            raise TokenError(Reason.TOKEN_EXPIRED, "the token has expired, and its key is not available") from None
        raise


def _listed(values: Iterable[str]) -> str:
    """List the first values of a setting, which may have hundreds."""
    ordered = list(values)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return ", ".join(ordered[:_NAMED]) + more
