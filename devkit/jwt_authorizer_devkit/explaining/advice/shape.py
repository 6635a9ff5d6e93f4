"""Missing tokens, and tokens that are not a signed JWT."""

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
"""Other authentication schemes: those that IANA registers, and some that are used in practice."""
_EXTENSION = re.compile(r"header's (crit|b64) is not supported")
_SIGNED_PARTS, _ENCRYPTED_PARTS = 3, 5
_NO_GROUP = 1


def elsewhere(facts: Facts) -> Advice | None:
    """Find a token without its scheme, or in a location that the settings do not name."""
    request = facts.seen.request
    if request is None:
        return None
    for location, name, value in _strings(request):
        if not _JWT.search(value):
            continue
        where = "authorizationToken" if location == "" else f"{location}:{name}"
        in_authorization = location == "" or (location == TokenLocation.HEADER and name.lower() == "authorization")
        if in_authorization and _JWT.fullmatch(value.strip()):
            return Advice("no_bearer", f"{where} has a token without its scheme: send “Authorization: Bearer <token>”.")
        if in_authorization:
            scheme = shortened(value.split(" ")[0], 20)
            return Advice("other_scheme", f"{where} has the scheme “{scheme}” before the token: it has to be “Bearer”.")
        return Advice(
            "other_place",
            f"There is a token in {where}, but the settings name other locations: send it in the header Authorization, "
            f"or set JWT_TOKEN_SOURCE={where} and make that an identity source of the API's authorizer.",
        )
    return None


def _strings(request: Request) -> Iterator[tuple[str, str, str]]:
    if request.token_field is not None:
        yield "", "", request.token_field
    for member, location in (("headers", TokenLocation.HEADER), ("queryStringParameters", TokenLocation.QUERY)):
        mapping = request.event.get(member)
        if isinstance(mapping, dict):
            yield from (
                (location.value, name, value)
                for name, value in mapping.items()
                if isinstance(name, str) and isinstance(value, str) and name.lower() != "cookie"
            )
    cookies = [*request.header("cookie"), *(request.event.get("cookies") or ())]  # type: ignore[misc]  # an event's members have any type
    for pair in (pair for text in cookies if isinstance(text, str) for pair in text.split(";")):
        name, _, value = pair.strip().partition("=")
        yield TokenLocation.COOKIE.value, name, value


def not_a_jwt(facts: Facts) -> Advice | None:  # noqa: PLR0911 - one for each mistake
    """Return advice about what was sent instead of a signed JWT."""
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
        return Advice("header_name", "The header's value begins with its name: leave out “Authorization:” there.")
    scheme = _SCHEMES.match(text)
    if scheme:
        what = " It is a user name and a password, not a token." if scheme[1].lower() == "basic" else ""
        return Advice("other_scheme", f"The scheme is “{scheme[1]}”, but has to be “Bearer”.{what}")
    if text.lower().startswith("bearer"):
        return Advice(
            "bearer_twice",
            "The token itself begins with “Bearer”: write that once in a header, and leave it out in a cookie or a "
            "query parameter.",
        )
    if text[0] in "\"'" or text[-1] in "\"'":
        return Advice("quoted", "The token is in quotes: send it without them.")
    if any(character.isspace() for character in text):
        return Advice("white_space", "The token contains white space: it was probably wrapped when it was copied.")
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
    """Recognize a signed JWT with a header extension that is not supported."""
    match = _EXTENSION.search(facts.detail)
    if match is None:
        return None
    return Advice(
        "extension",
        f"This is a signed JWT whose header has {match[1]}: an extension that a recipient has to support, and this "
        "authorizer supports none (RFC 7515 section 4.1.11). Have the issuer leave it out.",
    )


def _cut(parts: list[str]) -> str:
    """Return which part of a JWT is missing or incomplete; an empty string if none is, or if it is not a JWT."""
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
        # If the last character has bits left over that are not 0, a byte is missing.
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode() == part.rstrip("=")
    return True
