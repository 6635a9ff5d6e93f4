"""What is fuzzed, and what must hold for every input. Nothing here needs the fuzzer.

Each target takes bytes and raises ``AssertionError`` where a promise is broken; any other error is one as well.
"""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import ec

from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.function import AuthorizerFunction, create_function
from jwt_authorizer.keys import check_signature, parse_key_set
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import UnverifiedToken
from jwt_authorizer_devkit.signing import SigningKey, base64url
from tests.fuzz import bound
from tests.fuzz.bound import ARN, CPU_LIMIT, NOW, hold
from tests.fuzz.policies import ROUTES, check_policy
from tests.security.lab import AUDIENCE, ISSUER, claims

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ISSUERS_KEY = SigningKey("k", "ES256", ec.derive_private_key(20_260_101, ec.SECP256R1()))
ATTACKERS_KEY = SigningKey("k", "ES256", ec.derive_private_key(19_700_101, ec.SECP256R1()))
"""Always the same two, so that a corpus keeps its meaning."""

type Json = dict[str, Any]

_lines: list[str] = []


def _jwks() -> str:
    return json.dumps({"keys": [ISSUERS_KEY.public_jwk()]})


@cache
def _function() -> AuthorizerFunction:
    """Build the function for tokens, wherever they may be."""
    environment = {
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS": _jwks(),
        "JWT_TOKEN_SOURCE": "header:Authorization,cookie:t,query:t",
        "JWT_TOKEN_CACHE_SIZE": "10",
        "JWT_CONTEXT_CLAIMS": "email,roles=https://example.com/roles",
        "JWT_USAGE_KEY_CLAIM": "plan",
        "JWT_END_WITH_TOKEN": "true",
        "JWT_HTTP_API_REJECT": "raise",
    }
    return create_function(environment, write=_lines.append, clock=lambda: NOW)


@cache
def _with_routes() -> AuthorizerFunction:
    environment = {"JWT_CONFIG": ROUTES.replace("JWKS", _jwks()), "JWT_HTTP_API_REJECT": "raise"}
    return create_function(environment, write=_lines.append, clock=lambda: NOW)


def sign(header: bytes, payload: bytes, signer: SigningKey = ISSUERS_KEY) -> str:
    message = f"{base64url(header)}.{base64url(payload)}"
    return f"{message}.{base64url(signer.sign(message.encode()))}"


GOOD = sign(b'{"alg":"ES256","kid":"k"}', json.dumps(claims()).encode())
FORGED = sign(b'{"alg":"ES256","kid":"k"}', json.dumps(claims()).encode(), ATTACKERS_KEY)


def _decide(function: AuthorizerFunction, event: object) -> tuple[str, Json | None]:
    """Call the function, and hold it to what is promised. Returns the decision and, where there is one, the answer."""
    _lines.clear()
    started = time.process_time()
    try:
        answer: Json | None = function(event, None)
    except DecisionError as error:
        if error.code is Reason.INTERNAL_ERROR:
            raise
        answer = None
    except Exception as error:
        if str(error) != "Unauthorized":
            raise
        answer = None
    hold(time.process_time() - started < CPU_LIMIT, "too slow")
    hold(len(_lines) == 1, "one line a decision")
    line = _lines[0]
    hold(line.endswith("\n"), "a line has an end")
    hold(line[:-1].isascii(), "a line is ASCII")
    hold(line[:-1].isprintable(), "a line is printable")
    written = json.loads(line)
    hold((answer is None) == (written["decision"] in {"reject", "error"}), "what is written is what was answered")
    return written["decision"], answer


def tokens(data: bytes) -> None:
    """Fuzz one token. The first byte says how the rest is one.

    ``t``: it is the token's text. ``s``: header and payload, with a line break between them, truly signed.
    ``f``: the same, signed by an attacker. ``h``: it is all of the header's value.
    """
    kind, rest = data[:1], data[1:]
    head, _, payload = rest.partition(b"\n")
    value = f"Bearer {GOOD}"
    if kind in (b"s", b"f"):
        value = "Bearer " + sign(head, payload, ISSUERS_KEY if kind == b"s" else ATTACKERS_KEY)
    elif kind == b"h":
        value = rest.decode("utf-8", "surrogateescape").replace("GOOD", GOOD)
    else:
        value = "Bearer " + rest.decode("utf-8", "surrogateescape").replace("GOOD", GOOD)
    decision, _ = _decide(_function(), {"type": "TOKEN", "methodArn": ARN, "authorizationToken": value})
    if decision != "allow":
        return
    if kind != b"s":
        hold(GOOD in value, "let in without a signature of the issuer")
        return
    check_let_in(json.loads(head), json.loads(payload))


def check_let_in(header: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    """Read a token that was let in by other means, and find every check to hold."""
    hold(header["alg"] == "ES256", "another algorithm")
    hold(header.get("kid", "k") == "k", "another key")
    hold(not {"crit", "b64"} & set(header), "an extension")
    hold(payload["iss"] == ISSUER, "another issuer")
    hold(payload["aud"] == AUDIENCE or AUDIENCE in payload["aud"], "another audience")
    hold(payload["exp"] + 60 > NOW, "it is over")
    hold(max(payload.get("nbf", 0), payload.get("iat", 0)) - 60 <= NOW, "it has not begun")
    hold(not isinstance(payload["exp"], bool | str), "no number")
    hold(payload["sub"] not in ("", None), "nobody")


def events(data: bytes) -> None:
    """Fuzz one event: JSON, in which ``GOOD`` and ``FORGED`` stand for tokens."""
    try:
        text = data.decode()
        event: object = json.loads(text.replace("GOOD", GOOD).replace("FORGED", FORGED))
    except (ValueError, RecursionError):
        return
    for function in (_function(), _with_routes()):
        decision, answer = _decide(function, event)
        if answer is None:
            continue
        hold(GOOD in json.dumps(event), "answered without a token of the issuer")
        if function is _with_routes() and isinstance(event, dict) and "policyDocument" in answer:
            check_policy(event, decision, answer)


def key_sets(data: bytes) -> None:
    """Fuzz one key set, and hold a signature against each of its keys."""
    started = time.process_time()
    try:
        parsed = parse_key_set(data)
    except ValueError as error:
        hold(str(error).isprintable(), "a message is printable")
        return
    for sentence in parsed.skipped:
        hold(sentence.isprintable(), "a message is printable")
    for key in parsed.keys:
        hold(bool(key.algorithms), "a key for nothing")
        hold(key.algorithms <= SUPPORTED_ALGORITHMS, "an algorithm that is none")
        for alg in key.algorithms:
            for length in (0, 64, 132, 256):
                token = UnverifiedToken(alg, key.kid, None, {}, b"message", b"\1" * length)
                try:
                    check_signature(token, (key,))
                except TokenError:
                    continue
                hold(False, "a signature of ones verifies")  # noqa: FBT003 - nothing holds here
    hold(time.process_time() - started < CPU_LIMIT * (1 + len(parsed.keys) / 10), "too slow")


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "tokens": tokens,
    "events": events,
    "key_sets": key_sets,
    "proofs": bound.proofs,
    "uris": bound.uris,
}
