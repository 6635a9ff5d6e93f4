"""Compact JSON, by an encoder that is made once: ``json.dumps`` makes one for every call that names separators."""

from __future__ import annotations

from json import JSONEncoder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What is written here was read from JSON or made by us, so nothing in it contains itself.
json_text: Callable[[object], str] = JSONEncoder(separators=(",", ":"), check_circular=False).encode
"""Give a value's JSON text, in ASCII and without white space."""
