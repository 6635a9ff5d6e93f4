"""Tokens that are well signed and still no tokens: what they are made of is read strictly or not at all."""

import json
from collections.abc import Callable

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.strict_json import MAX_NESTING
from jwt_authorizer_devkit.signing import base64url
from tests.security.lab import AUDIENCE, ISSUER, NOW, Lab, claims, encode, field_event, key, lab, sign, token_event

HEADER = {"alg": "ES256", "kid": "p256"}
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def target() -> Lab:
    return lab()


def signed_text(head: str, payload: str) -> str:
    """Sign two parts that are not what an encoder writes."""
    message = f"{head}.{payload}"
    return f"{message}.{base64url(key('p256').sign(message.encode()))}"


# CVE-2026-32597 PyJWT, 2025-59420 Authlib.
@pytest.mark.parametrize("crit", [["b64"], ["exp"], ["x"], ["alg"], ["cnf"], [], None, "b64", {"b64": 1}, [["b64"]]])
def test_critical_headers(target: Lab, crit: object) -> None:
    target.attacked(sign(header=HEADER | {"crit": crit, "x": 1, "cnf": {"jkt": "x"}}), ErrorCode.MALFORMED_TOKEN)


# CVE-2026-48525 PyJWT.
@pytest.mark.parametrize("b64", [False, True, None, "false", 0])
@pytest.mark.parametrize("crit", [{}, {"crit": ["b64"]}])
def test_unencoded_payloads(target: Lab, b64: object, crit: dict[str, object]) -> None:
    header = HEADER | {"b64": b64} | crit
    for payload in (encode(claims()), json.dumps(claims()), "", "A" * 15_000):
        target.attacked(signed_text(encode(header), payload), ErrorCode.MALFORMED_TOKEN)


# CVE-2022-23529 and 2022-23540 jsonwebtoken.
@pytest.mark.parametrize("name", ["alg", "kid", "typ"])
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["JWT"], {"toString": "p256"}])
def test_header_members_that_are_no_text(target: Lab, name: str, value: object) -> None:
    target.attacked(sign(header=HEADER | {name: value}), ErrorCode.MALFORMED_TOKEN)
    target.attacked(sign(header={"kid": "p256", "typ": "JWT"}), ErrorCode.MALFORMED_TOKEN)


@pytest.mark.parametrize(
    "more",
    ['"alg":"none"', '"\\u0061lg":"none"', '"alg":"ES256"', '"jwk":{"kty":"EC","kty":"oct"}', '"a":[{"b":1,"b":1}]'],
)
def test_header_members_that_stand_twice(target: Lab, more: str) -> None:
    header = json.dumps(HEADER)
    for twice in (f"{header[:-1]},{more}}}", f"{{{more},{header[1:]}"):
        target.attacked(sign(header=twice), ErrorCode.MALFORMED_TOKEN)


@pytest.mark.parametrize("more", ['"sub":"admin"', '"\\u0073ub":"admin"', '"a":{"b":1,"b":2}', f'"exp":{2**33}'])
def test_claims_that_stand_twice(target: Lab, more: str) -> None:
    target.attacked(sign(json.dumps(claims())[:-1] + f",{more}}}"), ErrorCode.MALFORMED_TOKEN)


def _stray(text: str) -> str:
    """Set the bits of the last character that decoding drops, so that the same bytes are written otherwise."""
    return text[:-1] + ALPHABET[ALPHABET.index(text[-1]) | 1]


# Characters that are not base64url's, and whatever stands before or behind a token: tests/properties/test_tokens.py.
ENCODINGS: dict[str, Callable[[str, str, str], str]] = {
    "a fourth part": lambda h, p, s: f"{h}.{p}.{s}.{s}",
    # CVE-2024-33664 python-jose, 2025-62706 Authlib, 2024-28102 and 2023-6681 jwcrypto, 2022-36083 jose: a JWE.
    "five parts": lambda h, p, s: f"{h}.{p}.{s}.{p}.{s}",
    "an empty header": lambda _h, p, s: f".{p}.{s}",
    "an empty payload": lambda h, _p, s: f"{h}..{s}",
    # CVE-2025-30204 golang-jwt, 2025-27144 go-jose, 2025-61920 Authlib.
    "dots only": lambda _h, _p, _s: "." * 16_000,
    "a million dots": lambda h, p, s: f"{h}.{p}.{s}{'.' * 1_000_000}",
    "a header of 5 MB": lambda h, p, s: f"{h}{'A' * 5_000_000}.{p}.{s}",
    # CVE-2016-9122 go-jose, GHSA-jc38 php-jwt.
    "JSON serialization": lambda h, p, s: json.dumps({"payload": p, "signatures": [{"protected": h, "signature": s}]}),
    "two tokens": lambda h, p, s: f"{h}.{p}.{s},{h}.{p}.{s}",
    "scheme twice": lambda h, p, s: f"Bearer {h}.{p}.{s}",
}


