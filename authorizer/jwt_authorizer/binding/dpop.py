"""A DPoP proof: a small JWT that a client signs for one request with the key that its token is bound to.

Each check of RFC 9449 section 4.3 has its number here, except number 10, the server's nonce: a 401 that an
authorizer raises can't carry the header that would announce one.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, NoReturn

from jwt_authorizer.binding.replay import UsedProof
from jwt_authorizer.binding.target_uri import is_same_uri, origin_called, parse_uri, request_uris
from jwt_authorizer.claims import numeric_date
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.records import dataclass, request_dataclass
from jwt_authorizer.signatures import UnusableKeyError, is_valid_signature, public_key
from jwt_authorizer.strict_json import BadJsonError, json_object, json_text
from jwt_authorizer.tokens import base64url_decode, base64url_encode, token_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.binding.target_uri import TargetUri
    from jwt_authorizer.events import Request
    from jwt_authorizer.tokens import BearerToken

MAX_PROOF_LENGTH = 16 * 1024
"""Characters, as for a token. API Gateway's limit for all headers together is 10 KB."""

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})
"""What only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2 and 6.4, RFC 8037, RFC 9964)."""
_THUMBPRINT_MEMBERS = {
    "EC": ("crv", "kty", "x", "y"),
    "RSA": ("e", "kty", "n"),
    "OKP": ("crv", "kty", "x"),
    "AKP": ("alg", "kty", "pub"),
}
"""What goes into a thumbprint, in this order (RFC 7638 section 3.2, RFC 8037 section 2, RFC 9964)."""
_COMPACT_JWS = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_SHOWN = 100
_URL_ADVICE = "if clients call another URL than API Gateway sees, set JWT_DPOP_URLS"


@dataclass(frozen=True, slots=True)
class DpopSettings:
    """How proofs are checked.

    ``algorithms``: the ``alg`` values that are accepted. ``leeway``, ``max_age``: seconds. ``public_urls``:
    ``JWT_DPOP_URLS``; if there are none, the event's own URL counts.
    """

    algorithms: frozenset[str]
    leeway: float = 60
    max_age: float = 60
    public_urls: tuple[TargetUri, ...] = ()


@request_dataclass(frozen=True, slots=True)
class _Proof:
    header: Mapping[str, object]
    claims: Mapping[str, object]
    signing_input: bytes
    signature: bytes


def check_proof(request: Request, token: BearerToken, jkt: str, settings: DpopSettings, now: float) -> UsedProof:
    """Check a request's DPoP proof at ``now`` (Unix time in seconds), but not whether it was used before.

    ``token`` is the access token, ``jkt`` the thumbprint of the key that it is bound to.

    Returns the proof, for the replay store. Raises :class:`TokenError` (``missing_dpop_proof``,
    ``invalid_dpop_proof``), or :class:`DecisionError` (``invalid_event``) if the event does not say which URL was
    called.
    """
    uris = request_uris(request, settings.public_urls)
    proof = _parse(_header_value(request))
    jwk, key = _check_header(proof.header, settings.algorithms)
    claims = proof.claims
    jti, htm, htu, ath = (_text(claims, name) for name in ("jti", "htm", "htu", "ath"))
    method = "GET" if request.kind is EventKind.WEBSOCKET else request.method
    if htm != method:
        _reject(8, f"its htm is not {method}, the request's method")
    _check_uri(htu, uris, request.kind)
    issued_at = _number(claims, "iat")
    until = issued_at + settings.max_age + settings.leeway
    if now >= until:
        _reject(11, f"it is {now - issued_at:.0f} seconds old, and {settings.max_age:g} are allowed beside the leeway")
    if issued_at > now + settings.leeway:
        _reject(11, f"its iat is {issued_at - now:.0f} seconds in the future: the client's clock is ahead")
    if ath != base64url_encode(token.digest):
        _reject(12, "its ath is not the SHA-256 of the access token that came with it")
    thumbprint = jwk_thumbprint(jwk)
    if thumbprint != jkt:
        _reject(12, "its jwk is not the key that the token is bound to: the thumbprint is not the token's cnf.jkt")
    if not is_valid_signature(str(proof.header["alg"]), key, proof.signing_input, proof.signature):
        _reject(6, "its signature does not verify with its jwk")
    return UsedProof(base64url_encode(sha256(f"{thumbprint}.{jti}".encode()).digest()), until)


def proof_claims(request: Request) -> Mapping[str, object]:
    """Return the claims of a request's proof, unchecked. Raises :class:`TokenError` if it can't be read."""
    return _parse(_header_value(request)).claims


