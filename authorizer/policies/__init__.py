"""Rules and a principal become an IAM policy that API Gateway may replay: see ``docs/policies.md``."""

from authorizer.policies.compiler import Compiled, PolicyCompiler, Statement

__all__ = ["Compiled", "PolicyCompiler", "Statement"]
