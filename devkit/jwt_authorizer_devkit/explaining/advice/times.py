"""Tokens that are over, or not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.claims import distance

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_HOUR = 3600
_QUARTER = 900


def expired(facts: Facts) -> Advice | None:
    """Distinguish a token that was kept too long from clocks that disagree."""
    ends, issued = facts.claims.get("exp"), facts.claims.get("iat")
    if not isinstance(ends, int | float):
        return None
    over = facts.watched.now - ends
    ago = distance(-over)
    if over < _HOUR:
        return Advice(
            "just_expired",
            f"The token expired {ago}. Have the client fetch a new one before the old one ends. If new tokens are "
            "refused "
            "as well, two clocks disagree: “jwt-authorizer doctor” compares the issuer's with yours. (A leeway of more "
            "than a minute hides it.)",
        )
    if isinstance(issued, int | float) and ends <= issued:
        return Advice(
            "never_valid", "The token expired before it was issued (exp is not after iat): the issuer is wrong."
        )
    return Advice("expired", f"The token expired {ago}: get a new one.")


def not_yet_valid(facts: Facts) -> Advice | None:
    """Return how far ahead the issuer's clock is."""
    starts = [value for name in ("nbf", "iat") if isinstance(value := facts.claims.get(name), int | float)]
    if not starts:
        return None
    ahead = max(starts) - facts.watched.now
    if ahead < _QUARTER:
        return Advice(
            "clock_ahead",
            f"The issuer's clock is {ahead:.0f} s ahead of this one: set it right there, or try again in a moment.",
        )
    return Advice(
        "clock_ahead", f"The token begins to be valid {distance(ahead)}: the issuer's clock is wrong, or this one's is."
    )
