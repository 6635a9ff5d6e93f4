"""The examples that the RFCs publish, as data beside this file: what is signed with a key pair verifies, nothing else.

Each is first shown to be what it says it is, by another library, so that a slip in the data cannot pass for a refusal.
"""

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import mldsa
from joserfc import jws
from joserfc.jwk import import_key

from jwt_authorizer.answers import AnswerSettings
from jwt_authorizer.authenticate import Issuer
from jwt_authorizer.authorize import Authorizer, Outcome, authorize
from jwt_authorizer.binding.dpop import DpopSettings, check_proof
from jwt_authorizer.claim_conditions import parse_claim
from jwt_authorizer.claims import ClaimRules
from jwt_authorizer.errors import Reason, TokenError
from jwt_authorizer.events import EventKind, Request
from jwt_authorizer.keys import KeySet, check_signature, parse_key_set
from jwt_authorizer.policies import policies_for
from jwt_authorizer.rules import compile_rules
from jwt_authorizer.signatures import UnusableKeyError, is_valid_signature, public_key
from jwt_authorizer.token_cache import TokenCache
from jwt_authorizer.tokens import BearerToken, Scheme, UnverifiedToken, parse
from jwt_authorizer_devkit.proofs import thumbprint
from jwt_authorizer_devkit.signing import SigningKey, generate
from tests.factories import ALGORITHMS, AUTHORIZATION, FakeKeys, request, rest_token_event
from tests.security.lab import AUDIENCE, ISSUER, bare_lab, sign, token_event

FOLDER = Path(__file__).parent
SIGNED = ("rfc7515", "rfc7519", "rfc7520", "rfc7797", "rfc8037")
BEFORE_EXPIRY = 1_300_819_380 - 1.0
JOSE_ALGORITHMS = ["HS256", "RS256", "PS384", "ES256", "ES512", "EdDSA"]


@dataclass(frozen=True, slots=True)
class Vector:
    name: str
    alg: str
    jwk: dict[str, Any] | None
    compact: str
    payload: str
    outcome: str

    def key_set(self) -> KeySet:
        return parse_key_set(json.dumps({"keys": [self.jwk]}))

    def unverified(self) -> UnverifiedToken:
        """Take the three parts apart without asking for claims, which most examples don't carry."""
        head, payload, signature = self.compact.split(".")
        header = json.loads(decoded(head))
        return UnverifiedToken(
            header["alg"], header.get("kid"), None, {}, f"{head}.{payload}".encode(), decoded(signature)
        )


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def vectors() -> list[Vector]:
    found = []
    for name in SIGNED:
        document = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
        found += [Vector(**{**vector, "name": f"{name} {vector['name']}"}) for vector in document["vectors"]]
    return found


VECTORS = vectors()
WITH_KEY = [vector for vector in VECTORS if vector.jwk is not None]
VERIFIES = [vector for vector in VECTORS if vector.outcome == "verifies"]
JWTS = [vector for vector in VERIFIES if vector.payload == "claims"]


