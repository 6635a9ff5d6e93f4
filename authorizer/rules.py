"""INTERFACE ONLY, written by the lead so that the rest runs: the routes engineer replaces this file.

Keep: Allow(route), Deny(reason, scopes, route), Rules.configured, Rules.decide(principal, method, path),
compile_rules(routes|None, absent=bool), parse_routes(raw, report(name, message, value)), Route.issuers, Route.path.
Required scopes come per principal: principal.required_scopes (issuer's JWT_REQUIRED_SCOPES), needed on every route.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from authorizer.errors import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from authorizer.claims import Principal


@dataclass(frozen=True, slots=True)
class Allow:
    route: str | None


@dataclass(frozen=True, slots=True)
class Deny:
    reason: Reason
    scopes: tuple[str, ...]
    route: str | None


@dataclass(frozen=True, slots=True)
class Route:
    path: str
    issuers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Rules:
    configured: bool

    def decide(self, principal: Principal, method: str, path: str) -> Allow | Deny:
        if not principal.scopes.issuperset(principal.required_scopes):
            return Deny(Reason.INSUFFICIENT_SCOPE, principal.required_scopes, None)
        return Allow(None)


def parse_routes(raw: object, report: Callable[[str, str, object], None]) -> tuple[Route, ...]:
    report("routes", "not there yet", raw)
    return ()


def compile_rules(routes: tuple[Route, ...] | None, *, absent: bool = False) -> Rules:
    return Rules(configured=routes is not None and not absent)
