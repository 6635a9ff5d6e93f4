"""Turn a decision into the answer that this kind of event expects.

API Gateway developer guide: "Output from an API Gateway Lambda authorizer" for IAM policies, "Lambda
authorizer response format" for HTTP APIs, and the quotas on authorizer results. AppSync developer guide, "AWS Lambda
authorization".
"""

from __future__ import annotations

import json
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import find
from jwt_authorizer.contexts import Challenge, claims_context, denial_context, rejection_context
from jwt_authorizer.errors import TRANSIENT, DecisionError, ErrorCode
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules import Deny

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.policies import Policy, Statement
    from jwt_authorizer.rules import Allow, Field

MAX_WEBSOCKET_RESULT = 8 * 1024
"""Bytes of a whole WebSocket authorizer result (API Gateway quotas)."""

ANONYMOUS = "anonymous"
"""The ``principalId`` of an answer to a request whose token was rejected."""

_NOTHING: Mapping[str, object] = {}
_LAST_MOMENT = 253_402_300_799
"""Unix seconds of the end of the year 9999, the last that ISO 8601 writes with four digits."""


class CachedBy(StrEnum):
    """What API Gateway's cache of answers is keyed by (``JWT_CACHED_BY``)."""

    TOKEN = "token"
    ROUTE = "route"
    NOTHING = "nothing"


class HttpApiReject(StrEnum):
    """What an HTTP API gets for a bad token (``JWT_HTTP_API_REJECT``): a denying answer (403), or a raised error."""

    DENY = "deny"
    RAISE = "raise"


class HttpApiResponse(StrEnum):
    """The response to a payload 2.0 event. The event does not show which of the two its API expects."""

    SIMPLE = "simple"
    IAM = "iam"


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How answers are formatted; ``context_claims`` holds pairs of context key and claim.

    ``fields`` are AppSync's that need more rights than a good token, ``appsync_ttl`` are the seconds for which it may
    keep an answer at most.
    """

    context_claims: tuple[tuple[str, Claim], ...] = ()
    usage_key_claim: Claim | None = None
    cached_by: CachedBy = CachedBy.TOKEN
    end_with_token: bool = False
    http_api_response: HttpApiResponse = HttpApiResponse.SIMPLE
    http_api_reject: HttpApiReject = HttpApiReject.DENY
    challenge: Challenge = Challenge()
    fields: tuple[Field, ...] = ()
    appsync_ttl: float = 3600


def is_simple(request: Request, settings: AnswerSettings) -> bool:
    """Return whether the answer is a simple response, without a policy."""
    return request.kind is EventKind.HTTP_API_V2 and settings.http_api_response is HttpApiResponse.SIMPLE


def format_answer(  # noqa: PLR0913, PLR0917 - what an answer is made of
    request: Request,
    principal: Principal,
    decision: Allow | Deny,
    policy: Policy | None,
    settings: AnswerSettings,
    extra_context: Mapping[str, object],
    now: float,
) -> dict[str, object]:
    """Format the answer to a request whose token is valid. ``extra_context`` is added to its context."""
    if request.kind is EventKind.APPSYNC:
        return _appsync_answer(principal, decision, settings, extra_context, now)
    if policy is None:
        return simple_response(principal, decision, settings, extra_context)
    return iam_policy(request, principal, decision, policy.statements, settings, extra_context)


def _appsync_answer(
    principal: Principal,
    decision: Allow | Deny,
    settings: AnswerSettings,
    extra_context: Mapping[str, object],
    now: float,
) -> dict[str, object]:
    """Format AppSync's answer. AppSync has no routes, and does not cache a Deny.

    It caches an Allow for ``ttlOverride`` seconds, for every query with the same token. So ``deniedFields`` lists all
    fields that the token has no right to, whatever the query asks for.
    """
    if isinstance(decision, Deny):
        return _not_authorized()
    return {
        "isAuthorized": True,
        "resolverContext": {**claims_context(principal, settings.context_claims, as_json_text=True), **extra_context},
        "deniedFields": [field.name for field in settings.fields if field.requirement.denies(principal, field.name)],
        "ttlOverride": int(min(max(principal.expires_at - now, 0), settings.appsync_ttl)),
    }


def _not_authorized() -> dict[str, object]:
    """Return AppSync's answer to a denied or rejected request: it has no other."""
    return {"isAuthorized": False, "deniedFields": [], "ttlOverride": 0}


