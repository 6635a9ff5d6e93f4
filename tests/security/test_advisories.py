"""Each published advisory of a JWT library that concerns verifying: anybody could make the mistake.

None of this code is theirs; each test does to the whole function what the advisory says was done to the library.
JWE advisories are here because a JWE is what an attacker would send; none is ever decrypted.
"""

import hmac
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jwt_authorizer.errors import DecisionError, Reason, SettingsError
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.integration.hostile_server import HostileServer, answer, answer_json
from tests.security.lab import (
    AUDIENCE,
    ISSUER,
    NOW,
    Json,
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

EACH = ("rsa", "p256", "p384", "ed")
SPKI, PKCS1 = PublicFormat.SubjectPublicKeyInfo, PublicFormat.PKCS1


@pytest.fixture
def target() -> Lab:
    return lab()


def hs256(secret: bytes, kid: str | None = "rsa", **header: object) -> str:
    """Sign with HMAC, as a library checks it that takes a public key for a secret."""
    named = {} if kid is None else {"kid": kid}
    message = f"{encode({'alg': 'HS256', **named, **header})}.{encode(claims())}"
    return f"{message}.{base64url(hmac.digest(secret, message.encode(), 'sha256'))}"


def pem(kid: str = "rsa", encoding: Encoding = Encoding.PEM, form: PublicFormat = SPKI) -> bytes:
    return key(kid).private.public_key().public_bytes(encoding, form)


def openssh(kid: str) -> bytes:
    return pem(kid, Encoding.OpenSSH, PublicFormat.OpenSSH)


def jwk(kid: str, **more: object) -> bytes:
    return json.dumps({**key(kid).public_jwk(), **more}).encode()


def with_header(**header: object) -> str:
    return sign(header=header)


def jwe(**header: object) -> str:
    """Give something of a JWE's shape."""
    return ".".join([encode(header), *[base64url(b"x" * 32)] * 4])


def parts() -> list[str]:
    return sign().split(".")


def odd_set(*odd: Json) -> Lab:
    """Trust the issuer's keys and further odd ones."""
    return lab(JWT_JWKS=json.dumps({"keys": [*odd, *jwks()["keys"]]}))


def of_a_dsa_key() -> str:
    private = dsa.generate_private_key(1024)  # noqa: S505 - weak, and only an attacker's
    message = f"{encode({'alg': 'RS256', 'kid': 'rsa'})}.{encode(claims())}"
    return f"{message}.{base64url(private.sign(message.encode(), SHA256()))}"


def embedded(of: str, **header: object) -> str:
    """Sign with the attacker's key, which the header brings along."""
    signer = attacker_key(of)
    return sign(header={"alg": signer.alg, "jwk": signer.public_jwk(), **header}, signer=signer)


NONE = {"alg": "none", "typ": "JWT"}
UNENCODED = {"alg": "ES256", "kid": "p256", "b64": False, "crit": ["b64"]}
P256 = {"alg": "ES256", "kid": "p256"}
ZEROS = [("ES256", "p256", 64), ("ES384", "p384", 96), ("ES512", "p521", 132)]
DER_ZEROS = bytes.fromhex("3006020100020100")
NO_AUDIENCES: list[object] = [[], [""], None, {}, [None]]
WHITE_SPACE = [b" ", b"\n", b"\t", b"\r\n", b"\x0b", b"# key\n", b"\xef\xbb\xbf", b"comment "]

ATTACKS: dict[Reason, dict[str, Callable[[], list[str]]]] = {
    Reason.UNSUPPORTED_ALGORITHM: {
        "DSA-3293, CVE-2015-9235, 2020-15084, 2026-22817 public key as a secret": lambda: [
            *(hs256(pem(), kid) for kid in ("rsa", None)),
            hs256(pem(), None, typ="JWT"),
        ],
        "CVE-2017-11424 PyJWT, 2023-48223 fast-jwt PKCS #1": lambda: [hs256(pem(form=PKCS1))],
        "CVE-2022-29217 PyJWT, 2024-33663 python-jose OpenSSH": lambda: [
            hs256(openssh(kid) + end, kid) for kid in ("rsa", "p256", "ed") for end in (b"", b"\n")
        ],
        "CVE-2024-37568 Authlib any key": lambda: [hs256(pem(kid), kid) for kid in EACH],
        "CVE-2026-85394 python-jose DER": lambda: [hs256(pem(kid, Encoding.DER), kid) for kid in EACH],
        "CVE-2026-48526 PyJWT, 2022-23541 jsonwebtoken JWK": lambda: [
            hs256(secret, kid) for kid in EACH for secret in (jwk(kid), jwk(kid, alg=None))
        ],
        "CVE-2026-102273 PyJWT nested JWK": lambda: [
            hs256(json.dumps(secret).encode())
            for secret in (jwks(), [key("rsa").public_jwk()], {"key": key("rsa").public_jwk()})
        ],
        "CVE-2026-102268 PyJWT other white space": lambda: [
            hs256(pem().replace(b"\n", end)) for end in (b"\r\n", b"")
        ] + [hs256(pem()[:-1])],
        "CVE-2026-34950 fast-jwt, 2026-114615 Authlib prefix": lambda: [hs256(it + pem()) for it in WHITE_SPACE],
        "CVE-2016-10555 jwt-simple algorithm of the sender's choice": lambda: [
            with_header(alg=alg, kid="rsa") for alg in ("HS256", "HS384", "HS512", "none")
        ],
        "CVE-2025-61152 python-jose, 2021-22160 Pulsar, 2022-23540 jsonwebtoken none": lambda: [
            with_signature(b"", NONE),
            with_signature(b"", {"alg": "none"}),
        ],
        "Auth0 2020 none in mixed case": lambda: [
            with_signature(b"", {**NONE, "alg": alg}) for alg in ("nonE", "NoNe", "NONE", "nOne")
        ],
        "CVE-2026-28490 Authlib RSA1_5": lambda: [with_header(alg="RSA1_5", kid="rsa")],
        "CVE-2023-31582, 2023-51775 jose4j, 2023-52428 Nimbus, 2023-6681 jwcrypto PBES2": lambda: [
            with_header(alg="PBES2-HS256+A128KW", p2c=count) for count in (1, 2**31 - 1, 2**40, 10**15)
        ],
    },
    Reason.MALFORMED_TOKEN: {
        "CVE-2026-32597 PyJWT critical extension": lambda: [with_header(**P256, crit=["x"], x="mfa")],
        "CVE-2025-59420 Authlib critical extension": lambda: [
            with_header(**P256, crit=[name], cnf={"jkt": "x"}) for name in ("bork", "cnf", "b64", "alg", "exp")
        ],
        "CVE-2026-48525 PyJWT detached payload": lambda: [
            f"{encode(UNENCODED)}.{payload}.{base64url(bytes(64))}" for payload in ("", "A" * 15000)
        ],
        "CVE-2026-101918 PyJWT nested payload": lambda: [sign('{"a":' + "[" * 6000 + "]" * 6000 + "}")],
        "CVE-2025-53864 Nimbus nested claims": lambda: [
            sign(json.dumps(claims())[:-1] + ',"a":' + '{"a":' * 2000 + "1" + "}" * 2001)
        ],
        "CVE-2026-102265 PyJWT nested header": lambda: [
            sign(header='{"alg":' + '{"a":' * 1500 + "1" + "}" * 1501)
        ],
        "CVE-2026-102269 PyJWT another spelling of a signature": lambda: [
            sign() + end for end in ("=", "==", "!", "\n", "%3D", "\u00e9", "AAAA=", "AAA")
        ],
        "CVE-2024-33664 python-jose, 2025-62706 Authlib, 2024-28102 jwcrypto compressed JWE": lambda: [
            jwe(alg=alg, enc="A256GCM", zip="DEF") for alg in ("dir", "RSA-OAEP", "A256KW", "RSA1_5")
        ],
        "CVE-2023-6681 jwcrypto, 2022-36083 jose PBES2": lambda: [
            jwe(alg="PBES2-HS512+A256KW", enc="A256GCM", p2c=count, p2s="AAAA") for count in (2**31 - 1, 2**53)
        ],
        "CVE-2025-61920 Authlib oversized segments": lambda: [
            ".".join(part + "A" * 5_000_000 * (place == longest) for place, part in enumerate(parts()))
            for longest in range(3)
        ],
        "CVE-2022-23529 jsonwebtoken header member that is an object": lambda: [
            with_header(alg="ES256", kid={"toString": "p256"}),
            with_header(alg={"toString": "none"}, kid="p256"),
        ],
        "CVE-2022-23540 jsonwebtoken no alg": lambda: [with_signature(b"", {"typ": "JWT"})],
        "CVE-2026-107723 fast-jwt payload that is no object": lambda: [
            sign(payload) for payload in ("[]", "[1]", json.dumps([claims()]), '"text"', "1", "true", "null")
        ],
        "CVE-2018-1000531 prime-jwt no third part": lambda: [sign().rpartition(".")[0]],
        "CVE-2025-30204 golang-jwt, 2025-27144 go-jose dots": lambda: [
            "." * 16000, "." * 1_000_000, sign() + "." * 15000
        ],
        "CVE-2016-9122 go-jose, GHSA-jc38 php-jwt JSON serialisations": lambda: [
            json.dumps({"payload": payload, "header": {"alg": "none"}, **one, "signatures": [one, one]})
            for head, payload, signature in [parts()]
            for one in [{"protected": head, "signature": signature}]
        ],
    },
    Reason.UNKNOWN_ISSUER: {
        "CVE-2024-53861 PyJWT part of our issuer": lambda: [
            sign(claims(iss=iss)) for iss in ("", "https", ISSUER[:-1], ISSUER[1:], "issuer")
        ],
        "CVE-2025-30144 fast-jwt list of issuers": lambda: [
            sign(claims(iss=iss)) for iss in ([ISSUER], [ISSUER, "https://a.example"], ["https://a.example", ISSUER])
        ],
    },
    Reason.UNKNOWN_KEY: {
        "CVE-2022-23539 jsonwebtoken, 2026-22818 hono, 2021-46743 php-jwt key of another type": lambda: [
            sign(header={"alg": alg, "kid": kid}, signer=key(kid))
            for kid, alg in (("p256", "RS256"), ("rsa", "ES256"), ("ed", "PS256"), ("p384", "ES256"))
        ],
        "CVE-2026-27962 Authlib key in the header": lambda: [embedded("p256", kid="theirs")],
    },
    Reason.BAD_SIGNATURE: {
        "CVE-2018-0114 node-jose, 2026-27962 Authlib key in the header": lambda: [
            embedded("rsa"), embedded("p256"), embedded("p256", kid="p256")
        ],
        "CVE-2022-23539 jsonwebtoken DSA key": lambda: [of_a_dsa_key()],
        "CVE-2019-7644 Auth0 WCF expected signature in the error": lambda: [sign()[:-4] + "AAAA"],
        "CVE-2022-21449 Java psychic signature": lambda: [
            with_signature(signature, {"alg": alg, "kid": kid})
            for alg, kid, length in ZEROS
            for signature in (bytes(length), DER_ZEROS)
        ],
        "CVE-2018-1000531 prime-jwt, 2020-28042 ServiceStack, 2026-107720 fast-jwt empty signature": lambda: [
            with_signature(bytes(length), header) for length in range(4) for header in (P256, {"alg": "ES256"})
        ],
        "CVE-2024-51744 golang-jwt expired hides unverified": lambda: [
            sign(claims(exp=NOW - 900), signer=attacker_key("p256"))
        ],
    },
    Reason.INVALID_AUDIENCE: {
        "CVE-2020-26160 jwt-go empty list": lambda: [
            sign(claims(aud=aud)) for aud in NO_AUDIENCES
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "advisory"), [(reason, advisory) for reason, advisories in ATTACKS.items() for advisory in advisories]
)
def test_what_an_advisory_describes_is_refused(target: Lab, reason: Reason, advisory: str) -> None:
    for token in ATTACKS[reason][advisory]():
        target.attacked(token, reason)
        # CVE-2025-65015 joserfc, CVE-2019-7644 Auth0 WCF: nor is it, or what would be right, in an error or the log.
        assert_silent(target.lines[-1], sign())
        assert len(target.lines[-1]) < 2000
    target.allowed(token_event(sign(claims(aud=[AUDIENCE]))))


# Advisories about keys, settings and caches.


def test_cve_2025_45768_pyjwt_keys_that_are_too_short() -> None:
    n = int.from_bytes(b"\xc1" + b"\x55" * 126 + b"\x01")
    weak = {"kty": "RSA", "kid": "weak", "n": base64url(n.to_bytes(128)), "e": "AQAB"}
    odd_set(weak).attacked(with_signature(bytes(128), {"alg": "RS256", "kid": "weak"}), Reason.UNKNOWN_KEY)


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


@pytest.mark.parametrize("more", [{}, {"alg": "HS256"}])
def test_cve_2026_102266_pyjwt_cve_2026_120459_python_jose_empty_symmetric_key(more: Json) -> None:
    odd_set({"kty": "oct", "kid": "empty", "k": "", **more}).attacked(hs256(b"", "empty"), Reason.UNSUPPORTED_ALGORITHM)


def test_cve_2026_102267_pyjwt_redirected_to_other_keys(caplog: pytest.LogCaptureFixture) -> None:
    forged = token_event(sign(signer=attacker_key("p256")))
    behaviors = {
        "/jwks": answer(b"", "Location: /theirs", status="302 Found"),
        "/theirs": answer_json({"keys": [attacker_key("p256").public_jwk()]}),
    }
    with HostileServer(behaviors) as server:
        redirecting = f"http://127.0.0.1:{server.port}"
        lab(JWT_JWKS=f"{redirecting}/theirs", JWT_ALLOW_HTTP="true").allowed(forged)
        with pytest.raises(DecisionError, match="keys_unavailable"):
            lab(JWT_JWKS=f"{redirecting}/jwks", JWT_ALLOW_HTTP="true").function(forged, None)
    assert "JWT_ALLOW_HTTP" in caplog.text


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
