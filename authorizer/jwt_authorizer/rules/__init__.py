"""Rules by route: what ``[[routes]]`` says, and whether a principal may ask for what it asks for.

``docs/rules.md`` explains them to those who write them.
"""

from jwt_authorizer.rules.decisions import Field, Resource, Rules, compile_rules, decide_without_routes
from jwt_authorizer.rules.model import Allow, Deny, Route
from jwt_authorizer.rules.parsing import parse_fields, parse_routes

__all__ = [
    "Allow",
    "Deny",
    "Field",
    "Resource",
    "Route",
    "Rules",
    "compile_rules",
    "decide_without_routes",
    "parse_fields",
    "parse_routes",
]
