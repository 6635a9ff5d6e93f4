"""What a policy allows and denies; and the policies of an authorizer without rules, which need nothing else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.events import EventKind
from jwt_authorizer.policies.patterns import ANY, Matcher
from jwt_authorizer.records import dataclass, field
from jwt_authorizer.rules.model import CONNECT, Deny
from jwt_authorizer.rules.templates import SPECIAL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal as OneOf

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.policies.grants import Grant
    from jwt_authorizer.rules import Allow

MAX_RESOURCE = 512
"""Characters of one resource in a policy."""

_TEMPLATE_VARIABLE = r"\{[^{}]*\}"  # a text: most authorizers never need it compiled


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy. A resource is what follows the stage: ``GET/orders/*``; ``*`` is everything."""

    effect: OneOf["Allow", "Deny"]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """An IAM policy: its statements, and the routes that the rules would allow but it does not.

    ``grants`` are what it was made of, and ``weight`` is what they give (see :class:`.grants.Examples`).
    """

    statements: tuple[Statement, ...]
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = field(default=(), compare=False)
    weight: int = field(default=0, compare=False)
    _matchers: list[Matcher] = field(init=False, repr=False, compare=False, default_factory=list)

    def resources(self, effect: OneOf["Allow", "Deny"]) -> tuple[str, ...]:
        """Return what is allowed, or denied."""
        return tuple(one for made in self.statements if made.effect == effect for one in made.resources)

    def permits(self, text: str) -> bool:
        """Return whether a request (its method and path) may pass: something allows it, and nothing denies it."""
        if not self._matchers:
            for effect in ("Allow", "Deny"):
                parts = (text.split("/") for text in self.resources(effect))
                self._matchers.append(Matcher(*(tuple(ANY if part == "*" else part for part in one) for one in parts)))
        allowed, denied = self._matchers
        segments = text.split("/")
        return allowed.covers(segments) and not denied.covers(segments)


DENY_EVERYTHING = Policy((Statement("Deny", ("*",)),))
ALLOW_EVERYTHING = Policy((Statement("Allow", ("*",)),))
ALLOW_CONNECT = Policy((Statement("Allow", (CONNECT,)),))


def policy_of(
    allowed: Sequence[str],
    denied: Sequence[str] = (),
    left_out: tuple[str, ...] = (),
    *,
    grants: tuple[Grant, ...] = (),
    weight: int = 0,
) -> Policy:
    """Make a policy of resources. Without anything to allow, everything is denied."""
    if not allowed:
        return Policy(DENY_EVERYTHING.statements, left_out)
    statements = [Statement("Allow", tuple(allowed))]
    if denied:
        statements.append(Statement("Deny", tuple(denied)))
    return Policy(tuple(statements), left_out, (), grants, weight)


class Unrestricted:
    """Makes policies without rules: every route is for everybody whose token is good."""

    __slots__ = ()

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Policy:  # noqa: ARG002 - the principal makes no difference here
        """Allow what a cached copy serves. If it has no short pattern, allow everything."""
        if isinstance(decision, Deny):
            return DENY_EVERYTHING
        if request.kind is EventKind.WEBSOCKET:
            return ALLOW_CONNECT
        return ALLOW_EVERYTHING if cached_by == "token" else policy_of((_resource(request, cached_by),))

    def one_answer(self, principal: Principal, decision: Allow | Deny, request: Request) -> bool:  # noqa: ARG002 - see Policies
        """Return True: no rule tells requests of a route apart."""
        return True

    def may_be_allowed(self, principal: Principal, request: Request) -> bool:  # noqa: ARG002 - see Policies
        """Return True: every route is allowed."""
        return True


def _resource(request: Request, cached_by: str) -> str:
    text = f"{request.method}{request.path}"
    if cached_by == "nothing":
        resource = re.sub(SPECIAL, "?", text)
    elif request.matched is not None:
        method = "*" if request.has_any_method else request.method
        resource = f"{method}{re.sub(_TEMPLATE_VARIABLE, '*', request.matched)}"
        if not policy_of((resource,)).permits(text):
            return "*"
    else:
        return "*"
    return resource if len(request.stage.prefix) + len(resource) <= MAX_RESOURCE else "*"
