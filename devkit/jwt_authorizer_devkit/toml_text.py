"""Write TOML 1.0, as far as the authorizer's documents need it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def document(values: Mapping[str, object]) -> str:
    """Return a document: first its top-level keys, then its tables.

    Raises ``ValueError`` for values that TOML does not have: null, and half of a surrogate pair.
    """
    tables = {key: value for key, value in values.items() if _is_table(value)}
    top = _lines({key: value for key, value in values.items() if key not in tables})
    parts = [top] if top else []
    for key, value in tables.items():
        if isinstance(value, dict):
            parts.append(f"[{_key(key)}]\n{_lines(value)}")
        elif isinstance(value, list):
            parts += [f"[[{_key(key)}]]\n{_lines(table)}" for table in value]
    return "\n".join(parts)


def line(key: str, value: object) -> str:
    """Return one key with its value, a table inline. Raises ``ValueError`` as :func:`document` does."""
    return f"{_key(key)} = {_value(value)}"


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)
    )


def _lines(table: Mapping[str, object]) -> str:
    return "".join(f"{line(key, value)}\n" for key, value in table.items())


def _key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _string(key)


def _value(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return _string(value)
        case list() | tuple():
            return f"[{', '.join(_value(item) for item in value)}]"
        case dict():
            return (
                f"{{ {', '.join(f'{_key(key)} = {_value(item)}' for key, item in value.items())} }}" if value else "{}"
            )
        case _:
            raise ValueError(f"TOML cannot express {value!r}")


def _string(value: str) -> str:
    """Return a basic string. JSON's escapes are valid in TOML, which also requires one for DEL."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("TOML cannot express half of a surrogate pair")
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
