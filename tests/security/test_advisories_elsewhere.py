"""One test for each advisory of a JWT library in another language, named after it: anybody could make the mistake."""

from __future__ import annotations

import hmac
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jwt_authorizer.errors import Reason
from jwt_authorizer_devkit.signing import base64url
from tests.security.lab import (
    AUDIENCE,
    ISSUER,
    NOW,
    Lab,
    attacker_key,
    claims,
    encode,
    jwks,
    key,
    lab,
    sign,
    token_event,
    with_signature,
)


@pytest.fixture
def target() -> Lab:
    return lab()


def hs256(secret: bytes, **header: object) -> str:
    """Sign with HMAC."""
    message = f"{encode({'alg': 'HS256', **header})}.{encode(claims())}"
    return f"{message}.{base64url(hmac.digest(secret, message.encode(), 'sha256'))}"


def public_pem(form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    """Give the issuer's RSA key as PEM."""
    return key("rsa").private.public_key().public_bytes(Encoding.PEM, form)


# JavaScript: jsonwebtoken, jwt-simple, express-jwt, node-jose, jose, fast-jwt, hono


def test_cve_2015_9235_jsonwebtoken_hmac_with_the_public_key(target: Lab) -> None:
    target.attacked(hs256(public_pem(), kid="rsa"), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(hs256(public_pem(), typ="JWT"), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2016_10555_jwt_simple_algorithm_of_the_senders_choice(target: Lab) -> None:
    for alg in ("HS256", "HS384", "HS512", "none"):
        target.attacked(sign(header={"alg": alg, "kid": "rsa"}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2018_0114_node_jose_key_in_the_header(target: Lab) -> None:
    signer = attacker_key("rsa")
    target.attacked(sign(header={"alg": "RS256", "jwk": signer.public_jwk()}, signer=signer), Reason.BAD_SIGNATURE)


def test_cve_2020_15084_express_jwt_without_a_list_of_algorithms(target: Lab) -> None:
    target.attacked(hs256(public_pem()), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(with_signature(b"", {"alg": "none"}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2022_23529_jsonwebtoken_key_that_is_an_object(target: Lab) -> None:
    target.attacked(sign(header={"alg": "ES256", "kid": {"toString": "p256"}}), Reason.MALFORMED_TOKEN)
    target.attacked(sign(header={"alg": {"toString": "none"}, "kid": "p256"}), Reason.MALFORMED_TOKEN)


def test_cve_2022_23539_jsonwebtoken_key_of_another_type_than_the_algorithms(target: Lab) -> None:
    private = dsa.generate_private_key(1024)  # noqa: S505 - weak, and only an attacker's
    message = f"{encode({'alg': 'RS256', 'kid': 'rsa'})}.{encode(claims())}"
    target.attacked(f"{message}.{base64url(private.sign(message.encode(), SHA256()))}", Reason.BAD_SIGNATURE)
    for kid, alg in (("p256", "RS256"), ("rsa", "ES256"), ("ed", "PS256"), ("p384", "ES256")):
        target.attacked(sign(header={"alg": alg, "kid": kid}, signer=key(kid)), Reason.UNKNOWN_KEY)


def test_cve_2022_23540_jsonwebtoken_none_by_default(target: Lab) -> None:
    target.attacked(with_signature(b"", {"typ": "JWT"}), Reason.MALFORMED_TOKEN)
    target.attacked(with_signature(b"", {"alg": "none"}), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(with_signature(b"", {"alg": "ES256", "kid": "p256"}), Reason.BAD_SIGNATURE)


def test_cve_2022_23541_jsonwebtoken_key_looked_up_for_another_algorithm(target: Lab) -> None:
    for kid in ("rsa", "p256"):
        for secret in (public_pem(), json.dumps(key(kid).public_jwk()).encode()):
            target.attacked(hs256(secret, kid=kid), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2022_36083_jose_pbes2_with_a_high_count(target: Lab) -> None:
    header = {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 2**53, "p2s": "AAAA"}
    target.attacked(".".join([encode(header), "AA", "AA", "AA", "AA"]), Reason.MALFORMED_TOKEN)


def test_cve_2023_48223_fast_jwt_hmac_with_a_pkcs1_public_key(target: Lab) -> None:
    target.attacked(hs256(public_pem(PublicFormat.PKCS1), kid="rsa"), Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("iss", [[ISSUER], [ISSUER, "https://attacker.example"], ["https://attacker.example", ISSUER]])
def test_cve_2025_30144_fast_jwt_list_of_issuers(target: Lab, iss: list[str]) -> None:
    target.attacked(sign(claims(iss=iss)), Reason.UNKNOWN_ISSUER)


def test_cve_2026_22817_hono_algorithm_from_the_header_by_default(target: Lab) -> None:
    target.attacked(hs256(public_pem(), kid="rsa"), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_22818_hono_key_without_alg_takes_the_headers() -> None:
    assert all("alg" not in jwk for jwk in jwks()["keys"])
    target = lab()
    target.attacked(hs256(json.dumps(jwks()["keys"][0]).encode(), kid="rsa"), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(sign(header={"alg": "ES256", "kid": "rsa"}), Reason.UNKNOWN_KEY)


@pytest.mark.parametrize("white_space", [b" ", b"\n", b"\t", b"\r\n", b"\x0b"])
def test_cve_2026_34950_fast_jwt_hmac_with_a_key_behind_white_space(target: Lab, white_space: bytes) -> None:
    target.attacked(hs256(white_space + public_pem(), kid="rsa"), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_35039_fast_jwt_one_tokens_claims_for_another(target: Lab) -> None:
    tokens = {name: sign(claims(sub=name, jti=name)) for name in ("alice", "bob", "carol")}
    for _ in range(3):  # new, then remembered
        for name, token in tokens.items():
            assert target.allowed(token_event(token))["principalId"] == name
    head, payload, _ = tokens["alice"].split(".")
    target.attacked(f"{head}.{payload}.{tokens['bob'].rpartition('.')[2]}", Reason.BAD_SIGNATURE)


def test_cve_2026_107719_fast_jwt_remembered_token_outlives_its_end() -> None:
    token = claims(exp=NOW - 50)
    del token["iat"]
    target, late = lab(JWT_LEEWAY_SECONDS="60"), lab(JWT_LEEWAY_SECONDS="40")
    signed = sign(token)
    target.allowed(token_event(signed))
    late.attacked(signed, Reason.TOKEN_EXPIRED)
    # tests/unit/test_authorize.py moves the clock under a remembered token.


def test_cve_2026_107720_fast_jwt_empty_signature_under_an_empty_key(target: Lab) -> None:
    for header in ({"alg": "ES256"}, {"alg": "ES256", "kid": ""}, {"alg": "ES256", "kid": "p256"}):
        target.attacked(with_signature(b"", header), Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY)


@pytest.mark.parametrize("payload", ["[]", "[1]", json.dumps([claims()]), '"text"', "1", "true", "null"])
def test_cve_2026_107723_fast_jwt_payload_that_is_an_array(target: Lab, payload: str) -> None:
    target.attacked(sign(payload), Reason.MALFORMED_TOKEN)


# Auth0's Authentication API (2020), which compared "none" by its letters' case


@pytest.mark.parametrize("alg", ["nonE", "NoNe", "NONE", "nOne"])
def test_auth0_2020_none_in_mixed_case(target: Lab, alg: str) -> None:
    target.attacked(with_signature(b"", {"alg": alg, "typ": "JWT"}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2019_7644_auth0_wcf_expected_signature_in_the_error(target: Lab) -> None:
    good = sign()
    target.attacked(good[:-4] + "AAAA", Reason.BAD_SIGNATURE)
    assert good.rpartition(".")[2] not in target.lines[-1]


# Java: the JDK, jose4j, Nimbus, prime-jwt, Pulsar


@pytest.mark.parametrize(
    ("alg", "kid", "length"), [("ES256", "p256", 64), ("ES384", "p384", 96), ("ES512", "p521", 132)]
)
def test_cve_2022_21449_java_psychic_signature(target: Lab, alg: str, kid: str, length: int) -> None:
    target.attacked(with_signature(bytes(length), {"alg": alg, "kid": kid}), Reason.BAD_SIGNATURE)
    target.attacked(with_signature(bytes.fromhex("3006020100020100"), {"alg": alg, "kid": kid}), Reason.BAD_SIGNATURE)


def test_cve_2018_1000531_prime_jwt_signature_that_is_left_out(target: Lab) -> None:
    head, payload, _ = sign().split(".")
    target.attacked(f"{head}.{payload}.", Reason.BAD_SIGNATURE)
    target.attacked(f"{head}.{payload}", Reason.MALFORMED_TOKEN)


def test_cve_2021_22160_pulsar_none(target: Lab) -> None:
    target.attacked(with_signature(b"", {"alg": "none"}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2023_31582_jose4j_pbes2_with_a_low_count(target: Lab) -> None:
    target.attacked(sign(header={"alg": "PBES2-HS256+A128KW", "p2c": 1}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2023_51775_jose4j_pbes2_with_a_high_count(target: Lab) -> None:
    target.attacked(sign(header={"alg": "PBES2-HS512+A256KW", "p2c": 2**40}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2023_52428_nimbus_pbes2_with_a_high_count(target: Lab) -> None:
    target.attacked(sign(header={"alg": "PBES2-HS384+A192KW", "p2c": 10**15}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2025_53864_nimbus_deeply_nested_claims(target: Lab) -> None:
    target.attacked(
        sign(json.dumps(claims())[:-1] + ',"a":' + '{"a":' * 2000 + "1" + "}" * 2001), Reason.MALFORMED_TOKEN
    )


# Go: jwt-go, golang-jwt, go-jose. PHP: php-jwt and others. .NET: ServiceStack


@pytest.mark.parametrize("aud", [[], [""], None, {}, [None]])
def test_cve_2020_26160_jwt_go_audience_that_is_an_empty_list(target: Lab, aud: object) -> None:
    target.allowed(token_event(sign(claims(aud=[AUDIENCE]))))
    target.attacked(sign(claims(aud=aud)), Reason.INVALID_AUDIENCE)


def test_cve_2024_51744_golang_jwt_expired_hides_unverified(target: Lab) -> None:
    target.attacked(sign(claims(exp=NOW - 900), signer=attacker_key("p256")), Reason.BAD_SIGNATURE)


def test_cve_2025_30204_golang_jwt_many_dots(target: Lab) -> None:
    target.attacked("." * 16000, Reason.MALFORMED_TOKEN)
    target.attacked("." * 1_000_000, Reason.MALFORMED_TOKEN)


def test_cve_2025_27144_go_jose_many_dots(target: Lab) -> None:
    target.attacked(sign() + "." * 15000, Reason.MALFORMED_TOKEN)


def test_cve_2016_9122_go_jose_several_signatures(target: Lab) -> None:
    head, payload, signature = sign().split(".")
    one = {"protected": head, "signature": signature}
    target.attacked(json.dumps({"payload": payload, "signatures": [one, one]}), Reason.MALFORMED_TOKEN)
    target.attacked(json.dumps({"payload": payload, **one}), Reason.MALFORMED_TOKEN)


def test_cve_2021_46743_php_jwt_key_and_algorithm_that_do_not_belong_together(target: Lab) -> None:
    target.attacked(hs256(public_pem(), kid="rsa"), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(sign(header={"alg": "RS256", "kid": "p256"}), Reason.UNKNOWN_KEY)


def test_ghsa_jc38_php_jwt_framework_algorithm_of_an_unprotected_header(target: Lab) -> None:
    head, payload, signature = sign().split(".")
    flat = {"protected": head, "header": {"alg": "none"}, "payload": payload, "signature": signature}
    target.attacked(json.dumps(flat), Reason.MALFORMED_TOKEN)


def test_cve_2020_28042_servicestack_empty_signature(target: Lab) -> None:
    for length in (0, 1, 2, 3):
        target.attacked(with_signature(bytes(length), {"alg": "ES256", "kid": "p256"}), Reason.BAD_SIGNATURE)
