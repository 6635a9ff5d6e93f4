"""INTERFACE ONLY, written by the lead so that the rest runs: the routes engineer replaces this file.

Keep: Statement(effect, resources), Compiled(statements, left_out), PolicyCompiler(rules).compile(principal,
decision, request, cached_by), .warnings(cached_by). cached_by is answers.CachedBy's text: token, route, nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authorizer.rules import Allow, Deny, Rules

if TYPE_CHECKING:
    from authorizer.claims import Principal
    from authorizer.events import Request


@dataclass(frozen=True, slots=True)
class Statement:
    effect: str
    resources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    statements: tuple[Statement, ...]
    left_out: tuple[str, ...] = ()


class PolicyCompiler:
    def __init__(self, rules: Rules) -> None:
        self.rules = rules

    def compile(self, principal: Principal, decision: Allow | Deny, request: Request, cached_by: str) -> Compiled:
        return Compiled((Statement("Allow" if isinstance(decision, Allow) else "Deny", ("*",)),))

    def warnings(self, cached_by: str) -> tuple[str, ...]:
        return ()
