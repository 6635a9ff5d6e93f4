"""Check logout tokens, by which an issuer reports that one session or all sessions of a user have ended.

OpenID Connect Back-Channel Logout 1.0, sections 2.4 (what the token holds) and 2.6 (how it is checked).
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qs

from jwt_authorizer.authenticate import Issuer, find_issuer
from jwt_authorizer.claims import numeric_date
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.keys import check_signature
from jwt_authorizer.records import dataclass
from jwt_authorizer.tokens import BearerToken, parse, token_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.authenticate import FindIssuer

EVENT = "http://schemas.openid.net/event/backchannel-logout"
_TYPES = frozenset({"logout+jwt", "jwt"})
"""Accepted ``typ`` values. Section 2.4 recommends the first; many issuers still write the second, or none."""

_LONGEST_BODY = 64 * 1024
_LONGEST_LIFETIME = 3600
"""Seconds. Section 2.4 recommends two minutes; its entry on the list is kept as long."""
LONGEST_IDENTIFIER = 512
"""Characters of an identifier on the list, at most."""


@dataclass(frozen=True, slots=True)
class Logout:
    """A logout that the issuer has signed: of one session (``sid``), or of all sessions of ``sub``.

    ``jti`` identifies the token until ``expires_at``; ``issued_at`` is when the session ended. Seconds since 1970.
    """

    issuer: str
    sub: str | None
    sid: str | None
    jti: str
    issued_at: float
    expires_at: float


def check_logout_token(
    text: str, issuers: Mapping[str, Issuer], tenants: Mapping[str, FindIssuer], client_ids: frozenset[str], now: float
) -> Logout:
    """Check a logout token at ``now``, in seconds since 1970, and return what it says.

    ``issuers``, ``tenants``: as for :func:`find_issuer`. ``client_ids``: the clients whose logout tokens are accepted
    (``aud``). Whether its ``jti`` was used before is for the caller to check. Raises :class:`TokenError`, or
    :class:`jwt_authorizer.errors.DecisionError` if the issuer's keys are unavailable.
    """
    token = parse(BearerToken(text))
    claims = token.claims
    issuer = find_issuer(token, issuers, tenants, now)
    if token.alg not in issuer.algorithms:
        _reject(ErrorCode.UNSUPPORTED_ALGORITHM, "the logout token's alg is not one that the settings accept")
    if token.typ is not None and token_type(token.typ) not in _TYPES:
        _reject(ErrorCode.UNSUPPORTED_TOKEN_TYPE, "the logout token's typ is not logout+jwt")
    check_signature(token, issuer.keys.candidates(token.alg, token.kid, now))
    audience = claims.get("aud")
    named = [one for one in (audience if isinstance(audience, list) else [audience]) if isinstance(one, str)]
    if client_ids.isdisjoint(named):
        _reject(ErrorCode.INVALID_AUDIENCE, "the logout token's aud names none of the clients in REVOKER_CLIENT_IDS")
    issued_at, expires_at = _times(claims, issuer.claim_rules.leeway, now)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        _reject(ErrorCode.INVALID_CLAIM, f"the logout token's events lack the member {EVENT}, an object")
    if "nonce" in claims:
        _reject(ErrorCode.INVALID_CLAIM, "the logout token has a nonce: it is an ID token, not a logout token")
    sub, sid, jti = (_identifier(claims, member) for member in ("sub", "sid", "jti"))
    if jti is None:
        _reject(ErrorCode.INVALID_CLAIM, "the logout token has no jti")
    if sub is None and sid is None:
        _reject(ErrorCode.INVALID_CLAIM, "the logout token has neither sub nor sid")
    return Logout(issuer.name, sub, sid, jti, min(issued_at, now), expires_at)


def _times(claims: Mapping[str, object], leeway: float, now: float) -> tuple[float, float]:
    """Return ``iat`` and ``exp``, which a logout token must have."""
    issued_at, expires_at = numeric_date(claims, "iat"), numeric_date(claims, "exp")
    if issued_at is None or expires_at is None:
        _reject(ErrorCode.INVALID_CLAIM, "the logout token lacks iat or exp")
    if expires_at - issued_at > _LONGEST_LIFETIME:
        _reject(
            ErrorCode.INVALID_CLAIM, f"the logout token must live for at most {_LONGEST_LIFETIME} seconds (exp - iat)"
        )
    if now >= expires_at + leeway:
        _reject(ErrorCode.TOKEN_EXPIRED, "the logout token has expired")
    if now < issued_at - leeway:
        _reject(ErrorCode.TOKEN_NOT_YET_VALID, "the logout token was issued in the future")
    return issued_at, expires_at


def _identifier(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= LONGEST_IDENTIFIER):
        _reject(
            ErrorCode.INVALID_CLAIM,
            f"the logout token's {name} is not a string of 1 to {LONGEST_IDENTIFIER} characters",
        )
    return value


def _reject(code: ErrorCode, detail: str) -> NoReturn:
    raise TokenError(code, detail)


def logout_token(event: object) -> str:
    """Return the logout token of a POST (section 2.5) from the event of a function URL or an API.

    Raises ``ValueError`` for any other request.
    """
    match event:
        case {"httpMethod": "POST", "body": str(body)} | {
            "requestContext": {"http": {"method": "POST"}},
            "body": str(body),
        } if len(body) <= _LONGEST_BODY:
            encoded = isinstance(event, dict) and event.get("isBase64Encoded") is True
            text = b64decode(body, validate=True).decode("ascii") if encoded else body
            tokens = parse_qs(text, strict_parsing=True, max_num_fields=10).get("logout_token", [])
            if len(tokens) == 1:
                return tokens[0]
        case _:
            pass
    raise ValueError("expected a POST of a form with logout_token, once")


def logout_answer(status: int, error: str | None = None) -> dict[str, object]:
    """Format the response to the issuer (section 2.8). It must not be cached."""
    return {
        "statusCode": status,
        "headers": {"Cache-Control": "no-store", "Content-Type": "application/json"},
        "body": "" if error is None else f'{{"error": "{error}"}}',
    }
