"""Compact JSON, by an encoder that is made once: ``json.dumps`` makes one for every call that names separators."""

from __future__ import annotations

from json import JSONEncoder
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What is written here was read from JSON or made by us, so nothing in it contains itself.
json_text: Callable[[object], str] = JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Give a value's JSON text, in ASCII and without white space."""

quoted: Callable[[str], str] = encode_basestring_ascii
"""Give the JSON text of a text: what :data:`json_text` does with one, without two calls on the way."""


def is_one_line(text: str) -> bool:
    """Tell whether text which has been read as a JSON object may be passed on as it is: in ASCII, on one line.

    Then it is as safe as :data:`json_text` would make it. In JSON there are control characters nowhere but in white
    space, and DEL, which terminals take for one, in texts.
    """
    return (
        text.startswith("{")
        and text.isascii()
        and "\n" not in text
        and "\r" not in text
        and "\t" not in text
        and "\x7f" not in text
    )
