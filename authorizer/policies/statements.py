"""What a policy says, and what it leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from authorizer.dataclass import dataclass
from authorizer.policies.words import EVERYTHING

if TYPE_CHECKING:
    from typing import Literal as OneOf

    from authorizer.policies.sizes import Wording


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy. A resource is what follows the stage: ``GET/orders/?*``; ``*`` is everything."""

    effect: OneOf["Allow", "Deny"]
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The statements of a policy, and the routes that the rules would allow but the policy does not."""

    statements: tuple[Statement, ...]
    left_out: tuple[str, ...] = ()


DENY_EVERYTHING = Compiled((Statement("Deny", (EVERYTHING,)),))


def compiled(wording: Wording, left_out: tuple[str, ...]) -> Compiled:
    """Make statements of a wording. Without anything to allow, everything is denied."""
    if not wording.allowed:
        return Compiled(DENY_EVERYTHING.statements, left_out)
    statements = [Statement("Allow", wording.allowed)]
    if wording.denied:
        statements.append(Statement("Deny", wording.denied))
    return Compiled(tuple(statements), left_out)
