"""What an answer grants: the rules' decision about a request, and the policy that API Gateway may replay for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.answers import check_route_key, check_simple_cache, is_simple
from jwt_authorizer.errors import Reason
from jwt_authorizer.events import EventKind
from jwt_authorizer.rules import Allow, Deny, decide_without_routes

if TYPE_CHECKING:
    from jwt_authorizer.answers import AnswerSettings
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.policies import Policies, Policy
    from jwt_authorizer.rules import Rules


def decide(principal: Principal, request: Request, rules: Rules, policies: Policies) -> Allow | Deny:
    """Ask the rules, by the path and by the route that API Gateway matched.

    A path that is not in normal form is refused if nothing of the matched route is allowed: then API Gateway has
    normalized the path, and read another one.
    """
    if not rules.configured or request.kind is EventKind.APPSYNC:
        return decide_without_routes(principal)
    decision = rules.decide(principal, request.method, request.path, request.matched)
    if isinstance(decision, Allow) and request.has_odd_path and not policies.may_be_allowed(principal, request):
        return Deny(Reason.ROUTE_NOT_LISTED)
    return decision


def compile_policy(  # noqa: PLR0913, PLR0917 - what a policy depends on
    principal: Principal,
    decision: Allow | Deny,
    request: Request,
    rules: Rules,
    policies: Policies,
    settings: AnswerSettings,
) -> Policy | None:
    """Make the policy; ``None`` for an API with simple responses, and for AppSync.

    Raises :class:`DecisionError` (``unsafe_cache``) if API Gateway would replay a simple response where it is wrong.
    """
    if request.kind is EventKind.APPSYNC:
        return None
    if not is_simple(request, settings):
        return policies.compile(principal, decision, request, settings.cached_by)
    check_simple_cache(request, settings, routes_configured=rules.configured)
    check_route_key(request, settings, one_answer=policies.one_answer(principal, decision, request))
    return None


def grants(decision: Allow | Deny, compiled: Policy | None) -> bool:
    """Return whether an answer would grant anything: a policy may, even if this request is refused."""
    if compiled is None:
        return isinstance(decision, Allow)
    return any(statement.effect == "Allow" for statement in compiled.statements)


def policy_warnings(compiled: Policy | None) -> tuple[str, ...]:
    """Return the warnings about a policy: what its compiler says, and what it had no room for, with a few examples."""
    if compiled is None:
        return ()
    left_out = compiled.left_out
    if not left_out:
        return compiled.warnings
    no_room = (
        f"the policy has no room for {len(left_out)} routes that the rules allow, such as {', '.join(left_out[:3])}: "
        "while it is cached they are refused. Set JWT_CACHED_BY=route, and add the route to the API's identity sources"
    )
    return (*compiled.warnings, no_room)
