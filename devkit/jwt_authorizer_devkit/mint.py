"""Sign tokens, valid ones and ones with exactly one defect."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.signing import SigningKey, base64url, generate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_devkit.signing import Json


class Defect(StrEnum):
    """One defect of a token that is otherwise valid."""

    EXPIRED = "expired"
    """``exp`` was an hour ago."""
    NOT_YET_VALID = "not-yet-valid"
    """``nbf`` is in an hour."""
    NO_EXPIRY = "no-expiry"
    """There is no ``exp``."""
    WRONG_AUDIENCE = "wrong-audience"
    """``aud`` names another API."""
    WRONG_ISSUER = "wrong-issuer"
    """``iss`` names another issuer."""
    FORGED = "forged"
    """Signed by another key, under the real key's ``kid``."""
    TAMPERED = "tampered"
    """The claims were changed after signing."""
    UNKNOWN_KEY = "unknown-key"
    """Signed by another key, under a ``kid`` that is not published."""
    NO_KID = "no-kid"
    """The header has no ``kid``."""
    ALG_NONE = "alg-none"
    """``alg`` is ``none``, and there is no signature (RFC 8725 section 2.1)."""
    HMAC_CONFUSION = "hmac-confusion"
    """``HS256`` keyed with the public key (RFC 8725 section 2.1)."""
    CRITICAL = "critical"
    """``crit`` names an unknown header parameter (RFC 7515 section 4.1.11)."""
    CUT_SHORT = "cut-short"
    """The last characters are missing, as if copied by hand."""
    OPAQUE = "opaque"
    """Not a JWT, but a reference as some issuers issue it."""


_HOUR = 3600
_ANOTHER_API = "https://another-api.example.com"
_ANOTHER_ISSUER = "https://another-issuer.example.com"


def access_claims(  # noqa: PLR0913 - one keyword for each claim that tests vary
    issuer: str,
    more: Mapping[str, object] | None = None,
    *,
    audience: str | list[str] | None,
    now: float,
    subject: str = "user-1",
    client_id: str = "demo-client",
    scope: str | None = None,
    lifetime: float = 300,
) -> Json:
    """Return the claims of an access token as RFC 9068 section 2.2 lists them.

    Args:
        issuer: ``iss``, exactly.
        more: Further claims, or other values for those below; ``None`` leaves one out.
        audience: ``aud``; ``None`` leaves it out, as Cognito does.
        now: Unix seconds; becomes ``iat``, and with ``lifetime`` (seconds) ``exp``.
        subject: ``sub``.
        client_id: ``client_id``.
        scope: Space-separated scopes; ``None`` leaves the claim out.
        lifetime: Seconds from ``iat`` to ``exp``.

    """
    claims: Json = {
        "iss": issuer,
        "sub": subject,
        "aud": audience,
        "client_id": client_id,
        "iat": int(now),
        "exp": int(now + lifetime),
        "jti": str(uuid.uuid4()),
        "scope": scope,
        **(more or {}),
    }
    return {name: value for name, value in claims.items() if value is not None}


def mint(
    key: SigningKey,
    claims: Mapping[str, object],
    *,
    defect: Defect | None = None,
    header: Mapping[str, object] | None = None,
) -> str:
    """Sign ``claims`` with ``key``, and return the compact serialization (RFC 7515 section 3.1).

    Args:
        key: Signs the token. Its ``kid`` goes into the header.
        claims: The payload. Times of defects are relative to its ``iat`` (0 without one).
        defect: The one defect of the token.
        header: Further header members, or other values; ``None`` leaves one out.

    """
    if defect is Defect.OPAQUE:
        return base64url(hashlib.sha256(json.dumps(dict(claims)).encode()).digest())
    used_key, alg = _signer(key, defect)
    full_header = {
        "alg": alg,
        "typ": "at+jwt",
        "kid": used_key.kid,
        **_header_defect(defect),
        **(header or {}),
    }
    head = _encode({name: value for name, value in full_header.items() if value is not None})
    message = f"{head}.{_encode(_defective_claims(dict(claims), defect))}"
    signature = base64url(_signature(used_key, alg, message.encode()))
    match defect:
        case Defect.TAMPERED:
            return f"{head}.{_encode({**claims, 'sub': 'somebody-else'})}.{signature}"
        case Defect.CUT_SHORT:
            return f"{message}.{signature}"[: -(len(signature) + 8)]
        case _:
            return f"{message}.{signature}"


def _signer(key: SigningKey, defect: Defect | None) -> tuple[SigningKey, str]:
    match defect:
        case Defect.FORGED:
            return _other_key(key.alg, key.kid), key.alg
        case Defect.UNKNOWN_KEY:
            return _other_key(key.alg, "a-key-nobody-published"), key.alg
        case Defect.ALG_NONE:
            return key, "none"
        case Defect.HMAC_CONFUSION:
            return key, "HS256"
        case _:
            return key, key.alg


@cache
def _other_key(alg: str, kid: str | None) -> SigningKey:
    # Cached, since making an RSA key takes a tenth of a second, and any other key will do.
    return generate(alg, kid)


def _signature(key: SigningKey, alg: str, message: bytes) -> bytes:
    if alg == "none":
        return b""
    if alg == "HS256":
        return hmac.digest(key.public_pem(), message, "sha256")
    return key.sign(message)


def _header_defect(defect: Defect | None) -> Json:
    match defect:
        case Defect.NO_KID:
            return {"kid": None}
        case Defect.CRITICAL:
            return {"crit": ["https://example.com/understand-me"], "https://example.com/understand-me": True}
        case _:
            return {}


_LATEST = 1e15


def _defective_claims(claims: Json, defect: Defect | None) -> Json:
    issued = claims.get("iat", 0)
    # An iat that is infinite, or not a number, is written as it is; times of defects are then relative to 1970.
    now = int(issued) if isinstance(issued, (int, float)) and abs(issued) < _LATEST else 0
    match defect:
        case Defect.EXPIRED:
            return claims | {"iat": now - 2 * _HOUR, "exp": now - _HOUR}
        case Defect.NOT_YET_VALID:
            return claims | {"nbf": now + _HOUR, "exp": now + 2 * _HOUR}
        case Defect.NO_EXPIRY:
            return {name: value for name, value in claims.items() if name != "exp"}
        case Defect.WRONG_AUDIENCE:
            return claims | {"aud": _ANOTHER_API}
        case Defect.WRONG_ISSUER:
            return claims | {"iss": _ANOTHER_ISSUER}
        case _:
            return claims


def _encode(document: Mapping[str, object]) -> str:
    return base64url(json.dumps(document, separators=(",", ":")).encode())
