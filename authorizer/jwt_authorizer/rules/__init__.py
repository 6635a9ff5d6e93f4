"""Rules by route: what ``[[routes]]`` says, and whether a principal may make a request.

``docs/rules.md`` explains them to those who write them. ``parsing`` reads them, ``templates`` has the tree of paths,
and ``decisions`` decides about one request.

Three modules answer questions about many requests at once. Only the package ``policies`` uses them; they do not depend
on it. ``classes`` has the decisions about all paths that lead to one place of the tree, ``route_keys``
those about all requests of one route of the API, and ``spellings`` those about a path with any text for ``*`` or
``?``.
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
