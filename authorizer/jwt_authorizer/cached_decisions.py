"""Decide about a request, and compile the policy that API Gateway's cache may replay for other requests.

If a cached answer could be wrong for another request, the request fails (``unsafe_cache``), or the log line has a
warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import CachedBy, is_simple
from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.events import EventKind
from jwt_authorizer.rules import Allow, Deny, decide_without_routes

if TYPE_CHECKING:
    from jwt_authorizer.answers import AnswerSettings
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.policies import Policies, Policy
    from jwt_authorizer.rules import Rules

_LONGEST = 200
"""Characters of an API's route in a message."""
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
    "$context.routeKey is one of the authorizer's identity sources. Only this request fails; if it "
    "is an ordinary request of your client, set JWT_HTTP_API_RESPONSE=iam"
)
_RULES_DIFFER = (
    ", and the rules tell requests of it apart. List the API's own routes in [[routes]], or give the API the routes of "
    'the rules (and "*" to those that lack methods which this route takes); or set JWT_HTTP_API_RESPONSE=iam; or set '
    "the authorizer's TTL to 0 and then JWT_CACHED_BY=nothing, which opens routes with any other TTL"
)
_KEY_BY_ROUTE = "Set JWT_CACHED_BY=route, and add the route to the API's identity sources"
_CACHE_NOTHING = "Set the authorizer's TTL to 0 and JWT_CACHED_BY=nothing"
_NOT_KEYED_BY_TOKEN = (
    "the token is in none of the authorizer's identity sources: if this API caches answers, it gives one caller's to "
    "another. Add the token's location to its IdentitySource; or set its TTL to 0 and JWT_CACHED_BY=nothing"
)


def decide(principal: Principal, request: Request, rules: Rules, policies: Policies) -> Allow | Deny:
    """Decide by the rules, the path and the route that API Gateway matched.

    A path that is not normalized (``/a/../b``) may be one path to API Gateway and another to the rules. If the rules
    allow it, but nothing of the route that API Gateway matched, it is denied.
    """
    if not rules.configured or request.kind is EventKind.APPSYNC:
        return decide_without_routes(principal)
    decision = rules.decide(principal, request.method, request.path, request.matched)
    if (
        isinstance(decision, Allow)
        and request.has_unnormalized_path
        and not policies.may_be_allowed(principal, request)
    ):
        return Deny(ErrorCode.ROUTE_NOT_LISTED)
    return decision


def compile_policy(  # noqa: PLR0913, PLR0917 - what a policy depends on
    principal: Principal,
    decision: Allow | Deny,
    request: Request,
    rules: Rules,
    policies: Policies,
    settings: AnswerSettings,
) -> Policy | None:
    """Compile the policy; ``None`` for an API with simple responses, and for AppSync.

    Raises :class:`DecisionError` (``unsafe_cache``) if API Gateway would replay a simple response for requests that the
    rules decide differently.
    """
    if request.kind is EventKind.APPSYNC:
        return None
    if not is_simple(request, settings):
        return policies.compile(principal, decision, request, settings.cached_by)
    if rules.configured and settings.cached_by is not CachedBy.NOTHING:
        _check_route_key(request)
        if not policies.one_answer(principal, decision, request):
            named = f"{(request.route_key or '')[:_LONGEST]!a}"
            detail = f"this API caches one simple response for all of {named}{_RULES_DIFFER}"
            raise DecisionError(ErrorCode.UNSAFE_CACHE, detail)
    return None


def allows_anything(decision: Allow | Deny, policy: Policy | None) -> bool:
    """Return whether an answer would allow anything. A policy may, even if it denies this request."""
    if policy is None:
        return isinstance(decision, Allow)
    return any(statement.effect == "Allow" for statement in policy.statements)


def policy_warnings(policy: Policy | None, cached_by: CachedBy) -> tuple[str, ...]:
    """Return the compiler's warnings about a policy, and one about allowed routes that it has no room for."""
    if policy is None:
        return ()
    left_out = policy.left_out
    if not left_out:
        return policy.warnings
    advice = _KEY_BY_ROUTE if cached_by is CachedBy.TOKEN else _CACHE_NOTHING
    no_room = (
        f"the policy has no room for {len(left_out)} of the routes that the rules allow, such as "
        f"{', '.join(left_out[:3])}: while it is cached they are denied. {advice}"
    )
    return (*policy.warnings, no_room)


def cache_warnings(
    request: Request, token: str, settings: AnswerSettings, *, routes_configured: bool
) -> tuple[str, ...]:
    """Return a warning for the log if API Gateway's cache may replay this answer for the wrong requests.

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


def _check_route_key(request: Request) -> None:
    """Raise :class:`DecisionError` (``unsafe_cache``) unless the API's cache is keyed by its route.

    The event shows it: the API may not be configured as ``JWT_CACHED_BY`` claims. Callers can send the route key
    themselves, in a header that is an identity source; so it has to be listed more often than it was sent.
    """
    listed = 0 if request.route_key is None else request.identity_source.count(request.route_key)
    if listed > 0 and listed <= request.times_sent(request.route_key or ""):
        raise DecisionError(ErrorCode.UNSAFE_CACHE, _ROUTE_KEY_SENT)
    if listed == 0:
        raise DecisionError(ErrorCode.UNSAFE_CACHE, _NOT_KEYED_BY_ROUTE)
