"""Check that the sender of a bound token has what it is bound to (RFC 7800, RFC 9449, RFC 8705)."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.binding.dpop import check_proof
from jwt_authorizer.binding.mtls import check_certificate
from jwt_authorizer.errors import ErrorCode, TokenError, invalid_event
from jwt_authorizer.events import EventKind
from jwt_authorizer.records import dataclass
from jwt_authorizer.tokens import Scheme

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer.binding.dpop import DpopSettings
    from jwt_authorizer.binding.replay import ReplayStore, UsedProof
    from jwt_authorizer.events import Request
    from jwt_authorizer.tokens import BearerToken

    CheckBinding = Callable[[Request, BearerToken, Mapping[str, object], float], Callable[[], None] | None]


class Binding(StrEnum):
    """The kinds of bound tokens that can be checked (``JWT_BOUND_TOKENS``)."""

    DPOP = "dpop"
    MTLS = "mtls"


_MEMBERS = {"jkt": Binding.DPOP, "x5t#S256": Binding.MTLS}


@dataclass(frozen=True, slots=True)
class BindingSettings:
    """Which bindings are checked, how proofs are checked, and whether a token needs a binding."""

    checked: frozenset[Binding]
    dpop: DpopSettings
    required: bool = False


def binding_checker(settings: BindingSettings, store: ReplayStore) -> CheckBinding:
    """Make the check: :func:`check_binding` with these settings and this store.

    The check returns a function that records the DPoP proof as used, for the caller to call after all other checks;
    ``None`` if there is no proof.
    """

    def check(
        request: Request, bearer: BearerToken, claims: Mapping[str, object], now: float
    ) -> Callable[[], None] | None:
        proof = check_binding(request, bearer, claims, settings, now)
        return None if proof is None else lambda: store.use(proof, now)

    return check


def check_binding(
    request: Request, bearer: BearerToken, claims: Mapping[str, object], settings: BindingSettings, now: float
) -> UsedProof | None:
    """Check at ``now`` (Unix time in seconds) that a token's sender has what the token is bound to.

    ``claims`` have been verified. Returns the proof that has to be recorded as used after all other checks; ``None`` if
    there is none. Raises :class:`TokenError`, or :class:`DecisionError` (``invalid_event``) if the event
    can't show it.
    """
    bound = _confirmation(claims)
    if bound is None:
        if bearer.scheme is Scheme.DPOP:
            raise TokenError(ErrorCode.UNBOUND_TOKEN, "the token was sent with the scheme DPoP, and has no cnf.jkt")
        if settings.required:
            raise TokenError(
                ErrorCode.UNBOUND_TOKEN,
                "the token has no cnf, and JWT_REQUIRE_BOUND_TOKENS asks for one: the issuer has to bind it",
            )
        return None
    kind, thumbprint = bound
    if kind not in settings.checked:
        checked = ", ".join(sorted(settings.checked))
        raise TokenError(
            ErrorCode.UNSUPPORTED_BINDING,
            f"the token is bound by {kind}, and JWT_BOUND_TOKENS checks {checked} alone",
        )
    if request.kind is EventKind.APPSYNC:
        detail = "the token is bound, and AppSync keeps an answer for everyone who has the token"
        raise TokenError(ErrorCode.UNSUPPORTED_BINDING, detail)
    if request.kind is EventKind.REST_TOKEN:
        invalid_event(
            "the token is bound, and a TOKEN event shows neither its proof nor a certificate: make the authorizer's "
            "type REQUEST, with a TTL of 0"
        )
    if kind is Binding.MTLS:
        if bearer.scheme is Scheme.DPOP:
            raise TokenError(
                ErrorCode.UNBOUND_TOKEN,
                "the token was sent as DPoP, and is bound to a certificate: send it as Bearer",
            )
        check_certificate(request.event, thumbprint)
        return None
    if bearer.scheme is Scheme.BEARER:
        raise TokenError(
            ErrorCode.MISSING_DPOP_PROOF,
            "the token is bound to a DPoP key and was sent as Bearer: send it with the scheme DPoP and a DPoP header",
        )
    return check_proof(request, bearer, thumbprint, settings.dpop, now)


def _confirmation(claims: Mapping[str, object]) -> tuple[Binding, str] | None:
    """Read ``cnf`` (RFC 7800 section 3.1): one member, of a kind that is known here; ``None`` if there is no ``cnf``.

    A second member might be another binding, which would not be checked.
    """
    if "cnf" not in claims:
        return None
    confirmation = claims["cnf"]
    if isinstance(confirmation, dict) and len(confirmation) == 1:
        ((member, thumbprint),) = confirmation.items()
        if member in _MEMBERS and isinstance(thumbprint, str):
            return _MEMBERS[member], thumbprint
    raise TokenError(
        ErrorCode.UNSUPPORTED_BINDING, "the token's cnf is not an object with exactly one of jkt and x5t#S256"
    )
