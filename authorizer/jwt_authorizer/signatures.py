"""Make a key of a public JWK, and verify signatures with it. PyJWT and cryptography do both.

``import jwt`` also loads an HTTP client (``urllib.request``, ``http.client``, ``ssl``), an encoder, and cryptography's
certificates, SSH keys and PEM files: more than half of what starting this function would otherwise cost. Here the one
module that is needed is loaded, with stand-ins in place of the others. A stand-in loads the real module when it is
used, which does not happen here. The reasons, the figures and the risks: ``docs/adr/0007-start-up.md``.
``tests/unit/test_start_up.py`` fails when it stops working.
"""

from __future__ import annotations

import sys
from base64 import urlsafe_b64decode
from contextlib import contextmanager
from importlib import import_module
from importlib.machinery import PathFinder
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any


class _StandIn(ModuleType):
    """A module from which any name can be imported, and which is not loaded until one of these is used."""

    def __getattr__(self, name: str) -> _Name:
        """Return a stand-in for any name but Python's own. Whether the name exists is found out when it is used."""
        if name.startswith("__"):
            raise AttributeError(name)
        return _Name(self.__name__, name)


class _Name:
    """A function or class of a module that is not loaded yet."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __call__(self, *arguments: object, **named: object) -> Any:  # noqa: ANN401 - as the real one
        """Call the real one."""
        return self._real()(*arguments, **named)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the real one
        """Look it up in the real one."""
        return getattr(self._real(), name)

    def _real(self) -> Any:  # noqa: ANN401 - whatever it is
        return getattr(import_module(self._module), self._name)


@contextmanager
def _standing_in(*modules: str) -> Iterator[None]:
    """Put stand-ins in place of modules that are not loaded, and remove them: later imports get the real ones."""
    absent = [module for module in modules if module not in sys.modules]
    sys.modules.update({module: _StandIn(module) for module in absent})
    try:
        yield
    finally:
        for module in absent:
            del sys.modules[module]


@contextmanager
def _without_package_code(package: str) -> Iterator[None]:
    """Import a package's modules without running its ``__init__``, and forget them afterwards.

    Later imports load the whole package anew. Does nothing if it is loaded already.
    """
    spec = PathFinder.find_spec(package)
    if spec is None or package in sys.modules:
        yield
        return
    empty = ModuleType(package)
    empty.__spec__, empty.__path__ = spec, spec.submodule_search_locations or []
    sys.modules[package] = empty
    try:
        yield
    finally:
        # The modules as well: a package that is imported later would not get those as its attributes.
        for module in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
            del sys.modules[module]


with (
    _standing_in("cryptography.x509", "cryptography.hazmat.primitives.serialization", "hmac", "random"),
    _without_package_code("jwt"),
):
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from jwt.algorithms import Algorithm, ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm
    from jwt.exceptions import InvalidKeyError


class _MlDsa:
    """ML-DSA (FIPS 204, RFC 9964) with an empty context, for JWS. cryptography checks it; PyJWT has none."""

    def verify(self, msg: bytes, key: Any, sig: bytes) -> bool:  # noqa: ANN401 - one of three classes that start-up does not load
        try:
            key.verify(sig, msg)
        except InvalidSignature:
            return False
        return True


def _ml_dsa_key(jwk: Mapping[str, object]) -> object:
    """Read a key of type AKP (RFC 9964 section 3)."""
    mldsa = import_module("cryptography.hazmat.primitives.asymmetric.mldsa")
    kind = getattr(mldsa, f"MLDSA{str(jwk['alg']).removeprefix('ML-DSA-')}PublicKey")
    key = kind.from_public_bytes(urlsafe_b64decode(f"{jwk['pub']}=="))
    # If t1 is 0 (FIPS 204 section 7.2: the bytes after the first 32), anybody can forge signatures.
    if not any(key.public_bytes_raw()[32:]):
        raise UnusableKeyError("its pub is zero")
    return key


_ML_DSA = frozenset({"ML-DSA-44", "ML-DSA-65", "ML-DSA-87"})
_ALGORITHMS: Mapping[str, Algorithm | _MlDsa] = {
    "RS256": RSAAlgorithm(RSAAlgorithm.SHA256),
    "RS384": RSAAlgorithm(RSAAlgorithm.SHA384),
    "RS512": RSAAlgorithm(RSAAlgorithm.SHA512),
    "PS256": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA256),
    "PS384": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA384),
    "PS512": RSAPSSAlgorithm(RSAPSSAlgorithm.SHA512),
    "ES256": ECAlgorithm(ECAlgorithm.SHA256),
    "ES384": ECAlgorithm(ECAlgorithm.SHA384),
    "ES512": ECAlgorithm(ECAlgorithm.SHA512),
    "EdDSA": OKPAlgorithm(),
    "Ed25519": OKPAlgorithm(),
    **dict.fromkeys(_ML_DSA, _MlDsa()),
}

SUPPORTED_ALGORITHMS: frozenset[str] = frozenset(_ALGORITHMS)
"""All ``alg`` values that a setting may accept. ``none`` and the symmetric ones are not among them."""

_FROM_JWK: Mapping[str, tuple[Callable[[dict[str, object]], object], tuple[str, ...]]] = {
    "RSA": (RSAAlgorithm.from_jwk, ("n", "e")),
    "EC": (ECAlgorithm.from_jwk, ("crv", "x", "y")),
    "OKP": (OKPAlgorithm.from_jwk, ("crv", "x")),
    "AKP": (_ml_dsa_key, ("alg", "pub")),
}
_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_KINDS = {
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA", "Ed25519"}),
    **{("AKP", alg): frozenset({alg}) for alg in _ML_DSA},
}

_RSA_BITS = range(2048, 8192 + 1)
"""RFC 7518 section 3.3. Verifying with a larger key takes too long (Go has the same limit: CVE-2023-29409)."""
_LARGEST_EXPONENT = 2**33
_ROCA_PRIMES = (
    (11, 2), (13, 6), (17, 8), (19, 9), (37, 3), (53, 26), (61, 20), (71, 35), (73, 24), (79, 13), (97, 6), (103, 51),
    (107, 53), (109, 54), (127, 42), (151, 50), (157, 78),
)  # fmt: skip
"""Small primes, each with the order of 65537 modulo that prime. The modulus of a key with the flaw CVE-2017-15361
(Nemec and others, "The Return of Coppersmith's Attack", 2017) is a power of 65537 modulo each of them. Of other moduli,
one in 240 million is."""

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
with such a key anybody can forge signatures."""


