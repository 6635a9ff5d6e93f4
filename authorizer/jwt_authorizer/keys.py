"""A JWK set becomes keys; a key for a token is chosen; a signature is checked.

The cryptography is PyJWT's and cryptography's. What is decided here is which keys of a set may verify at
all, and which of them a token may be held against (RFC 7517, RFC 7518, RFC 8037, RFC 9864).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.pyjwt import (
    ECAlgorithm,
    Ed25519PublicKey,
    InvalidKeyError,
    InvalidSignature,
    OKPAlgorithm,
    PKCS1v15,
    RSAAlgorithm,
    RSAPSSAlgorithm,
    RSAPublicKey,
    UnsupportedAlgorithm,
)
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    from jwt_authorizer.pyjwt import Algorithm
    from jwt_authorizer.tokens import UnverifiedToken


class _ReadyRsa(RSAAlgorithm):
    """PyJWT's RSASSA-PKCS1-v1_5, with padding and hash made once and not for each token: nearly all are RS256."""

    def __init__(self, hash_alg: type[HashAlgorithm]) -> None:
        super().__init__(hash_alg)
        self._padding = PKCS1v15()
        self._hash = hash_alg()

    def verify(self, msg: bytes, key: RSAPublicKey, sig: bytes) -> bool:
        try:
            key.verify(sig, msg, self._padding, self._hash)
        except InvalidSignature:
            return False
        return True


_ALGORITHMS: Mapping[str, Algorithm] = {
    "RS256": _ReadyRsa(RSAAlgorithm.SHA256),
    "RS384": _ReadyRsa(RSAAlgorithm.SHA384),
    "RS512": _ReadyRsa(RSAAlgorithm.SHA512),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "PS384": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA384),
    "PS512": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA512),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "ES384": ECAlgorithm(ECAlgorithm.SHA384),
    "ES512": ECAlgorithm(ECAlgorithm.SHA512),
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),
}

SUPPORTED_ALGORITHMS: frozenset[str] = frozenset(_ALGORITHMS)
"""All ``alg`` values that a setting may accept. ``none`` and the symmetric ones are not among them."""

MIN_RSA_BITS = 2048
"""RFC 7518 section 3.3."""

