"""Signatures of the wrong length, form or range, true ones in the wrong place, keys and algorithms of the sender's.

What an advisory about a JWT library says was done to it is done here to the whole function; the comments name it.
"""

import hashlib
import hmac
import json
import socket
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from jwt_authorizer.errors import ErrorCode, SettingsError
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.security.lab import (
    AUDIENCE,
    ISSUER,
    NOW,
    PUBLISHED,
    Json,
    Lab,
    attacker_key,
    bare_lab,
    claims,
    encode,
    jwks,
    key,
    lab,
    sign,
    token_event,
    with_signature,
)

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ED25519_IDENTITY = b"\x01" + bytes(31)
HEADERS = {kid: {"alg": alg, "kid": kid} for kid, alg in PUBLISHED.items()}


@pytest.fixture
def target() -> Lab:
    return lab()


def message(header: Json) -> bytes:
    return f"{encode(header)}.{encode(claims())}".encode()


def _pair(r: int, s: int, length: int = 32) -> bytes:
    return r.to_bytes(length) + s.to_bytes(length)


# CVE-2022-21449 Java; empty: 2018-1000531 prime-jwt, 2020-28042 ServiceStack, 2026-107720 fast-jwt.
ECDSA: dict[str, Callable[[int, int], bytes]] = {
    "empty": lambda _r, _s: b"",
    "all zero": lambda _r, _s: bytes(64),
    "r zero": lambda _r, s: _pair(0, s),
    "s zero": lambda r, _s: _pair(r, 0),
    "r the order": lambda _r, s: _pair(P256_ORDER, s),
    "s the order": lambda r, _s: _pair(r, P256_ORDER),
    "both the order": lambda _r, _s: _pair(P256_ORDER, P256_ORDER),
    "all ones": lambda _r, _s: b"\xff" * 64,
    "r and s exchanged": lambda r, s: _pair(s, r),
    "DER": encode_dss_signature,
    "DER of zeros": lambda _r, _s: encode_dss_signature(0, 0),
    "cut short": lambda r, s: _pair(r, s)[:-1],
    "a byte too many": lambda r, s: _pair(r, s) + b"\0",
    "a byte in front": lambda r, s: b"\0" + _pair(r, s),
    "halves padded": lambda r, s: _pair(r, s, 33),
    "of ES512's length": lambda r, s: _pair(r, s, 66),
    "12 KB": lambda r, s: _pair(r, s) * 180,
}


@pytest.mark.parametrize("form", ECDSA)
def test_an_ecdsa_signature_of_wrong_length_form_or_range(target: Lab, form: str) -> None:
    raw = key("p256").sign(message(HEADERS["p256"]))
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    target.allowed(token_event(with_signature(_pair(r, s), HEADERS["p256"])))
    target.attacked(
        with_signature(ECDSA[form](r, s), HEADERS["p256"]), ErrorCode.BAD_SIGNATURE, ErrorCode.MALFORMED_TOKEN
    )
    for kid, length in (("p384", 96), ("p521", 132)):
        target.attacked(with_signature(bytes(length), HEADERS[kid]), ErrorCode.BAD_SIGNATURE)


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_an_rsa_signature_of_wrong_length_form_or_range(target: Lab, alg: str) -> None:
    header = {"alg": alg, "kid": "rsa"}
    good = SigningKey("rsa", alg, key("rsa").private).sign(message(header))
    target.allowed(token_event(with_signature(good, header)))
    digest = hashlib.sha256(message(header)).digest()
    padded = b"\0\1" + b"\xff" * 202 + b"\0" + bytes.fromhex("3031300d060960864801650304020105000420") + digest
    wrong = [b"", b"\0", bytes(256), b"\xff" * 256, good[:-1], good + b"\0", b"\0" + good, good[1:], good * 2, padded]
    wrong += [digest, bytes(255) + b"\1", good * 45]
    for signature in wrong:
        target.attacked(with_signature(signature, header), ErrorCode.BAD_SIGNATURE)


