"""Read JSON as strictly as tokens need: UTF-8, no duplicate members, finite numbers, bounded nesting.

RFC 8259 and RFC 7493. Attackers look for what parsers disagree about: of two members with one name, one program reads
the first and another the last.
"""

from __future__ import annotations

import re
from json import JSONDecoder, dumps
from typing import NoReturn

MAX_NESTING = 32
"""Levels of objects and arrays within each other; real claim sets have three or four."""


class BadJsonError(ValueError):
    """JSON that is refused. The message is the end of a sentence: "is not a JSON object"."""


def json_object(data: bytes) -> tuple[dict[str, object], str]:
    """Read a JSON object, and return its text as well. Raises :class:`BadJsonError`, whose message shows none of it."""
    try:
        text = data.decode()
        if data.count(b"[") + data.count(b"{") > MAX_NESTING:
            _check_nesting(text)
        # Issuers send no white space around it, and `decode` would look for some.
        value, end = _decoder.raw_decode(text) if text.startswith("{") else (None, -1)
        if end != len(text):
            value = _decoder.decode(text)
        if "\\" in text and "\\u" in text:
            dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is not a text
    except BadJsonError:
        raise
    except ValueError:
        # Also what Python raises for integers of more than 4,300 digits, and for bytes that are not UTF-8.
        _refuse("is not valid JSON in UTF-8")
    if not isinstance(value, dict):
        _refuse("is not a JSON object")
    return value, text


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("is not valid JSON: a member is listed twice")
    return members


def _no_constant(name: str) -> NoReturn:
    _refuse(f"is not valid JSON: {name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:  # infinity minus itself is not a number
        _refuse("is not valid JSON: a number is too large")
    return value


_decoder = JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_no_constant, parse_float=_finite)

# A string may lack its end, and nothing is tried twice: else a payload of quotes would cost its length squared.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def _check_nesting(text: str) -> None:
    """Count the levels before parsing, so that no depth of brackets costs recursion."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        bracket = match.group()
        if bracket in "[{":
            depth += 1
            if depth > MAX_NESTING:
                _refuse(f"is not valid JSON: nested deeper than {MAX_NESTING} levels")
        elif bracket in "]}":
            depth -= 1


def _refuse(message: str) -> NoReturn:
    raise BadJsonError(message)