@pytest.mark.parametrize("form", ENCODINGS)
def test_encodings_that_are_not_strict(target: Lab, form: str) -> None:
    token = ENCODINGS[form](*sign().split("."))
    target.attacked(token, ErrorCode.MALFORMED_TOKEN)


@pytest.mark.parametrize("spaces", range(3))
@pytest.mark.parametrize("part", [0, 1])
def test_stray_bits_and_lone_characters_even_when_signed(target: Lab, part: int, spaces: int) -> None:
    parts = [encode(json.dumps(HEADER) + " " * spaces), encode(json.dumps(claims()) + " " * spaces)]
    target.allowed(token_event(signed_text(parts[0], parts[1])))
    parts[part] = _stray(parts[part]) if len(parts[part]) % 4 else parts[part] + "A"
    target.attacked(signed_text(parts[0], parts[1]), ErrorCode.MALFORMED_TOKEN)


# CVE-2026-107723 fast-jwt (not an object), 2026-101918 and 2026-102265 PyJWT, 2025-53864 Nimbus (nested).
GOOD = json.dumps(claims())
NOT_JSON: dict[str, str | bytes] = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "UTF-16": GOOD.encode("utf-16"),
    "not UTF-8": GOOD.replace("user-1", "USER").encode().replace(b"USER", b"\xff\xfe"),
    "surrogate in UTF-8": GOOD.replace("user-1", "USER").encode().replace(b"USER", b"\xed\xa0\x80"),
    "half a pair, escaped": GOOD.replace("user-1", "\\ud800"),
    "line break in a text": GOOD.replace("user-1", "us\ner"),
    "text behind": GOOD + "x",
    "trailing comma": GOOD[:-1] + ",}",
    "an array": f"[{GOOD}]",
    "null": "null",
    "empty": " ",
    "NaN": GOOD[:-1] + ',"a":NaN}',
    "Infinity": GOOD[:-1] + ',"a":Infinity}',
    "1e999": GOOD[:-1] + ',"a":1e999}',
    "an exponent of 9,000 digits": GOOD[:-1] + f',"a":1e{"9" * 9000}}}',
    "5,000 digits": GOOD[:-1] + f',"a":{"9" * 5000}}}',
    "too deep": GOOD[:-1] + ',"a":' + "[" * MAX_NESTING + "]" * MAX_NESTING + "}",
    "far too deep": GOOD[:-1] + ',"a":' + '{"a":' * 2000 + "1" + "}" * 2001,
    "deep, no end": "[" * 12000,
    "deep behind a text of brackets": GOOD[:-1] + ',"b":"]]]]]\\"]]]","a":' + "[" * 40 + "]" * 40 + "}",
}


@pytest.mark.parametrize("form", NOT_JSON)
def test_payloads_and_headers_that_are_no_json_object(target: Lab, form: str) -> None:
    target.attacked(sign(NOT_JSON[form]), ErrorCode.MALFORMED_TOKEN)
    target.attacked(sign(header=NOT_JSON[form]), ErrorCode.MALFORMED_TOKEN)


def test_nesting_is_bounded_where_it_says(target: Lab) -> None:
    deep = GOOD[:-1] + ',"b":"' + "[" * 99 + '","a":' + "[" * (MAX_NESTING - 1) + "]" * (MAX_NESTING - 1) + "}"
    target.allowed(token_event(sign(deep)))
    wide = GOOD[:-1] + ',"a":[' + ",".join(["[]"] * 99) + "]}"
    target.allowed(token_event(sign(wide)))


def test_numbers_that_are_odd_but_json(target: Lab) -> None:
    odd = GOOD[:-1] + f',"a":{"9" * 4300},"b":-0.0,"c":1e308,"d":1E-999,"e":0.{"3" * 3000}}}'
    answer = target.allowed(token_event(sign(odd)))
    assert json.loads(answer["context"]["claims"])["a"] == int("9" * 4300)


@pytest.mark.parametrize("typ", ["logout+jwt", "application/secevent+jwt", "Token-Introspection+JWT", "dpop+jwt"])
def test_a_token_that_says_it_is_for_something_else(target: Lab, typ: str) -> None:
    target.attacked(sign(header=HEADER | {"typ": typ}), ErrorCode.UNSUPPORTED_TOKEN_TYPE)


@pytest.mark.parametrize(
    "typ", ["JWT", "at+jwt2", "id+jwt", "at+jwt\0", "application/application/at+jwt", "", "AT JWT"]
)
def test_a_token_of_another_type(typ: str) -> None:
    target = lab(JWT_TOKEN_TYPES="at+jwt")
    target.allowed(token_event(sign(header=HEADER | {"typ": "application/AT+JWT"})))
    target.attacked(sign(header=HEADER | {"typ": typ}), ErrorCode.UNSUPPORTED_TOKEN_TYPE)
    target.attacked(sign(header=HEADER), ErrorCode.UNSUPPORTED_TOKEN_TYPE)


