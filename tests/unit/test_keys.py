"""A JWK set becomes keys; a key for a token is chosen; a signature is checked."""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.keys import KeySet, parse_key_set
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS, UnusableKeyError, public_key
from jwt_authorizer_devkit.signing import ALGORITHMS, base64url
from tests.factories import signing_key

if TYPE_CHECKING:
    from jwt_authorizer_devkit.signing import Json


def key_set(*jwks: object) -> KeySet:
    return parse_key_set(json.dumps({"keys": jwks}))


def jwk(of: str = "ES256", /, **members: object) -> Json:
    return signing_key(of).public_jwk(**members)


def left_out(bad: object) -> str:
    """Read a set with one bad key beside a good one, and give the reason why it was left out."""
    read = key_set(bad, jwk())
    assert [key.kid for key in read.keys] == ["key-1"]
    (reason,) = read.skipped
    assert reason.startswith("key 0 left out: ")
    return reason.removeprefix("key 0 left out: ")


# Reading a set.


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_with_an_algorithm_serves_that_one(alg: str) -> None:
    (key,) = key_set(jwk(alg)).keys
    assert key.algorithms == ({"EdDSA", "Ed25519"} if alg in ("EdDSA", "Ed25519") else {alg})


def test_the_devkit_knows_all_that_is_supported() -> None:
    assert frozenset(ALGORITHMS) == SUPPORTED_ALGORITHMS
    assert not any(alg.startswith("HS") or alg == "none" for alg in SUPPORTED_ALGORITHMS)


def test_a_set_full_of_useless_keys_is_described_in_a_few_words() -> None:
    with pytest.raises(ValueError, match="of 1000; key 0 left out") as caught:
        key_set(*[5] * 1000)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("empty", [None, []])
def test_a_member_that_is_null_or_an_empty_list_counts_as_absent(empty: object) -> None:
    """Issuers written in .NET send whatever they do not use (RFC 7517 makes all of these optional)."""
    unused: Json = dict.fromkeys(("use", "key_ops", "alg", "kid", "oth", "x5c"), empty)
    (key,) = key_set({**jwk(alg=None, kid=None), **unused}).keys
    assert key.kid is None
    assert key.algorithms == {"ES256"}
    assert left_out({**jwk(), "x": empty}) == "its crv, x, y are not all text"


def test_of_a_set_without_end_the_first_keys_are_read() -> None:
    read = key_set(*[jwk()] * 3000, *[5] * 200_000)
    assert len(read.keys) == 3000
    assert read.skipped == ("200000 keys left out: only the first 3000 are read",)


# ---------------------------------------------------------------------------------------------------------------
# Public JWKs that become keys, and those that never do.


def refused(of: Json) -> str:
    with pytest.raises(UnusableKeyError) as caught:
        public_key(of)
    return str(caught.value)


@pytest.mark.parametrize(
    ("bits", "why"),
    [(1024, "2048 to 8192 bits"), (2047, "2048 to 8192 bits"), (2048, ""), (8192, ""), (8193, "2048 to 8192 bits")],
)
def test_an_rsa_key_has_2048_to_8192_bits(bits: int, why: str) -> None:
    judged(number("n", (1 << bits - 1) + 1), why)


@pytest.mark.parametrize(
    ("exponent", "why"),
    [
        (0, "valid"),
        (1, "valid"),
        (2, "valid"),
        (3, ""),
        (65536, "valid"),
        (2**32 - 5, ""),
        (2**33 - 1, ""),
        (2**33 + 1, "2^33"),
    ],
)
def test_an_exponent_is_odd_and_from_3_to_2_to_the_33(exponent: int, why: str) -> None:
    judged(number("e", exponent), why)


def test_a_modulus_with_the_roca_fingerprint() -> None:
    """As the flawed library made its primes: powers of 65537 modulo a product of small primes."""
    product = prod(prime for prime in range(3, 168) if all(prime % divisor for divisor in range(2, prime)))
    weak = pow(65537, 0x1B5F2C9A, product) + product * ((1 << 2047) // product + 12)
    weak += 0 if weak % 2 else product
    judged(number("n", weak), "ROCA")
    judged(number("n", weak + 4), "")


def number(member: str, value: int) -> Json:
    return jwk("RS256", **{member: base64url(value.to_bytes((value.bit_length() + 7) // 8 or 1))})


def judged(key: Json, why: str) -> None:
    if why:
        assert why in refused(key)
    else:
        assert public_key(key)[1] >= {"RS256", "PS256"}
