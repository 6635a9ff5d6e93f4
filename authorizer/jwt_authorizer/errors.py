"""Every error code, and what start-up raises if the settings are wrong.

Four words have one meaning each. **Deny**: the token is good, its rights are not enough (a decision of the rules: 403).
**Reject**: the token or its proof is missing or bad (:class:`TokenError`: 401). **Error**: it cannot be decided now
(:class:`DecisionError`: 500). **Refuse**: a hook says no, which becomes a Deny. HTTP APIs have other statuses: see
:func:`jwt_authorizer.answers.rejection`.

A code is public API: it appears in the log line, in the metric, in the context of a 401 or 403 and as the
``code`` of the exception.
"""

from __future__ import annotations

import re
import traceback
from enum import StrEnum
from typing import NoReturn

from jwt_authorizer.records import dataclass


class ErrorCode(StrEnum):
    """An error code: why a request was rejected or denied, or could not be decided. The log has it as ``reason``.

    To add a code:

    1. Write it below, in the group of what is raised or returned with it: :class:`TokenError`, a ``Deny``, or
       :class:`DecisionError`.
    2. If the next attempt may pass, add it to ``TRANSIENT``.
    3. If RFC 6750 or RFC 9449 has another ``error`` for it than ``invalid_token``: ``contexts.rejection_context``.
    4. In the devkit: its advice (``explaining/advice/general.py``), and, unless it is about claims, the step at which a
       request with it ends (``explaining/steps.py``).
    5. Its section in ``docs/errors.md``. Tests fail until 4 and 5 are done.
    """

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
    UNSUPPORTED_BINDING = "unsupported_binding"
    UNBOUND_TOKEN = "unbound_token"
    MISSING_DPOP_PROOF = "missing_dpop_proof"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    REPLAYED_DPOP_PROOF = "replayed_dpop_proof"
    CERTIFICATE_MISMATCH = "certificate_mismatch"
    INACTIVE_TOKEN = "inactive_token"
    REVOKED_TOKEN = "revoked_token"

    # The token is good, its rights are not enough: 403.
    INSUFFICIENT_SCOPE = "insufficient_scope"
    CLAIM_MISMATCH = "claim_mismatch"
    ROUTE_NOT_LISTED = "route_not_listed"
    REFUSED_BY_HOOK = "refused_by_hook"

    # It could not be decided: 500.
    KEYS_UNAVAILABLE = "keys_unavailable"
    INVALID_EVENT = "invalid_event"
    UNSAFE_CACHE = "unsafe_cache"
    RESPONSE_TOO_LARGE = "response_too_large"
    INTROSPECTION_UNAVAILABLE = "introspection_unavailable"
    REVOCATION_UNAVAILABLE = "revocation_unavailable"
    REPLAY_STORE_UNAVAILABLE = "replay_store_unavailable"
    HOOK_FAILED = "hook_failed"
    INTERNAL_ERROR = "internal_error"


TRANSIENT = frozenset({ErrorCode.UNKNOWN_KEY, ErrorCode.TOKEN_NOT_YET_VALID})
"""Rejections that may be over at the next attempt. They are raised on HTTP APIs too, since no cache keeps an error."""


class AuthorizerError(Exception):
    """A request that ends without an Allow or a Deny: its result is ``reject`` or ``error``.

    ``code`` is the error code. ``detail`` is a sentence for the log: what was wrong, and what would be right. It never
    holds a token, a signature or a whole claim set.
    """

    def __init__(self, code: ErrorCode, detail: str) -> None:
        """Keep the code and its explanation."""
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def unexpected_error(error: BaseException) -> str:
    """Return an unexpected error's type and where it was raised, without its message: it may be untrusted input."""
    frames = reversed(traceback.extract_tb(error.__traceback__)[-3:])
    places = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames)
    return f"unexpected {type(error).__name__} at {places}"


class TokenError(AuthorizerError):
    """The token or its proof is missing or bad: the client sees 401.

    HTTP APIs: 403, or 500 for a code in ``TRANSIENT`` and with ``JWT_HTTP_API_REJECT=raise``.
    """


class DecisionError(AuthorizerError):
    """The request cannot be decided now: the client sees 500, and no cache keeps it."""


def invalid_event(detail: str) -> NoReturn:
    """Raise :class:`DecisionError` for an event that is not an authorizer's, or is damaged."""
    raise DecisionError(ErrorCode.INVALID_EVENT, detail)


_LONGEST_SHOWN = 100
"""Characters of a value that a message shows."""
NOT_SHOWN = "not shown, it may be a secret"
_SECRET = (
    r"""(?:^|[\s,'"(\[{=])[^/\s,'"(\[{=]*:.*@"""  # a user name and password: https://user:password@host
    r"""|['"]?(?:kty|keys)['"]?\s*[:=]|PRIVATE KEY"""  # a JWK, a key set, PEM
    r"|eyJ[A-Za-z0-9_-]{5}"  # a JWT
)
_LOCATION = r"(?:https?|file|ssm|s3|secretsmanager):[^{}\[\]@]*"
_QUERY = r"[?#]"


def shown(value: object, *, whole: object = None, is_location: bool = False) -> str:
    """Return what a message may show of a setting's value: no secrets, and at most 100 characters.

    Not shown are passwords in URLs, their queries and fragments, keys, and tokens. ``whole``: what the value is a part
    of; a part of a key does not look like one. ``is_location``: the value should be the location of a key or secret. If
    it is not, it may be the secret itself, and is not shown at all.
    """
    text = str(value)
    # These patterns are compiled only here, where start-up has failed.
    if re.search(_SECRET, text if whole is None else str(whole), re.DOTALL) or (
        is_location and not re.fullmatch(_LOCATION, text)
    ):
        return NOT_SHOWN
    return (re.split(_QUERY, text, maxsplit=1)[0] if ":" in text else text)[:_LONGEST_SHOWN]


@dataclass(frozen=True, slots=True)
class Problem:
    """One wrong setting: its name, what would be right, and what may be shown of its value."""

    name: str
    message: str
    value: str | None = None

    @classmethod
    def of(cls, name: str, message: str, value: object = None, *, is_location: bool = False) -> Problem:
        """Make a problem that shows no secret; ``is_location`` as for :func:`shown`."""
        return cls(shown(name), message, None if value is None else shown(value, is_location=is_location))

    def __str__(self) -> str:
        """One line for a human."""
        value = "" if self.value is None else f" ({NOT_SHOWN})" if self.value == NOT_SHOWN else f" (is {self.value!r})"
        return f"{self.name}{value}: {self.message}"


class SettingsError(Exception):
    """The settings are wrong: every problem at once, raised at start-up."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        """Keep the problems, and put one a line into the message that Lambda logs."""
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "".join(f"\n  - {problem}" for problem in problems)
        super().__init__(f"{count} in the authorizer's settings:{lines}")
        self.problems = problems
