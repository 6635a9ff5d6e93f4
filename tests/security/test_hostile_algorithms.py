"""Algorithms that are not what they seem, and keys that the sender brought along or that are another issuer's."""

from __future__ import annotations

import hmac
import json
import socket

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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

OTHER_ISSUER = "https://other-issuer.example.com"


@pytest.fixture
def target() -> Lab:
    return lab()


@pytest.mark.parametrize("kid", PUBLISHED)
def test_a_good_token_of_each_key_is_let_in(target: Lab, kid: str) -> None:
    target.allowed(token_event(sign(signer=key(kid))))


@pytest.mark.parametrize("alg", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_a_key_without_alg_serves_its_whole_family(target: Lab, alg: str) -> None:
    target.allowed(token_event(sign(signer=SigningKey("rsa", alg, key("rsa").private))))


def _public_forms() -> dict[str, bytes]:
    """Give everything that an attacker could take the public key's bytes to be."""
    forms: dict[str, bytes] = {"empty": b"", "jwks": json.dumps(jwks()).encode()}
    for kid in ("rsa", "p256", "ed"):
        public = key(kid).private.public_key()
        pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        jwk = key(kid).public_jwk(alg=None)
        forms |= {
            f"{kid}-pem": pem,
            f"{kid}-pem-stripped": pem.strip(),
            f"{kid}-pem-crlf": pem.replace(b"\n", b"\r\n"),
            f"{kid}-pem-indented": b" " + pem,
            f"{kid}-pem-without-lines": b"".join(pem.splitlines()),
            f"{kid}-der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            f"{kid}-jwk": json.dumps(jwk).encode(),
            f"{kid}-jwk-compact": json.dumps(jwk, separators=(",", ":")).encode(),
            f"{kid}-member": str(jwk["n" if kid == "rsa" else "x"]).encode(),
        }
    forms["rsa-pkcs1"] = key("rsa").private.public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1)
    return forms


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_hmac_keyed_with_the_public_key_in_any_form(target: Lab, alg: str) -> None:
    for form, secret in _public_forms().items():
        message = f"{encode({'alg': alg, 'kid': form.partition('-')[0]})}.{encode(claims())}"
        digest = hmac.digest(secret, message.encode(), f"sha{alg[2:]}")
        target.attacked(f"{message}.{base64url(digest)}", Reason.UNSUPPORTED_ALGORITHM)


NONE = ["none", "None", "NONE", "nOnE", "NoNe", "none ", " none", "none\0", "no\u200bne", "n\u043ene"]
NONE += ["\uff4e\uff4f\uff4e\uff45", "", "null"]


@pytest.mark.parametrize("alg", NONE)
@pytest.mark.parametrize("kid", [None, "p256"])
def test_none_in_every_spelling(target: Lab, alg: str, kid: str | None) -> None:
    header = {"alg": alg} if kid is None else {"alg": alg, "kid": kid}
    target.attacked(with_signature(b"", header), Reason.UNSUPPORTED_ALGORITHM)
    target.attacked(sign(header=header), Reason.UNSUPPORTED_ALGORITHM)


@pytest.mark.parametrize("alg", [None, True, 0, ["ES256"], {"ES256": 1}, ["none"]])
def test_an_alg_that_is_no_text(target: Lab, alg: object) -> None:
    target.attacked(sign(header={"alg": alg, "kid": "p256"}), Reason.MALFORMED_TOKEN)


def test_no_alg_at_all(target: Lab) -> None:
    target.attacked(sign(header={"kid": "p256"}), Reason.MALFORMED_TOKEN)


@pytest.mark.parametrize(
    "alg",
    [
        "es256",
        "ES256 ",
        "ES256\n",
        "ES256K",
        "ES257",
        "Es256",
        "\uff25\uff33256",
        "RS1",
        "RSA-OAEP",
        "dir",
        "A128KW",
        "Ed448",
        "PBES2-HS256+A128KW",
        "HS1",
        "eddsa",
        "ML-DSA-44",
    ],
)
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


@pytest.mark.parametrize(("kid", "alg"), [("p256", "ES384"), ("p384", "ES256"), ("p521", "ES256"), ("rsa", "ES256")])
def test_a_key_of_another_curve_is_not_even_tried(target: Lab, kid: str, alg: str) -> None:
    target.attacked(sign(header={"alg": alg, "kid": kid}), Reason.UNKNOWN_KEY)


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


@pytest.mark.parametrize("kid", [None, 0, True, ["p256"], {"p256": 1}])
def test_a_kid_that_is_no_text(target: Lab, kid: object) -> None:
    target.attacked(sign(header={"alg": "ES256", "kid": kid}), Reason.MALFORMED_TOKEN)


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
