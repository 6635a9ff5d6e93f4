"""Build the context of an answer, which the backend, gateway responses and the access log can read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import ABSENT, find
from jwt_authorizer.errors import ErrorCode
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
class Challenge:
    """The parameters of this API's ``WWW-Authenticate`` header that do not depend on the error.

    ``resource_metadata`` is a URL (RFC 9728 section 5.1). ``dpop_algs`` are the ``alg`` values of proofs, separated by
    spaces (RFC 9449 section 7.1); empty if proofs are not checked. ``dpop_only``: bearer tokens are not accepted.
    """

    resource_metadata: str | None = None
    dpop_algs: str = ""
    dpop_only: bool = False

    def header(self, error: str | None, scopes: Iterable[str] = ()) -> str:
        """Format the header (RFC 6750 section 3).

        If both bearer tokens and DPoP are accepted, there is a challenge for each, and the first has the error. The
        header holds nothing from the request.
        """
        parameters = (("error", error), ("scope", " ".join(scopes)), ("resource_metadata", self.resource_metadata))
        listed = [f'{name}="{value}"' for name, value in parameters if value]
        algs = f'algs="{self.dpop_algs}"'
        if self.dpop_only or error == "invalid_dpop_proof":
            return f"DPoP {', '.join([*listed, algs])}"
        # RFC 6750 asks for at least one parameter.
        bearer = "Bearer " + (", ".join(listed) or 'realm="api"')
        return f"{bearer}, DPoP {algs}" if self.dpop_algs else bearer


def claims_context(
    principal: Principal, context_claims: Iterable[tuple[str, Claim]], *, as_json_text: bool
) -> dict[str, object]:
    """Build the context of an Allow; REST and WebSocket APIs take only strings, numbers and booleans in it.

    ``context_claims`` are pairs of a context key and the claim that it gets (``JWT_CONTEXT_CLAIMS``).
    """
    context: dict[str, object] = {"iss": principal.issuer, "exp": principal.expires_at, "scope": principal.scope}
    if principal.subject is not None:
        context["sub"] = principal.subject
    if principal.tenant is not None:
        context["tenant"] = principal.tenant
    # An object is a copy: a wrapper of the function may change the answer, and a remembered principal must not change.
    claims = principal.claims if as_json_text else json.loads(principal.claims_text)
    context["claims"] = principal.claims_text if as_json_text else claims
    for key, claim in context_claims:
        value = find(claims, claim)
        if value is not None and value is not ABSENT:
            plain = isinstance(value, str | int | float) or not as_json_text
            context[key] = value if plain else json_text(value)
    return context


def denial_context(decision: Deny, challenge: Challenge) -> dict[str, object]:
    """Build the context of a 403, with the missing rights."""
    missing_scope = decision.reason is ErrorCode.INSUFFICIENT_SCOPE
    context: dict[str, object] = {
        "error": "insufficient_scope" if missing_scope else "access_denied",
        "reason": str(decision.reason),
        # RFC 6750 has one error for all missing privileges.
        "www_authenticate": challenge.header("insufficient_scope", decision.scopes),
    }
    if missing_scope:
        context["scope"] = context["required_scope"] = " ".join(decision.scopes)
    return context


def rejection_context(reason: ErrorCode, challenge: Challenge) -> dict[str, object]:
    """Build the context of a 401. A challenge to a request without a token names no error (RFC 6750 section 3.1)."""
    # For the challenge only. In the context ``error`` is always ``invalid_token``, and ``reason`` has the error code.
    error = None if reason is ErrorCode.MISSING_TOKEN else "invalid_token"
    if reason in (ErrorCode.INVALID_DPOP_PROOF, ErrorCode.REPLAYED_DPOP_PROOF):
        error = "invalid_dpop_proof"
    return {"error": "invalid_token", "reason": str(reason), "www_authenticate": challenge.header(error)}
