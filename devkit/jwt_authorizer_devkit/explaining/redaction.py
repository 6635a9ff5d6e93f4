"""No token is ever shown whole: what leaves this tool goes into tickets and chats."""

from __future__ import annotations

import re

from jwt_authorizer.issuers.fetched import printable

_LONGEST = 120
_LOOKS_LIKE_A_TOKEN = re.compile(
    # A header in JSON begins like this; one that was written with white space in it does not.
    r"eyJ[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_=-]*){0,4}|[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{40,}"
)


def redacted(text: str) -> str:
    """Cut whatever looks like a token, leaving enough to recognize which one it is."""
    return _LOOKS_LIKE_A_TOKEN.sub(lambda match: f"{match[0][:8]}… ({len(match[0])} characters)", text)


def shortened(text: str, longest: int = _LONGEST) -> str:
    """Bring untrusted text into one short line, without tokens in it."""
    return printable(redacted(text), longest)