def simple_response(
    principal: Principal,
    decision: Allow | Deny,
    settings: AnswerSettings,
    extra_context: Mapping[str, object] = _NOTHING,
) -> dict[str, object]:
    """Return the simple response to a payload 2.0 event. ``extra_context`` is added to the context."""
    if isinstance(decision, Deny):
        return {
            "isAuthorized": False,
            "context": {**denial_context(decision, settings.challenge), **extra_context},
        }
    context = claims_context(principal, settings.context_claims, as_json_text=False)
    return {"isAuthorized": True, "context": {**context, **extra_context}}


def iam_policy(  # noqa: PLR0913, PLR0917 - what an answer is made of
    request: Request,
    principal: Principal,
    decision: Allow | Deny,
    statements: tuple[Statement, ...],
    settings: AnswerSettings,
    extra_context: Mapping[str, object] = _NOTHING,
) -> dict[str, object]:
    """Return the IAM policy made of the statements, with its context. ``extra_context`` is added to it.

    The policy of a Deny may still allow other routes, since API Gateway replays it there; so it carries the claims as
    well as the reason, and ``scope`` stays what the token has: a backend must never read there what it lacks. Raises
    :class:`DecisionError` (``response_too_large``) for a WebSocket result that API Gateway would not take.
    """
    context: dict[str, object] = {}
    if "Allow" in [statement.effect for statement in statements]:
        as_json_text = request.kind is not EventKind.HTTP_API_V2
        context = claims_context(principal, settings.context_claims, as_json_text=as_json_text)
    if isinstance(decision, Deny):
        context = denial_context(decision, settings.challenge) | context
    context |= extra_context
    answer: dict[str, object] = {
        "principalId": principal.id,
        "policyDocument": _document(request, statements, principal.valid_until if settings.end_with_token else None),
        "context": context,
    }
    if settings.usage_key_claim is not None:
        usage_key = find(principal.claims, settings.usage_key_claim)
        if isinstance(usage_key, str | int) and not isinstance(usage_key, bool) and usage_key != "":
            answer["usageIdentifierKey"] = str(usage_key)
    if request.kind is EventKind.WEBSOCKET:
        # As Lambda's runtime writes it: with its spaces, and in UTF-8.
        size = len(json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        if size > MAX_WEBSOCKET_RESULT:
            raise DecisionError(
                ErrorCode.RESPONSE_TOO_LARGE,
                f"the answer has {size} bytes, and API Gateway takes {MAX_WEBSOCKET_RESULT} for a WebSocket API: "
                "have the issuer put less into its tokens",
            )
    return answer


def rejection(request: Request, reason: ErrorCode, settings: AnswerSettings) -> dict[str, object] | None:
    """Return the answer to a request whose token is missing or bad (RFC 6750 section 3.1).

    Returns ``None`` if an error has to be raised instead: for REST and WebSocket APIs, which answer 401 to it, and for
    codes in ``TRANSIENT``, since API Gateway caches an answer and no error.
    """
    if request.kind is EventKind.APPSYNC:
        return _not_authorized()
    if not request.kind.is_http_api or settings.http_api_reject is HttpApiReject.RAISE or reason in TRANSIENT:
        return None
    context = rejection_context(reason, settings.challenge)
    if is_simple(request, settings):
        return {"isAuthorized": False, "context": context}
    deny = {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [request.stage.prefix + "*"]}
    return {
        "principalId": ANONYMOUS,
        "policyDocument": {"Version": "2012-10-17", "Statement": [deny]},
        "context": context,
    }


def _document(request: Request, statements: tuple[Statement, ...], ends_at: float | None) -> dict[str, object]:
    written: list[dict[str, object]] = []
    for statement in statements:
        resources = [request.stage.prefix + resource for resource in statement.resources]
        entry: dict[str, object] = {
            "Action": "execute-api:Invoke",
            "Effect": statement.effect,
            "Resource": resources,
        }
        if ends_at is not None and statement.effect == "Allow":
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(min(ends_at, _LAST_MOMENT)))
            entry["Condition"] = {"DateLessThan": {"aws:CurrentTime": moment}}
        written.append(entry)
    return {"Version": "2012-10-17", "Statement": written}
