"""Claims that the token has, but with another type than in the settings, or inside another claim."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import ABSENT, find
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.rules import Deny
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jwt_authorizer.claim_conditions import ClaimCondition
    from jwt_authorizer_devkit.explaining.advice.facts import Facts


_DEEPEST = 4


def nested_claim(facts: Facts) -> Advice | None:
    """Recognize a dotted path to a claim that the token has inside another one."""
    named = [condition.claim for condition in _asked(facts)]
    if facts.reason is ErrorCode.INVALID_CLAIM and facts.seen.issuer is not None:
        named += facts.seen.issuer.claim_rules.principal_claims
    for claim in named:
        if "." in claim.name and find(facts.claims, claim) is ABSENT:
            for path in _paths(facts.claims, ()):
                if ".".join(path) == claim.name:
                    pointer = "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in path)
                    return Advice(
                        "nested_claim",
                        f"The settings name a claim {shortened(claim.name)}, with dots in its name. The token has it "
                        f"inside another claim: write the JSON Pointer {shortened(pointer)}",
                    )
    return None


def _paths(claims: Mapping[str, object], above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, value in claims.items():
        yield (*above, name)
        if isinstance(value, dict) and len(above) < _DEEPEST:
            yield from _paths(value, (*above, name))


def other_type(facts: Facts) -> Advice | None:
    """Recognize ``"false"`` in the token and ``false`` in the settings, or the reverse; the same for numbers."""
    for condition in _asked(facts):
        name, accepted = condition.claim.name, (*condition.any, *condition.all)
        found = find(facts.claims, condition.claim)
        if isinstance(found, bool | int | float) and json.dumps(found) in accepted:
            written = json.dumps(found)
            return Advice(
                "other_type",
                f"{shortened(name)} is {written} in the token, but the settings require the string “{written}”: "
                f"write {written} without quotes.",
            )
        if isinstance(found, str) and any(
            not isinstance(value, str) and json.dumps(value) == found for value in accepted
        ):
            return Advice(
                "other_type",
                f"{shortened(name)} is the string “{found}” in the token, but the settings require {found}, which is "
                f'not a string: write "{found}", in quotes.',
            )
    return None


def _asked(facts: Facts) -> Iterator[ClaimCondition]:
    """Yield the conditions of the issuer's settings, or of the route's rule."""
    if facts.reason is ErrorCode.INVALID_CLAIM and facts.seen.issuer is not None:
        yield from facts.seen.issuer.claim_rules.required_claims
    decision, rules = facts.outcome.decision, facts.watched.authorizer.rules
    if isinstance(decision, Deny):
        for resource in rules.resources:
            for method, number in resource.methods.items():
                if resource.route(method) == decision.route:
                    yield from rules.requirements[number].claims
