"""Rules and a principal become an IAM policy that API Gateway may replay: see ``docs/policies.md``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.policies.statements import Compiled, Policies, Statement
from jwt_authorizer.policies.unrestricted import Unrestricted

if TYPE_CHECKING:
    from jwt_authorizer.rules import Rules

__all__ = ["Compiled", "Policies", "Statement", "policies_for"]


def policies_for(rules: Rules) -> Policies:
    """Give what makes policies of these rules."""
    if not rules.configured:
        return Unrestricted()
    from jwt_authorizer.policies.compiler import PolicyCompiler  # noqa: PLC0415 - 4 ms, for those who have rules

    return PolicyCompiler(rules)
