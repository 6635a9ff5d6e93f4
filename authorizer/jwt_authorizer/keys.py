"""Parse a JWK set, and choose the keys that a token is checked with (RFC 7517, RFC 9864)."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.records import dataclass
from jwt_authorizer.signatures import UnusableKeyError, is_valid_signature, public_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from jwt_authorizer.tokens import UnverifiedToken

_ED25519 = frozenset({"EdDSA", "Ed25519"})
"""Two names for one algorithm (RFC 9864): a key that carries either serves both."""
MOST_KEYS = 3000
"""Keys of a set that are read at most. It bounds the time that reading a hostile set of 512 KB takes."""
MOST_TRIED = 8
"""Keys that one token is checked with at most. Each costs a signature check, also for a forged token."""


@dataclass(frozen=True, slots=True)
class Key:
    """A public key that may verify signatures, and the algorithms it may do so with."""

    kid: str | None
    algorithms: frozenset[str]
    public: object


@dataclass(frozen=True, slots=True)
class KeySet:
    """The keys of a JWK set that may verify, and a message for each that was left out (safe to log)."""

    keys: tuple[Key, ...]
    skipped: tuple[str, ...]

    def candidates(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        """Return the keys that a token with this header may be checked with.

        With a ``kid``: those that carry it and fit the algorithm. Several may (RFC 7517 section 4.5 only says SHOULD be
        distinct), and any of them may verify the token. Without a ``kid``: the one key that fits the algorithm, if
        there is exactly one.
        """
        if kid is None:
            fitting = self.fitting(alg)
            return fitting if len(fitting) == 1 else ()
        return tuple([key for key in self.keys if key.kid == kid and alg in key.algorithms])  # a generator takes longer

    def fitting(self, alg: str) -> tuple[Key, ...]:
        """Return the keys whose ``alg``, type and curve fit this algorithm."""
        return tuple(key for key in self.keys if alg in key.algorithms)


class KeySource(Protocol):
    """One issuer's keys. It fetches them when that is due: see ``issuers/``."""

    def candidates(self, alg: str, kid: str | None, now: float) -> Iterable[Key]:
        """Return the keys for such a token, at least one.

        Raises :class:`TokenError` (``unknown_key``) or :class:`DecisionError`
        (``keys_unavailable``). ``now`` is Unix time in seconds.
        """
        ...

    def source_of(self, key: Key) -> KeySource:
        """Return the source of the key set that has this key, which is another object if the issuer has several sets.

        A remembered token depends on that key set alone.
        """
        ...

    def version(self, now: float) -> int:
        """Refresh the keys if due. Return the version of the key set, a number that changes whenever its keys do.

        A token that was verified with another version has to be verified again. Called right after
        :meth:`candidates` with the same ``now``, it fetches nothing, and returns the version that these keys are from.
        Raises :class:`DecisionError` (``keys_unavailable``).
        """
        ...


def parse_key_set(document: str | bytes) -> KeySet:
    """Read a JWK set (RFC 7517 section 5), of more than 3,000 keys the first 3,000.

    A key that cannot be used is left out. Raises :class:`ValueError`, with a message that is safe to log, for what is
    not a JWK set, and for a set without any key that may verify.
    """
    try:
        value: object = json.loads(document)
    except (ValueError, RecursionError):
        raise ValueError("the key set is not valid JSON") from None
    jwks = value.get("keys") if isinstance(value, dict) else None
    if not isinstance(jwks, list):
        raise ValueError('the key set is not a JSON object with a list "keys"')  # noqa: TRY004 - the document is wrong, not a type of ours
    keys: list[Key] = []
    skipped: list[str] = []
    for position, jwk in enumerate(jwks[:MOST_KEYS]):
        try:
            keys.append(_key(jwk))
        except UnusableKeyError as error:
            skipped.append(f"key {position} left out: {error}")
    if len(jwks) > MOST_KEYS:
        skipped.append(f"{len(jwks) - MOST_KEYS} keys left out: only the first {MOST_KEYS} are read")
    if not keys:
        raise ValueError("; ".join([f"the key set has no key that may verify, of {len(jwks)}", *skipped[:5]]))
    return KeySet(tuple(keys), tuple(skipped))


def _key(jwk: object) -> Key:
    if not isinstance(jwk, dict):
        raise UnusableKeyError("it is not a JSON object")
    # Issuers written in .NET send members that they do not use as null or as an empty list.
    jwk = {name: value for name, value in jwk.items() if value is not None and value != []}
    kid = jwk.get("kid")
    if kid is not None and not isinstance(kid, str):
        raise UnusableKeyError("its kid is not a string")
    _check_purpose(jwk)
    public, fitting = public_key(jwk)
    return Key(kid, _named(jwk, fitting), public)


def _check_purpose(jwk: Mapping[str, object]) -> None:
    """Leave out keys that are not for signatures (RFC 7517 sections 4.2 and 4.3)."""
    if jwk.get("use", "sig") != "sig":
        raise UnusableKeyError("its use is not sig")
    if "key_ops" in jwk:
        operations = jwk["key_ops"]
        if not isinstance(operations, list) or "verify" not in operations:
            raise UnusableKeyError("its key_ops do not include verify")


def _named(jwk: Mapping[str, object], fitting: frozenset[str]) -> frozenset[str]:
    """Narrow the algorithms that fit a key to the one that it names, if it names one (RFC 7517 section 4.4)."""
    if "alg" not in jwk:
        return fitting
    alg = jwk["alg"]
    named = _ED25519 if alg in ("EdDSA", "Ed25519") else frozenset({alg}) if isinstance(alg, str) else frozenset()
    if not fitting & named:
        raise UnusableKeyError("its alg does not fit its type")
    return fitting & named


def check_signature(token: UnverifiedToken, candidates: Iterable[Key]) -> Key:
    """Check the signature with each candidate, at most eight, and return the key that verifies it.

    Raises :class:`TokenError` (``bad_signature``) if none does.
    """
    for key in islice(candidates, MOST_TRIED):
        if is_valid_signature(token.alg, key.public, token.signing_input, token.signature):
            return key
    raise TokenError(ErrorCode.BAD_SIGNATURE, "the signature does not verify with the issuer's key")
