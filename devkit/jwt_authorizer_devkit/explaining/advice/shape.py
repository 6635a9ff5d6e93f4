"""No token, or none that is a signed JWT."""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import TYPE_CHECKING

from jwt_authorizer.tokens import TokenLocation
from jwt_authorizer_devkit.explaining.advice.facts import Advice
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jwt_authorizer.events import Request
    from jwt_authorizer_devkit.explaining.advice.facts import Facts

_JWT = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_SCHEMES = re.compile(
    r"(basic|digest|negotiate|oauth|token|jwt|apikey|dpop|hoba|mutual|aws4-hmac-sha256)\s", re.IGNORECASE
)
"""Schemes of other kinds of credentials: those that IANA registers, and some that are seen in practice."""
_EXTENSION = re.compile(r"header's (crit|b64) is not supported")
_SIGNED_PARTS, _ENCRYPTED_PARTS = 3, 5
_NO_GROUP = 1


def elsewhere(facts: Facts) -> Advice | None:
    """Find a token where none was looked for: without its scheme, or in another place."""
    request = facts.seen.request
    if request is None:
        return None
    for place, name, value in _written(request):
        if not _JWT.search(value):
            continue
        where = "authorizationToken" if place == "" else f"{place}:{name}"
        in_authorization = place == "" or (place == TokenLocation.HEADER and name.lower() == "authorization")
        if in_authorization and _JWT.fullmatch(value.strip()):
            return Advice(
                "no_bearer", f"{where} holds a token without its scheme: send “Authorization: Bearer <token>”."
            )
        if in_authorization:
            scheme = shortened(value.split(" ")[0], 20)
            return Advice("other_scheme", f"{where} has the scheme “{scheme}” before the token: it has to be “Bearer”.")
        return Advice(
            "other_place",
            f"There is a token in {where}, where nobody looks: send it in the header Authorization, or set "
            f"JWT_TOKEN_SOURCE={where} and make the same place an identity source of the API's authorizer.",
        )
    return None


def _written(request: Request) -> Iterator[tuple[str, str, str]]:
    if request.token_field is not None:
        yield "", "", request.token_field
    for form, place in (("headers", TokenLocation.HEADER), ("queryStringParameters", TokenLocation.QUERY)):
        mapping = request.event.get(form)
        if isinstance(mapping, dict):
            yield from (
                (place.value, name, value)
                for name, value in mapping.items()
                if isinstance(name, str) and isinstance(value, str) and name.lower() != "cookie"
            )
    cookies = [*request.header("cookie"), *(request.event.get("cookies") or ())]  # type: ignore[misc]  # an event's members have any type
    for pair in (pair for text in cookies if isinstance(text, str) for pair in text.split(";")):
        name, _, value = pair.strip().partition("=")
        yield TokenLocation.COOKIE.value, name, value


def not_a_jwt(facts: Facts) -> Advice | None:  # noqa: PLR0911 - one for each mistake
    """Return what the text is instead of a signed JWT."""
    text = facts.text
    if not text:
        return None
    parts = text.split(".")
    if len(parts) == _ENCRYPTED_PARTS and "," not in text:
        return Advice(
            "encrypted",
            "This token is encrypted (a JWE): only its receiver can read it. Have the issuer send signed tokens for "
            "this API (in Auth0: no encryption for the API; elsewhere: no “token encryption” for the application).",
        )
    if text.lower().startswith("authorization:"):
        return Advice("header_name", "The header's name stands in its value: leave out “Authorization:” there.")
    scheme = _SCHEMES.match(text)
    if scheme:
        what = " It is a user's name and password, and no token." if scheme[1].lower() == "basic" else ""
        return Advice("other_scheme", f"This has the scheme “{scheme[1]}”, and it has to be “Bearer”.{what}")
    if text.lower().startswith("bearer"):
        return Advice(
            "bearer_twice",
            "The text that was read as the token begins with “Bearer”: in a header write it once, "
            "in a cookie or a query parameter leave it out.",
        )
    if text[0] in "\"'" or text[-1] in "\"'":
        return Advice("quoted", "The token stands in quotes: send it without them.")
    if any(character.isspace() for character in text):
        return Advice("white_space", "There is white space in the token: it was probably wrapped when it was copied.")
    if _cut(parts):
        return Advice(
            "cut_short",
            f"This token was cut short: it begins like a JWT, but its {_cut(parts)}. Copy it again, whole; or look for "
            "a cookie or a database column that is too small for it.",
        )
    if "." not in text:
        return Advice(
            "opaque",
            "This is an opaque token: only its issuer can read it. Ask for a JWT: with the API's audience (Auth0), a "
            "custom authorization server (Okta), or “Issue JWT as access token” (Authgear). Or let the function ask "
            "the issuer: JWT_INTROSPECTION.",
        )
    return None


def extension(facts: Facts) -> Advice | None:
    """Recognize a signed JWT that asks for more than a signature."""
    match = _EXTENSION.search(facts.detail)
    if match is None:
        return None
    return Advice(
        "extension",
        f"This is a signed JWT whose header has {match[1]}: an extension that has to be understood, and none is (RFC "
        "7515 section 4.1.11). Have the issuer leave it out.",
    )


def _cut(parts: list[str]) -> str:
    """Return which part of what begins as a JWT is missing or incomplete; nothing if that is not so."""
    if not parts[0].startswith("eyJ"):
        return ""
    if len(parts) < _SIGNED_PARTS:
        return "signature is missing" if len(parts) == _SIGNED_PARTS - 1 else "claims and signature are missing"
    if len(parts) > _SIGNED_PARTS:
        return ""
    for name, part in (("claims", parts[1]), ("signature", parts[2])):
        if len(part) % 4 == _NO_GROUP or not _readable(part, as_json=name == "claims"):
            return f"{name} {'are' if name == 'claims' else 'is'} incomplete"
    return ""


def _readable(part: str, *, as_json: bool) -> bool:
    try:
        data = base64.b64decode(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4), validate=True)
        if as_json:
            json.loads(data)
    except (binascii.Error, ValueError, RecursionError):
        return False
    if not as_json:
        # Bits left over where a signature ends were those of a byte that is gone.
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode() == part.rstrip("=")
    return True
