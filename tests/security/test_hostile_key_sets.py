"""Key sets with keys that are weak, odd or no keys: none of them verifies, and none costs the others."""

import json
import os
import time
from contextlib import suppress

import pytest

from jwt_authorizer import keys
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.issuers.session import BODY_LIMIT
from jwt_authorizer.keys import parse_key_set
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS, is_valid_signature
from jwt_authorizer_devkit.signing import ALGORITHMS, base64url, key_set
from tests.factories import signing_key
from tests.security.lab import CPU_LIMIT, Json, attacker_key, jwks, key, lab, sign, token_event, with_signature


def _number(value: int) -> str:
    return base64url(value.to_bytes((value.bit_length() + 7) // 8 or 1))


def _rsa(**changed: object) -> Json:
    return {**attacker_key("rsa").public_jwk(kid="odd", alg=None), **changed}


def _ec(**changed: object) -> Json:
    return {**attacker_key("p256").public_jwk(kid="odd", alg=None), **changed}


def _okp(**changed: object) -> Json:
    return {**attacker_key("ed").public_jwk(kid="odd", alg=None), **changed}


MODULUS = int(attacker_key("rsa").private.public_key().public_numbers().n)  # type: ignore[union-attr] # it is RSA
NO_KEYS: dict[str, object] = {
    "null": None,
    "text": "key",
    "list": [_ec()],
    "empty": {},
    "symmetric": {"kty": "oct", "kid": "odd", "k": base64url(b"secret" * 8)},
    "symmetric and RSA": {**_rsa(), "kty": "oct", "k": "AAAA"},
    "kty in lower case": _rsa(kty="rsa"),
    "kty in a list": _rsa(kty=["RSA"]),
    "kid a number": _ec(kid=1),
    "kid a list": _ec(kid=["odd"]),
    "for encryption": _ec(use="enc"),
    "use a list": _ec(use=["sig"]),
    "operations that exclude verifying": _ec(key_ops=["sign"]),
    "operations in a text": _ec(key_ops="verify"),
    "alg of another type": _ec(alg="RS256"),
    "alg symmetric": _rsa(alg="HS256"),
    "alg none": _rsa(alg="none"),
    "alg in a list": _rsa(alg=["RS256"]),
    "alg for encryption": _rsa(alg="RSA-OAEP"),
    "no modulus": _rsa(n=""),
    "modulus zero": _rsa(n="AA"),
    "modulus a number": _rsa(n=MODULUS % 10**9),
    "modulus of 2047 bits": _rsa(n=_number((1 << 2046) + 1)),
    "modulus of 8193 bits": _rsa(n=_number((1 << 8192) + 1)),
    "no exponent": _rsa(e=""),
    "exponent zero": _rsa(e="AA"),
    "exponent one": _rsa(e="AQ"),
    "exponent even": _rsa(e=_number(65536)),
    "exponent beyond 2^33": _rsa(e=_number(2**33 + 1)),
    "exponent as large as the modulus": _rsa(e=_number(MODULUS)),
    "off the curve": _ec(x=base64url(b"\1" * 32)),
    "the point at infinity": _ec(x=base64url(bytes(32)), y=base64url(bytes(32))),
    "coordinate beyond the field": _ec(x=base64url(b"\xff" * 32)),
    "coordinate too short": _ec(x="AQ"),
    "coordinate too long": _ec(x=base64url(bytes(33) + b"\1" * 32)),
    "coordinate not base64": _ec(x="!!!"),
    "coordinate not ASCII": _ec(x="\u00e9"),
    "coordinate half a pair": _ec(x="\ud800"),
    "no y": _ec(y=None),
    "another curve's name": _ec(crv="P-384"),
    "curve unknown": _ec(crv="P-257"),
    "curve secp256k1": _ec(crv="secp256k1"),
    "curve a list": _ec(crv=["P-256"]),
    "curve missing": _ec(crv=None),
    "Edwards key too short": _okp(x="AQ"),
    "Edwards key too long": _okp(x=base64url(b"\1" * 33)),
    "X25519": _okp(crv="X25519"),
    "Ed448": _okp(crv="Ed448"),
    "Edwards as EC": _okp(kty="EC"),
}


@pytest.mark.parametrize("form", NO_KEYS)
def test_a_key_that_may_not_verify_costs_no_other(form: str) -> None:
    odd = NO_KEYS[form]
    target = lab(JWT_JWKS=json.dumps({"keys": [odd, *jwks()["keys"], odd]}))
    target.allowed(token_event(sign()))
    target.allowed(token_event(sign(signer=key("rsa"))))
    for kid in ("rsa", "p256", "ed"):
        signer = attacker_key(kid)
        target.attacked(sign(header={"alg": signer.alg, "kid": "odd"}, signer=signer), ErrorCode.UNKNOWN_KEY)


def test_the_same_keys_unharmed_do_verify() -> None:
    for kid, jwk in (("rsa", _rsa()), ("p256", _ec()), ("ed", _okp())):
        target = lab(JWT_JWKS=json.dumps({"keys": [{name: value for name, value in jwk.items() if value is not None}]}))
        signer = attacker_key(kid)
        target.allowed(token_event(sign(header={"alg": signer.alg, "kid": "odd"}, signer=signer)))


FIELD = 2**255 - 19
ORDER_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
SMALL_ORDER = [y.to_bytes(32, "little") for y in (0, 1, FIELD - 1, FIELD, FIELD + 1)]
SMALL_ORDER += [
    bytes.fromhex(ORDER_8),
    (FIELD - int.from_bytes(bytes.fromhex(ORDER_8), "little")).to_bytes(32, "little"),
]


@pytest.mark.parametrize("sign_bit", [0, 0x80])
@pytest.mark.parametrize("point", SMALL_ORDER, ids=[point.hex()[:8] for point in SMALL_ORDER])
def test_under_a_point_of_small_order_anybody_could_sign_anything(point: bytes, sign_bit: int) -> None:
    encoded = point[:31] + bytes([point[31] | sign_bit])
    target = lab(JWT_JWKS=json.dumps({"keys": [_okp(x=base64url(encoded)), *jwks()["keys"]]}))
    for commitment in SMALL_ORDER:
        token = with_signature(commitment + bytes(32), {"alg": "EdDSA", "kid": "odd"})
        target.attacked(token, ErrorCode.UNKNOWN_KEY)


ODD_NUMBERS: dict[str, Json] = {
    "even modulus": _rsa(n=_number(MODULUS + 1)),
    "modulus a power of two": _rsa(n=_number(1 << 2047)),
    "modulus of 300 KB": _rsa(n="A" * 7 + "Q" * 300_000),
    "exponent of 64 KB": _rsa(e=_number((1 << 524288) + 1)),
    "Edwards all ones": _okp(x=base64url(b"\xff" * 32)),
    "padded": _ec(x=str(_ec()["x"]) + "="),
    "private members of RSA": _rsa(d="AAAA", p="AAAA", q="AAAA", dp="AAAA", dq="AAAA", qi="AAAA"),
    "private member of EC": _ec(d="AAAA"),
    "private member of OKP": _okp(d="AAAA"),
}


@pytest.mark.parametrize("form", ODD_NUMBERS)
def test_odd_numbers_end_as_a_refused_token_at_the_worst(form: str) -> None:
    """Some of these make a key that cryptography takes; holding a token against it must be cheap and orderly."""
    odd = ODD_NUMBERS[form]
    target = lab(JWT_JWKS=json.dumps({"keys": [odd, *jwks()["keys"]]}))
    target.allowed(token_event(sign()))
    signer = key("rsa" if odd["kty"] == "RSA" else "p256" if odd["kty"] == "EC" else "ed")
    forged = sign(header={"alg": signer.alg, "kid": "odd"}, signer=signer)
    target.attacked(forged, ErrorCode.BAD_SIGNATURE, ErrorCode.UNKNOWN_KEY)


def test_a_leaked_private_key_signs_and_verifies_nothing_more() -> None:
    private = attacker_key("p256").private.private_numbers()  # type: ignore[union-attr] # it is EC
    jwk = _ec(d=base64url(private.private_value.to_bytes(32)))  # type: ignore[union-attr] # the same
    parsed = parse_key_set(json.dumps({"keys": [jwk]}))
    assert not hasattr(parsed.keys[0].public, "private_numbers")
    assert jwk["d"] not in repr(parsed)


NO_SETS = ["", "null", "[]", "{}", '{"keys":{}}', '{"keys":[]}', '{"keys":null}', '{"keys":[null]}', '{"keys":[1e999]}']
NO_SETS += ["[" * 100_000, '{"a":' * 50_000, '{"keys":' + "9" * 5000 + "}", '{"keys":["' + "a" * 100_000, "\ud800"]


@pytest.mark.parametrize("document", NO_SETS, ids=range(len(NO_SETS)))
def test_a_document_that_is_no_key_set(document: str) -> None:
    with pytest.raises(ValueError, match="key set") as caught:
        parse_key_set(document)
    assert str(caught.value).isprintable()
    assert "aaa" not in str(caught.value)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_key_with_an_algorithm_serves_that_one(alg: str) -> None:
    (key,) = parse_key_set(json.dumps(key_set((signing_key(alg),)))).keys
    assert key.algorithms == ({"EdDSA", "Ed25519"} if alg in ("EdDSA", "Ed25519") else {alg})


def test_the_devkit_knows_all_algorithms_that_are_supported_and_none_is_symmetric() -> None:
    assert frozenset(ALGORITHMS) == SUPPORTED_ALGORITHMS
    assert not any(alg.startswith("HS") or alg == "none" for alg in SUPPORTED_ALGORITHMS)


def test_of_a_set_without_end_the_first_keys_are_read_and_few_are_described() -> None:
    read = parse_key_set(json.dumps({"keys": [*[_ec()] * 3000, *[5] * 200_000]}))
    assert len(read.keys) == 3000
    assert read.skipped == ("200000 keys left out: only the first 3000 are read",)
    with pytest.raises(ValueError, match="of 1000; key 0 left out") as caught:
        parse_key_set(json.dumps({"keys": [5] * 1000}))
    assert len(str(caught.value)) < 500


def test_what_a_set_says_is_not_repeated() -> None:
    secret = "do-not-repeat-\n\x1b[31m"
    parsed = parse_key_set(json.dumps({"keys": [*jwks()["keys"], {"kty": secret}, _ec(crv=secret), _ec(kid=[secret])]}))
    assert len(parsed.skipped) == 3
    assert all("repeat" not in sentence and sentence.isprintable() for sentence in parsed.skipped)


def test_without_an_id_only_a_single_fitting_key_is_tried() -> None:
    token = sign(header={"alg": "ES256"})
    lab().allowed(token_event(token))
    several = lab(JWT_JWKS=json.dumps({"keys": [*jwks()["keys"], _ec()]}))
    several.attacked(token, ErrorCode.UNKNOWN_KEY)


def test_an_unsigned_token_costs_eight_signature_checks_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """470 keys of one id, as large and as slow as a set of 512 KB can have them."""
    checked: list[str] = []

    def counted(alg: str, key: object, signing_input: bytes, signature: bytes) -> bool:
        checked.append(alg)
        return is_valid_signature(alg, key, signing_input, signature)

    monkeypatch.setattr(keys, "is_valid_signature", counted)
    moduli = (int.from_bytes(os.urandom(1024)) | 1 << 8191 | 1 for _ in range(300))
    slow = [_rsa(n=_number(modulus), e=_number(2**33 - 1)) for modulus in moduli]
    target = lab(JWT_JWKS=json.dumps({"keys": slow}), JWT_TOKEN_CACHE_SIZE="0")
    for alg in ("RS256", "PS512"):
        checked.clear()
        target.attacked(sign(header={"alg": alg, "kid": "odd"}, signer=key("rsa")), ErrorCode.BAD_SIGNATURE)
        assert len(checked) == 8


FILLING: dict[str, object] = {
    "P-256": _ec(),
    "P-521": attacker_key("p521").public_jwk(),
    "Ed25519": _okp(),
    "RSA": _rsa(),
    "large exponents": _rsa(e=_number(MODULUS - 2)),
    "RSA of 64 KB": _rsa(n=_number((1 << 524288) + 1)),
    "off the curve": _ec(x=_ec()["y"]),
    "objects": {},
    "long numbers": int("9" * 4300),
    "lists": [[[[]]]],
    "empty members": {str(number): None for number in range(1000)},
}


@pytest.mark.parametrize("item", FILLING)
def test_reading_and_searching_a_hostile_set_of_512_kb_takes_less_than_half_a_second(item: str) -> None:
    one = json.dumps(FILLING[item], separators=(",", ":"))
    document = f'{{"keys":[{",".join([one] * ((BODY_LIMIT - 11) // (len(one) + 1)))}]}}'
    assert BODY_LIMIT * 0.8 < len(document) <= BODY_LIMIT
    started = time.process_time()
    with suppress(ValueError):
        parse_key_set(document).candidates("ES256", "made up")
    assert time.process_time() - started < CPU_LIMIT
