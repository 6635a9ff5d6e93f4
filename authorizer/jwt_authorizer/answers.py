"""Turn a decision into the answer that this kind of event expects.

API Gateway developer guide: "Output from an API Gateway Lambda authorizer" for IAM policies, "Lambda
authorizer response format" for HTTP APIs, and the quotas on authorizer results.
"""

from __future__ import annotations

import json
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import find
from jwt_authorizer.contexts import claims_context, refusal_context, rejection_context
from jwt_authorizer.errors import HEALED_BY_WAITING, DecisionError, Reason
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.records import dataclass
from jwt_authorizer.rules import Deny

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.claim_conditions import Claim
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.contexts import DpopChallenge
    from jwt_authorizer.policies import Statement
    from jwt_authorizer.rules import Allow, Field

MAX_WEBSOCKET_RESULT = 8 * 1024
"""Bytes of a whole WebSocket authorizer result (API Gateway quotas)."""

ANONYMOUS = "anonymous"
"""The ``principalId`` of an answer to a request whose token was refused."""

_NOTHING: Mapping[str, object] = {}
_LONGEST = 200
"""Characters of an API's route in a message."""

_LAST_MOMENT = 253_402_300_799
"""Unix seconds of the end of the year 9999, the last that ISO 8601 writes with four digits."""


_CACHED_AFTER_ALL = (
    "JWT_CACHED_BY=nothing, but this API has identity sources: unless the authorizer's TTL is 0, API Gateway replays "
    'this answer on other routes. Set the TTL to 0; or make "$context.routeKey" an identity source and set '
    "JWT_CACHED_BY=route"
)
_NOT_KEYED_BY_ROUTE = (
    "a simple response cannot tell routes apart, and this API caches it for all of them. Add "
    '"$context.routeKey" to the authorizer: IdentitySource: ["$request.header.Authorization", '
    '"$context.routeKey"]; or set JWT_HTTP_API_RESPONSE=iam; or set its TTL to 0 and then JWT_CACHED_BY=nothing, which '
    "opens routes with any other TTL"
)
_ROUTE_KEY_SENT = (
    "the caller sent the route key as the value of a header or query parameter, so the event does not show whether "
    "$context.routeKey is one of the authorizer's identity sources. Only this request is refused; if "
    "it is an ordinary request of your client, set JWT_HTTP_API_RESPONSE=iam"
)

_NOT_KEYED_BY_TOKEN = (
    "the token is in none of the authorizer's identity sources: if this API caches answers, it gives one caller's to "
    "another. Add the token's location to its IdentitySource; or set its TTL to 0 and JWT_CACHED_BY=nothing"
)


class CachedBy(StrEnum):
    """What API Gateway keys its cache of our answers by (``JWT_CACHED_BY``)."""

    TOKEN = "token"
    ROUTE = "route"
    NOTHING = "nothing"


class HttpApiReject(StrEnum):
    """What an HTTP API's client with a bad token sees (``JWT_HTTP_API_REJECT``)."""

    DENY = "deny"
    RAISE = "raise"


class HttpApiResponse(StrEnum):
    """What a payload 2.0 event gets; it does not say which of the two its API expects."""

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
    resource_metadata: str | None = None
    dpop: DpopChallenge | None = None
    fields: tuple[Field, ...] = ()
    appsync_ttl: float = 3600


def is_simple(request: Request, settings: AnswerSettings) -> bool:
    """Return whether the answer is a simple response, without a policy."""
    return request.kind is EventKind.HTTP_API_V2 and settings.http_api_response is HttpApiResponse.SIMPLE


def cache_warnings(
    request: Request, token: str, settings: AnswerSettings, *, routes_configured: bool
) -> tuple[str, ...]:
    """Return a warning for the log if API Gateway's cache may replay this answer where it is wrong.

    An HTTP API's event lists what its cache is keyed by. If a token is taken from a cookie, say, and the cache is
    keyed by another header alone, everyone who sends that header gets the answer for the token's owner. It is a
    warning and not an error, since an API that caches nothing looks the same: no event shows the TTL.
    """
    if not request.identity_source:
        return ()
    if settings.cached_by is CachedBy.NOTHING:
        return (_CACHED_AFTER_ALL,) if routes_configured and is_simple(request, settings) else ()
    if any(token in value for value in request.identity_source):
        return ()
    return (_NOT_KEYED_BY_TOKEN,)


