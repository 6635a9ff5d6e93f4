"""The most expensive things that fit into a request: each takes less than the promised 50 ms of processor time.

The least of five runs counts, so that a busy machine is no failure. Usual figures are 1 to 4 ms; what this catches is
work that grows with the square of an input's size.
"""

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jwt_authorizer.tokens import MAX_TOKEN_LENGTH
from jwt_authorizer_devkit.events import sample
from tests.fuzz.targets import TARGETS
from tests.security.lab import Json, Lab, claims, encode, lab, routes_lab, sign, token_event

PROMISED = 0.05
"""Seconds of processor time."""
ROOM = MAX_TOKEN_LENGTH * 3 // 4 - 900
"""Bytes of JSON that fit into a token beside its header and signature."""
GOOD = json.dumps(claims())[:-1]

TEXTS = {
    "quotes without an end": GOOD + ',"a":[' + "[]," * 40 + '"' + '\\"' * (ROOM // 2 - 200),
    "open quotes": GOOD + "[" * 40 + '"x' * (ROOM // 2 - 200),
    "brackets": GOOD + ',"a":[' + "[]," * (ROOM // 3 - 100) + "[]]}",
    "members, one of them twice": GOOD + "".join(f',"{number:x}":0' for number in range(ROOM // 9 - 50)) + ',"0":1}',
    "escapes": GOOD + ',"a":"' + "\\u0041" * (ROOM // 6 - 50) + '"}',
    "integers": GOOD + ',"a":[' + f"{'9' * 4300}," * 2 + "1]}",
    "an integer too long": GOOD + ',"a":' + "9" * (ROOM - 300) + "}",
    "decimals": GOOD + ',"a":' + "0." + "3" * (ROOM - 300) + "}",
    "an exponent": GOOD + ',"a":1e' + "9" * (ROOM - 300) + "}",
    "floats": GOOD + ',"a":[' + "1e308," * (ROOM // 6 - 100) + "1]}",
    "depth": GOOD + ',"a":[' + ("[" * 30 + "]" * 30 + ",") * (ROOM // 61 - 10) + "0]}",
    "scopes": json.dumps(claims(scope=" ".join(f"{number:x}" for number in range(2200)))),
    "audiences": json.dumps(claims(aud=[f"{number:x}" for number in range(1200)])),
    "text beyond ASCII": GOOD + ',"a":"' + "\U0001f600" * (ROOM // 4 - 100) + '"}',
}


def cost(target: Lab, event: object) -> float:
    """Give the least processor time of five attempts, in seconds."""
    least = float("inf")
    for _ in range(5):
        started = time.process_time()
        with suppress(Exception):  # refused or not, what counts is what it takes
            target.function(event, None)
        least = min(least, time.process_time() - started)
        assert target.last.get("reason") != "internal_error"
    return least


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("part", ["payload", "header"])
def test_a_token_as_large_as_they_come(text: str, part: str) -> None:
    forgetful = lab(JWT_TOKEN_CACHE_SIZE="0")
    token = sign(TEXTS[text]) if part == "payload" else sign(header=TEXTS[text])
    assert 10_000 < len(token) <= MAX_TOKEN_LENGTH
    assert cost(forgetful, token_event(token)) < PROMISED


def test_a_signature_as_large_as_they_come() -> None:
    for alg, kid in (("RS256", "rsa"), ("PS512", "rsa"), ("ES256", "p256"), ("ES512", "p521"), ("EdDSA", "ed")):
        token = f"{encode({'alg': alg, 'kid': kid})}.{encode(claims())}.{'A' * 15_000}"
        assert cost(lab(), token_event(token)) < PROMISED


REQUESTS: dict[str, Json] = {
    "a path of many segments": {"methodArn": "GET/" + "a/" * 4000},
    "a path of patterns": {"methodArn": "GET/orders/1/" + "*?${a}" * 1500},
    "a path of stars": {"methodArn": "GET/orders/1/" + "*" * 8000},
    "a path of percents": {"methodArn": "GET/orders/1/" + "%2F" * 2500},
    "many query values": {"multiValueQueryStringParameters": {"t": [f"{number:x}" for number in range(2500)]}},
    "many query names": {"queryStringParameters": {f"{number:x}": "x" for number in range(2500)}},
    "many headers": {"headers": {f"x-{number:x}": "x" for number in range(2500)}},
    "many cookies": {"headers": {"cookie": ";".join(f"t={number:x}" for number in range(1800))}},
    "a long cookie": {"headers": {"cookie": "t=" * 5000}},
    "a header of spaces": {"headers": {"Authorization": "Bearer" + " " * 10_000 + "x"}},
}


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_as_large_as_they_come(request_: str) -> None:
    changed = dict(REQUESTS[request_])
    event: Json = sample("rest-request", sign(claims(scope="orders:read")))
    if "methodArn" in changed:
        changed["methodArn"] = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/" + changed["methodArn"]
    everywhere = lab(JWT_TOKEN_SOURCE="cookie:t,query:t,header:Authorization", JWT_TOKEN_CACHE_SIZE="0")
    assert cost(everywhere, event | changed) < PROMISED
    assert cost(routes_lab(), event | changed) < PROMISED


# The fuzzer's corpus is replayed: what once reached something new, or broke a promise, is tried in each run.


CORPUS = Path(__file__).resolve().parents[1] / "fuzz" / "corpus"


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_fuzzer_found_holds(target: str) -> None:
    inputs = sorted((CORPUS / target).iterdir())
    assert inputs
    for found in inputs:
        try:
            TARGETS[target](found.read_bytes())
        except BaseException as error:
            error.add_note(f"the input is {found.name}")
            raise
