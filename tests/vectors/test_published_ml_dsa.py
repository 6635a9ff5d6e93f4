"""ML-DSA as published: RFC 9964's examples, and those of Project Wycheproof, as data beside this file.

No other library here knows it, so what is shown is that the published signatures verify, and the changed ones do not.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa

from jwt_authorizer.keys import parse_key_set
from jwt_authorizer.signatures import UnusableKeyError, public_key, verifies
from jwt_authorizer_devkit.proofs import thumbprint
from jwt_authorizer_devkit.signing import SigningKey, generate
from tests.security.lab import AUDIENCE, ISSUER, bare_lab, sign, token_event

FOLDER = Path(__file__).parent
RFC: list[dict[str, Any]] = json.loads((FOLDER / "rfc9964.json").read_text("utf-8"))["vectors"]
WYCHEPROOF: list[dict[str, Any]] = json.loads((FOLDER / "wycheproof_mldsa.json").read_text("utf-8"))["vectors"]
SEEDED: dict[str, Any] = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(f"{part}==")


@pytest.mark.parametrize("vector", RFC, ids=lambda vector: vector["name"])
def test_the_rfcs_example_verifies_with_its_key_and_changed_it_does_not(vector: dict[str, Any]) -> None:
    head, payload, signature = vector["compact"].split(".")
    (key,) = parse_key_set(json.dumps({"keys": [vector["jwk"]]})).keys
    assert key.algorithms == {vector["alg"]}
    assert json.loads(decoded(head)) == {"alg": vector["alg"], "kid": key.kid}
    signed = f"{head}.{payload}".encode()
    assert verifies(vector["alg"], key.public, signed, decoded(signature))
    assert not verifies(vector["alg"], key.public, signed + b"A", decoded(signature))
    assert not verifies(vector["alg"], key.public, signed, decoded(signature)[:-1])


@pytest.mark.parametrize("vector", RFC, ids=lambda vector: vector["name"])
def test_the_devkits_key_of_the_rfcs_seed_is_the_rfcs_key(vector: dict[str, Any]) -> None:
    private = SEEDED[vector["alg"]].from_seed_bytes(bytes(32))
    made = SigningKey(vector["jwk"]["kid"], vector["alg"], private).public_jwk(use=None)
    assert made == {name: vector["jwk"][name] for name in ("kid", "kty", "alg", "pub")}
    assert thumbprint(SigningKey(None, vector["alg"], private)) == vector["jwk"]["kid"]


@pytest.mark.parametrize("vector", WYCHEPROOF, ids=lambda vector: vector["name"])
def test_wycheproof(vector: dict[str, Any]) -> None:
    alg = vector["jwk"]["alg"]
    # Under a public key whose t1 is zero anybody can sign, so it is left out although the signature is right.
    unusable = {"t1 component set to zero": "its pub is zero", "public key": "not a valid key"}
    why = next((why for kind, why in unusable.items() if vector["name"].endswith(kind)), None)
    if why is not None:
        with pytest.raises(UnusableKeyError, match=why):
            public_key(vector["jwk"])
        return
    key, fitting = public_key(vector["jwk"])
    assert fitting == {alg}
    assert verifies(alg, key, decoded(vector["msg"]), decoded(vector["sig"])) is vector["verifies"]


@pytest.mark.parametrize("alg", SEEDED)
def test_a_token_is_accepted_where_the_settings_name_its_algorithm(alg: str) -> None:
    key = generate(alg, "pq")
    settings = {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS": json.dumps({"keys": [key.public_jwk(), generate("ES256", "p256").public_jwk()]}),
    }
    token = sign(signer=key)
    named = bare_lab(**settings, JWT_ALGORITHMS=f"ES256,{alg}")
    named.allowed(token_event(token))
    head, payload, signature = token.split(".")
    named.refused(token_event(f"{head}.{payload}.{signature[:-4]}AAAA"), "bad_signature")  # type: ignore[arg-type]  # a code is its text
    bare_lab(**settings).refused(token_event(token), "unsupported_algorithm")  # type: ignore[arg-type]  # a code is its text


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"alg": None}, "its alg is not supported"),
        ({"alg": "ML-DSA-66"}, "its alg is not supported"),
        ({"alg": "ML-DSA-65"}, "not a valid key"),
        ({"pub": None}, "not all text"),
        ({"pub": ""}, "not a valid key"),
        ({"pub": "\u00e9"}, "not a valid key"),
    ],
    ids=str,
)
def test_what_is_not_a_key(changed: dict[str, object], why: str) -> None:
    with pytest.raises(UnusableKeyError, match=why):
        public_key({**RFC[0]["jwk"], **changed})
