"""Signatures of the wrong length, form or range, and true ones in the wrong place."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from jwt_authorizer.errors import Reason
from jwt_authorizer_devkit.signing import SigningKey
from tests.security.lab import (
    Lab,
    claims,
    encode,
    key,
    lab,
    sign,
    token_event,
    with_signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED25519_IDENTITY = b"\x01" + bytes(31)
ES256_HEADER = {"alg": "ES256", "kid": "p256"}


@pytest.fixture
def target() -> Lab:
    return lab()


def _es256() -> tuple[int, int]:
    message = f"{encode(ES256_HEADER)}.{encode(claims())}".encode()
    raw = key("p256").sign(message)
    return int.from_bytes(raw[:32]), int.from_bytes(raw[32:])


def _pair(r: int, s: int, length: int = 32) -> bytes:
    return r.to_bytes(length) + s.to_bytes(length)


ECDSA: dict[str, Callable[[int, int], bytes]] = {
    "empty": lambda _r, _s: b"",
    "one byte": lambda _r, _s: b"\0",
    "all zero": lambda _r, _s: bytes(64),
    "r zero": lambda _r, s: _pair(0, s),
    "s zero": lambda r, _s: _pair(r, 0),
    "r the order": lambda _r, s: _pair(P256_ORDER, s),
    "s the order": lambda r, _s: _pair(r, P256_ORDER),
    "both the order": lambda _r, _s: _pair(P256_ORDER, P256_ORDER),
    "both one": lambda _r, _s: _pair(1, 1),
    "all ones": lambda _r, _s: b"\xff" * 64,
    "r and s exchanged": lambda r, s: _pair(s, r),
    "DER": encode_dss_signature,
    "DER of zeros": lambda _r, _s: encode_dss_signature(0, 0),
    "cut short": lambda r, s: _pair(r, s)[:-1],
    "a byte too many": lambda r, s: _pair(r, s) + b"\0",
    "a byte in front": lambda r, s: b"\0" + _pair(r, s),
    "halves padded": lambda r, s: _pair(r, s, 33),
    "of ES512's length": lambda r, s: _pair(r, s, 66),
    "twice": lambda r, s: _pair(r, s) * 2,
    "12 KB": lambda r, s: _pair(r, s) * 180,
}


@pytest.mark.parametrize("form", ECDSA)
def test_an_ecdsa_signature_of_wrong_length_form_or_range(target: Lab, form: str) -> None:
    r, s = _es256()
    target.allowed(token_event(with_signature(_pair(r, s), ES256_HEADER)))
    target.attacked(with_signature(ECDSA[form](r, s), ES256_HEADER), Reason.BAD_SIGNATURE, Reason.MALFORMED_TOKEN)


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_an_rsa_signature_of_wrong_length_form_or_range(target: Lab, alg: str) -> None:
    header = {"alg": alg, "kid": "rsa"}
    signer = SigningKey("rsa", alg, key("rsa").private)
    good = signer.sign(f"{encode(header)}.{encode(claims())}".encode())
    target.allowed(token_event(with_signature(good, header)))
    digest = hashlib.sha256(f"{encode(header)}.{encode(claims())}".encode()).digest()
    padded = b"\0\1" + b"\xff" * 202 + b"\0" + bytes.fromhex("3031300d060960864801650304020105000420") + digest
    wrong = [b"", b"\0", bytes(256), b"\xff" * 256, good[:-1], good + b"\0", b"\0" + good, good[1:], good * 2, padded]
    wrong += [digest, bytes(255) + b"\1", good * 45]
    for signature in wrong:
        target.attacked(with_signature(signature, header), Reason.BAD_SIGNATURE)


def test_an_ed25519_signature_of_wrong_length_form_or_range(target: Lab) -> None:
    header = {"alg": "EdDSA", "kid": "ed"}
    good = key("ed").sign(f"{encode(header)}.{encode(claims())}".encode())
    target.allowed(token_event(with_signature(good, header)))
    s = int.from_bytes(good[32:], "little")
    malleated = good[:32] + (s + ED25519_ORDER).to_bytes(32, "little")
    small = ED25519_IDENTITY + bytes(32)
    for signature in (b"", bytes(64), malleated, small, good[:-1], good + b"\0", b"\xff" * 64, good * 2, good[32:] * 2):
        target.attacked(with_signature(signature, header), Reason.BAD_SIGNATURE)


def test_a_bit_anywhere_in_the_token_counts(target: Lab) -> None:
    token = sign()
    target.allowed(token_event(token))
    for position in range(0, len(token), 7):
        if token[position] == ".":
            continue
        other = "A" if token[position] != "A" else "B"
        changed = token[:position] + other + token[position + 1 :]
        target.attacked(changed, *Reason)


def test_a_signature_is_that_of_this_payload(target: Lab) -> None:
    mine, theirs = sign(claims(sub="mallory")), sign(claims(sub="alice"))
    target.allowed(token_event(mine))
    head, payload, signature = mine.split(".")
    swapped = theirs.split(".")
    target.attacked(f"{head}.{swapped[1]}.{signature}", Reason.BAD_SIGNATURE)
    target.attacked(f"{head}.{payload}.{swapped[2]}", Reason.BAD_SIGNATURE)
