"""What a policy says, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.policies.words import EVERYTHING
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from typing import Literal as OneOf

    from jwt_authorizer.claims import Principal
    from jwt_authorizer.events import Request
    from jwt_authorizer.policies.sizes import Wording
    from jwt_authorizer.rules import Allow, Deny

MAX_RESOURCE = 512
"""Characters of one resource."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy. A resource is what follows the stage: ``GET/orders/?*``; ``*`` is everything."""

    effect: OneOf["Allow", "Deny"]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The statements of a policy, the routes that the rules would allow but it does not, and what else to say."""

    statements: tuple[Statement, ...]
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


DENY_EVERYTHING = Compiled((Statement("Deny", (EVERYTHING,)),))


class Policies(Protocol):
    """What makes the policies of an authorizer, by its rules."""

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Compiled:
        """Word the decision about a request as far as the cache's key reaches.

        ``cached_by`` is ``JWT_CACHED_BY``: ``token`` (all routes that the principal may use), ``route`` (the
        route that matched), ``nothing`` (this request).
        """
        ...

    def one_answer(self, principal: Principal, decision: Allow | Deny, request: Request) -> bool:
        """Tell whether a decision is right for all of the API's route, where the event names that."""
        ...

    def may_be_allowed(self, principal: Principal, request: Request) -> bool:
        """Tell whether the rules allow anything of the API's route, where the event names that."""
        ...

    def warnings(self, cached_by: str) -> tuple[str, ...]:
        """Say what about the rules works but deserves a look, at start-up."""
        ...


def compiled(wording: Wording, left_out: tuple[str, ...]) -> Compiled:
    """Make statements of a wording. Without anything to allow, everything is denied."""
    if not wording.allowed:
        return Compiled(DENY_EVERYTHING.statements, left_out)
    statements = [Statement("Allow", wording.allowed)]
    if wording.denied:
        statements.append(Statement("Deny", wording.denied))
    return Compiled(tuple(statements), left_out)
