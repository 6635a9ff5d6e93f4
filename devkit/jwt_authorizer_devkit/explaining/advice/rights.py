"""Valid tokens whose rights are not enough."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.rules import Deny
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_RIGHTS = re.compile(r"(^|.*[/:_.])(scopes?|scp|permissions?|roles?|groups|entitlements|authorities)", re.IGNORECASE)
"""Claims that issuers write rights into. Users may be able to set others, such as a name, themselves."""
_DEEPEST = 3


def missing_scope(facts: Facts) -> Advice | None:
    """List the scopes that are needed and those of the token, and look for them in other claims."""
    decision, principal = facts.outcome.decision, facts.outcome.principal
    if not isinstance(decision, Deny) or principal is None:
        return None
    missing = [scope for scope in decision.scopes if scope not in principal.scopes]
    elsewhere = max(_rights(facts.claims), key=lambda claim: len(claim[1].intersection(missing)), default=None)
    if elsewhere is not None and elsewhere[1].intersection(missing) and facts.seen.issuer is not None:
        name, held = elsewhere
        counted = ",".join([*(claim.name for claim in facts.seen.issuer.claim_rules.scope_claims), name])
        others = len(facts.watched.authorizer.issuers) > 1
        where = f" in the [[issuers]] table of {facts.seen.issuer.name}" if others else ""
        return Advice(
            "scope_elsewhere",
            f"The token has {' '.join(sorted(held.intersection(missing)))} in its claim {shortened(name)}, which is "
            f"not read for scopes. Leave the rule as it is, and set JWT_SCOPE_CLAIMS={counted}{where}",
        )
    has = f"it has {shortened(principal.scope)}" if principal.scope else "it has none at all"
    return Advice(
        "missing_scope",
        f"The token lacks the scope {' '.join(missing) or ' '.join(decision.scopes)} ({has}): have the client ask "
        "for it, and the issuer grant it.",
    )


def _rights(claims: Mapping[str, object], above: str = "", depth: int = 1) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield claims that may contain rights, nested ones too, with the strings in them."""
    for name, value in claims.items():
        if "," in name:  # the setting's value is split there
            continue
        pointer = f"{above}/{name.replace('~', '~0').replace('/', '~1')}"
        if _RIGHTS.fullmatch(name):
            held = value.split(" ") if isinstance(value, str) else value if isinstance(value, list | dict) else ()
            yield (
                pointer if above or name.startswith("/") else name,
                frozenset(item for item in held if isinstance(item, str)),
            )
        elif isinstance(value, dict) and depth < _DEEPEST:
            yield from _rights(value, pointer, depth + 1)


def unlisted_route(facts: Facts) -> Advice | None:
    """Recognize a path that begins with the stage, and a method that is not listed for its path."""
    request, rules = facts.outcome.request, facts.watched.authorizer.rules
    if request is None:
        return None
    listed = [name for resource in rules.find(request.path) for name in resource.methods]
    if listed:
        return Advice(
            "other_method",
            f"The path is listed for {', '.join(sorted(listed))}, not for {shortened(request.method)}: add the method.",
        )
    stage = f"/{request.stage.name}/"
    if request.path.startswith(stage) and rules.find(request.path[len(stage) - 1 :]):
        return Advice(
            "stage_in_path",
            f"The path begins with the stage ({request.stage.name}), and would not with a custom domain name or "
            "another stage. List the path as it is sent, or map the domain to the stage.",
        )
    return Advice(
        "unlisted_route",
        f"[[routes]] does not list {shortened(f'{request.method} {request.path}')}: add it if it is a route of the "
        "API.",
    )
