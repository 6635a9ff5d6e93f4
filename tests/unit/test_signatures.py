"""Public JWKs that become keys, and those that never do."""

from __future__ import annotations

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


def test_an_rsa_key_has_2048_bits_at_least() -> None:
    assert refused(jwk("RS256", n=base64url(b"\x81" * 128))) == "an RSA key needs 2048 bits"