def test_an_ed25519_signature_of_wrong_length_form_or_range(target: Lab) -> None:
    good = key("ed").sign(message(HEADERS["ed"]))
    target.allowed(token_event(with_signature(good, HEADERS["ed"])))
    s = int.from_bytes(good[32:], "little")
    malleated = good[:32] + (s + ED25519_ORDER).to_bytes(32, "little")
    small = ED25519_IDENTITY + bytes(32)
    for signature in (b"", bytes(64), malleated, small, good[:-1], good + b"\0", b"\xff" * 64, good * 2, good[32:] * 2):
        target.attacked(with_signature(signature, HEADERS["ed"]), ErrorCode.BAD_SIGNATURE)


# Algorithms that are not what they seem.


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_a_key_without_alg_serves_its_whole_family(target: Lab, alg: str) -> None:
    target.allowed(token_event(sign(signer=SigningKey("rsa", alg, key("rsa").private))))


# CVE-2022-23540 jsonwebtoken, 2025-61152 python-jose, 2021-22160 Pulsar; Auth0 2020 in mixed case.
NONE = ["none", "None", "NONE", "nOnE", "NoNe", "none ", " none", "none\0", "no\u200bne", "n\u043ene"]
NONE += ["\uff4e\uff4f\uff4e\uff45", "", "null"]


@pytest.mark.parametrize("alg", NONE)
@pytest.mark.parametrize("kid", [None, "p256"])
def test_none_in_every_spelling(target: Lab, alg: str, kid: str | None) -> None:
    header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    target.attacked(with_signature(b"", header), ErrorCode.UNSUPPORTED_ALGORITHM)
    target.attacked(sign(header=header), ErrorCode.UNSUPPORTED_ALGORITHM)


NOT_ACCEPTED = ["es256", "ES256 ", "ES256\n", "ES256K", "ES257", "Es256", "\uff25\uff33256", "RS1", "RSA-OAEP", "dir"]
NOT_ACCEPTED += ["A128KW", "Ed448", "HS1", "eddsa", "ML-DSA-44"]
# CVE-2016-10555 jwt-simple; 2026-28490 Authlib; 2023-31582, 2023-51775 jose4j, 2023-52428 Nimbus, 2023-6681 jwcrypto.
NOT_ACCEPTED += ["HS384", "HS512", "RSA1_5", "PBES2-HS256+A128KW"]


@pytest.mark.parametrize("alg", NOT_ACCEPTED)
def test_an_algorithm_that_is_not_accepted(target: Lab, alg: str) -> None:
    target.attacked(sign(header={"alg": alg, "kid": "p256", "p2c": 2**31}), ErrorCode.UNSUPPORTED_ALGORITHM)


