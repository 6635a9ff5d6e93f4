"""DPoP proofs (RFC 9449 section 4.2), and the thumbprint that binds a token to a key."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from jwt.utils import base64url_decode

from jwt_authorizer.binding.dpop import jwk_thumbprint
from jwt_authorizer.signatures import UnusableKeyError, is_valid_signature, public_key
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import SigningKey, base64url, generate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_devkit.signing import Json


def proof_jwk(key: SigningKey) -> Json:
    """Return the public key for a proof's header: only its parameters, and for ML-DSA its ``alg``."""
    jwk = key.public_jwk(kid=None, use=None)
    return jwk if jwk["kty"] == "AKP" else {name: value for name, value in jwk.items() if name != "alg"}


def thumbprint(key: SigningKey) -> str:
    """Return the SHA-256 thumbprint of a key (RFC 7638): the ``cnf.jkt`` of a token that is bound to it."""
    members = json.dumps(proof_jwk(key), sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(members.encode()).digest())


def make_proof(  # noqa: PLR0913 - the parts of a proof
    key: SigningKey,
    token: str | None,
    method: str,
    url: str,
    *,
    now: float,
    more: Mapping[str, object] | None = None,
    header: Mapping[str, object] | None = None,
) -> str:
    """Sign a proof for one request.

    Args:
        key: The client's key, to which ``token`` is bound.
        token: The access token that is sent with the proof; ``None`` for a request to the token endpoint.
        method: The request's method.
        url: The request's URL. Its query and fragment are left out.
        now: Unix seconds; becomes ``iat``.
        more: Further claims, or other values; ``None`` leaves one out.
        header: Further header members, or other values; ``None`` leaves one out.

    """
    claims: Json = {
        "jti": str(uuid.uuid4()),
        "htm": method,
        "htu": url.partition("#")[0].partition("?")[0],
        "iat": int(now),
        "ath": None if token is None else base64url(hashlib.sha256(token.encode()).digest()),
        **(more or {}),
    }
    return mint(
        key,
        {name: value for name, value in claims.items() if value is not None},
        header={"typ": "dpop+jwt", "kid": None, "jwk": proof_jwk(key), **(header or {})},
    )


class InvalidProofError(ValueError):
    """A proof that cannot bind a token."""


def bound_key(proof: str, method: str, url: str) -> str:
    """Check a proof that came with a request for a token (RFC 9449 section 5).

    Returns the thumbprint of its key. Raises :class:`InvalidProofError` if it is for another request, or not a proof.
    """
    try:
        head, payload, signature = proof.split(".")
        header, claims = json.loads(base64url_decode(head)), json.loads(base64url_decode(payload))
        key, fitting = public_key(header["jwk"])
        right = header["alg"] in fitting and is_valid_signature(
            header["alg"], key, f"{head}.{payload}".encode(), base64url_decode(signature)
        )
        typed = header["typ"] == "dpop+jwt" and bool(claims["jti"] and claims["iat"])
        asked = (claims["htm"], claims["htu"])
    except (UnusableKeyError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidProofError(f"the DPoP header is not a proof: {type(error).__name__} {error}") from None
    if not right or not typed or asked != (method, url):
        message = f"the proof is not for {method} {url}, or not signed with its jwk, or its typ is not dpop+jwt"
        raise InvalidProofError(message)
    return jwk_thumbprint(header["jwk"])


@dataclass(frozen=True, slots=True)
class DpopClient:
    """A client with its own key: its tokens are bound to that, and it makes proofs for its requests."""

    key: SigningKey = field(default_factory=lambda: generate("ES256", None))

    @property
    def cnf(self) -> Json:
        """The claim ``cnf`` of a token for this client."""
        return {"jkt": thumbprint(self.key)}

    def proof(self, token: str | None, method: str, url: str, *, now: float | None = None, **claims: object) -> str:
        """Make a new proof for a request, with further or other ``claims``; ``None`` leaves one out."""
        return make_proof(self.key, token, method, url, now=time.time() if now is None else now, more=claims)

    def sent(self, event: Mapping[str, object], token: str, url: str, proof: str | None = None) -> Json:
        """Return the event of a request in which this client sends the token with a proof to this URL.

        The event is one of a REST, HTTP or WebSocket API. The path of ``url`` is as the client sees it.
        """
        arn = str(event.get("routeArn") or event.get("methodArn"))
        method = arn.split("/")[2]
        made = proof or self.proof(token, "GET" if method == "$connect" else method, url)
        headers, context = event.get("headers"), event.get("requestContext")
        others = headers if isinstance(headers, dict) else {}
        parts = urlsplit(url)
        return {
            **event,
            "rawPath": parts.path,
            "headers": {
                **{name: value for name, value in others.items() if name.lower() != "authorization"},
                "authorization": f"DPoP {token}",
                "dpop": made,
            },
            "requestContext": {
                **(context if isinstance(context, dict) else {}),
                "domainName": parts.netloc,
                "path": parts.path,
            },
        }