_ED25519_FIELD = 2**255 - 19
_SMALL_ORDER = frozenset(
    {0, 1, _ED25519_FIELD - 1, _ED25519_FIELD, _ED25519_FIELD + 1}
    | {
        int.from_bytes(bytes.fromhex(y), "little")
        for y in (
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        )
    }
)
"""The y coordinates of Ed25519's points of small order, in each encoding (RFC 8032 section 5.1.3, RFC 7748 section 7):
under such a key anybody can write a signature for anything."""

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_ED25519 = frozenset({"EdDSA", "Ed25519"})
_CURVES = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): _ED25519,
}
_PUBLIC_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_FROM_JWK: Mapping[str, Callable[[dict[str, object]], object]] = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that may verify signatures, and the algorithms it may do so with."""

    kid: str | None
    algorithms: frozenset[str]
    public: object


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of a JWK set that may verify, and a sentence for each that was left out (safe to log)."""

    keys: tuple[Key, ...]
    skipped: tuple[str, ...]

    def candidates(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        """Return the keys that a token with this header may be held against.

        With a ``kid``: those that carry it and fit the algorithm. Several may (RFC 7517 section 4.5 only
        says SHOULD be distinct): any of them may verify the token. Without a ``kid``: the one key that fits
        the algorithm, if there is exactly one.
        """
        if kid is None:
            fitting = tuple(key for key in self.keys if alg in key.algorithms)
            return fitting if len(fitting) == 1 else ()
        return tuple(key for key in self.keys if key.kid == kid and alg in key.algorithms)


class KeySource(Protocol):
    """Where an issuer's keys come from; it may fetch."""

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Return the keys for such a token, at least one.

        Raises :class:`TokenError` (``unknown_key``) or :class:`authorizer.errors.DecisionError`
        (``keys_unavailable``). ``now`` is Unix time in seconds.
        """
        ...

    def generation(self, now: float) -> int:
        """Return a number that changes whenever the keys do; it fetches where that is due.

        A token that was verified in another generation has to be verified again. Asked right after
        :meth:`candidates` and with the same ``now``, it fetches nothing: it names the set those came from.
        Raises :class:`authorizer.errors.DecisionError` (``keys_unavailable``).
        """
        ...


def parse_key_set(document: str | bytes) -> KeySet:
    """Read a JWK set (RFC 7517 section 5).

    One key that cannot be used does not cost the others. Raises :class:`ValueError`, with a message that
    is safe to log, for what is no JWK set, and for a set without any key that may verify.
    """
    try:
        value: object = json.loads(document)
    except (ValueError, RecursionError):
        message = "the key set is not valid JSON"
        raise ValueError(message) from None
    jwks = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(jwks, list):
        message = 'the key set is no JSON object with a list "keys"'
        raise ValueError(message)  # noqa: TRY004 - the document is wrong, not a type of ours
    keys: list[Key] = []
    skipped: list[str] = []
    for position, jwk in enumerate(jwks):
        try:
            keys.append(_key(jwk))
        except _UnusableKeyError as error:
            skipped.append(f"key {position} left out: {error}")
    if not keys:
        message = "; ".join([f"the key set has no key that may verify, of {len(jwks)}", *skipped[:5]])
        raise ValueError(message)
    return KeySet(tuple(keys), tuple(skipped))


class _UnusableKeyError(Exception):
    """A key that may not verify; the message says why, without the sender's text."""


def _key(jwk: object) -> Key:
    if not isinstance(jwk, dict):
        message = "it is no JSON object"
        raise _UnusableKeyError(message)
    kty, kid = jwk.get("kty"), jwk.get("kid")
    if not isinstance(kty, str) or kty not in _FROM_JWK:
        message = "its kty is not RSA, EC or OKP"
        raise _UnusableKeyError(message)
    if kid is not None and not isinstance(kid, str):
        message = "its kid is no text"
        raise _UnusableKeyError(message)
    _check_purpose(jwk)
    algorithms = _fitting_algorithms(kty, jwk)
    # Only the public members: a set that leaks a private key must not make us build one.
    members = {name: jwk.get(name) for name in _PUBLIC_MEMBERS[kty]}
    if not all(isinstance(value, str) for value in members.values()):
        message = f"its {', '.join(members)} are not all text"
        raise _UnusableKeyError(message)
    try:
        public = _FROM_JWK[kty]({"kty": kty, **members})
    except (InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError, OverflowError):
        message = "its numbers make no key"
        raise _UnusableKeyError(message) from None
    _check_strength(public)
    return Key(kid, algorithms, public)


def _check_strength(public: object) -> None:
    if isinstance(public, RSAPublicKey) and public.key_size < MIN_RSA_BITS:
        message = f"an RSA key needs {MIN_RSA_BITS} bits"
        raise _UnusableKeyError(message)
    if isinstance(public, Ed25519PublicKey):
        # The last bit is the sign of x, which does not matter here.
        y = int.from_bytes(public.public_bytes_raw(), "little") % 2**255
        if y in _SMALL_ORDER:
            message = "its point is of small order"
            raise _UnusableKeyError(message)


def _check_purpose(jwk: Mapping[str, object]) -> None:
    """Leave out keys that are for something else (RFC 7517 sections 4.2 and 4.3)."""
    if jwk.get("use", "sig") != "sig":
        message = "its use is not sig"
        raise _UnusableKeyError(message)
    if "key_ops" in jwk:
        operations = jwk["key_ops"]
        if not isinstance(operations, list) or "verify" not in operations:
            message = "its key_ops do not include verify"
            raise _UnusableKeyError(message)


def _fitting_algorithms(kty: str, jwk: Mapping[str, object]) -> frozenset[str]:
    crv = jwk.get("crv")
    fitting = _RSA if kty == "RSA" else _CURVES.get((kty, crv if isinstance(crv, str) else ""), frozenset())
    if not fitting:
        message = "its curve is not supported"
        raise _UnusableKeyError(message)
    if "alg" not in jwk:
        return fitting
    # RFC 9864 gives EdDSA on this curve a second name; a key that carries either serves both.
    alg = jwk["alg"]
    named = _ED25519 if alg in ("EdDSA", "Ed25519") else frozenset({alg}) if isinstance(alg, str) else frozenset()
    if not fitting & named:
        message = "its alg does not fit its type"
        raise _UnusableKeyError(message)
    return fitting & named


def check_signature(token: UnverifiedToken, candidates: tuple[Key, ...]) -> None:
    """Hold the signature against each candidate.

    Returns if one verifies it, else raises :class:`TokenError` (``bad_signature``).
    """
    algorithm = _ALGORITHMS[token.alg]
    for key in candidates:
        if algorithm.verify(token.signing_input, key.public, token.signature):
            return
    raise TokenError(Reason.BAD_SIGNATURE, "the signature does not verify with the issuer's key")