def jwk_thumbprint(jwk: Mapping[str, object]) -> str:
    """Return the SHA-256 thumbprint of a key that has been read (RFC 7638), as base64url without padding."""
    members = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[str(jwk["kty"])]}
    return base64url_encode(sha256(json_text(members).encode()).digest())


def _header_value(request: Request) -> str:
    """Return the value of the one DPoP header. Two equal ones are two (check 1)."""
    values = request.header("dpop")
    multiple = request.event.get("multiValueHeaders")
    if isinstance(multiple, dict):
        sent = [value for name, value in multiple.items() if name.lower() == "dpop"]
        if sum(len(value) for value in sent if isinstance(value, list)) > 1:
            _reject(1, "the request has more than one DPoP header")
    if len(values) > 1:
        _reject(1, "the request has more than one DPoP header")
    if not values or not values[0].strip():
        raise TokenError(
            ErrorCode.MISSING_DPOP_PROOF, "the token is bound to a DPoP key, and the request has no DPoP header"
        )
    return values[0].strip(" ")


def _parse(text: str) -> _Proof:
    """Parse the proof as a compact JWS (check 2); strictly, as a token is read."""
    if len(text) > MAX_PROOF_LENGTH:
        _reject(2, f"it is longer than {MAX_PROOF_LENGTH} characters")
    if "," in text:
        _reject(1, "it contains a comma: HTTP APIs join several DPoP headers with one")
    match = _COMPACT_JWS.fullmatch(text)
    if match is None:
        _reject(2, "it is not a JWT: expected three base64url parts joined by dots")
    try:
        header, _ = json_object(base64url_decode(match[1], "header"))
        claims, _ = json_object(base64url_decode(match[2], "payload"))
        signature = base64url_decode(match[3], "signature")
    except BadJsonError as error:
        _reject(2, f"its header or payload {error}")
    except TokenError as error:
        _reject(2, error.detail)
    return _Proof(header, claims, text.rpartition(".")[0].encode("ascii"), signature)


def _check_header(header: Mapping[str, object], algorithms: frozenset[str]) -> tuple[Mapping[str, object], object]:
    """Check everything that the header says (checks 4, 5 and 7). Returns its ``jwk`` and the key made from it."""
    for name in ("crit", "b64"):
        if name in header:
            _reject(2, f"its {name} is not supported")
    typ = header.get("typ")
    if not isinstance(typ, str) or token_type(typ) != "dpop+jwt":
        _reject(4, "its typ is not dpop+jwt")
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algorithms:
        _reject(5, f"its alg is not one of those that JWT_ALGORITHMS accepts: {', '.join(sorted(algorithms))}")
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        _reject(3, "its header has no jwk that is a JSON object")
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        _reject(7, "its jwk holds a private key: the client has given its key away, and needs a new one")
    try:
        key, fitting = public_key(jwk)
    except UnusableKeyError as error:
        _reject(6, f"its jwk can't be used: {error}")
    if alg not in fitting:
        _reject(6, "its jwk does not fit its alg")
    return jwk, key


def _check_uri(htu: str, uris: tuple[TargetUri, ...], kind: EventKind) -> None:
    """Compare ``htu`` with the URLs that the client may have called (check 9)."""
    try:
        written = parse_uri(htu)
    except ValueError as error:
        _reject(9, f"its htu {error}")
    if any(is_same_uri(written, uri, kind) for uri in uris):
        return
    if all(origin_called(written, kind) != uri.origin for uri in uris):
        expected = " or ".join(dict.fromkeys(uri.origin for uri in uris))
        _reject(
            9, f"its htu begins with {written.origin[:_SHOWN]}, and the request's URL with {expected}: {_URL_ADVICE}"
        )
    _reject(9, f"its htu has another path than the request's URL, stage or base path included: {_URL_ADVICE}")


def _text(claims: Mapping[str, object], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        _reject(3, f"its {name} is missing or is not a string")
    return value


def _number(claims: Mapping[str, object], name: str) -> float:
    try:
        value = numeric_date(claims, name)
    except TokenError:
        value = None
    if value is None:
        _reject(3, f"its {name} is missing or is not a number of seconds since 1970")
    return value


def _reject(check: int, what: str) -> NoReturn:
    raise TokenError(ErrorCode.INVALID_DPOP_PROOF, f"the DPoP proof: {what} (RFC 9449 section 4.3, check {check})")
