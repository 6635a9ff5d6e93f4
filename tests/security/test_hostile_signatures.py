"""Signatures of the wrong length, form or range, and true ones in the wrong place."""

import hashlib
import json
import socket
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from jwt_authorizer.errors import Reason
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.security.lab import (
    AUDIENCE,
    ISSUER,
    PUBLISHED,
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
ES256_HEADER = {"alg": "ES256", "kid": "p256"}


@pytest.fixture
def target() -> Lab:
    return lab()


def _es256() -> tuple[int, int]:
    message = f"{encode(ES256_HEADER)}.{encode(claims())}".encode()
    raw = key("p256").sign(message)
    return int.from_bytes(raw[:32]), int.from_bytes(raw[32:])


def _pair(r: int, s: int, length: int = 32) -> bytes:
    return r.to_bytes(length) + s.to_bytes(length)


ECDSA: dict[str, Callable[[int, int], bytes]] = {
    "empty": lambda _r, _s: b"",
    "one byte": lambda _r, _s: b"\0",
    "all zero": lambda _r, _s: bytes(64),
    "r zero": lambda _r, s: _pair(0, s),
    "s zero": lambda r, _s: _pair(r, 0),
    "r the order": lambda _r, s: _pair(P256_ORDER, s),
    "s the order": lambda r, _s: _pair(r, P256_ORDER),
    "both the order": lambda _r, _s: _pair(P256_ORDER, P256_ORDER),
    "both one": lambda _r, _s: _pair(1, 1),
    "all ones": lambda _r, _s: b"\xff" * 64,
    "r and s exchanged": lambda r, s: _pair(s, r),
    "DER": encode_dss_signature,
    "DER of zeros": lambda _r, _s: encode_dss_signature(0, 0),
    "cut short": lambda r, s: _pair(r, s)[:-1],
    "a byte too many": lambda r, s: _pair(r, s) + b"\0",
    "a byte in front": lambda r, s: b"\0" + _pair(r, s),
    "halves padded": lambda r, s: _pair(r, s, 33),
    "of ES512's length": lambda r, s: _pair(r, s, 66),
    "twice": lambda r, s: _pair(r, s) * 2,
    "12 KB": lambda r, s: _pair(r, s) * 180,
}


@pytest.mark.parametrize("form", ECDSA)
def test_an_ecdsa_signature_of_wrong_length_form_or_range(target: Lab, form: str) -> None:
    r, s = _es256()
    target.allowed(token_event(with_signature(_pair(r, s), ES256_HEADER)))
    target.attacked(with_signature(ECDSA[form](r, s), ES256_HEADER), Reason.BAD_SIGNATURE, Reason.MALFORMED_TOKEN)


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_an_rsa_signature_of_wrong_length_form_or_range(target: Lab, alg: str) -> None:
    header = {"alg": alg, "kid": "rsa"}
    signer = SigningKey("rsa", alg, key("rsa").private)
    good = signer.sign(f"{encode(header)}.{encode(claims())}".encode())
    target.allowed(token_event(with_signature(good, header)))
    digest = hashlib.sha256(f"{encode(header)}.{encode(claims())}".encode()).digest()
    padded = b"\0\1" + b"\xff" * 202 + b"\0" + bytes.fromhex("3031300d060960864801650304020105000420") + digest
    wrong = [b"", b"\0", bytes(256), b"\xff" * 256, good[:-1], good + b"\0", b"\0" + good, good[1:], good * 2, padded]
    wrong += [digest, bytes(255) + b"\1", good * 45]
    for signature in wrong:
        target.attacked(with_signature(signature, header), Reason.BAD_SIGNATURE)


def test_an_ed25519_signature_of_wrong_length_form_or_range(target: Lab) -> None:
    header = {"alg": "EdDSA", "kid": "ed"}
    good = key("ed").sign(f"{encode(header)}.{encode(claims())}".encode())
    target.allowed(token_event(with_signature(good, header)))
    s = int.from_bytes(good[32:], "little")
    malleated = good[:32] + (s + ED25519_ORDER).to_bytes(32, "little")
    small = ED25519_IDENTITY + bytes(32)
    for signature in (b"", bytes(64), malleated, small, good[:-1], good + b"\0", b"\xff" * 64, good * 2, good[32:] * 2):
        target.attacked(with_signature(signature, header), Reason.BAD_SIGNATURE)


# Algorithms that are not what they seem, and keys that the sender brought along or that are another issuer's.


OTHER_ISSUER = "https://other-issuer.example.com"


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_a_key_without_alg_serves_its_whole_family(target: Lab, alg: str) -> None:
    target.allowed(token_event(sign(signer=SigningKey("rsa", alg, key("rsa").private))))


NONE = ["none", "None", "NONE", "nOnE", "NoNe", "none ", " none", "none\0", "no\u200bne", "n\u043ene"]
NONE += ["\uff4e\uff4f\uff4e\uff45", "", "null"]


@pytest.mark.parametrize("alg", NONE)
@pytest.mark.parametrize("kid", [None, "p256"])
def test_none_in_every_spelling(target: Lab, alg: str, kid: str | None) -> None:
    header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    target.attacked(with_signature(b"", header), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(sign(header=header), Reason.UNSUPPORTED_ALGORITHM)


NOT_ACCEPTED = ["es256", "ES256 ", "ES256\n", "ES256K", "ES257", "Es256", "\uff25\uff33256", "RS1", "RSA-OAEP", "dir"]
NOT_ACCEPTED += ["A128KW", "Ed448", "PBES2-HS256+A128KW", "HS1", "eddsa", "ML-DSA-44"]


@pytest.mark.parametrize("alg", NOT_ACCEPTED)
def test_an_algorithm_that_is_not_accepted(target: Lab, alg: str) -> None:
    target.attacked(sign(header={"alg": alg, "kid": "p256", "p2c": 2**31}), Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("kid", PUBLISHED)
@pytest.mark.parametrize("alg", ["RS256", "RS384", "PS256", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])
def test_a_signature_counts_only_under_its_own_algorithm(target: Lab, kid: str, alg: str) -> None:
    token = sign(header={"alg": alg, "kid": kid}, signer=key(kid))
    if alg == PUBLISHED[kid] or (kid, alg) == ("ed", "Ed25519"):
        target.allowed(token_event(token))
    else:
        target.attacked(token, Reason.BAD_SIGNATURE, Reason.UNKNOWN_KEY)


def test_only_the_accepted_ones_of_the_supported_algorithms(target: Lab) -> None:
    token = sign(signer=key("rsa"))
    target.allowed(token_event(token))
    lab(JWT_ALGORITHMS="ES256,PS256").attacked(token, Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("kid", ["p256", "rsa", "theirs", None])
def test_a_key_that_the_sender_brought_along(target: Lab, kid: str | None) -> None:
    signer = attacker_key("rsa" if kid == "rsa" else "p256")
    jwk = signer.public_jwk()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/jwks.json"
        chain = [base64url(b"a certificate")]
        for brought in (
            {"jwk": jwk},
            {"jku": url},
            {"x5u": url},
            {"x5c": chain},
            {"x5t": "AAAA"},
            {"x5t#S256": "AAAA"},
        ):
            header = {"alg": signer.alg, **({} if kid is None else {"kid": kid}), **brought}
            reason = Reason.BAD_SIGNATURE if kid in PUBLISHED or kid is None else Reason.UNKNOWN_KEY
            target.attacked(sign(header=header, signer=signer), reason)
        with pytest.raises(BlockingIOError):  # nobody has called
            listener.accept()


@pytest.mark.parametrize(
    "kid", ["../../dev/null", "p256\0", "P256", " p256", "p256' OR '1'='1", "file:///etc/passwd", ""]
)
def test_a_kid_is_compared_and_nothing_else(target: Lab, kid: str) -> None:
    target.attacked(sign(header={"alg": "ES256", "kid": kid}), Reason.UNKNOWN_KEY)


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
    two_issuers.attacked(sign(signer=attacker_key("p256")), Reason.BAD_SIGNATURE)
    two_issuers.attacked(sign(claims(iss=OTHER_ISSUER)), Reason.BAD_SIGNATURE)
    two_issuers.attacked(sign(claims(iss=OTHER_ISSUER), signer=key("rsa")), Reason.UNKNOWN_KEY)


@pytest.mark.parametrize(
    "iss", [[ISSUER, OTHER_ISSUER], [OTHER_ISSUER], {OTHER_ISSUER: ISSUER}, f"{ISSUER},{OTHER_ISSUER}"]
)
def test_nobody_is_two_issuers(two_issuers: Lab, iss: object) -> None:
    two_issuers.attacked(sign(claims(iss=iss), signer=attacker_key("p256")), Reason.UNKNOWN_ISSUER)
    two_issuers.attacked(sign(claims(iss=iss)), Reason.UNKNOWN_ISSUER)


def test_a_refused_token_is_refused_again(target: Lab) -> None:
    forged = sign(signer=attacker_key("p256"))
    for _ in range(3):
        target.attacked(forged, Reason.BAD_SIGNATURE)
    target.allowed(token_event(sign()))
    target.attacked(forged, Reason.BAD_SIGNATURE)
