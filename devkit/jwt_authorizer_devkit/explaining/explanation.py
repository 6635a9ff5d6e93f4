"""Send an event to the function, and return an :class:`Explanation` of its answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy
from jwt_authorizer.errors import TRANSIENT, ErrorCode
from jwt_authorizer.events import EventKind
from jwt_authorizer.function import respond
from jwt_authorizer_devkit.explaining.advice import Facts, advise
from jwt_authorizer_devkit.explaining.claims import ClaimResult, check_each_claim
from jwt_authorizer_devkit.explaining.fields import FieldResult, check_fields
from jwt_authorizer_devkit.explaining.routes import RouteResult, check_routes
from jwt_authorizer_devkit.explaining.steps import Seen, Step, describe_steps, look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.authorize import Outcome
    from jwt_authorizer_devkit.explaining.advice import Advice
    from jwt_authorizer_devkit.explaining.function import WatchedFunction


@dataclass(frozen=True, slots=True)
class Explanation:
    """What the function decided about one event, and everything that explains it.

    ``decision`` is ``allow``, ``deny`` (403), ``reject`` (401) or ``error`` (500); ``answer`` is what the function
    returned to API Gateway or AppSync, or ``None`` if it ``raised``. ``verified``: the claims are known to be the
    issuer's. ``routes`` are for API Gateway, and ``fields`` for AppSync; the others are empty.
    """

    decision: str
    reason: ErrorCode | None
    detail: str | None
    client_sees: str
    answer: dict[str, object] | None
    raised: str | None
    cached: str
    verified: bool
    steps: tuple[Step, ...]
    claims: tuple[ClaimResult, ...]
    routes: tuple[RouteResult, ...]
    fields: tuple[FieldResult, ...]
    warnings: tuple[str, ...]
    advice: Advice | None
    log_line: Mapping[str, object]


def explain(event: object, watched: WatchedFunction) -> Explanation:
    """Send an event to the function, and explain its answer."""
    outcome = watched.authorize(event)
    raised: str | None = None
    try:
        respond(outcome)
    except Exception as error:  # noqa: BLE001 - API Gateway gets any exception
        raised = str(error)
    seen = look(event, watched)
    principal, request = outcome.principal, outcome.request
    rules = seen.issuer.claim_rules if seen.issuer else None
    by_field = request is not None and request.kind is EventKind.APPSYNC
    return Explanation(
        decision=outcome.result,
        reason=outcome.reason,
        detail=outcome.detail,
        client_sees=_client_of_appsync_sees(outcome.answer) if by_field else _client_sees(outcome),
        answer=outcome.answer,
        raised=raised,
        cached=_cached(outcome, watched),
        verified=principal is not None or _signature_passed(outcome, seen),
        steps=describe_steps(outcome, seen, watched),
        claims=()
        if seen.claims is None
        else check_each_claim(
            seen.claims, rules, [*watched.authorizer.issuers, *watched.authorizer.tenants], watched.now
        ),
        routes=()
        if principal is None or request is None or by_field
        else check_routes(principal, request, watched.authorizer, outcome.decision, outcome.answer),
        fields=check_fields(principal, watched.authorizer.answers.fields) if by_field and principal is not None else (),
        warnings=outcome.warnings,
        advice=_advice(event, outcome, seen, watched),
        log_line=json.loads(watched.lines[-1]),
    )


_BEFORE_THE_CLAIMS = frozenset(
    {
        ErrorCode.INVALID_EVENT,
        ErrorCode.MISSING_TOKEN,
        ErrorCode.MALFORMED_TOKEN,
        ErrorCode.UNKNOWN_ISSUER,
        ErrorCode.UNSUPPORTED_ALGORITHM,
        ErrorCode.UNSUPPORTED_TOKEN_TYPE,
        ErrorCode.UNKNOWN_KEY,
        ErrorCode.KEYS_UNAVAILABLE,
        ErrorCode.BAD_SIGNATURE,
        ErrorCode.INTERNAL_ERROR,
    }
)


def _signature_passed(outcome: Outcome, seen: Seen) -> bool:
    # A token that has expired is rejected as expired even if there is no key to check it with.
    had_key = seen.keys is not None and bool(seen.keys.candidates_found)
    return had_key and outcome.reason not in _BEFORE_THE_CLAIMS


def _advice(event: object, outcome: Outcome, seen: Seen, watched: WatchedFunction) -> Advice | None:
    if outcome.reason is None:
        return None
    return advise(Facts(outcome.reason, outcome.detail or "", event, seen, outcome, watched))


def _client_sees(outcome: Outcome) -> str:
    if outcome.result == "allow":
        return "200, or what else the backend answers"
    if outcome.result == "error":
        return "500"
    if outcome.answer is not None:
        return "403"
    request = outcome.request
    if request is None or not request.kind.is_http_api:
        return "401"
    if outcome.reason in TRANSIENT:
        return "500 (for HTTP APIs, AWS does not document another answer to an error)"
    return "401 or 500 (JWT_HTTP_API_REJECT=raise: AWS documents the 401 for REST and WebSocket APIs only)"


def _client_of_appsync_sees(answer: Mapping[str, object] | None) -> str:
    if answer is None:
        return "an error: AWS does not document which, if the function of an AppSync API fails"
    allowed = answer["isAuthorized"] is True
    return "200: the data, with null for each denied field" if allowed else "401 (UnauthorizedException)"


def _cached(outcome: Outcome, watched: WatchedFunction) -> str:
    """Return which requests API Gateway may answer with a copy of this answer."""
    request, cached_by = outcome.request, watched.authorizer.answers.cached_by
    if outcome.answer is None:
        return "An error is never cached: the next request asks the function again."
    if request is not None and request.kind is EventKind.APPSYNC:
        return f"AppSync uses this answer for {outcome.answer['ttlOverride']} s, for every query with this token."
    if request is not None and request.kind is EventKind.WEBSOCKET:
        return "The answer is for this connection. API Gateway does not cache answers for WebSocket APIs."
    match cached_by:
        case CachedBy.NOTHING:
            return "JWT_CACHED_BY=nothing: API Gateway does not cache this answer, if the authorizer's TTL is 0."
        case CachedBy.ROUTE:
            return "JWT_CACHED_BY=route: a copy answers requests with this token for this route."
        case CachedBy.TOKEN:
            return "JWT_CACHED_BY=token: until the TTL ends, a copy decides about every request with this token."
