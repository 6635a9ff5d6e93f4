"""Rules of a line each, and the policies that they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.method_arn import MethodArn
from jwt_authorizer.policies import policies_for
from jwt_authorizer.rules import Route, compile_rules
from tests.properties.apis import PREFIX, principal

if TYPE_CHECKING:
    from jwt_authorizer.policies import Policies, Policy
    from jwt_authorizer.rules import Rules


def listing(*lines: str, absent: bool = False) -> Rules:
    """Make rules of lines such as ``GET /orders/{id} read``."""
    routes = []
    for line in lines:
        method, path, *scopes = line.split()
        routes.append(Route(None if method == "*" else frozenset({method}), path, tuple(scopes)))
    return compile_rules(routes, absent=absent)


ORDERS = ("GET /orders", "GET /orders/{id}", "GET /orders/me admin", "POST /orders write")


def asks(text: str, kind: EventKind = EventKind.REST_REQUEST) -> Request:
    method, _, path = text.partition(" ")
    arn = MethodArn.parse(PREFIX + method + path)
    return Request(kind, arn, method, path or method, None, None, (), None, {})


def compiled(
    rules: Rules, text: str, *scopes: str, cached_by: str = "token", compiler: Policies | None = None
) -> Policy:
    request = asks(text)
    decision = rules.decide(principal(*scopes), request.method, request.path)
    return (compiler or policies_for(rules)).compile(principal(*scopes), decision, request, cached_by)


def resources(policy: Policy, effect: str = "Allow") -> tuple[str, ...]:
    return tuple(one for statement in policy.statements for one in statement.resources if statement.effect == effect)
