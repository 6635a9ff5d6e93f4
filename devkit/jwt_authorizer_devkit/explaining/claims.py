"""Check each claim against its rule, without stopping at the first failure.

The function's own check runs once for each rule, with that rule alone. So the result has all that is wrong with a
token; the function itself stops at the first failure.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer.claim_conditions import ABSENT, find, parse_claim
from jwt_authorizer.claims import ClaimRules, VerifiedToken, check_claims
from jwt_authorizer.errors import TokenError
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from jwt_authorizer.claim_conditions import ClaimCondition
    from jwt_authorizer.errors import ErrorCode

_NO_LIMIT = 1e18
"""Seconds of leeway: with so many, every time is valid."""
_WHOSE = "\x00probe"
"""A claim that no token has: it replaces the principal's claim while another rule is checked."""
_NOBODY = (parse_claim(_WHOSE),)
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LAST_YEAR = 253_402_300_799


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """One claim: its value, its rule, and whether the value meets the rule (``None``: it has no rule)."""

    claim: str
    value: str
    rule: str
    holds: bool | None
    said: str = ""
    reason: ErrorCode | None = None


def check_each_claim(
    claims: Mapping[str, object], rules: ClaimRules | None, issuers: Iterable[str], now: float
) -> tuple[ClaimResult, ...]:
    """Check each claim against each rule, without stopping.

    ``issuers`` are those of the settings; ``rules`` are the token's issuer's, ``None`` if the settings do not name it.
    """
    named = shown("iss", claims["iss"], now) if "iss" in claims else "missing"
    first = ClaimResult("iss", named, f"exactly {' or '.join(issuers)}", rules is not None)
    results = (first, *(_results(claims, rules, now) if rules is not None else ()))
    seen = {name for result in results for name in result.claim.split(" / ")}
    others = tuple(
        ClaimResult(name, shown(name, value, now), "", None) for name, value in claims.items() if name not in seen
    )
    return results + others


def _results(claims: Mapping[str, object], rules: ClaimRules, now: float) -> Iterator[ClaimResult]:
    late = {"exp": now + 1}
    leeway = f"{rules.leeway:g} s of leeway"

    def check(name: str, rule: str, found: Mapping[str, object], asked: ClaimRules) -> ClaimResult:
        names = name.split(" / ")
        held = {one: find(claims, parse_claim(one)) for one in names}
        values = [shown(one, value, now) for one, value in held.items() if value is not ABSENT]
        try:
            check_claims(VerifiedToken("", {**found, _WHOSE: "x"}), asked, now)
        except TokenError as error:
            return ClaimResult(
                name, ", ".join(values) or "missing", rule, holds=False, said=error.detail, reason=error.code
            )
        return ClaimResult(name, ", ".join(values) or "missing", rule, holds=True)

    def only(*names: str) -> dict[str, object]:
        return late | {name: claims[name] for name in names if name in claims}

    in_time = ClaimRules(leeway=rules.leeway, principal_claims=_NOBODY)
    yield check(
        "exp", f"is in the future, {leeway}", {name: claims[name] for name in ("exp",) if name in claims}, in_time
    )
    for name in ("nbf", "iat"):
        if name in claims:
            yield check(name, f"is in the past, {leeway}", only(name), in_time)
    if rules.max_lifetime is not None and "exp" in claims:
        lifetime = ClaimRules(leeway=_NO_LIMIT, max_lifetime=rules.max_lifetime, principal_claims=_NOBODY)
        found = {name: claims[name] for name in ("exp", "iat") if name in claims}
        yield check("iat / exp", f"at most {_length(rules.max_lifetime)} apart", found, lifetime)
    if rules.audience:
        rule = f"one of {_listed(rules.audience)}"
        yield check("aud", rule, only("aud"), ClaimRules(rules.audience, leeway=_NO_LIMIT, principal_claims=_NOBODY))
    if rules.client_id:
        asked = ClaimRules(client_id=rules.client_id, leeway=_NO_LIMIT, principal_claims=_NOBODY)
        yield check("client_id / azp", f"one of {_listed(rules.client_id)}", only("client_id", "azp"), asked)
    for condition in rules.required_claims:
        asked = ClaimRules(required_claims=(condition,), leeway=_NO_LIMIT, principal_claims=_NOBODY)
        yield check(condition.claim.name, wanted(condition), only(condition.claim.path[0]), asked)
    named = rules.principal_claims
    whose = ClaimRules(leeway=_NO_LIMIT, principal_claims=named)
    found = only(*(claim.path[0] for claim in named))
    yield check(" / ".join(claim.name for claim in named), "names the principal", found, whose)


def wanted(condition: ClaimCondition) -> str:
    """Format a condition for people: ``"a" or "b", all of "c", like "d*"``."""
    asked = [
        " or ".join(json.dumps(value) for value in condition.any),
        "all of " + ", ".join(json.dumps(value) for value in condition.all) if condition.all else "",
        "like " + " or ".join(json.dumps("*".join(parts)) for parts in condition.like) if condition.like else "",
    ]
    return ", ".join(text for text in asked if text)


def shown(name: str, value: object, now: float) -> str:
    """Format a claim's value for people: a time as a date with its distance from now, a long string shortened."""
    if name in ("exp", "nbf", "iat", "auth_time") and isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= _LAST_YEAR:
            return f"{value:g}"
        moment = dt.datetime.fromtimestamp(value, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"{moment} ({distance(value - now)})"
    return shortened(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def distance(seconds: float) -> str:
    """Format a distance in time: ``in 5 min``, ``12 s ago``."""
    return f"in {_length(seconds)}" if seconds >= 0 else f"{_length(-seconds)} ago"


def _length(seconds: float) -> str:
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))