def named(chosen: list[Vector]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("vector", chosen, ids=[vector.name for vector in chosen])


def authorizer_of(vector: Vector) -> Authorizer:
    keys = FakeKeys(vector.key_set()) if vector in VERIFIES else FakeKeys()
    rules = compile_rules(None)
    joe = Issuer("joe", ALGORITHMS, frozenset(), ClaimRules(leeway=0, principal_claims=(parse_claim("iss"),)), keys)
    return Authorizer({"joe": joe}, (AUTHORIZATION,), TokenCache(0), rules, policies_for(rules), AnswerSettings())


def decide(vector: Vector, now: float = BEFORE_EXPIRY) -> Outcome:
    return authorize(rest_token_event(vector.compact), authorizer_of(vector), now)


# joserfc wants RFC 9864's names instead of EdDSA; the RFC's example has the older one.
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@named(WITH_KEY)
def test_another_library_finds_each_example_correctly_signed(vector: Vector) -> None:
    assert vector.jwk is not None
    key = import_key(vector.jwk)
    assert jws.deserialize_compact(vector.compact, key, algorithms=JOSE_ALGORITHMS).payload


@named(VERIFIES)
def test_the_example_verifies_with_its_key(vector: Vector) -> None:
    token = vector.unverified()
    candidates = vector.key_set().candidates(token.alg, token.kid)
    assert len(candidates) == 1
    check_signature(token, candidates)


@named(VERIFIES)
def test_the_example_with_another_payload_does_not_verify(vector: Vector) -> None:
    token = vector.unverified()
    changed = UnverifiedToken(token.alg, token.kid, None, {}, token.signing_input + b"A", token.signature)
    with pytest.raises(TokenError) as caught:
        check_signature(changed, vector.key_set().candidates(token.alg, token.kid))
    assert caught.value.code is Reason.BAD_SIGNATURE


@named(JWTS)
def test_an_example_that_is_a_jwt_is_let_in_until_its_last_second(vector: Vector) -> None:
    answer: Any = decide(vector).answer
    assert answer["principalId"] == "joe"
    assert json.loads(answer["context"]["claims"]) == {
        "iss": "joe",
        "exp": 1300819380,
        "http://example.com/is_root": True,
    }
    assert decide(vector, BEFORE_EXPIRY + 1).reason is Reason.TOKEN_EXPIRED


@named([vector for vector in VERIFIES if vector.payload == "text"])
def test_a_signed_text_is_no_jwt(vector: Vector) -> None:
    with pytest.raises(TokenError) as caught:
        parse(BearerToken(vector.compact))
    assert caught.value.code is Reason.MALFORMED_TOKEN


@named([vector for vector in VECTORS if vector.outcome == "unsupported_algorithm"])
def test_no_key_lets_in_what_needs_a_secret_or_no_signature(vector: Vector) -> None:
    """The issuer's own key set would verify nothing of this kind, and the algorithm alone is refused before."""
    assert parsed_set_has_no_key_for(vector)
    expected = Reason.UNSUPPORTED_ALGORITHM if vector.payload == "claims" else Reason.MALFORMED_TOKEN
    assert decide(vector).reason is expected


def parsed_set_has_no_key_for(vector: Vector) -> bool:
    if vector.jwk is None:
        return FakeKeys().key_set.candidates(vector.alg, None) == ()
    try:
        vector.key_set()
    except ValueError:
        return True
    return False


@named([vector for vector in VECTORS if vector.outcome == "malformed_token"])
def test_what_is_encrypted_detached_or_critical_is_malformed(vector: Vector) -> None:
    assert decide(vector).reason is Reason.MALFORMED_TOKEN


# The key sets that RFC 7517 publishes (appendix A): which of their keys may verify.


PUBLISHED = json.loads((FOLDER / "rfc7517.json").read_text("utf-8"))


def test_of_the_public_keys_the_one_for_signatures_is_taken() -> None:
    keys = parse_key_set(json.dumps(PUBLISHED["public_keys"]))
    assert [(key.kid, key.algorithms) for key in keys.keys] == [("2011-04-29", frozenset({"RS256"}))]
    assert keys.skipped == ("key 0 left out: its use is not sig",)


def test_symmetric_keys_verify_nothing() -> None:
    with pytest.raises(ValueError, match="no key that may verify, of 2"):
        parse_key_set(json.dumps(PUBLISHED["symmetric_keys"]))


# The published example of a DPoP proof passes at its own time, and at no other.


EXAMPLE = json.loads((FOLDER / "rfc9449.json").read_text("utf-8"))
TOKEN = BearerToken(EXAMPLE["access_token"], Scheme.DPOP)
SETTINGS = DpopSettings(frozenset({"ES256"}))


def example() -> Request:
    return request(
        EventKind.REST_REQUEST,
        headers={"DPoP": EXAMPLE["proof"]},
        multiValueHeaders=None,
        requestContext={"domainName": "resource.example.org", "path": "/protectedresource"},
    )


@pytest.mark.parametrize("age", [0, 60, 119, -60])
def test_the_example_passes_at_its_time(age: int) -> None:
    issued_at = EXAMPLE["issued_at"]
    used = check_proof(example(), TOKEN, EXAMPLE["jkt"], SETTINGS, issued_at + age)
    assert used.until == issued_at + 120


@pytest.mark.parametrize("age", [120, -61])
def test_the_example_is_too_old_or_too_new_at_another(age: int) -> None:
    with pytest.raises(TokenError, match=r"check 11\)"):
        check_proof(example(), TOKEN, EXAMPLE["jkt"], SETTINGS, EXAMPLE["issued_at"] + age)


# ---------------------------------------------------------------------------------------------------------------
# ML-DSA as published: RFC 9964's examples, and those of Project Wycheproof, as data beside this file.


RFC: list[dict[str, Any]] = json.loads((FOLDER / "rfc9964.json").read_text("utf-8"))["vectors"]
WYCHEPROOF: list[dict[str, Any]] = json.loads((FOLDER / "wycheproof_mldsa.json").read_text("utf-8"))["vectors"]
SEEDED: dict[str, Any] = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}


@pytest.mark.parametrize("vector", RFC, ids=lambda vector: vector["name"])
def test_the_rfcs_example_verifies_with_its_key_and_changed_it_does_not(vector: dict[str, Any]) -> None:
    head, payload, signature = vector["compact"].split(".")
    (key,) = parse_key_set(json.dumps({"keys": [vector["jwk"]]})).keys
    assert key.algorithms == {vector["alg"]}
    assert json.loads(decoded(head)) == {"alg": vector["alg"], "kid": key.kid}
    signed = f"{head}.{payload}".encode()
    assert is_valid_signature(vector["alg"], key.public, signed, decoded(signature))
    assert not is_valid_signature(vector["alg"], key.public, signed + b"A", decoded(signature))
    assert not is_valid_signature(vector["alg"], key.public, signed, decoded(signature)[:-1])


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
    assert is_valid_signature(alg, key, decoded(vector["msg"]), decoded(vector["sig"])) is vector["verifies"]


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
        ({"pub": None}, "not all strings"),
        ({"pub": ""}, "not a valid key"),
        ({"pub": "\u00e9"}, "not a valid key"),
    ],
    ids=str,
)
def test_what_is_not_a_key(changed: dict[str, object], why: str) -> None:
    with pytest.raises(UnusableKeyError, match=why):
        public_key({**RFC[0]["jwk"], **changed})
