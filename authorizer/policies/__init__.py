"""Rules and a principal become an IAM policy that API Gateway may replay: see ``docs/policies.md``."""

from authorizer.policies.compiler import PolicyCompiler
from authorizer.policies.statements import Compiled, Statement

__all__ = ["Compiled", "PolicyCompiler", "Statement"]