# CVE-2022-23539 jsonwebtoken, 2026-22818 hono, 2021-46743 php-jwt: a key of another type.
@pytest.mark.parametrize("kid", PUBLISHED)
@pytest.mark.parametrize("alg", ["RS256", "RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])
def test_a_signature_counts_only_under_its_own_algorithm(target: Lab, kid: str, alg: str) -> None:
    token = sign(header={"alg": alg, "kid": kid}, signer=key(kid))
    if alg == PUBLISHED[kid] or (kid, alg) == ("ed", "Ed25519"):
        target.allowed(token_event(token))
    else:
        target.attacked(token, ErrorCode.BAD_SIGNATURE, ErrorCode.UNKNOWN_KEY)


# CVE-2026-48523 PyJWT: the allow list is asked about one algorithm, and another is verified.
def test_only_the_accepted_ones_of_the_supported_algorithms() -> None:
    token = sign(signer=key("rsa"))
    target = lab(JWT_ALGORITHMS="RS256")
    target.allowed(token_event(token))
    pss = SigningKey("rsa", "PS256", key("rsa").private)
    target.attacked(sign(header=HEADERS["rsa"], signer=pss), ErrorCode.BAD_SIGNATURE)
    target.attacked(sign(header={"alg": "RS256", "kid": "p256"}), ErrorCode.UNKNOWN_KEY)
    lab(JWT_ALGORITHMS="ES256,PS256").attacked(token, ErrorCode.UNSUPPORTED_ALGORITHM)


def pem(kid: str = "rsa", encoding: Encoding = Encoding.PEM, form: PublicFormat | None = None) -> bytes:
    public = key(kid).private.public_key()
    return public.public_bytes(encoding, form or PublicFormat.SubjectPublicKeyInfo)


def hs256(secret: bytes, kid: str | None) -> str:
    """Sign with HMAC, as a library checks it that takes a public key for a secret."""
    header = {"alg": "HS256"} if kid is None else {"alg": "HS256", "kid": kid}
    return with_signature(hmac.digest(secret, message(header), "sha256"), header)


def secrets(kid: str) -> list[bytes]:
    """Give a public key in each form in which some library took it for the secret of an HMAC."""
    jwk: Json = key(kid).public_jwk()
    openssh = pem(kid, Encoding.OpenSSH, PublicFormat.OpenSSH)
    text = pem(kid)
    return [
        b"",  # CVE-2026-102266 PyJWT, 2026-120459 python-jose
        # DSA-3293, CVE-2015-9235, 2020-15084, 2024-37568 Authlib, 2026-22817, 2026-85394 python-jose
        *(text, pem(kid, Encoding.DER)),
        # CVE-2022-29217 PyJWT, 2024-33663 python-jose
        *(openssh, openssh + b"\n"),
        # CVE-2026-48526 and 2026-102273 PyJWT, 2022-23541 jsonwebtoken
        *(json.dumps(form).encode() for form in (jwk, {**jwk, "alg": None}, jwks(), [jwk], {"key": jwk})),
        # CVE-2026-102268 PyJWT, 2026-34950 fast-jwt, 2026-114615 Authlib
        *(text.replace(b"\n", b"\r\n"), text.replace(b"\n", b""), text[:-1]),
        *(prefix + text for prefix in (b" ", b"\n", b"\t", b"\r\n", b"\x0b", b"# key\n", b"\xef\xbb\xbf", b"comment ")),
    ]


@pytest.mark.parametrize("kid", [kid for kid in PUBLISHED if kid != "p521"])
def test_a_public_key_is_never_a_secret(target: Lab, kid: str) -> None:
    # CVE-2017-11424 PyJWT, 2023-48223 fast-jwt
    for secret in secrets(kid) + ([pem(form=PublicFormat.PKCS1)] if kid == "rsa" else []):
        target.attacked(hs256(secret, kid), ErrorCode.UNSUPPORTED_ALGORITHM)
        target.attacked(hs256(secret, None), ErrorCode.UNSUPPORTED_ALGORITHM)


# Keys that the sender brought along, that somebody else put there, or that are another issuer's.


# CVE-2018-0114 node-jose, 2026-27962 Authlib.
@pytest.mark.parametrize("kid", ["p256", "rsa", "theirs", None])
def test_a_key_that_the_sender_brought_along(target: Lab, kid: str | None) -> None:
    signer = attacker_key("rsa" if kid == "rsa" else "p256")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/jwks.json"
        members = {"jwk": signer.public_jwk(), "jku": url, "x5u": url, "x5c": [base64url(b"a certificate")]}
        for name, brought in {**members, "x5t": "AAAA", "x5t#S256": "AAAA"}.items():
            header = {"alg": signer.alg, **({} if kid is None else {"kid": kid}), name: brought}
            reason = ErrorCode.BAD_SIGNATURE if kid in PUBLISHED or kid is None else ErrorCode.UNKNOWN_KEY
            target.attacked(sign(header=header, signer=signer), reason)
        with pytest.raises(BlockingIOError):  # nobody has called
            listener.accept()


@pytest.mark.parametrize("kid", ["../../dev/null", "p256\0", "P256", " p256", "p256' OR '1'='1", "file:///p256", ""])
def test_a_kid_is_compared_and_nothing_else(target: Lab, kid: str) -> None:
    target.attacked(sign(header={"alg": "ES256", "kid": kid}), ErrorCode.UNKNOWN_KEY)


OTHER_ISSUER = "https://other-issuer.example.com"


@pytest.fixture
def two_issuers() -> Lab:
    """Trust two issuers whose keys carry the same ids."""
    documents = {ISSUER: jwks(), OTHER_ISSUER: {"keys": [attacker_key("p256").public_jwk()]}}
    tables = [
        f"[[issuers]]\nissuer = {name!r}\naudience = [{AUDIENCE!r}]\njwks = {json.dumps(json.dumps(document))}"
        for name, document in documents.items()
    ]
    return bare_lab(JWT_CONFIG="\n".join(tables))


def test_a_key_of_one_issuer_never_verifies_a_token_of_another(two_issuers: Lab) -> None:
    ours, theirs = sign(), sign(claims(iss=OTHER_ISSUER), signer=attacker_key("p256"))
    for token in (ours, theirs, ours, theirs):  # remembered or not
        two_issuers.allowed(token_event(token))
    two_issuers.attacked(sign(signer=attacker_key("p256")), ErrorCode.BAD_SIGNATURE)
    two_issuers.attacked(sign(claims(iss=OTHER_ISSUER)), ErrorCode.BAD_SIGNATURE)
    two_issuers.attacked(sign(claims(iss=OTHER_ISSUER), signer=key("rsa")), ErrorCode.UNKNOWN_KEY)


@pytest.mark.parametrize("iss", [[ISSUER, OTHER_ISSUER], {OTHER_ISSUER: ISSUER}, f"{ISSUER},{OTHER_ISSUER}"])
def test_nobody_is_two_issuers(two_issuers: Lab, iss: object) -> None:
    two_issuers.attacked(sign(claims(iss=iss), signer=attacker_key("p256")), ErrorCode.UNKNOWN_ISSUER)
    two_issuers.attacked(sign(claims(iss=iss)), ErrorCode.UNKNOWN_ISSUER)


def test_cve_2026_102275_pyjwt_private_key_that_is_not_its_public_keys() -> None:
    theirs = ed25519.Ed25519PrivateKey.generate()
    mixed = {**key("ed").public_jwk(kid="mixed", alg=None), "d": base64url(theirs.private_bytes_raw())}
    target = lab(JWT_JWKS=json.dumps({"keys": [mixed, *jwks()["keys"]]}))
    header = {"alg": "EdDSA", "kid": "mixed"}
    target.allowed(token_event(sign(header=header, signer=key("ed"))))
    target.attacked(sign(header=header, signer=SigningKey("mixed", "EdDSA", theirs)), ErrorCode.BAD_SIGNATURE)


@pytest.mark.parametrize("place", ["ftp://x/jwks", "data:,{}", "file:///etc/passwd", "file:../../etc/passwd", "jar:x"])
def test_cve_2026_48522_pyjwt_keys_from_any_scheme(place: str) -> None:
    with pytest.raises(SettingsError, match="JWT_JWKS"):
        lab(JWT_JWKS=place)


# What is remembered.


# CVE-2024-51744 golang-jwt: that a token has expired hides that its signature is bad.
@pytest.mark.parametrize("exp", [NOW + 300, NOW - 900])
def test_a_refused_token_is_refused_again(target: Lab, exp: float) -> None:
    forged = sign(claims(exp=exp), signer=attacker_key("p256"))
    target.attacked(forged, ErrorCode.BAD_SIGNATURE)
    target.attacked(forged, ErrorCode.BAD_SIGNATURE)
    target.allowed(token_event(sign()))
    target.attacked(forged, ErrorCode.BAD_SIGNATURE)


def test_cve_2026_35039_fast_jwt_one_tokens_claims_for_another(target: Lab) -> None:
    tokens = {name: sign(claims(sub=name, jti=name)) for name in ("alice", "bob", "carol")}
    for _ in range(3):  # new, then remembered
        for name, token in tokens.items():
            assert target.allowed(token_event(token))["principalId"] == name
    head, payload, _ = tokens["alice"].split(".")
    target.attacked(f"{head}.{payload}.{tokens['bob'].rpartition('.')[2]}", ErrorCode.BAD_SIGNATURE)
