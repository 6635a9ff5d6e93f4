"""Finding the bearer token in a request, and taking it apart without trusting it.

The compact serialisation of a JWS (RFC 7515 section 7.1) is read strictly: one alphabet, no padding, no
stray bits, no duplicate members, no numbers that JSON does not have. Nothing here has been verified.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from enum import StrEnum
from functools import lru_cache
from json import JSONDecoder, dumps
from typing import TYPE_CHECKING, NoReturn

from authorizer.dataclass import dataclass, field
from authorizer.errors import Reason, TokenError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from authorizer.events import Request

MAX_TOKEN_LENGTH = 16 * 1024
"""Characters. API Gateway's limit for all headers together is 10 KB, so no real token is longer."""

MAX_NESTING = 32
"""Levels of objects and arrays within each other; real claim sets have three or four."""

_COMPACT_JWS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")
_LAST_CHARACTER = {2: frozenset("AQgw"), 3: frozenset("AEIMQUYcgkosw048")}
"""What a group of two or three characters can end with when the unused bits are zero (RFC 4648 section 3.5)."""
_NO_GROUP = 1
_JWE_DOTS = 4


class TokenPlace(StrEnum):
    """The kinds of places a token may be in."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class TokenSource:
    """One place a token may be in, such as ``header:Authorization``."""

    place: TokenPlace
    name: str

    @property
    def has_scheme(self) -> bool:
        """Only ``Authorization`` carries ``Bearer`` before the token (RFC 6750 section 2.1)."""
        return self.place is TokenPlace.HEADER and self.name.lower() == "authorization"


@dataclass(frozen=True, slots=True)
class BearerToken:
    """The text that a client sent as its token. It never shows itself in a log or a traceback."""

    text: str = field(repr=False)

    def __post_init__(self) -> None:
        """Refuse a text that is too long (``malformed_token``) before anything reads it."""
        if len(self.text) > MAX_TOKEN_LENGTH:
            _malformed(f"the token is longer than {MAX_TOKEN_LENGTH} characters")


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A well-formed token that anybody may have written.

    It is another type than :class:`authorizer.claims.VerifiedToken`, so that no code can take one for the other.
    """

    alg: str
    kid: str | None
    typ: str | None
    claims: Mapping[str, object] = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def bearer_token(request: Request, sources: tuple[TokenSource, ...]) -> BearerToken:
    """Take the token from the first of the sources that has one.

    Raises :class:`TokenError`: ``missing_token``, or ``malformed_token`` where one source holds two
    different values, since picking either would let a sender choose which one is checked.
    """
    for source in sources:
        values = [value for value in _found(request, source) if value]
        if len(values) > 1:
            _malformed(f"{source.place}:{source.name} holds {len(values)} different values")
        for value in values:
            token = _after_scheme(value) if source.has_scheme else value
            if request.token_field is not None and any(other.has_scheme for other in sources):
                # A TOKEN event does not say which of several headers it holds: Bearer says it.
                token = _after_scheme(value) or token
            if token:
                return BearerToken(token)
    places = ", ".join(f"{source.place}:{source.name}" for source in sources)
    raise TokenError(Reason.MISSING_TOKEN, f"no token in {places} (Authorization needs the scheme Bearer)")


def _found(request: Request, source: TokenSource) -> tuple[str, ...]:
    if request.token_field is not None:
        # A TOKEN event holds the value of the one header that the authorizer is configured for, without its name.
        return (request.token_field,) if source.place is TokenPlace.HEADER else ()
    if source.place is TokenPlace.HEADER:
        return request.header(source.name)
    if source.place is TokenPlace.COOKIE:
        return request.cookie(source.name)
    return request.query(source.name)


def _after_scheme(value: str) -> str | None:
    """Return what stands behind ``Bearer``, which is matched without case (RFC 9110 section 11.1)."""
    scheme, _, token = value.strip(" ").partition(" ")
    # Python's lower() maps a few letters outside ASCII into it, so those are ruled out first.
    return token.lstrip(" ") if scheme.isascii() and scheme.lower() == "bearer" else None


