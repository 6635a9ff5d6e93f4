"""The context of an answer: what a backend, a gateway response and the access log can read of a decision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import ABSENT, find
from jwt_authorizer.errors import Reason
from jwt_authorizer.records import dataclass
from jwt_authorizer.strict_json import json_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.rules import Deny

_OURS = ("sub", "iss", "exp", "scope", "claims", "tenant", "error", "reason", "required_scope")
RESERVED_KEYS = frozenset(_OURS) | {
    *("hook_reason", "www_authenticate", "principalId", "integrationLatency", "integrationStatus", "latency"),
    *("requestId", "status"),
}
"""Context keys that the authorizer writes, or that API Gateway reads as its own ``$context.authorizer.*`` variables.

API Gateway developer guide, "Variables for access logging".
"""


@dataclass(frozen=True, slots=True)
class DpopChallenge:
    """What a challenge says about DPoP (RFC 9449 section 7.1): the accepted ``alg`` values, separated by spaces.

    ``alone``: bearer tokens are not accepted.
    """

    algs: str
    alone: bool = False


def claims_context(
    principal: Principal, lifted: Iterable[tuple[str, Claim]], *, as_json_text: bool
) -> dict[str, object]:
    """Build the context of an Allow; REST and WebSocket APIs take only texts, numbers and booleans in it.

    ``lifted`` are pairs of a context key and the claim that it gets.
    """
    context: dict[str, object] = {"iss": principal.issuer, "exp": principal.expires_at, "scope": principal.scope}
    if principal.subject is not None:
        context["sub"] = principal.subject
    if principal.tenant is not None:
        context["tenant"] = principal.tenant
    # An object is a copy: whoever wraps the function may change the answer, and a remembered principal must not change.
    claims = principal.claims if as_json_text else json.loads(principal.claims_text)
    context["claims"] = principal.claims_text if as_json_text else claims
    for key, claim in lifted:
        value = find(claims, claim)
        if value is not None and value is not ABSENT:
            plain = isinstance(value, str | int | float) or not as_json_text
            context[key] = value if plain else json_text(value)
    return context


def denial_context(
    decision: Deny, resource_metadata: str | None, dpop: DpopChallenge | None = None
) -> dict[str, object]:
    """Build the context of a 403: which rights are missing."""
    missing_scope = decision.reason is Reason.INSUFFICIENT_SCOPE
    context: dict[str, object] = {
        "error": "insufficient_scope" if missing_scope else "access_denied",
        "reason": str(decision.reason),
        # RFC 6750 has one error for all missing privileges.
        "www_authenticate": challenge("insufficient_scope", decision.scopes, resource_metadata, dpop),
    }
    if missing_scope:
        context["scope"] = context["required_scope"] = " ".join(decision.scopes)
    return context


def rejection_context(
    reason: Reason, resource_metadata: str | None, dpop: DpopChallenge | None = None
) -> dict[str, object]:
    """Build the context of a 401. A challenge to a request without a token names no error (RFC 6750 section 3.1)."""
    error = None if reason is Reason.MISSING_TOKEN else "invalid_token"
    if reason in (Reason.INVALID_DPOP_PROOF, Reason.REPLAYED_DPOP_PROOF):
        error = "invalid_dpop_proof"
    challenged = challenge(error, (), resource_metadata, dpop)
    return {"error": "invalid_token", "reason": str(reason), "www_authenticate": challenged}


def challenge(
    error: str | None, scopes: Iterable[str], resource_metadata: str | None, dpop: DpopChallenge | None = None
) -> str:
    """Format a ``WWW-Authenticate`` header (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9728 section 5.1).

    Where bearer tokens and DPoP are accepted, there is a challenge for each, and the error stands in the first.

    All of it comes from settings: nothing that a caller sent gets into a header.
    """
    scope = " ".join(scopes)
    parameters = (("error", error), ("scope", scope), ("resource_metadata", resource_metadata))
    listed = [f'{name}="{value}"' for name, value in parameters if value]
    algs = "" if dpop is None else f'algs="{dpop.algs}"'
    if dpop is not None and (dpop.alone or error == "invalid_dpop_proof"):
        return f"DPoP {', '.join([*listed, algs])}"
    # RFC 6750 asks for at least one parameter.
    bearer = "Bearer " + (", ".join(listed) or 'realm="api"')
    return bearer if dpop is None else f"{bearer}, DPoP {algs}"
