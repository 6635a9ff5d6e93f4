"""Keys and tokens of the devkit, read back by another library than the one that wrote them."""

from __future__ import annotations

import base64
import json

import pytest
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.signing import ALGORITHMS, SigningKey, generate, key_set

NOW = 1_700_000_000
ISSUER = "https://issuer.example.com"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return generate("ES256", "es-1")


def header_and_claims(token: str, key: SigningKey) -> tuple[dict[str, object], dict[str, object]]:
    published = KeySet.import_key_set(json.loads(json.dumps(key_set((key,)))))
    verified = jws.deserialize_compact(token, published, algorithms=[*ALGORITHMS])
    return dict(verified.headers()), json.loads(verified.payload)


# joserfc wants RFC 9864's names instead of EdDSA; issuers still write EdDSA.
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
# It does not know ML-DSA: what the devkit makes of that is compared with RFC 9964's keys in tests/vectors.
@pytest.mark.parametrize("alg", [alg for alg in ALGORITHMS if not alg.startswith("ML-DSA")])
def test_another_library_verifies_what_each_algorithm_signs(alg: str) -> None:
    key = generate(alg, "key-1")
    claims = access_claims(ISSUER, audience="api", now=NOW)
    header, read = header_and_claims(mint(key, claims), key)
    assert header == {"alg": alg, "typ": "at+jwt", "kid": "key-1"}
    assert read == claims


def test_a_public_key_says_what_it_is_for_and_keeps_its_secret(key: SigningKey) -> None:
    jwk = key.public_jwk()
    assert (jwk["kid"], jwk["alg"], jwk["use"], jwk["kty"], jwk["crv"]) == ("es-1", "ES256", "sig", "EC", "P-256")
    assert "d" not in jwk
    assert "alg" not in key.public_jwk(alg=None)


def test_an_unknown_algorithm_is_refused() -> None:
    with pytest.raises(ValueError, match="HS256"):
        generate("HS256", None)


def test_claims_can_be_added_replaced_and_left_out() -> None:
    claims = access_claims(
        ISSUER, {"email": "a@example.com", "jti": None, "sub": "x"}, audience=None, now=NOW, lifetime=60
    )
    assert claims == {
        "iss": ISSUER,
        "sub": "x",
        "client_id": "demo-client",
        "iat": NOW,
        "exp": NOW + 60,
        "email": "a@example.com",
    }


@pytest.mark.parametrize(
    ("defect", "changed"),
    [
        (Defect.EXPIRED, {"iat": NOW - 7200, "exp": NOW - 3600}),
        (Defect.NOT_YET_VALID, {"nbf": NOW + 3600, "exp": NOW + 7200}),
        (Defect.NO_EXPIRY, {"exp": None}),
        (Defect.WRONG_AUDIENCE, {"aud": "https://another-api.example.com"}),
        (Defect.WRONG_ISSUER, {"iss": "https://another-issuer.example.com"}),
    ],
)
def test_a_defect_of_claims_is_well_signed_and_changes_nothing_else(
    key: SigningKey, defect: Defect, changed: dict[str, object]
) -> None:
    claims = access_claims(ISSUER, audience="api", now=NOW)
    _, read = header_and_claims(mint(key, claims, defect=defect), key)
    expected = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    assert read == expected


@pytest.mark.parametrize("defect", [Defect.FORGED, Defect.TAMPERED, Defect.CUT_SHORT])
def test_a_broken_signature_verifies_nowhere(key: SigningKey, defect: Defect) -> None:
    token = mint(key, access_claims(ISSUER, audience="api", now=NOW), defect=defect)
    with pytest.raises(JoseError):
        header_and_claims(token, key)


def test_headers_tell_the_rest(key: SigningKey) -> None:
    claims = access_claims(ISSUER, audience="api", now=NOW)

    def header(defect: Defect) -> dict[str, object]:
        head = mint(key, claims, defect=defect).split(".")[0]
        return dict(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))))

    assert header(Defect.ALG_NONE)["alg"] == "none"
    assert mint(key, claims, defect=Defect.ALG_NONE).endswith(".")
    assert header(Defect.HMAC_CONFUSION)["alg"] == "HS256"
    assert header(Defect.UNKNOWN_KEY)["kid"] == "a-key-nobody-published"
    assert header(Defect.FORGED)["kid"] == "es-1"
    assert "kid" not in header(Defect.NO_KID)
    assert header(Defect.CRITICAL)["crit"] == ["https://example.com/understand-me"]
    assert "." not in mint(key, claims, defect=Defect.OPAQUE)