def check_simple_cache(request: Request, settings: AnswerSettings, *, routes_configured: bool) -> None:
    """Refuse a simple response that API Gateway would replay on other routes.

    Check the event: the API may not be configured as ``JWT_CACHED_BY`` claims. Callers can send the route key
    themselves, in a header that is an identity source; so it has to be listed once more than it was sent.
    Raises :class:`DecisionError` (``unsafe_cache``).
    """
    if not routes_configured or settings.cached_by is CachedBy.NOTHING or not is_simple(request, settings):
        return
    listed = 0 if request.route_key is None else request.identity_source.count(request.route_key)
    if listed > 0 and listed <= request.times_sent(request.route_key or ""):
        raise DecisionError(Reason.UNSAFE_CACHE, _ROUTE_KEY_SENT)
    if listed == 0:
        raise DecisionError(Reason.UNSAFE_CACHE, _NOT_KEYED_BY_ROUTE)


def check_route_key(request: Request, settings: AnswerSettings, *, one_answer: bool) -> None:
    """Refuse a simple response for a route of the API whose requests the rules treat differently.

    ``one_answer``: the answer is right for all of them. Raises :class:`DecisionError` (``unsafe_cache``).
    """
    if settings.cached_by is not CachedBy.NOTHING and not one_answer:
        raise DecisionError(
            Reason.UNSAFE_CACHE,
            f"this API caches one simple response for all of {(request.route_key or '')[:_LONGEST]!a}, and the rules "
            "tell requests of it apart. List the API's own routes in [[routes]], or give the API the routes of the "
            'rules (and "*" to those that lack methods which this route takes); or set JWT_HTTP_API_RESPONSE=iam; '
            "or set the authorizer's TTL to 0 and then JWT_CACHED_BY=nothing, which opens routes with any other TTL",
        )


def simple_response(
    principal: Principal, decision: Allow | Deny, settings: AnswerSettings, added: Mapping[str, object] = _NOTHING
) -> dict[str, object]:
    """Return the simple response to a payload 2.0 event. ``added`` comes into the context as well."""
    if isinstance(decision, Deny):
        return {
            "isAuthorized": False,
            "context": {**refusal_context(decision, settings.resource_metadata, settings.dpop), **added},
        }
    context = claims_context(principal, settings.context_claims, as_json_text=False)
    return {"isAuthorized": True, "context": {**context, **added}}


def iam_policy(  # noqa: PLR0913, PLR0917 - what an answer is made of
    request: Request,
    principal: Principal,
    decision: Allow | Deny,
    statements: tuple[Statement, ...],
    settings: AnswerSettings,
    added: Mapping[str, object] = _NOTHING,
) -> dict[str, object]:
    """Return the IAM policy made of the statements, with its context. ``added`` comes into that as well.

    A refusal may still allow other routes, since API Gateway replays it there; so it carries the claims
    as well as the reason, and ``scope`` stays what the token has: a backend must never read there what it lacks.
    Raises :class:`DecisionError` (``response_too_large``) for a WebSocket result
    that API Gateway would not take.
    """
    context: dict[str, object] = {}
    if "Allow" in [statement.effect for statement in statements]:
        as_json_text = request.kind is not EventKind.HTTP_API_V2
        context = claims_context(principal, settings.context_claims, as_json_text=as_json_text)
    if isinstance(decision, Deny):
        context = refusal_context(decision, settings.resource_metadata, settings.dpop) | context
    context |= added
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
                Reason.RESPONSE_TOO_LARGE,
                f"the answer has {size} bytes, and API Gateway takes {MAX_WEBSOCKET_RESULT} for a WebSocket API: "
                "have the issuer put less into its tokens",
            )
    return answer


def refused_token(request: Request, reason: Reason, settings: AnswerSettings) -> dict[str, object] | None:
    """Return the answer to a request whose token is missing or bad (RFC 6750 section 3.1).

    Returns ``None`` if an error has to be raised instead: for all but HTTP APIs, and where waiting may heal it, since
    API Gateway caches a Deny and no error.
    """
    if request.kind is EventKind.APPSYNC:
        return {"isAuthorized": False, "deniedFields": [], "ttlOverride": 0}
    if not request.kind.is_http_api or settings.http_api_reject is HttpApiReject.RAISE or reason in HEALED_BY_WAITING:
        return None
    context = rejection_context(reason, settings.resource_metadata, settings.dpop)
    if is_simple(request, settings):
        return {"isAuthorized": False, "context": context}
    deny = {"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": [request.arn.prefix + "*"]}
    return {
        "principalId": ANONYMOUS,
        "policyDocument": {"Version": "2012-10-17", "Statement": [deny]},
        "context": context,
    }


def _document(request: Request, statements: tuple[Statement, ...], ends_at: float | None) -> dict[str, object]:
    written: list[dict[str, object]] = []
    for statement in statements:
        resources = [request.arn.prefix + resource for resource in statement.resources]
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
