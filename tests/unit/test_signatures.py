"""Public JWKs that become keys, and those that never do."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.signatures import UnusableKeyError, public_key
from jwt_authorizer_devkit.signing import base64url
from tests.factories import signing_key

if TYPE_CHECKING:
    from jwt_authorizer_devkit.signing import Json


def jwk(of: str = "ES256", /, **members: object) -> Json:
    return signing_key(of).public_jwk(**members)


def refused(of: Json) -> str:
    with pytest.raises(UnusableKeyError) as caught:
        public_key(of)
    return str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        jwk(x="AAAA"),
        jwk(x="!"),
        jwk(y=base64url(bytes(32))),
        jwk("EdDSA", x="AAAA"),
        jwk("RS256", e="AA"),
        jwk("RS256", n=""),
    ],
    ids=range(6),
)
def test_members_that_are_not_a_key(bad: Json) -> None:
    assert refused(bad).endswith("are not a valid key")


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