def parse(token: BearerToken) -> UnverifiedToken:
    """Take a compact JWS apart.

    Raises :class:`TokenError` (``malformed_token``). Which algorithms are accepted is not decided here.
    """
    text = token.text
    match = _COMPACT_JWS.fullmatch(text)
    if match is None:
        _malformed(_not_compact(text))
    encoded_header, encoded_payload, encoded_signature = match.groups()
    alg, kid, typ = read_header(encoded_header)
    return UnverifiedToken(
        alg=alg,
        kid=kid,
        typ=typ,
        claims=_json_object(_base64url(encoded_payload, "payload"), "payload"),
        signing_input=text[: match.end(2)].encode("ascii"),
        signature=_base64url(encoded_signature, "signature"),
    )


@lru_cache(maxsize=16)
def read_header(encoded: str) -> tuple[str, str | None, str | None]:
    """Read ``alg``, ``kid`` and ``typ``. All tokens that one key signed have the same header, so it is read once."""
    header = _json_object(_base64url(encoded, "header"), "header")
    # RFC 7515 section 4.1.11: extensions marked critical must be understood or the token refused; none is
    # understood here. `b64` (RFC 7797) changes what is signed, so it is refused even where `crit` forgot it.
    for name in ("crit", "b64"):
        if name in header:
            _malformed(f"the header's {name} is not supported")
    alg = _header_text(header, "alg")
    if alg is None:
        _malformed("the header has no alg")
    return alg, _header_text(header, "kid"), _header_text(header, "typ")


def _not_compact(text: str) -> str:
    if "," in text:
        return "the token is no JWT: two values were joined with a comma, as HTTP APIs do with a header sent twice"
    if text.count(".") == _JWE_DOTS:
        return "the token is encrypted (a JWE): the issuer has to send signed tokens"
    if "." not in text:
        return "the token is opaque: expected a JWT of three parts; the issuer may need an audience to send one"
    return "the token is no JWT: expected three base64url parts joined by dots"


def token_type(typ: str) -> str:
    """Bring a ``typ`` into the form in which two are compared (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/")


def _header_text(header: Mapping[str, object], name: str) -> str | None:
    value = header.get(name)
    if value is None and name not in header:
        return None
    if not isinstance(value, str):
        _malformed(f"the header's {name} is no text")
    return value


def _base64url(text: str, part: str) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2); the alphabet has been checked."""
    last_group = len(text) % 4
    if last_group == _NO_GROUP or (last_group and text[-1] not in _LAST_CHARACTER[last_group]):
        _malformed(f"the {part} is not valid base64url")
    # Twenty times as quick as a table for str.translate, which costs more than the rest of the parsing.
    return a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))


class _BadJsonError(ValueError):
    """JSON that parsers disagree about, which is what attackers look for."""


def _unique_members(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member stands twice"
        raise _BadJsonError(message)
    return members


def _no_constant(name: str) -> NoReturn:
    message = f"{name} is no JSON"
    raise _BadJsonError(message)


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0:  # infinity minus itself is not a number
        message = "a number is too large"
        raise _BadJsonError(message)
    return value


_decoder = JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_no_constant, parse_float=_finite)


def _decode(text: str) -> object:
    """Parse JSON. Issuers send it without white space around it, which ``decode`` spends a fifth of its time on."""
    if text.startswith("{"):
        value, end = _decoder.raw_decode(text)
        if end == len(text):
            return value
    return _decoder.decode(text)


def _json_object(data: bytes, part: str) -> dict[str, object]:
    """Read a JSON object: UTF-8, no duplicate members, finite numbers, bounded nesting (RFC 8259, RFC 7493)."""
    try:
        text = data.decode("utf-8")
        if text.count("[") + text.count("{") > MAX_NESTING:
            _check_nesting(text)
        value: object = _decode(text)
        if "\\u" in text:
            dumps(value, ensure_ascii=False).encode("utf-8")  # half a surrogate pair is no text
    except _BadJsonError as error:
        _malformed(f"the {part} is not valid JSON: {error}")
    except ValueError:
        # Also what Python raises for integers of more than 4,300 digits, and for bytes that are no UTF-8.
        _malformed(f"the {part} is not valid JSON in UTF-8")
    if not isinstance(value, dict):
        _malformed(f"the {part} is no JSON object")
    return value


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
                message = f"nested deeper than {MAX_NESTING} levels"
                raise _BadJsonError(message)
        elif bracket in "]}":
            depth -= 1


def _malformed(detail: str) -> NoReturn:
    raise TokenError(Reason.MALFORMED_TOKEN, detail)
