"""Policies where no rules tell routes apart: every route is for everyone whose token is good."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.events import EventKind
from jwt_authorizer.policies.statements import DENY_EVERYTHING, MAX_RESOURCE, Compiled, Statement
from jwt_authorizer.policies.words import EVERYTHING, SPECIAL, compile_texts
from jwt_authorizer.rules.model import CONNECT, Deny

if TYPE_CHECKING:
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.rules import Allow

# A text, not an expression: most authorizers word no resource, and those that do have it compiled once as well.
_TEMPLATE_VARIABLE = r"\{[^{}]*\}"


def _allow(resource: str) -> Compiled:
    return Compiled((Statement("Allow", (resource,)),))


_ALLOW_EVERYTHING = _allow(EVERYTHING)
_ALLOW_CONNECT = _allow(CONNECT)


class Unrestricted:
    """Makes policies without rules. Implements :class:`authorizer.policies.statements.Policies`."""

    __slots__ = ()

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Compiled:  # noqa: ARG002 - who asks makes no difference here
        """Word what a cached copy serves. Wherever that cannot be said in few words it is everything."""
        if isinstance(decision, Deny):
            return DENY_EVERYTHING
        if request.kind is EventKind.WEBSOCKET:
            return _ALLOW_CONNECT
        if cached_by == "token":
            return _ALLOW_EVERYTHING
        return _allow(_resource(request, cached_by))

    def one_answer(self, principal: Principal, decision: Allow | Deny, request: Request) -> bool:  # noqa: ARG002 - as above
        """Say that a decision is right for all of a route."""
        return True

    def may_be_allowed(self, principal: Principal, request: Request) -> bool:  # noqa: ARG002 - as above
        """Say that something of the route is allowed."""
        return True

    def warnings(self, cached_by: str) -> tuple[str, ...]:  # noqa: ARG002 - as above
        """Give none: no routes overlap."""
        return ()


def _resource(request: Request, cached_by: str) -> str:
    text = f"{request.method}{request.path}"
    if cached_by == "nothing":
        resource = re.sub(SPECIAL, "?", text)
    elif request.matched is not None:
        method = EVERYTHING if request.has_any_method else request.method
        resource = f"{method}{re.sub(_TEMPLATE_VARIABLE, EVERYTHING, request.matched)}"
    else:
        return EVERYTHING
    fits = len(request.arn.prefix) + len(resource) <= MAX_RESOURCE
    return resource if fits and compile_texts((resource,)).match(text) else EVERYTHING
