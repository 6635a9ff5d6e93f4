"""Never show a whole token: the output of these tools is pasted into tickets and chats."""

from __future__ import annotations

import re

from jwt_authorizer.issuers.fetched import printable

_LONGEST = 120
_LOOKS_LIKE_A_TOKEN = re.compile(
    # A header in JSON begins like this, unless it has white space after the brace.
    r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_=-]*){0,4}|[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{40,}"
)


def redacted(text: str) -> str:
    """Shorten everything that looks like a token, but leave enough to identify it."""
    return _LOOKS_LIKE_A_TOKEN.sub(lambda match: f"{match[0][:8]}… ({len(match[0])} characters)", text)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Return untrusted input as one short line without tokens."""
    return printable(redacted(text), longest)