class UnusableKeyError(Exception):
    """A key that must not verify signatures. The message says why, and holds nothing from the key."""


def public_key(jwk: Mapping[str, object]) -> tuple[object, frozenset[str]]:
    """Read a public JWK (RFC 7518 section 6, RFC 8037 section 2, RFC 9964 section 3).

    Returns the key and the algorithms (``alg``) that fit its type and curve. Only public members are read: a private
    key that leaked is never built. Raises :class:`UnusableKeyError` for what is not a key, and for weak ones.
    """
    kty = jwk.get("kty")
    if not isinstance(kty, str) or kty not in _FROM_JWK:
        raise UnusableKeyError("its kty is not RSA, EC, OKP or AKP")
    named = "alg" if kty == "AKP" else "crv"
    kind = jwk.get(named)
    algorithms = _RSA if kty == "RSA" else _KINDS.get((kty, kind if isinstance(kind, str) else ""))
    if algorithms is None:
        raise UnusableKeyError(f"its {named} is not supported")
    read, names = _FROM_JWK[kty]
    members = {name: jwk.get(name) for name in names}
    if not all(isinstance(value, str) for value in members.values()):
        raise UnusableKeyError(f"its {', '.join(names)} are not all strings")
    try:
        key = read({"kty": kty, **members})
    except (InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError, OverflowError):
        raise UnusableKeyError(f"its {', '.join(names)} are not a valid key") from None
    _check_strength(key)
    return key, algorithms


def _check_strength(key: object) -> None:
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        if key.key_size not in _RSA_BITS:
            raise UnusableKeyError(f"an RSA key needs {_RSA_BITS[0]} to {_RSA_BITS[-1]} bits")
        if not 3 <= numbers.e <= _LARGEST_EXPONENT or not numbers.e % 2:  # noqa: PLR2004 - RFC 8017 section 3.1
            raise UnusableKeyError("its exponent is not odd and from 3 to 2^33")
        if all(pow(numbers.n % prime, order, prime) == 1 for prime, order in _ROCA_PRIMES):
            raise UnusableKeyError("its private key can be computed from its modulus (ROCA, CVE-2017-15361)")
    if isinstance(key, Ed25519PublicKey):
        # The last bit is the sign of x, which does not matter here.
        y = int.from_bytes(key.public_bytes_raw(), "little") % 2**255
        if y in _SMALL_ORDER:
            raise UnusableKeyError("its point is of small order")


def is_valid_signature(alg: str, key: object, signing_input: bytes, signature: bytes) -> bool:
    """Return whether a signature is valid. ``alg`` must be one that :func:`public_key` returned with the key."""
    return _ALGORITHMS[alg].verify(signing_input, key, signature)
