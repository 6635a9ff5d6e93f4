"""Find the bearer token in a request and parse it. Nothing here has been verified.

The compact serialization of a JWS (RFC 7515 section 7.1) is read strictly: one alphabet, no padding, no stray bits, no
duplicate members, no numbers that JSON does not have.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NoReturn

from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.records import dataclass, field, request_dataclass
from jwt_authorizer.strict_json import BadJsonError, json_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.events import Request

MAX_TOKEN_LENGTH = 16 * 1024
"""Characters. API Gateway's limit for all headers together is 10 KB, so no real token is longer."""
_COMMA = "the token is not a JWT: it contains a comma. HTTP APIs join several values of one header with a comma"
_NOT_A_JWT = "the token is not a JWT: expected three base64url parts joined by dots"
_LAST_CHARACTER = ("", "", "AQgw", "AEIMQUYcgkosw048")
"""The characters that may end a last group of this length: their unused bits are zero (RFC 4648 section 3.5)."""
_PADDING = ("", "", "==", "=")


class TokenLocation(StrEnum):
    """The kinds of locations of a token."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"


class Scheme(StrEnum):
    """The authentication schemes that a token may be sent with (RFC 6750, RFC 9449)."""

    BEARER = "bearer"
    DPOP = "dpop"


_SCHEMES = {str(scheme): scheme for scheme in Scheme}


@dataclass(frozen=True, slots=True)
class TokenSource:
    """One location of a token, such as ``header:Authorization``."""

    location: TokenLocation
    name: str

    @property
    def has_scheme(self) -> bool:
        """Whether ``Bearer`` must precede the token (RFC 6750 section 2.1); in other headers it may."""
        return self.location is TokenLocation.HEADER and self.name.lower() == "authorization"


_APPSYNC = TokenSource(TokenLocation.HEADER, "authorizationToken")
"""AppSync passes the token in this member of the event, with or without ``Bearer``."""


class BearerToken:
    """The text that a client sent as its token. It has no ``repr``, so no log or traceback shows it.

    ``scheme`` is ``None`` if there was none, as in a cookie. ``digest`` is the text's SHA-256, the key of caches.
    """

    __slots__ = ("digest", "scheme", "text")

    def __init__(self, text: str, scheme: Scheme | None = None) -> None:
        """Reject a token that is too long (``malformed_token``) before anything reads it."""
        if len(text) > MAX_TOKEN_LENGTH:
            _malformed(f"the token is longer than {MAX_TOKEN_LENGTH} characters")
        self.text: Final = text
        self.scheme: Final = scheme
        # An event is JSON, which may hold half a surrogate pair; no token does, but that is not known yet.
        self.digest: Final = sha256(text.encode("utf-8", "surrogatepass")).digest()


@request_dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A well-formed token that anybody may have written; ``payload`` is the JSON that the claims were read from.

    :class:`jwt_authorizer.claims.VerifiedToken` is another type, so that no code can take one for the other.
    """

    alg: str
    kid: str | None
    typ: str | None
    claims: Mapping[str, object] = field(repr=False)
    signing_input: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    payload: str = field(default="", repr=False)


def bearer_token(request: Request, sources: tuple[TokenSource, ...]) -> BearerToken:
    """Return the token of the first source that has one.

    Raises :class:`TokenError`: ``missing_token``, or ``malformed_token`` if one source holds two different values,
    since picking either would let a sender choose which one is checked.
    """
    if request.kind is EventKind.APPSYNC:
        sources = (_APPSYNC,)
    for source in sources:
        values = [value for value in _found(request, source) if value]
        if len(values) > 1:
            _malformed(f"{source.location}:{source.name} holds {len(values)} different values")
        for value in values:
            scheme, token = _split_scheme(value) if source.location is TokenLocation.HEADER else (None, value)
            if token and (scheme is not None or not source.has_scheme):
                return BearerToken(token, scheme)
    where = ", ".join(f"{source.location}:{source.name}" for source in sources)
    raise TokenError(ErrorCode.MISSING_TOKEN, f"no token in {where} (Authorization needs the scheme Bearer or DPoP)")


def _found(request: Request, source: TokenSource) -> tuple[str, ...]:
    if request.token_field is not None:
        # A TOKEN event holds the value of the one header that the authorizer is configured for, without its name.
        return (request.token_field,) if source.location is TokenLocation.HEADER else ()
    if source.location is TokenLocation.HEADER:
        values = request.header(source.name)
        if values and source.name.lower() == "sec-websocket-protocol":
            # A list, whose last value is the token (RFC 6455 section 11.3.4): new WebSocket(url, ["bearer", token]).
            return (values[-1].rpartition(",")[2].strip(" \t"),)
        return values
    if source.location is TokenLocation.COOKIE:
        return request.cookie(source.name)
    return request.query(source.name)


