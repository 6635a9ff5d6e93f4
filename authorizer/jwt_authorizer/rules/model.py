"""The values that rules are made of, and those they come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from jwt_authorizer.claim_conditions import ClaimCondition
    from jwt_authorizer.errors import ErrorCode

ANY_METHOD = "*"
"""A rule for every method that has no rule of its own on the same path; API Gateway writes it ``ANY``."""

HTTP_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS")
"""The methods that an API Gateway method or route can have besides ``ANY``."""

CONNECT = "$connect"
"""The route of a WebSocket API that takes an authorizer."""

DEFAULT = "$default"
"""The route of an HTTP API for whatever no other route matches."""


@dataclass(frozen=True, slots=True)
class Route:
    """One ``[[routes]]`` table. ``path`` is API Gateway's template; empty fields ask for nothing.

    ``methods`` is ``None`` for ``"*"``. ``scopes`` are needed all, ``any_scopes`` one of them; both keep
    their order for messages.
    """

    methods: frozenset[str] | None
    path: str
    scopes: tuple[str, ...] = ()
    any_scopes: tuple[str, ...] = ()
    claims: tuple[ClaimCondition, ...] = ()
    issuers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Allow:
    """The request may pass. ``route`` is the rule that said so (``GET /orders/{id}``), or ``None`` without rules."""

    route: str | None


@dataclass(frozen=True, slots=True)
class Deny:
    """The request is refused.

    ``scopes`` are those needed, if it lacks one; ``route`` is the rule, if any; ``detail`` is a sentence for the log.
    """

    reason: ErrorCode
    scopes: tuple[str, ...] = ()
    route: str | None = None
    detail: str | None = None
