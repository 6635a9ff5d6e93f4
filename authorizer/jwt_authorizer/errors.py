"""Every way in which a request can end badly, each with a stable reason code.

A code is public API: it appears in the log line, in the metric, in the context of a refusal and as the
``code`` of the exception. Missing rights are no error but a decision: see :mod:`jwt_authorizer.rules`.
"""

from __future__ import annotations

from enum import StrEnum

from jwt_authorizer.records import dataclass


class Reason(StrEnum):
    """Why a request was not let in, or why that could not be told."""

    # The token is missing or bad: 401.
    MISSING_TOKEN = "missing_token"
    MALFORMED_TOKEN = "malformed_token"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_NOT_YET_VALID = "token_not_yet_valid"
    TOKEN_LIFETIME_TOO_LONG = "token_lifetime_too_long"
    INVALID_AUDIENCE = "invalid_audience"
    INVALID_CLIENT = "invalid_client"
    INVALID_CLAIM = "invalid_claim"

    # The token is good, its rights are not enough: 403.
    INSUFFICIENT_SCOPE = "insufficient_scope"
    CLAIM_MISMATCH = "claim_mismatch"
    ROUTE_NOT_LISTED = "route_not_listed"

    # It could not be decided: 500.
    KEYS_UNAVAILABLE = "keys_unavailable"
    INVALID_EVENT = "invalid_event"
    UNSAFE_CACHE = "unsafe_cache"
    RESPONSE_TOO_LARGE = "response_too_large"
    INTERNAL_ERROR = "internal_error"


HEALED_BY_WAITING = frozenset({Reason.UNKNOWN_KEY, Reason.TOKEN_NOT_YET_VALID})
"""Refusals that the next attempt may not meet again. A cache must not keep them: API Gateway
caches a Deny, but no error."""


class AuthorizerError(Exception):
    """A request that ends without a decision.

    ``code`` is the stable reason; ``detail`` is a sentence for the log. It names what was wrong and what
    would be right, and never holds a token, a signature or a whole claim set.
    """

    def __init__(self, code: Reason, detail: str) -> None:
        """Keep the reason and its explanation."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class TokenError(AuthorizerError):
    """The token is missing or bad: the client sees 401 (HTTP APIs: 403)."""


class DecisionError(AuthorizerError):
    """Nobody can say now whether the request may pass: the client sees 500, and no cache keeps it."""


def shown(written: object) -> str:
    """Give as much of what somebody configured as a message repeats: its first 100 characters."""
    return str(written)[:100]


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting: its name, what would be right, and its value where that is no secret."""

    name: str
    message: str
    value: str | None = None

    def __str__(self) -> str:
        """One line for a human."""
        shown = "" if self.value is None else f" (is {self.value!r})"
        return f"{self.name}{shown}: {self.message}"


class SettingsError(Exception):
    """The settings are wrong: every problem at once, raised at start-up."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems, and put one a line into the message that Lambda logs."""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{count} in the authorizer's settings:{lines}")
        self.problems = problems
