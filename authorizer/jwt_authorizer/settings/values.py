"""Read one setting's value, from an environment variable's text or from a TOML value.

Each reader raises :class:`ValueError` with a message that says what would be right.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.errors import shown
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import TokenLocation, TokenSource, token_type

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T", bound=str)

_HEADER_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_REPLAY_STORE = r"memory|dynamodb:[A-Za-z0-9_.-]{3,255}"
_SCOPE = r"[\x21\x23-\x5B\x5D-\x7E]+"
_OF_PLACEHOLDERS = frozenset("{}<>")
_TOKEN_TYPE = r"[a-z0-9][a-z0-9!#$&^_.+/-]*"


def string(value: object) -> str:
    """Read a non-empty string, and strip white space around it."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a string that is not empty")
    return value.strip()


def strings(value: object) -> tuple[str, ...]:
    """Read a list of strings: comma-separated, or a TOML array."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise ValueError("expected a list of strings, in an environment variable separated by commas")
    found = tuple(item.strip() for item in items)
    if not found or not all(found):
        raise ValueError("expected at least one value, and no empty one")
    return found


def exact_strings(value: object) -> tuple[str, ...]:
    """Read a list of strings that are compared with a claim as they are, and reject what no claim is."""
    found = strings(value)
    for item in found:
        if item == "*":
            raise ValueError(
                '"*" never matches a token: list the values that mean your API, or set JWT_ANY_AUDIENCE to true'
            )
        refuse_quoted(item)
        if not _OF_PLACEHOLDERS.isdisjoint(item) or "$(" in item:
            raise ValueError("has a placeholder, which nothing replaces here: write its value")
        if not item.isprintable() or (":" in item and " " in item):
            raise ValueError("has white space or invisible characters in a value: write commas between the values")
    return found


def refuse_quoted(item: str) -> None:
    """Raise :class:`ValueError` for JSON, and for quotes that came along from a file or a shell."""
    if item[:1] in ("[", "{", '"', "'"):
        raise ValueError("is read as it is, brackets and quotes included: write the values with commas between them")


def scopes(value: object) -> tuple[str, ...]:
    """Read a list of scopes: separated by commas or spaces, or a TOML array (RFC 6749 section 3.3)."""
    items = strings(value.replace(",", " ").split() if isinstance(value, str) else value)
    for item in items:
        if not re.fullmatch(_SCOPE, item):
            raise ValueError(
                f"{shown(item, whole=value)!r} is not a scope: a scope has no spaces, quotes or control characters"
            )
    return items


def boolean(value: object) -> bool:
    """Read ``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("true", "false"):
        raise ValueError("expected true or false")
    return word == "true"


def seconds(least: float, most: float | None = None) -> Callable[[object], float]:
    """Make a reader of a number of seconds within bounds, both included."""
    bounds = f"a number of seconds, written like 60 or 0.5, of at least {least:g}" + (
        "" if most is None else f" and at most {most:g}"
    )

    def read(value: object) -> float:
        number = _number(value)
        if number is None or number < least or (most is not None and number > most):
            raise ValueError(f"expected {bounds}")
        return number

    return read


def count(value: object) -> int:
    """Read a whole number of at least 0."""
    number = _number(value)
    if number is None or number < 0 or number != int(number):
        raise ValueError("expected a whole number of at least 0")
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,12}(\.[0-9]{1,6})?\s*", value):
        return float(value)
    # Not within any bounds, although TOML has them: nan and inf.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:  # noqa: PLR2004 - as the pattern
        return float(value)
    return None


def matching(pattern: str, message: str) -> Callable[[object], str]:
    """Make a reader of a string that matches a regular expression; ``message`` says what is right."""

    def read(value: object) -> str:
        found = string(value)
        if not re.fullmatch(pattern, found):
            raise ValueError(message)
        return found

    return read


def one_of(*members: T) -> Callable[[object], T]:
    """Make a reader of one of some words, which may be the members of an enumeration."""
    by_name = {str(member): member for member in members}

    def read(value: object) -> T:
        if not isinstance(value, str) or value.strip() not in by_name:
            raise ValueError(f"expected one of {', '.join(by_name)}")
        return by_name[value.strip()]

    return read


def algorithms(value: object) -> frozenset[str]:
    """Read accepted ``alg`` values; ``Ed25519`` comes with ``EdDSA`` (RFC 9864)."""
    names = strings(value)
    for name in names:
        if name.lower() == "none" or name.upper().startswith("HS"):
            raise ValueError(f"{shown(name, whole=value)} is never accepted: an issuer's public key cannot verify it")
        if name not in SUPPORTED_ALGORITHMS:
            supported = ", ".join(sorted(SUPPORTED_ALGORITHMS))
            raise ValueError(f"{shown(name, whole=value)} is not supported; expected some of {supported}")
    return frozenset({*names, "Ed25519"} if "EdDSA" in names else names)


def token_types(value: object) -> frozenset[str]:
    """Read accepted ``typ`` values, in the form in which they are compared: media types (RFC 6838 section 4.2)."""
    found = [token_type(item) for item in strings(value)]
    for item in found:
        if not re.fullmatch(_TOKEN_TYPE, item):
            wrong = shown(item, whole=value)
            raise ValueError(f"{wrong!r} is not a token type: expected values of the header typ, such as at+jwt")
    return frozenset(found)


def bound_tokens(value: object) -> tuple[str, ...]:
    """Read which kinds of bound tokens are checked, or that all of them are refused or none is looked at."""
    kinds = strings(value)
    if kinds not in (("refuse",), ("ignore",)) and not {"dpop", "mtls"}.issuperset(kinds):
        raise ValueError("expected refuse, ignore, dpop, mtls, or dpop,mtls")
    return kinds


def replay_store(value: object) -> str:
    """Read where used DPoP proofs are remembered: ``memory``, or ``dynamodb:TABLE``."""
    store = string(value)
    if not re.fullmatch(_REPLAY_STORE, store):
        raise ValueError("expected memory, or dynamodb:TABLE with the table's name")
    return store


def token_sources(value: object) -> tuple[TokenSource, ...]:
    """Read the locations of a token, in order of precedence."""
    found = []
    for item in strings(value):
        place, _, name = item.partition(":")
        if place not in list(TokenLocation) or not re.fullmatch(_HEADER_NAME, name):
            wrong = shown(item, whole=value)
            raise ValueError(f"{wrong!r} is not a token source: expected header:NAME, cookie:NAME or query:NAME")
        found.append(TokenSource(TokenLocation(place), name))
    return tuple(found)
