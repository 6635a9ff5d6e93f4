"""Rules by route: what ``[[routes]]`` says, and whether a principal may ask for what it asks for.

``docs/rules.md`` explains them to those who write them.
"""

from jwt_authorizer.rules.decisions import Resource, Rules, compile_rules
from jwt_authorizer.rules.model import Allow, Deny, Route
from jwt_authorizer.rules.parsing import parse_routes

__all__ = ["Allow", "Deny", "Resource", "Route", "Rules", "compile_rules", "parse_routes"]
