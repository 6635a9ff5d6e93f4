"""Key pairs that sign tokens, and their public keys as JWKs.

This module does not share code with the authorizer, which parses the keys, so that a test can find a mistake in either.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt import algorithms

if TYPE_CHECKING:
    from collections.abc import Mapping

    MlDsaPrivateKey = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
    PrivateKey = (
        rsa.RSAPrivateKey
        | ec.EllipticCurvePrivateKey
        | ed25519.Ed25519PrivateKey
        | ed448.Ed448PrivateKey
        | MlDsaPrivateKey
    )

Json = dict[str, object]

_CURVES: Mapping[str, type[ec.EllipticCurve]] = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_EDWARDS = frozenset({"EdDSA", "Ed25519"})
_ML_DSA: Mapping[str, type[MlDsaPrivateKey]] = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}

ALGORITHMS = (*sorted(_RSA), *sorted(_CURVES), *sorted(_EDWARDS), *_ML_DSA)
"""Every ``alg`` that :func:`generate` knows."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key, with the ``kid`` and the ``alg`` of its public key."""

    kid: str | None
    alg: str
    private: PrivateKey

    def sign(self, message: bytes) -> bytes:
        """Sign as ``alg`` says (RFC 7518 section 3, RFC 8037 section 3.1, RFC 9964 section 4)."""
        if isinstance(self.private, mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey):
            return self.private.sign(message)
        # RFC 9864 names EdDSA with this curve Ed25519.
        name = "EdDSA" if self.alg == "Ed25519" else self.alg
        # PyJWT's algorithms are typed by kind of key, which a lookup by name cannot express.
        algorithm = cast("Any", algorithms.get_default_algorithms()[name])
        return cast("bytes", algorithm.sign(message, self.private))

    def public_jwk(self, **members: object) -> Json:
        """Return the public key as a JWK (RFC 7517), with further or other ``members``; ``None`` leaves one out."""
        jwk: Json = {
            **_public_members(self.private, self.alg),
            "kid": self.kid,
            "alg": self.alg,
            "use": "sig",
            **members,
        }
        return {name: value for name, value in jwk.items() if value is not None}

    def public_pem(self) -> bytes:
        """Return the public key as PEM, which an attacker would use as HMAC's key."""
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def private_pem(self) -> bytes:
        """Return the private key as unencrypted PKCS #8, to keep a local issuer's key between runs."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def generate(alg: str, kid: str | None, *, rsa_bits: int = 2048) -> SigningKey:
    """Make a new key pair for ``alg``.

    Raises:
        ValueError: ``alg`` is not in :data:`ALGORITHMS`.

    """
    if alg in _RSA:
        return SigningKey(kid, alg, rsa.generate_private_key(public_exponent=65537, key_size=rsa_bits))
    if alg in _CURVES:
        return SigningKey(kid, alg, ec.generate_private_key(_CURVES[alg]()))
    if alg in _ML_DSA:
        return SigningKey(kid, alg, _ML_DSA[alg].generate())
    if alg in _EDWARDS:
        return SigningKey(kid, alg, ed25519.Ed25519PrivateKey.generate())
    raise ValueError(f"cannot make a key for {alg!r}; known: {', '.join(ALGORITHMS)}")


def key_set(keys: tuple[SigningKey, ...]) -> Json:
    """Return the JWK set (RFC 7517 section 5) that publishes ``keys``."""
    return {"keys": [key.public_jwk() for key in keys]}


def base64url(data: bytes) -> str:
    """Encode as RFC 7515 section 2 does: URL-safe, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _public_members(private: PrivateKey, alg: str) -> Json:
    match private.public_key():
        case mldsa.MLDSA44PublicKey() | mldsa.MLDSA65PublicKey() | mldsa.MLDSA87PublicKey() as key:
            return {"kty": "AKP", "alg": alg, "pub": base64url(key.public_bytes_raw())}
        case rsa.RSAPublicKey() as key:
            document = algorithms.RSAAlgorithm.to_jwk(key)
        case ec.EllipticCurvePublicKey() as key:
            document = algorithms.ECAlgorithm.to_jwk(key)
        case key:
            document = algorithms.OKPAlgorithm.to_jwk(key)
    members: Json = json.loads(document)
    # PyJWT adds key_ops, which beside "use" is redundant (RFC 7517 section 4.3).
    members.pop("key_ops", None)
    return members
