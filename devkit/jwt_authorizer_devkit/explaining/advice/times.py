"""Tokens that have expired or are not valid yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.claims import distance

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_HOUR = 3600
_QUARTER = 900


def expired(facts: Facts) -> Advice | None:
    """Distinguish a token that was used for too long from clock skew."""
    ends, issued = facts.claims.get("exp"), facts.claims.get("iat")
    if not isinstance(ends, int | float):
        return None
    over = facts.watched.now - ends
    ago = distance(-over)
    if over < _HOUR:
        return Advice(
            "just_expired",
            f"The token expired {ago}. Have the client get a new token before the old one expires. If new tokens are "
            "rejected as well, a clock is wrong: “jwt-authorizer doctor” compares the issuer's with yours. (A leeway "
            "of more than a minute hides it.)",
        )
    if isinstance(issued, int | float) and ends <= issued:
        return Advice(
            "never_valid",
            "The token expired before it was issued (exp is not after iat): that is a mistake of the issuer.",
        )
    return Advice("expired", f"The token expired {ago}: get a new token.")


def not_yet_valid(facts: Facts) -> Advice | None:
    """Return how far ahead the issuer's clock is."""
    starts = [value for name in ("nbf", "iat") if isinstance(value := facts.claims.get(name), int | float)]
    if not starts:
        return None
    ahead = max(starts) - facts.watched.now
    if ahead < _QUARTER:
        return Advice(
            "clock_ahead",
            f"The issuer's clock is {ahead:.0f} s ahead of this one: correct it there, or try again in a moment.",
        )
    return Advice("clock_ahead", f"The token is valid only {distance(ahead)}: the issuer's clock or this one is wrong.")
