"""Which of AppSync's fields a token may query, and what it lacks for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import is_met
from jwt_authorizer.errors import ErrorCode

if TYPE_CHECKING:
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.rules import Field


@dataclass(frozen=True, slots=True)
class FieldResult:
    """One field of ``[[fields]]``: AppSync answers it with null if it is not ``allowed``.

    ``needs`` are what a denied field's rule requires and the token lacks: scopes, claims or another issuer, by name.
    """

    field: str
    allowed: bool
    reason: str | None
    needs: tuple[str, ...]


def check_fields(principal: Principal, fields: tuple[Field, ...]) -> tuple[FieldResult, ...]:
    """Check a principal against each field's rule, as the function does."""
    return tuple(_result(principal, field) for field in fields)


def _result(principal: Principal, field: Field) -> FieldResult:
    denied = field.requirement.denies(principal, field.name)
    if denied is None:
        return FieldResult(field.name, allowed=True, reason=None, needs=())
    needs = denied.scopes
    if denied.reason is ErrorCode.CLAIM_MISMATCH:
        unmet = [each.claim.name for each in field.requirement.claims if not is_met(each, principal.claims)]
        issuers = field.requirement.issuers
        elsewhere = issuers and principal.issuer not in issuers and principal.configured_issuer not in issuers
        needs = tuple(f"issuer {name}" for name in sorted(issuers)) if elsewhere else tuple(f"claim {x}" for x in unmet)
    return FieldResult(field.name, allowed=False, reason=str(denied.reason), needs=needs)
