"""One test for each published advisory of a Python JWT library that concerns verifying, named after it.

None of this code is theirs; each test does to the whole function what the advisory says was done to the library.
JWE advisories are here because a JWE is what an attacker would send; none is ever decrypted.
"""

from __future__ import annotations

import hmac
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jwt_authorizer.errors import DecisionError, Reason, SettingsError
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.security.lab import (
    ISSUER,
    Lab,
    assert_silent,
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

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.lab import Json


@pytest.fixture
def target() -> Lab:
    return lab()


def hs256(secret: bytes, kid: str = "rsa") -> str:
    """Sign with HMAC, as who takes a public key for a secret would check."""
    message = f"{encode({'alg': 'HS256', 'kid': kid})}.{encode(claims())}"
    return f"{message}.{base64url(hmac.digest(secret, message.encode(), 'sha256'))}"


def pem(kid: str, encoding: Encoding = Encoding.PEM, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    """Give the issuer's public key in some form."""
    return key(kid).private.public_key().public_bytes(encoding, form)


def odd_set(*odd: Json) -> Lab:
    """Trust the issuer's keys and further odd ones."""
    return lab(JWT_JWKS=json.dumps({"keys": [*odd, *jwks()["keys"]]}))


def jwe(header: Json) -> str:
    """Give something of a JWE's shape."""
    return ".".join([encode(header), *[base64url(b"x" * 32)] * 4])


# PyJWT


def test_cve_2015_pyjwt_hmac_with_the_public_key(target: Lab) -> None:  # DSA-3293, before CVE numbers were given
    target.attacked(hs256(pem("rsa")), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2017_11424_pyjwt_hmac_with_a_pkcs1_public_key(target: Lab) -> None:
    target.attacked(hs256(pem("rsa", form=PublicFormat.PKCS1)), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2022_29217_pyjwt_hmac_with_an_openssh_public_key(target: Lab) -> None:
    for kid in ("rsa", "p256", "ed"):
        secret = pem(kid, Encoding.OpenSSH, PublicFormat.OpenSSH)
        target.attacked(hs256(secret, kid), Reason.UNSUPPORTED_ALGORITHM)
        target.attacked(hs256(secret + b"\n", kid), Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("iss", ["", "https", ISSUER[:-1], ISSUER[1:], "issuer"])
def test_cve_2024_53861_pyjwt_issuer_that_is_part_of_ours(target: Lab, iss: str) -> None:
    target.attacked(sign(claims(iss=iss)), Reason.UNKNOWN_ISSUER)


def test_cve_2025_45768_pyjwt_keys_that_are_too_short() -> None:
    n = int.from_bytes(b"\xc1" + b"\x55" * 126 + b"\x01")
    weak = {"kty": "RSA", "kid": "weak", "n": base64url(n.to_bytes(128)), "e": "AQAB"}
    odd_set(weak).attacked(with_signature(bytes(128), {"alg": "RS256", "kid": "weak"}), Reason.UNKNOWN_KEY)


def test_cve_2026_32597_pyjwt_unknown_critical_extension(target: Lab) -> None:
    header = {"alg": "ES256", "kid": "p256", "crit": ["x-policy"], "x-policy": "mfa"}
    target.attacked(sign(header=header), Reason.MALFORMED_TOKEN)


@pytest.mark.parametrize("place", ["ftp://x/jwks", "data:,{}", "file:///etc/passwd", "file:../../etc/passwd", "jar:x"])
def test_cve_2026_48522_pyjwt_keys_from_any_scheme(place: str) -> None:
    with pytest.raises(SettingsError, match="JWT_JWKS"):
        lab(JWT_JWKS=place)


def test_cve_2026_48523_pyjwt_allow_list_asked_about_one_algorithm_and_another_verified() -> None:
    target = lab(JWT_ALGORITHMS="RS256")
    pss = SigningKey("rsa", "PS256", key("rsa").private)
    target.allowed(token_event(sign(signer=key("rsa"))))
    target.attacked(sign(header={"alg": "RS256", "kid": "rsa"}, signer=pss), Reason.BAD_SIGNATURE)
    target.attacked(sign(header={"alg": "RS256", "kid": "p256"}), Reason.UNKNOWN_KEY)


def test_cve_2026_48525_pyjwt_detached_payload_that_is_decoded_for_nothing(target: Lab) -> None:
    header = {"alg": "ES256", "kid": "p256", "b64": False, "crit": ["b64"]}
    target.attacked(f"{encode(header)}.{'A' * 15000}.{base64url(bytes(64))}", Reason.MALFORMED_TOKEN)
    target.attacked(f"{encode(header)}..{base64url(bytes(64))}", Reason.MALFORMED_TOKEN)


def test_cve_2026_48526_pyjwt_hmac_with_a_jwk(target: Lab) -> None:
    for kid in ("rsa", "p256", "ed"):
        for secret in (json.dumps(key(kid).public_jwk()), json.dumps(key(kid).public_jwk(alg=None))):
            target.attacked(hs256(secret.encode(), kid), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_101918_pyjwt_nested_payload(target: Lab) -> None:
    target.attacked(sign('{"a":' + "[" * 6000 + "]" * 6000 + "}"), Reason.MALFORMED_TOKEN)


def test_cve_2026_102265_pyjwt_nested_header(target: Lab) -> None:
    target.attacked(sign(header='{"alg":' + '{"a":' * 1500 + "1" + "}" * 1501), Reason.MALFORMED_TOKEN)


def test_cve_2026_102266_pyjwt_empty_symmetric_key() -> None:
    target = odd_set({"kty": "oct", "kid": "empty", "k": ""}, {"kty": "oct", "kid": "empty", "k": "", "alg": "HS256"})
    target.attacked(hs256(b"", "empty"), Reason.UNSUPPORTED_ALGORITHM)


@pytest.fixture
def redirecting() -> Iterator[str]:
    """Serve a redirect to the attacker's keys, and those keys."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302 if self.path == "/jwks" else 200)
            self.send_header("Location", "/theirs")
            self.end_headers()
            if self.path == "/theirs":
                self.wfile.write(json.dumps({"keys": [attacker_key("p256").public_jwk()]}).encode())

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_cve_2026_102267_pyjwt_redirected_to_other_keys(redirecting: str, caplog: pytest.LogCaptureFixture) -> None:
    forged = token_event(sign(signer=attacker_key("p256")))
    lab(JWT_JWKS=f"{redirecting}/theirs", JWT_ALLOW_HTTP="true").allowed(forged)
    with pytest.raises(DecisionError, match="keys_unavailable"):
        lab(JWT_JWKS=f"{redirecting}/jwks", JWT_ALLOW_HTTP="true").function(forged, None)
    assert "JWT_ALLOW_HTTP" in caplog.text


def test_cve_2026_102268_pyjwt_hmac_with_a_public_key_in_other_white_space(target: Lab) -> None:
    for secret in (
        b" " + pem("rsa"),
        pem("rsa").replace(b"\n", b"\r\n"),
        pem("rsa").replace(b"\n", b""),
        pem("rsa")[:-1],
    ):
        target.attacked(hs256(secret), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_102269_pyjwt_another_spelling_of_the_same_signature(target: Lab) -> None:
    token = sign()
    target.allowed(token_event(token))
    for suffix in ("=", "==", "!", "\n", "%3D", "\u00e9", "AAAA=", "AAA"):
        target.attacked(f"{token}{suffix}", Reason.MALFORMED_TOKEN)


def test_cve_2026_102273_pyjwt_hmac_with_a_nested_jwk(target: Lab) -> None:
    for secret in (jwks(), [key("rsa").public_jwk()], {"key": key("rsa").public_jwk()}):
        target.attacked(hs256(json.dumps(secret).encode()), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_102274_pyjwt_one_malformed_key_costs_all() -> None:
    target = odd_set(
        {"kty": "RSA", "n": "AA", "e": "AA"}, {"kty": "RSA", "n": "!", "e": "!"}, {"kty": "RSA", "n": 1, "e": 2}
    )
    target.allowed(token_event(sign()))


def test_cve_2026_102275_pyjwt_private_key_that_is_not_its_public_keys() -> None:
    theirs = ed25519.Ed25519PrivateKey.generate()
    mixed = {**key("ed").public_jwk(kid="mixed", alg=None), "d": base64url(theirs.private_bytes_raw())}
    target = odd_set(mixed)
    header = {"alg": "EdDSA", "kid": "mixed"}
    target.allowed(token_event(sign(header=header, signer=key("ed"))))
    target.attacked(sign(header=header, signer=SigningKey("mixed", "EdDSA", theirs)), Reason.BAD_SIGNATURE)


# python-jose


def test_cve_2024_33663_python_jose_hmac_with_an_openssh_ecdsa_key(target: Lab) -> None:
    secret = pem("p256", Encoding.OpenSSH, PublicFormat.OpenSSH)
    target.attacked(hs256(secret, "p256"), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2024_33664_python_jose_compressed_jwe(target: Lab) -> None:
    target.attacked(jwe({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}), Reason.MALFORMED_TOKEN)


def test_cve_2025_61152_python_jose_none(target: Lab) -> None:
    target.attacked(with_signature(b"", {"alg": "none", "typ": "JWT"}), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_85394_python_jose_hmac_with_a_der_public_key(target: Lab) -> None:
    for kid in ("rsa", "p256", "ed"):
        target.attacked(hs256(pem(kid, Encoding.DER), kid), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_120459_python_jose_empty_hmac_key() -> None:
    odd_set({"kty": "oct", "kid": "empty", "k": ""}).attacked(hs256(b"", "empty"), Reason.UNSUPPORTED_ALGORITHM)


# Authlib, joserfc, jwcrypto


def test_cve_2024_37568_authlib_hmac_with_any_public_key(target: Lab) -> None:
    for kid in ("rsa", "p256", "p384", "ed"):
        target.attacked(hs256(pem(kid), kid), Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("extension", ["bork", "cnf", "b64", "alg", "exp"])
def test_cve_2025_59420_authlib_unknown_critical_extension(target: Lab, extension: str) -> None:
    header = {"alg": "ES256", "kid": "p256", "crit": [extension], "cnf": {"jkt": "x"}}
    target.attacked(sign(header=header), Reason.MALFORMED_TOKEN)


def test_cve_2025_61920_authlib_oversized_segments(target: Lab) -> None:
    head, payload, signature = sign().split(".")
    filler = "A" * 5_000_000
    for token in (
        f"{head}{filler}.{payload}.{signature}",
        f"{head}.{filler}.{signature}",
        f"{head}.{payload}.{filler}",
    ):
        target.attacked(token, Reason.MALFORMED_TOKEN)


def test_cve_2025_62706_authlib_compressed_jwe(target: Lab) -> None:
    target.attacked(jwe({"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "zip": "DEF"}), Reason.MALFORMED_TOKEN)


def test_cve_2025_65015_joserfc_token_in_the_error_message(target: Lab) -> None:
    head, payload, signature = sign().split(".")
    token = f"{head}.{payload}{'QUJD' * 4000}.{signature}"
    target.attacked(token, Reason.MALFORMED_TOKEN)
    assert_silent(target.lines[-1], token)
    assert len(target.lines[-1]) < 2000


def test_cve_2026_27962_authlib_key_in_the_header(target: Lab) -> None:
    signer = attacker_key("p256")
    for kid in ({}, {"kid": "p256"}, {"kid": "theirs"}):
        header = {"alg": "ES256", "jwk": signer.public_jwk(), **kid}
        target.attacked(sign(header=header, signer=signer), Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY)


def test_cve_2026_28490_authlib_rsa1_5_padding_oracle(target: Lab) -> None:
    target.attacked(jwe({"alg": "RSA1_5", "enc": "A128CBC-HS256"}), Reason.MALFORMED_TOKEN)
    target.attacked(sign(header={"alg": "RSA1_5", "kid": "rsa"}), Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("prefix", [b"\n", b"# key\n", b"\xef\xbb\xbf", b"comment "])
def test_cve_2026_114615_authlib_hmac_with_a_prefixed_public_key(target: Lab, prefix: bytes) -> None:
    target.attacked(hs256(prefix + pem("rsa")), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2024_28102_jwcrypto_compressed_jwe(target: Lab) -> None:
    target.attacked(jwe({"alg": "A256KW", "enc": "A256GCM", "zip": "DEF"}), Reason.MALFORMED_TOKEN)


def test_cve_2023_6681_jwcrypto_pbes2_with_a_high_count(target: Lab) -> None:
    header = {"alg": "PBES2-HS512+A256KW", "enc": "A256GCM", "p2c": 2**31 - 1, "p2s": "AAAA"}
    target.attacked(jwe(header), Reason.MALFORMED_TOKEN)
    target.attacked(sign(header=header), Reason.UNSUPPORTED_ALGORITHM)
