"""The examples that the RFCs and Project Wycheproof publish, as data beside this file: what is signed with a key pair
verifies, nothing else.
"""

import json
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa

from jwt_authorizer.authenticate import Issuer, verify_jwt
from jwt_authorizer.binding.dpop import DpopSettings, check_proof
from jwt_authorizer.claim_conditions import parse_claim
from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import ErrorCode, TokenError
from jwt_authorizer.events import EventKind
from jwt_authorizer.keys import check_signature, parse_key_set
from jwt_authorizer.signatures import UnusableKeyError, is_valid_signature, public_key
from jwt_authorizer.tokens import BearerToken, Scheme, UnverifiedToken, parse
from jwt_authorizer_devkit.proofs import thumbprint
from jwt_authorizer_devkit.signing import SigningKey, generate
from tests.factories import ALGORITHMS, FakeKeys, request
from tests.security.lab import AUDIENCE, ISSUER, bare_lab, sign, token_event

type Vector = dict[str, Any]


def read(name: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads((Path(__file__).parent / f"{name}.json").read_text("utf-8"))


SIGNED: list[Vector] = [
    {**vector, "name": f"{name} {vector['name']}"}
    for name in ("rfc7515", "rfc7519", "rfc7520", "rfc7797", "rfc8037")
    for vector in read(name)["vectors"]
]
VERIFIES = [vector for vector in SIGNED if vector["outcome"] == "verifies"]
REFUSED = [vector for vector in SIGNED if vector["outcome"] != "verifies"]
EXPIRES = 1_300_819_380


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def named(chosen: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", chosen, ids=[vector["name"] for vector in chosen])


def refusal(vector: Vector, keys: FakeKeys, now: float) -> ErrorCode:
    rules = ClaimRules(leeway=0, principal_claims=(parse_claim("iss"),))
    with pytest.raises(TokenError) as caught:
        verify_jwt(parse(BearerToken(vector["compact"])), Issuer("joe", ALGORITHMS, frozenset(), rules, keys), now)
    return caught.value.code


@named(VERIFIES)
def test_the_example_verifies_with_its_key_and_changed_it_does_not(vector: Vector) -> None:
    head, payload, signature = vector["compact"].split(".")
    header = json.loads(decoded(head))
    keys = parse_key_set(json.dumps({"keys": [vector["jwk"]]}))
    signed = f"{head}.{payload}".encode()
    (key,) = keys.candidates(header["alg"], header.get("kid"))
    check_signature(UnverifiedToken(header["alg"], key.kid, None, {}, signed, decoded(signature)), (key,))
    with pytest.raises(TokenError, match="bad_signature"):
        check_signature(UnverifiedToken(header["alg"], key.kid, None, {}, signed + b"A", decoded(signature)), (key,))
    if vector["payload"] == "claims":
        assert parse(BearerToken(vector["compact"])).claims["exp"] == EXPIRES
        assert refusal(vector, FakeKeys(keys), EXPIRES) is ErrorCode.TOKEN_EXPIRED
    else:  # a signed text is not a JWT
        assert refusal(vector, FakeKeys(keys), EXPIRES - 1) is ErrorCode.MALFORMED_TOKEN


@named(REFUSED)
def test_what_needs_a_secret_or_no_signature_is_encrypted_detached_or_critical_is_refused(vector: Vector) -> None:
    malformed = vector["payload"] != "claims" or vector["outcome"] == "malformed_token"
    expected = ErrorCode.MALFORMED_TOKEN if malformed else ErrorCode.UNSUPPORTED_ALGORITHM
    assert refusal(vector, FakeKeys(), EXPIRES - 1) is expected
    if vector["jwk"] is not None:  # the algorithm alone is refused before, and its key would verify nothing
        with pytest.raises(ValueError, match="no key that may verify"):
            parse_key_set(json.dumps({"keys": [vector["jwk"]]}))


def test_of_the_published_keys_the_one_for_signatures_is_taken() -> None:
    """RFC 7517 appendix A."""
    keys = parse_key_set(json.dumps(read("rfc7517")["public_keys"]))
    assert [(key.kid, key.algorithms) for key in keys.keys] == [("2011-04-29", frozenset({"RS256"}))]
    assert keys.skipped == ("key 0 left out: its use is not sig",)
    with pytest.raises(ValueError, match="no key that may verify, of 2"):
        parse_key_set(json.dumps(read("rfc7517")["symmetric_keys"]))


@pytest.mark.parametrize(("age", "passes"), [(0, True), (119, True), (-60, True), (120, False), (-61, False)])
def test_the_published_dpop_proof_passes_at_its_time_and_at_no_other(age: int, *, passes: bool) -> None:
    example = read("rfc9449")
    asked = request(
        EventKind.REST_REQUEST,
        headers={"DPoP": example["proof"]},
        multiValueHeaders=None,
        requestContext={"domainName": "resource.example.org", "path": "/protectedresource"},
    )
    token, now = BearerToken(example["access_token"], Scheme.DPOP), example["issued_at"] + age
    settings = DpopSettings(frozenset({"ES256"}))
    if passes:
        assert check_proof(asked, token, example["jkt"], settings, now).until == example["issued_at"] + 120
    else:
        with pytest.raises(TokenError, match=r"check 11\)"):
            check_proof(asked, token, example["jkt"], settings, now)


# ML-DSA: RFC 9964's examples, and those of Project Wycheproof.


RFC: list[Vector] = read("rfc9964")["vectors"]
SEEDED: dict[str, Any] = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}


@named(RFC)
def test_the_ml_dsa_example_verifies_with_its_key_and_changed_it_does_not(vector: Vector) -> None:
    head, payload, signature = vector["compact"].split(".")
    (key,) = parse_key_set(json.dumps({"keys": [vector["jwk"]]})).keys
    assert key.algorithms == {vector["alg"]}
    assert json.loads(decoded(head)) == {"alg": vector["alg"], "kid": key.kid}
    signed = f"{head}.{payload}".encode()
    assert is_valid_signature(vector["alg"], key.public, signed, decoded(signature))
    assert not is_valid_signature(vector["alg"], key.public, signed + b"A", decoded(signature))
    assert not is_valid_signature(vector["alg"], key.public, signed, decoded(signature)[:-1])
    # The devkit makes the same key of the RFC's seed.
    private = SEEDED[vector["alg"]].from_seed_bytes(bytes(32))
    made = SigningKey(vector["jwk"]["kid"], vector["alg"], private).public_jwk(use=None)
    assert made == {name: vector["jwk"][name] for name in ("kid", "kty", "alg", "pub")}
    assert thumbprint(SigningKey(None, vector["alg"], private)) == vector["jwk"]["kid"]


@named(read("wycheproof_mldsa")["vectors"])
def test_wycheproof(vector: Vector) -> None:
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
    assert is_valid_signature(alg, key, decoded(vector["msg"]), decoded(vector["sig"])) is vector["verifies"]


@pytest.mark.parametrize("alg", SEEDED)
def test_a_token_is_accepted_where_the_settings_name_its_algorithm(alg: str) -> None:
    key = generate(alg, "pq")
    keys = json.dumps({"keys": [key.public_jwk(), generate("ES256", "p256").public_jwk()]})
    settings = {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_JWKS": keys}
    token = sign(signer=key)
    accepting = bare_lab(**settings, JWT_ALGORITHMS=f"ES256,{alg}")
    accepting.allowed(token_event(token))
    head, payload, signature = token.split(".")
    accepting.attacked(f"{head}.{payload}.{signature[:-4]}AAAA", ErrorCode.BAD_SIGNATURE)
    bare_lab(**settings).attacked(token, ErrorCode.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize(
    "changed", [{"alg": None}, {"alg": "ML-DSA-65"}, {"pub": None}, {"pub": ""}, {"pub": "\u00e9"}]
)
def test_what_is_not_a_key(changed: Vector) -> None:
    with pytest.raises(UnusableKeyError):
        public_key({**RFC[0]["jwk"], **changed})