MISSING = ["", " ", "Bearer", "Bearer ", "Bearer    ", "{}", "Basic {}", "Token {}", "Bearer:{}", "Bearer\t{}"]
MISSING += ["Bearer\u00a0{}", "Bearer\u2003{}", "\u212aearer {}", "Bear\u0435r {}", "Bearer\0 {}", "\nBearer {}"]
MISSING += ["DPoP{}", "Bearer{}", "'Bearer' {}"]


@pytest.mark.parametrize("value", MISSING)
def test_no_bearer_scheme_no_token(target: Lab, value: str) -> None:
    token = sign()
    target.refused(field_event(value.format(token)), ErrorCode.MISSING_TOKEN, secret=token)


# Claims that a true signature covers and that are still not what they have to be: other types, other spellings.


TIMES: list[object] = [None, True, False, "", str(int(NOW) + 300), "2027-01-15T08:00:00Z", [], [NOW + 300], {}, -1]
TIMES += [2**53, 1e300, -1e300]


@pytest.mark.parametrize("value", TIMES)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times_that_are_none(target: Lab, name: str, value: object) -> None:
    target.attacked(sign(claims(**{name: value})), ErrorCode.INVALID_CLAIM)


@pytest.mark.parametrize("leeway", ["0", "60"])
def test_a_token_counts_in_its_time_alone(leeway: str) -> None:
    target, off = lab(JWT_LEEWAY_SECONDS=leeway), int(leeway)
    target.allowed(token_event(sign(claims(exp=NOW - off + 1, nbf=NOW + off, iat=NOW + off))))
    target.attacked(sign(claims(exp=NOW - off)), ErrorCode.TOKEN_EXPIRED)
    target.attacked(sign(claims(nbf=NOW + off + 1)), ErrorCode.TOKEN_NOT_YET_VALID)
    target.attacked(sign(claims(iat=NOW + off + 1)), ErrorCode.TOKEN_NOT_YET_VALID)
    # One that never expires has no time.
    target.attacked(sign({name: value for name, value in claims().items() if name != "exp"}), ErrorCode.INVALID_CLAIM)


# CVE-2024-53861 PyJWT, 2025-30144 fast-jwt.
ISSUERS: list[object] = [
    None,
    1,
    True,
    [ISSUER, "https://a.example"],
    {ISSUER: 1},
    "",
    ISSUER + "/",
    ISSUER.upper(),
    ISSUER[:-1],
]
ISSUERS += [ISSUER[1:], f" {ISSUER}", f"{ISSUER}\0", f"{ISSUER}\n", ISSUER.replace("https", "http")]
ISSUERS += [f"{ISSUER}.evil.example", ISSUER.replace("issuer", "\u0456ssuer"), ISSUER.replace("e", "\u0065\u0301", 1)]
ISSUERS += [f"{ISSUER}#", "issuer", "https"]


@pytest.mark.parametrize("iss", ISSUERS)
def test_issuers_that_only_look_like_ours(target: Lab, iss: object) -> None:
    target.attacked(sign(claims(iss=iss)), ErrorCode.UNKNOWN_ISSUER)


# CVE-2020-26160 jwt-go.
AUDIENCES: list[object] = [None, 1, True, "", [], [""], [[AUDIENCE]], {AUDIENCE: 1}, [AUDIENCE, 1], [AUDIENCE, None]]
AUDIENCES += ["https:", AUDIENCE + "/", AUDIENCE[:-1], AUDIENCE.upper(), f"{AUDIENCE} x", f"x,{AUDIENCE}"]
AUDIENCES += [AUDIENCE.replace("a", "\u0430")]


@pytest.mark.parametrize("aud", AUDIENCES)
def test_audiences_that_only_look_like_ours(target: Lab, aud: object) -> None:
    target.attacked(sign(claims(aud=aud)), ErrorCode.INVALID_AUDIENCE)


@pytest.mark.parametrize("sub", [None, "", True, 1.5, [], ["user-1"], {}])
def test_subjects_that_name_nobody(target: Lab, sub: object) -> None:
    target.attacked(sign(claims(sub=sub)), ErrorCode.INVALID_CLAIM)


@pytest.mark.parametrize("value", [0, 0.0, "false", "", None, [], [0], {}])
def test_a_required_claim_is_compared_as_json_compares(value: object) -> None:
    target = lab(JWT_REQUIRED_CLAIMS='{"is_anonymous": false}')
    target.allowed(token_event(sign(claims(is_anonymous=False))))
    target.attacked(sign(claims(is_anonymous=value)), ErrorCode.INVALID_CLAIM)


@pytest.mark.parametrize(
    "scope", ["admin2", "adm in", "Admin", "admin\0", "admin\t", "\u0430dmin", ["admin x"], {"x": "admin"}, [["admin"]]]
)
def test_a_required_scope_is_one_whole_scope(scope: object) -> None:
    target = lab(JWT_REQUIRED_SCOPES="admin")
    target.allowed(token_event(sign(claims(scope="x admin"))))
    answer = target.answered(token_event(sign(claims(scope=scope))))
    assert target.last["reason"] == ErrorCode.INSUFFICIENT_SCOPE
    assert [statement["Effect"] for statement in answer["policyDocument"]["Statement"]] == ["Deny"]
