"""What is fuzzed, and what must hold for every input. Nothing here needs the fuzzer.

Each target takes bytes and raises ``AssertionError`` where a promise is broken; any other error is one as well.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError
from jwt_authorizer.keys import check_signature, parse_key_set
from jwt_authorizer.signatures import SUPPORTED_ALGORITHMS
from jwt_authorizer.tokens import UnverifiedToken
from jwt_authorizer_devkit.signing import SigningKey
from tests.fuzz import bound
from tests.fuzz.policies import check_policy
from tests.security.lab import ARN, AUDIENCE, CPU_LIMIT, ISSUER, NOW, Json, Lab, assert_clean, lab, routes_lab, sign

ISSUERS_KEY = SigningKey("k", "ES256", ec.derive_private_key(20_260_101, ec.SECP256R1()))
ATTACKERS_KEY = SigningKey("k", "ES256", ec.derive_private_key(19_700_101, ec.SECP256R1()))
"""Always the same two, so that a corpus keeps its meaning."""
GOOD, FORGED = sign(signer=ISSUERS_KEY), sign(signer=ATTACKERS_KEY)
_JWKS = json.dumps({"keys": [ISSUERS_KEY.public_jwk()]})


@cache
def _everywhere() -> Lab:
    """Build the function for tokens, wherever they may be."""
    return lab(
        JWT_JWKS=_JWKS,
        JWT_TOKEN_SOURCE="header:Authorization,cookie:t,query:t",
        JWT_TOKEN_CACHE_SIZE="10",
        JWT_CONTEXT_CLAIMS="email,roles=https://example.com/roles",
        JWT_USAGE_KEY_CLAIM="plan",
        JWT_END_WITH_TOKEN="true",
        JWT_HTTP_API_REJECT="raise",
    )


@cache
def _with_routes() -> Lab:
    return routes_lab(_JWKS, JWT_HTTP_API_REJECT="raise")


def _decide(target: Lab, event: object) -> tuple[str, Json | None]:
    """Call the function, and hold it to what is promised. Returns the decision and, where there is one, the answer."""
    target.lines.clear()
    started = time.process_time()
    answer: Json | None = None
    try:
        answer = target.answered(event)
    except DecisionError as error:
        if error.code is ErrorCode.INTERNAL_ERROR:
            raise
    except Exception as error:
        if str(error) != "Unauthorized":
            raise
    assert time.process_time() - started < CPU_LIMIT, "too slow"
    (line,) = target.lines
    assert_clean(line, "")
    decision = target.last["decision"]
    assert (answer is None) == (decision in {"reject", "error"}), "what is written is what was answered"
    return decision, answer


def tokens(data: bytes) -> None:
    """Fuzz one token. The first byte says how the rest is one.

    ``t``: it is the token's text. ``s``: header and payload, with a line break between them, truly signed.
    ``f``: the same, signed by an attacker. ``h``: it is all of the header's value.
    """
    kind, rest = data[:1], data[1:]
    head, _, payload = rest.partition(b"\n")
    value = f"Bearer {GOOD}"
    if kind in (b"s", b"f"):
        value = "Bearer " + sign(payload, head, signer=ISSUERS_KEY if kind == b"s" else ATTACKERS_KEY)
    elif kind == b"h":
        value = rest.decode("utf-8", "surrogateescape").replace("GOOD", GOOD)
    else:
        value = "Bearer " + rest.decode("utf-8", "surrogateescape").replace("GOOD", GOOD)
    decision, _ = _decide(
        _everywhere(), {"type": "TOKEN", "methodArn": ARN + "GET/orders/1", "authorizationToken": value}
    )
    if decision != "allow":
        return
    if kind != b"s":
        assert GOOD in value, "let in without a signature of the issuer"
        return
    check_let_in(json.loads(head), json.loads(payload))


def check_let_in(header: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    """Read a token that was let in by other means, and find every check to hold."""
    assert header["alg"] == "ES256", "another algorithm"
    assert header.get("kid", "k") == "k", "another key"
    assert not {"crit", "b64"} & set(header), "an extension"
    assert payload["iss"] == ISSUER, "another issuer"
    assert payload["aud"] == AUDIENCE or AUDIENCE in payload["aud"], "another audience"
    assert payload["exp"] + 60 > NOW, "it is over"
    assert max(payload.get("nbf", 0), payload.get("iat", 0)) - 60 <= NOW, "it has not begun"
    assert not isinstance(payload["exp"], bool | str), "no number"
    assert payload["sub"] not in ("", None), "nobody"


def events(data: bytes) -> None:
    """Fuzz one event: JSON, in which ``GOOD`` and ``FORGED`` stand for tokens."""
    try:
        text = data.decode()
        event: object = json.loads(text.replace("GOOD", GOOD).replace("FORGED", FORGED))
    except (ValueError, RecursionError):
        return
    for target in (_everywhere(), _with_routes()):
        decision, answer = _decide(target, event)
        if answer is None:
            continue
        assert GOOD in json.dumps(event), "answered without a token of the issuer"
        if target is _with_routes() and isinstance(event, dict) and "policyDocument" in answer:
            check_policy(event, decision, answer)


def key_sets(data: bytes) -> None:
    """Fuzz one key set, and hold a signature against each of its keys."""
    started = time.process_time()
    try:
        parsed = parse_key_set(data)
    except ValueError as error:
        assert str(error).isprintable(), "a message is printable"
        return
    for sentence in parsed.skipped:
        assert sentence.isprintable(), "a message is printable"
    for key in parsed.keys:
        assert bool(key.algorithms), "a key for nothing"
        assert key.algorithms <= SUPPORTED_ALGORITHMS, "an algorithm that is none"
        for alg in key.algorithms:
            for length in (0, 64, 132, 256):
                token = UnverifiedToken(alg, key.kid, None, {}, b"message", b"\1" * length)
                try:
                    check_signature(token, (key,))
                except TokenError:
                    continue
                message = "a signature of ones verifies"
                raise AssertionError(message)
    assert time.process_time() - started < CPU_LIMIT * (1 + len(parsed.keys) / 10), "too slow"


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "tokens": tokens,
    "events": events,
    "key_sets": key_sets,
    "proofs": bound.proofs,
    "uris": bound.uris,
}
