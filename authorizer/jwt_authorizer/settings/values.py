"""Reading one setting's value, from an environment variable's text or from a TOML value.

Each reader raises :class:`ValueError` with a message that says what would be right.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NoReturn

from jwt_authorizer.claim_conditions import parse_claim, parse_condition
from jwt_authorizer.errors import shown
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import TokenPlace, TokenSource, token_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.claim_conditions import Claim, ClaimCondition

_LONGEST_NUMBER = 100
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTEXT_KEY = re.compile(r"[A-Za-z0-9_.:-]+")
_REPLAY_STORE = re.compile(r"memory|dynamodb:[A-Za-z0-9_.-]{3,255}")
_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")
_NEVER_AN_ISSUER = (
    (r"/\.well-known/", "is the URL of a discovery document: leave out /.well-known/ and what follows"),
    (r"[,;\s]\s*https?://", "lists several issuers: JWT_CONFIG takes several, in [[issuers]] tables"),
    (r"\*", "has a wildcard, but iss is compared as text: write the issuer out"),
    (r"\{(?!tenant\})|<|\$\(|(?<!\{tenant)\}", "has a placeholder other than {tenant}: write its value"),
    (r"^[^/]*//?[^/]*@", "has a user name: no token's iss contains one"),
    (
        r"^https://(login\.microsoftonline\.(com|us)|sts\.windows\.net)/(common|organizations|consumers)\b",
        "is where users of any tenant sign in to Entra ID: tokens have the tenant's id in its place",
    ),
)
"""What no token has as its ``iss``, with what would be right."""

_ODD_IN_AN_ISSUER = frozenset("*{}<>$@,; ")

_OUR_CONTEXT_KEYS = ("sub", "iss", "exp", "scope", "claims", "tenant", "error", "reason", "required_scope")
RESERVED_CONTEXT_KEYS = frozenset(_OUR_CONTEXT_KEYS) | {
    *("hook_reason", "www_authenticate", "principalId", "integrationLatency", "integrationStatus", "latency"),
    *("requestId", "status"),
}
"""Context keys that the authorizer writes, or that API Gateway reads as its own ``$context.authorizer.*`` variables.

API Gateway developer guide, "Variables for access logging".
"""


def text(value: object) -> str:
    """Read a text without white space around it."""
    if not isinstance(value, str) or not value.strip():
        _wrong("expected a text")
    return value.strip()


def locations(value: object) -> tuple[str, ...]:
    """Read where keys come from: a text, or a TOML array of them. A key set has commas of its own."""
    items = value if isinstance(value, list) else [value]
    if not items:
        _wrong("expected at least one source of keys")
    return tuple(text(item) for item in items)


def texts(value: object) -> tuple[str, ...]:
    """Read a list of texts: comma-separated, or a TOML array."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        _wrong("expected a list of texts, in an environment variable separated by commas")
    found = tuple(item.strip() for item in items)
    if not found or not all(found):
        _wrong("expected at least one value, and no empty one")
    return found


def issuer(value: object) -> str:
    """Read an issuer, and refuse what no token has as its ``iss`` (RFC 7519 section 4.1.1, RFC 8414 section 2)."""
    name = text(value)
    # Start-up compiles no pattern for an ordinary issuer.
    if not _ODD_IN_AN_ISSUER.isdisjoint(name) or any(
        part in name for part in ("/.well-known/", "microsoft", "windows")
    ):
        for pattern, why in _NEVER_AN_ISSUER:
            if re.search(pattern, name):
                _wrong(why)
    return name


def exact_texts(value: object) -> tuple[str, ...]:
    """Read a list of texts that are compared with a claim as they are: a wildcard or JSON never matches."""
    found = texts(value)
    for item in found:
        if item == "*":
            _wrong('"*" never matches a token: list the values that mean your API, or set JWT_ANY_AUDIENCE to true')
        if item[0] in "[{\"'":
            _wrong("is read as it is, brackets and quotes included: write the values with commas between them")
    return found


def scopes(value: object) -> tuple[str, ...]:
    """Read a list of scopes: separated by commas or spaces, or a TOML array (RFC 6749 section 3.3)."""
    items = texts(value.replace(",", " ").split() if isinstance(value, str) else value)
    for item in items:
        if not _SCOPE.fullmatch(item):
            _wrong(f"{shown(item)!r} is no scope: a scope has no spaces, quotes or control characters")
    return items


