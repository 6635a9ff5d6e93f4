"""Claim conditions: what ``required_claims`` and a route's ``claims`` require of a claim.

A :class:`Claim` is the name of a top-level claim or, if it begins with ``/``, a JSON Pointer to one (RFC 6901).
It *holds* a value if it equals the value, is a list that contains it, or is an object that has a member of that name.
So ``roles`` holds ``"admin"`` in each of ``{"roles": "admin"}``, ``{"roles": ["user", "admin"]}`` and
``{"roles": {"admin": {}}}``. Values are compared as JSON compares them: ``true`` is not ``1``, and ``1`` is ``1.0``.
A claim of another type than expected holds nothing, and is never an error.

Conditions are parsed when the settings are read.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from jwt_authorizer.errors import shown
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    Scalar = str | int | float | bool | None

ABSENT: Final = object()
"""What :func:`find` returns for a claim that a token does not have; ``None`` is JSON's null."""

_LONGEST_INDEX = 9
_VARIABLE = r"\{[A-Za-z_][A-Za-z0-9_]*\+?\}"
_EXPECTED = "a string, a number or a boolean, a list of these, or a table of any, all and like"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim: its ``name`` as written in the settings, and the member names on the ``path`` to it."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimCondition:
    """What a claim must hold: one of ``any``, every one of ``all``, and a string that matches one of ``like``.

    An empty tuple asks for nothing. A pattern is kept as the strings between its ``*``.
    """

    claim: Claim
    any: tuple[Scalar, ...] = ()
    all: tuple[Scalar, ...] = ()
    like: tuple[tuple[str, ...], ...] = ()


def find(claims: Mapping[str, object], claim: Claim) -> object:
    """Return the value of a claim, or :data:`ABSENT` (RFC 6901 section 4)."""
    path = claim.path
    if len(path) == 1:
        return claims.get(path[0], ABSENT)
    value: object = claims
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and _is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return ABSENT
    return value


def is_met(condition: ClaimCondition, claims: Mapping[str, object]) -> bool:
    """Return whether a token's claims meet a condition."""
    value = find(claims, condition.claim)
    if value is ABSENT:
        return False
    held = value if isinstance(value, list | dict) else (value,)
    return (
        (not condition.any or any(_holds(held, wanted) for wanted in condition.any))
        and all(_holds(held, wanted) for wanted in condition.all)
        and (not condition.like or any(_matches(item, parts) for item in held for parts in condition.like))
    )


def overage(condition: ClaimCondition, claims: Mapping[str, object]) -> str | None:
    """Return the message for a claim that Entra ID left out of the token for its size (groups overage), or ``None``.

    Entra ID writes at most 200 groups into a token. If there are more it only names the claim, in ``_claim_names`` or
    ``hasgroups`` (Microsoft identity platform, "Groups overage claim").
    """
    name = condition.claim.path[0]
    named = claims.get("_claim_names")
    if name in claims or not (
        (isinstance(named, dict) and name in named) or (name == "groups" and "hasgroups" in claims)
    ):
        return None
    return (
        f"Entra ID left the claim {shown(name)} out of this token, since the user has too many (groups overage): emit "
        "only the groups that are assigned to the application, or use app roles"
    )


def _holds(held: list[object] | dict[str, object] | tuple[object], wanted: Scalar) -> bool:
    if isinstance(wanted, str):
        return wanted in held
    # To Python a boolean is a number; to JSON it is not.
    return any(item == wanted and isinstance(item, bool) is isinstance(wanted, bool) for item in held)


def _matches(value: object, parts: tuple[str, ...]) -> bool:
    """Match a string against a pattern's parts in linear time: the leftmost match of each part is enough."""
    if not isinstance(value, str):
        return False
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return value == first
    end = len(value) - len(last)
    if end < len(first) or not value.startswith(first) or not value.endswith(last):
        return False
    position = len(first)
    for part in parts[1:-1]:
        position = value.find(part, position, end)
        if position < 0:
            return False
        position += len(part)
    return True


def _is_index(step: str) -> bool:
    return step.isascii() and step.isdigit() and (step == "0" or step[0] != "0") and len(step) <= _LONGEST_INDEX


def parse_claim(name: str) -> Claim:
    """Read the name of a claim, or a JSON Pointer to one. Raises :class:`ValueError` for a malformed pointer."""
    if not name.startswith("/"):
        return Claim(name, (name,))
    if re.search("~(?![01])", name):
        raise ValueError(
            f"{shown(name)} is not a JSON Pointer: in a name, ~ is written ~0 and / is written ~1 (RFC 6901)"
        )
    return Claim(name, tuple(step.replace("~1", "/").replace("~0", "~") for step in name[1:].split("/")))


def parse_condition(name: str, asked: object) -> ClaimCondition:
    """Read what a claim must hold, from TOML or JSON: a value, a list of values, or a table of any, all and like.

    Raises :class:`ValueError`, saying what would be right.
    """
    claim = parse_claim(name)
    if not isinstance(asked, dict):
        return ClaimCondition(claim, any=_values(name, asked))
    unknown = [key for key in asked if key not in ("any", "all", "like")]
    if unknown or not asked:
        raise ValueError(
            f"the claim {shown(name)} has {shown(unknown[0]) if unknown else 'an empty table'}: expected {_EXPECTED}"
        )
    return ClaimCondition(
        claim,
        any=_values(name, asked["any"]) if "any" in asked else (),
        all=_values(name, asked["all"]) if "all" in asked else (),
        like=_patterns(name, asked["like"]) if "like" in asked else (),
    )


def _values(name: str, value: object) -> tuple[Scalar, ...]:
    values = value if isinstance(value, list) else [value]
    if not values:
        raise ValueError(f"the claim {shown(name)} has an empty list, which would accept nobody: expected {_EXPECTED}")
    for item in values:
        if item is not None and not isinstance(item, str | int | float):
            raise ValueError(f"the claim {shown(name)} has something else in it: expected {_EXPECTED}")
        if isinstance(item, float) and not math.isfinite(item):
            raise ValueError(f"the claim {shown(name)} can never be nan or infinite: JSON has no such numbers")
        if isinstance(item, str) and re.fullmatch(_VARIABLE, item):
            raise ValueError(
                f"the claim {shown(name)} is compared with the text {shown(item)!r}: path variables have no values "
                "here. Compare them in the backend, which gets the claims"
            )
    return tuple(values)


def _patterns(name: str, value: object) -> tuple[tuple[str, ...], ...]:
    patterns = value if isinstance(value, list) else [value]
    texts = [pattern for pattern in patterns if isinstance(pattern, str) and pattern]
    if not texts or len(texts) < len(patterns):
        raise ValueError(
            f'the claim {shown(name)} needs a non-empty string in like, or a list of them, such as "repo:acme/*"'
        )
    return tuple(tuple(pattern.split("*")) for pattern in texts)
