"""DPoP proofs (RFC 9449 section 4.2), and the thumbprint that binds a token to a key."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import base64url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_devkit.signing import Json, SigningKey


def proof_jwk(key: SigningKey) -> Json:
    """Return the public key as a proof carries it, with nothing but its numbers."""
    return key.public_jwk(kid=None, alg=None, use=None)


def thumbprint(key: SigningKey) -> str:
    """Return the SHA-256 thumbprint of a key (RFC 7638): the ``cnf.jkt`` of a token that is bound to it."""
    members = json.dumps(proof_jwk(key), sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(members.encode()).digest())


def make_proof(  # noqa: PLR0913 - what a proof is about
    key: SigningKey,
    token: str,
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
        token: The access token that is sent with the proof.
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
        "ath": base64url(hashlib.sha256(token.encode()).digest()),
        **(more or {}),
    }
    return mint(
        key,
        {name: value for name, value in claims.items() if value is not None},
        header={"typ": "dpop+jwt", "kid": None, "jwk": proof_jwk(key), **(header or {})},
    )
