"""Format compact JSON with one encoder: ``json.dumps`` makes a new one for every call that names separators."""

from __future__ import annotations

from json import JSONEncoder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What is written here was read from JSON or made by us, so nothing in it contains itself.
json_text: Callable[[object], str] = JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Return a value's JSON text, in ASCII and without white space."""


def is_one_line(text: str) -> bool:
    """Return whether text that has been read as a JSON object may be passed on as it is: in ASCII, on one line.

    Then it is as safe as what :data:`json_text` returns. JSON allows control characters in white space only, and DEL,
    which terminals interpret, in texts.
    """
    return (
        text.startswith("{")
        and text.isascii()
        and "\n" not in text
        and "\r" not in text
        and "\t" not in text
        and "\x7f" not in text
    )