def boolean(value: object) -> bool:
    """Read ``true`` or ``false``."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in ("true", "false"):
        _wrong("expected true or false")
    return word == "true"


def seconds(least: float, most: float | None = None) -> Callable[[object], float]:
    """Make a reader of a number of seconds within bounds, both included."""
    bounds = f"a number of seconds, written like 60 or 0.5, of at least {least:g}" + (
        "" if most is None else f" and at most {most:g}"
    )

    def read(value: object) -> float:
        number = _number(value)
        if number is None or number < least or (most is not None and number > most):
            _wrong(f"expected {bounds}")
        return number

    return read


def count(value: object) -> int:
    """Read a whole number of at least 0."""
    number = _number(value)
    if number is None or number < 0 or number != int(number):
        _wrong("expected a whole number of at least 0")
    return int(number)


def _number(value: object) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,12}(\.[0-9]{1,6})?\s*", value):
        return float(value)
    # Bounds every comparison refuses what TOML also knows: nan and inf.
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12:  # noqa: PLR2004 - as the pattern
        return float(value)
    return None


def choice[T: str](kind: type[T]) -> Callable[[object], T]:
    """Make a reader of one value of an enumeration."""
    names = [str(member) for member in kind]  # type: ignore[attr-defined]  # an enumeration's class can be iterated

    def read(value: object) -> T:
        if not isinstance(value, str) or value.strip() not in names:
            _wrong(f"expected one of {', '.join(names)}")
        return kind(value.strip())

    return read


def algorithms(value: object) -> frozenset[str]:
    """Read accepted ``alg`` values; ``Ed25519`` comes with ``EdDSA`` (RFC 9864)."""
    names = texts(value)
    for name in names:
        if name.lower() == "none" or name.upper().startswith("HS"):
            _wrong(f"{shown(name)} is never accepted: it is no signature that an issuer's public key can verify")
        if name not in SUPPORTED_ALGORITHMS:
            _wrong(f"{shown(name)} is not supported; expected some of {', '.join(sorted(SUPPORTED_ALGORITHMS))}")
    return frozenset({*names, "Ed25519"} if "EdDSA" in names else names)


def token_types(value: object) -> frozenset[str]:
    """Read accepted ``typ`` values, in the form in which they are compared."""
    return frozenset(token_type(item) for item in texts(value))


def claim(value: object) -> Claim:
    """Read the name of a claim, or a JSON Pointer to one."""
    return parse_claim(text(value))


def claims(value: object) -> tuple[Claim, ...]:
    """Read several claims, in their order."""
    return tuple(parse_claim(name) for name in texts(value))


def required_claims(value: object) -> tuple[ClaimCondition, ...]:
    """Read claims and what they must hold: a JSON object, or a TOML table."""
    if isinstance(value, str):
        try:
            value = json.loads(value, object_pairs_hook=_unique, parse_int=_integer)
        except (json.JSONDecodeError, RecursionError):
            _wrong('expected a JSON object such as {"token_use": "access"}')
    if not isinstance(value, dict) or not value:
        _wrong('expected an object of claims and values, such as {"token_use": "access"}')
    return tuple(parse_condition(name, asked) for name, asked in value.items())


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Refuse what JSON would drop in silence: of two rules for a claim, only the last would hold."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            _wrong(f"{shown(name)} is listed twice: give it a list of values")
    return dict(pairs)


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        _wrong(f"a number has {len(text)} digits; no claim has more than {_LONGEST_NUMBER}")
    return int(text)


def bound_tokens(value: object) -> tuple[str, ...]:
    """Read which kinds of bound tokens are checked, or that all of them are refused or none is looked at."""
    kinds = texts(value)
    if kinds not in (("refuse",), ("ignore",)) and not {"dpop", "mtls"}.issuperset(kinds):
        _wrong("expected refuse, ignore, dpop, mtls, or dpop,mtls")
    return kinds


def replay_store(value: object) -> str:
    """Read where used DPoP proofs are remembered: ``memory``, or ``dynamodb:TABLE``."""
    store = text(value)
    if not _REPLAY_STORE.fullmatch(store):
        _wrong("expected memory, or dynamodb:TABLE with the table's name")
    return store


def token_sources(value: object) -> tuple[TokenSource, ...]:
    """Read the places a token may be in, in order of precedence."""
    return tuple(_token_source(item) for item in texts(value))


def _token_source(value: str) -> TokenSource:
    place, _, name = value.partition(":")
    if place not in list(TokenPlace) or not _HEADER_NAME.fullmatch(name):
        _wrong(f"{shown(value)!r} is no token source: expected header:NAME, cookie:NAME or query:NAME")
    return TokenSource(TokenPlace(place), name)


def context_claims(value: object) -> tuple[tuple[str, Claim], ...]:
    """Read which claims become context keys of their own: ``claim`` or ``key=claim``, or a TOML table."""
    if isinstance(value, dict):
        pairs = [(key, claim) for key, claim in value.items() if isinstance(claim, str) and claim]
        if len(pairs) != len(value):
            _wrong('expected key = "claim" on each line')
    else:
        split = [item.partition("=") for item in texts(value)]
        pairs = [(key.strip(), claim.strip() if equals else key.strip()) for key, equals, claim in split]
    for key, name in pairs:
        if key == name and key.startswith("/"):
            _wrong(f"a claim pointer needs a key of its own: {shown(key.rpartition('/')[2])}={shown(key)}")
        if not _CONTEXT_KEY.fullmatch(key):
            _wrong(f"{shown(key)!r} is no context key: use letters, digits and _ . : -, and key=claim to rename")
        if key in RESERVED_CONTEXT_KEYS:
            _wrong(f"the context key {key!r} is taken: choose another, such as my_{key}={shown(name)}")
        if not name:
            _wrong(f"the context key {shown(key)!r} names no claim")
    if len({key for key, _ in pairs}) != len(pairs):
        _wrong("a context key is listed twice")
    return tuple((key, parse_claim(name)) for key, name in pairs)


def _wrong(message: str) -> NoReturn:
    raise ValueError(message)
