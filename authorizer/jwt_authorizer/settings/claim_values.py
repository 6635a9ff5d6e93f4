"""Read the settings that name claims: as :mod:`jwt_authorizer.settings.values`."""

from __future__ import annotations

import json
import re

from jwt_authorizer.claim_conditions import Claim, ClaimCondition, parse_claim, parse_condition
from jwt_authorizer.contexts import RESERVED_KEYS
from jwt_authorizer.errors import shown
from jwt_authorizer.settings.values import refuse_quoted, string, strings

_LONGEST_NUMBER = 100
_CONTEXT_KEY = r"[A-Za-z0-9_.:-]+"


def claim(value: object) -> Claim:
    """Read the name of a claim, or a JSON Pointer to one."""
    return _named(string(value))


def claims(value: object) -> tuple[Claim, ...]:
    """Read several claims, in their order."""
    return tuple(_named(name) for name in strings(value))


def _named(name: str) -> Claim:
    """Read the name of a claim. JSON and ``*`` name none, so no token would have it."""
    refuse_quoted(name)
    if name == "*":
        raise ValueError('"*" is not the name of a claim: name each claim')
    return parse_claim(name)


def required_claims(value: object) -> tuple[ClaimCondition, ...]:
    """Read claims and what they must hold: a JSON object, or a TOML table."""
    if isinstance(value, str):
        try:
            value = json.loads(value, object_pairs_hook=_unique, parse_int=_integer)
        except (json.JSONDecodeError, RecursionError):
            raise ValueError('expected a JSON object such as {"token_use": "access"}') from None
    if not isinstance(value, dict) or not value:
        raise ValueError('expected an object of claims and values, such as {"token_use": "access"}')
    return tuple(parse_condition(name, asked) for name, asked in value.items())


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Reject what JSON would drop in silence: of two rules for a claim, only the last would hold."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{shown(name)} is listed twice: give it a list of values")
    return dict(pairs)


def _integer(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        raise ValueError(f"a number has {len(digits)} digits; no claim has more than {_LONGEST_NUMBER}")
    return int(digits)


def context_claims(value: object) -> tuple[tuple[str, Claim], ...]:
    """Read which claims become context keys of their own: ``claim`` or ``key=claim``, or a TOML table."""
    pairs = _key_and_claim(value)
    keys = [key for key, _ in pairs]
    for key, name in pairs:
        if key == name and key.startswith("/"):
            right = shown(f"{key.rpartition('/')[2]}={key}", whole=value)
            raise ValueError(f"a claim pointer needs a key of its own: {right}")
        if not re.fullmatch(_CONTEXT_KEY, key):
            raise ValueError(
                f"{shown(key, whole=value)!r} is not a context key: use letters, digits and _ . : -, and key=claim to "
                "rename"
            )
        if key in RESERVED_KEYS:
            raise ValueError(
                f"the context key {key!r} is taken: choose another, such as my_{key}={shown(name, whole=value)}"
            )
        if not name:
            raise ValueError(f"the context key {shown(key, whole=value)!r} names no claim")
        if keys.count(key) > 1:
            raise ValueError(f"the context key {shown(key, whole=value)!r} is listed twice")
    return tuple((key, _named(name)) for key, name in pairs)


def _key_and_claim(value: object) -> list[tuple[str, str]]:
    if not isinstance(value, dict):
        split = [item.partition("=") for item in strings(value)]
        return [(key.strip(), claim.strip() if equals else key.strip()) for key, equals, claim in split]
    for key, claim in value.items():
        if not isinstance(claim, str) or not claim:
            raise ValueError(f'{shown(key, whole=value)} must name a claim: expected key = "claim" on each line')
    return list(value.items())
