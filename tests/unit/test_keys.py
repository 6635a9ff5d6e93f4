"""A JWK set becomes keys; a key for a token is chosen; a signature is checked."""

import json
import re

import pytest

from jwt_authorizer.keys import KeySet, parse_key_set
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS, UnusableKeyError, public_key
from jwt_authorizer_devkit.signing import ALGORITHMS, Json, base64url
from tests.factories import signing_key


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
    assert left_out({**jwk(), "x": empty}) == "its crv, x, y are not all strings"


def test_of_a_set_without_end_the_first_keys_are_read() -> None:
    read = key_set(*[jwk()] * 3000, *[5] * 200_000)
    assert len(read.keys) == 3000
    assert read.skipped == ("200000 keys left out: only the first 3000 are read",)


@pytest.mark.parametrize(
    ("member", "value", "why"),
    [
        ("n", (1 << 2046) + 1, "2048 to 8192 bits"),
        ("n", (1 << 2047) + 1, ""),
        ("n", (1 << 8191) + 1, ""),
        ("n", (1 << 8192) + 1, "2048 to 8192 bits"),
        ("e", 0, "valid"),
        ("e", 1, "valid"),
        ("e", 3, ""),
        ("e", 65536, "valid"),
        ("e", 2**33 - 1, ""),
        ("e", 2**33 + 1, "2^33"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_an_rsa_key_has_2048_to_8192_bits_and_an_odd_exponent_from_3_to_2_to_the_33(
    member: str, value: int, why: str
) -> None:
    key = jwk("RS256", **{member: base64url(value.to_bytes((value.bit_length() + 7) // 8 or 1))})
    if why:
        with pytest.raises(UnusableKeyError, match=re.escape(why)):
            public_key(key)
    else:
        assert public_key(key)[1] >= {"RS256", "PS256"}
