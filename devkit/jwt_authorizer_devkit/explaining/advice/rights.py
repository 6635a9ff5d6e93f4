"""Good tokens whose rights are not enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.rules import Deny
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_OTHER_RIGHTS = ("permissions", "roles", "groups", "cognito:groups", "entitlements")


def missing_scope(facts: Facts) -> Advice | None:
    """Name the scopes that are needed, those that there are, and where else rights may stand."""
    decision, principal = facts.outcome.decision, facts.outcome.principal
    if not isinstance(decision, Deny) or principal is None:
        return None
    missing = [scope for scope in decision.scopes if scope not in principal.scopes]
    for name in _OTHER_RIGHTS:
        held = facts.claim_texts(name)
        if set(missing) & set(held):
            return Advice(
                "scope_elsewhere",
                f"The token has {' '.join(sorted(set(missing) & set(held)))} in its claim {name}, not among its "
                "scopes: "
                f'use claims = {{ "{name}" = ["{missing[0]}"] }} in the route instead of scopes.',
            )
    has = f"it has {shortened(principal.scope)}" if principal.scope else "it has none at all"
    return Advice(
        "missing_scope",
        f"The token lacks the scope {' '.join(missing) or ' '.join(decision.scopes)} ({has}): have the client ask "
        "for it, and "
        "the issuer grant it.",
    )


def unlisted_route(facts: Facts) -> Advice | None:
    """Recognise a path with the stage in it, and a method that is not listed for its path."""
    request, rules = facts.outcome.request, facts.watched.authorizer.rules
    if request is None:
        return None
    listed = [name for resource in rules.find(request.path) for name in resource.methods]
    if listed:
        return Advice(
            "other_method",
            f"The path is listed for {', '.join(sorted(listed))}, not for {shortened(request.method)}: add the method.",
        )
    stage = f"/{request.arn.stage.name}/"
    if request.path.startswith(stage) and rules.find(request.path[len(stage) - 1 :]):
        return Advice(
            "stage_in_path",
            f"The path begins with the stage ({request.arn.stage.name}): an API with its own domain name or another "
            "stage sends it "
            "without. List the path as it is sent, or map the domain to the stage.",
        )
    return Advice(
        "unlisted_route",
        f"No [[routes]] entry is for {shortened(f'{request.method} {request.path}')}: add it if it is a route of "
        "the API.",
    )