def _split_scheme(value: str) -> tuple[Scheme | None, str]:
    """Split off ``Bearer`` or ``DPoP``, which are case-insensitive (RFC 9110 section 11.1)."""
    name, _, token = value.strip(" ").partition(" ")
    # Python's lower() maps a few letters outside ASCII into it, so those are ruled out first.
    scheme = _SCHEMES.get(name.lower()) if name.isascii() else None
    return (None, value) if scheme is None else (scheme, token.lstrip(" "))


def parse(token: BearerToken) -> UnverifiedToken:
    """Parse a compact JWS. Raises :class:`TokenError` (``malformed_token``)."""
    text = token.text
    signing_input, _, signature = text.rpartition(".")
    header, _, payload = signing_input.partition(".")
    if not header or not payload or "." in payload:
        _malformed(_not_compact(text))
    # Base64's alphabet has these, base64url's has not. What neither has, decoding rejects.
    if "+" in text or "/" in text or "=" in text:
        _malformed(_not_compact(text))
    decoded_signature = base64url_decode(signature, "signature")
    alg, kid, typ = read_header(header)
    try:
        claims, json = json_object(base64url_decode(payload, "payload"))
    except BadJsonError as error:
        _malformed(f"the payload {error}")
    return UnverifiedToken(alg, kid, typ, claims, signing_input.encode("ascii"), decoded_signature, json)


@lru_cache(maxsize=16)
def read_header(encoded: str) -> tuple[str, str | None, str | None]:
    """Read ``alg``, ``kid`` and ``typ``. Tokens signed with one key have the same header, so it is cached."""
    try:
        header, _ = json_object(base64url_decode(encoded, "header"))
    except BadJsonError as error:
        _malformed(f"the header {error}")
    # RFC 7515 section 4.1.11: extensions marked critical must be understood or the token rejected; none is
    # understood here. `b64` (RFC 7797) changes what is signed, so it is rejected even where `crit` forgot it.
    for name in ("crit", "b64"):
        if name in header:
            _malformed(f"the header's {name} is not supported")
    alg = _header_text(header, "alg")
    if alg is None:
        _malformed("the header has no alg")
    return alg, _header_text(header, "kid"), _header_text(header, "typ")


def _not_compact(text: str) -> str:
    if "," in text:
        return _COMMA
    if text.count(".") == 4:  # noqa: PLR2004 - RFC 7516 section 3.1
        return "the token is encrypted (a JWE): the issuer has to send signed tokens"
    if "." not in text:
        return "the token is opaque: name an audience to the issuer to get a JWT, or set JWT_INTROSPECTION"
    return _NOT_A_JWT


def is_jwt(token: BearerToken) -> bool:
    """Return whether a token is a JWT: its first part is a JSON object in base64url (RFC 7519 section 3).

    Any other token is opaque: only its issuer can read it.
    """
    header, dot, _ = token.text.partition(".")
    # Lenient issuers accept padding and base64's own alphabet. Such a token is a malformed JWT here, not an opaque one.
    header = header.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return bool(dot) and bool(json_object(base64url_decode(header, "header")))
    except (BadJsonError, TokenError):
        return False


def token_type(typ: str) -> str:
    """Return a ``typ`` in the form in which two are compared (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/")


def _header_text(header: Mapping[str, object], name: str) -> str | None:
    if name not in header:
        return None
    value = header[name]
    if not isinstance(value, str):
        _malformed(f"the header's {name} is not a string")
    return value


def base64url_encode(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_").decode("ascii")


def base64url_decode(text: str, part: str) -> bytes:
    """Decode base64url without padding (RFC 7515 section 2). The caller has rejected ``+`` and ``/``."""
    last_group = len(text) % 4
    if last_group and text[-1] not in _LAST_CHARACTER[last_group]:
        _not_base64url(text, part)
    base64 = text.replace("-", "+").replace("_", "/") + _PADDING[last_group]
    try:
        decoded = a2b_base64(base64, strict_mode=True)
    except ValueError:
        _not_base64url(text, part)
    return decoded


def _not_base64url(text: str, part: str) -> NoReturn:
    if re.fullmatch("[A-Za-z0-9_-]+", text):
        _malformed(f"the {part} is not valid base64url")
    if text[:6].lower() == "bearer":
        _malformed("the token begins with Bearer: a cookie or a query parameter holds the token alone")
    _malformed(_COMMA if "," in text else _NOT_A_JWT)


def _malformed(detail: str) -> NoReturn:
    raise TokenError(ErrorCode.MALFORMED_TOKEN, detail)
