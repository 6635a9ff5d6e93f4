"""Read JSON as strictly as tokens need, and write it compactly.

What is read is UTF-8, without duplicate members, with finite numbers and bounded nesting (RFC 8259 and RFC 7493).
Attackers use what parsers disagree about: of two members with the same name, one program reads the first and another
the last.
"""

from __future__ import annotations

import re
from json import JSONDecoder, JSONEncoder, dumps
from json.encoder import encode_basestring_ascii
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

# json.dumps makes a new encoder for every call that names separators. What is written here was read from JSON or made
# by us, so nothing in it contains itself.
json_text: Callable[[object], str] = JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Return a value's JSON text, in ASCII and without white space."""
json_string: Callable[[str], str] = encode_basestring_ascii
"""Return a string as JSON, as :data:`json_text` does with one call more."""

MAX_NESTING = 32
"""Levels of objects and arrays within each other; real claim sets have three or four."""


class BadJsonError(ValueError):
    """JSON that is rejected. The message is the end of a sentence: "is not a JSON object"."""


def json_object(data: bytes) -> tuple[dict[str, object], str]:
    """Read a JSON object. Return it and its text. Raises :class:`BadJsonError`, whose message holds nothing of it."""
    try:
        text = data.decode()
        if data.count(b"[") + data.count(b"{") > MAX_NESTING:
            _check_nesting(text)
        # Issuers send no white space around it, and `decode` would look for some.
        value, end = _decoder.raw_decode(text) if text.startswith("{") else (None, -1)
        if end != len(text):
            value = _decoder.decode(text)
        if "\\" in text and "\\u" in text:
            dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not text
    except BadJsonError:
        raise
    except ValueError:
        # Also what Python raises for integers of more than 4,300 digits, and for bytes that are not UTF-8.
        _reject("is not valid JSON in UTF-8")
    if not isinstance(value, dict):
        _reject("is not a JSON object")
    return value, text


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _reject("is not valid JSON: a member is listed twice")
    return members


def _no_constant(name: str) -> NoReturn:
    _reject(f"is not valid JSON: {name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:  # infinity minus itself is not a number
        _reject("is not valid JSON: a number is too large")
    return value


_decoder = JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_no_constant, parse_float=_finite)

# A string may lack its end, and nothing is tried twice: else a payload of quotes would cost its length squared.
# A text, since few tokens have so many brackets.
_STRING_OR_BRACKET = r'(?s)"(?:[^"\\]++|\\.)*+"?|[\[\]{}]'


def _check_nesting(text: str) -> None:
    """Count the levels before parsing, so that no depth of brackets costs recursion."""
    depth = 0
    for match in re.finditer(_STRING_OR_BRACKET, text):
        bracket = match.group()
        if bracket in "[{":
            depth += 1
            if depth > MAX_NESTING:
                _reject(f"is not valid JSON: nested deeper than {MAX_NESTING} levels")
        elif bracket in "]}":
            depth -= 1


def _reject(message: str) -> NoReturn:
    raise BadJsonError(message)


def is_one_line(text: str) -> bool:
    """Return whether the text of a JSON object may be passed on unchanged: it is ASCII, and on one line.

    Then it is as safe as what :data:`json_text` returns. JSON allows control characters in white space only, and DEL,
    which terminals interpret, in strings.
    """
    return (
        text.startswith("{")
        and text.isascii()
        and "\n" not in text
        and "\r" not in text
        and "\t" not in text
        and "\x7f" not in text
    )
