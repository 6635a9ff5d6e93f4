"""What starting the function loads, and what a decision does: counts that show when a trick stops working.

The figures are in ``docs/adr/0007-start-up.md`` and ``docs/adr/0008-hot-path.md``; a clock would tell less than these.
"""

import json
import subprocess
import sys
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from jwt_authorizer.signatures import _standing_in, _without_package_code
from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.issuer.provider import Provider
from jwt_authorizer_devkit.issuer.server import IssuerServer
from jwt_authorizer_devkit.signing import key_set
from tests.factories import (
    AUDIENCE,
    ISSUER,
    FakeKeys,
    Watched,
    authorizer,
    parsed_keys,
    rest_request_event,
    signing_key,
    token,
)

ROOT = Path(__file__).resolve().parents[2]
RUNTIME_CLIENT = "awslambdaric.bootstrap"
"""What Lambda has loaded before our first line: what it brings costs us nothing."""

KEPT_OUT = {
    "asyncio": "nothing here waits for two things",
    "aws_lambda_powertools": "40 ms, for those who have warnings",
    "boto3": "300 ms, for those who have keys or settings in S3 or Parameter Store",
    "cryptography.x509": "certificates",
    "dataclasses": "jwt_authorizer.records is a seventh of its cost",
    "hmac": "comes with PyJWT, and no algorithm with a shared secret is accepted",
    "http.client": "10 ms: jwt_authorizer.issuers.session reads responses",
    "jwt": "its package, with an HTTP client",
    "pathlib": "2 ms, for those who have file: settings",
    "ssl": "for those whose keys come over TLS",
    "tomllib": "for those who have JWT_CONFIG",
    "urllib.parse": "jwt_authorizer.issuers.address",
}


def started(**more: str) -> dict[str, Any]:
    """Import the handler as Lambda does, in an interpreter of its own; give what that loaded."""
    script = f"""
import gc, json, sys
import {RUNTIME_CLIENT}
before = set(sys.modules)
import re._compiler
compiled, compile = [], re._compiler.compile
re._compiler.compile = lambda pattern, flags=0: (compiled.append(str(pattern)), compile(pattern, flags))[1]
import jwt_authorizer.handler
print(json.dumps({{
    "loaded": sorted(set(sys.modules) - before),
    "compiled": compiled,
    "frozen": gc.get_freeze_count(),
    "collecting": gc.isenabled(),
}}))
"""
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS": json.dumps(key_set((signing_key("RS256"), signing_key("ES256"), signing_key("EdDSA")))),
        **more,
    }
    ended = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module", name="start")
def _start() -> dict[str, Any]:
    return started()


def test_start_up_does_without(start: dict[str, Any]) -> None:
    assert KEPT_OUT.keys() & set(start["loaded"]) == set()
    # One that is called otherwise now would no longer be looked for.
    assert [module for module in KEPT_OUT if module not in sys.modules and find_spec(module) is None] == []


def test_start_up_loads_no_more_than_it_did(start: dict[str, Any]) -> None:
    ours = [name for name in start["loaded"] if name.startswith("jwt_authorizer")]
    foreign = [name for name in start["loaded"] if name not in ours]
    # A feature that is off loads no module of ours, and none of ours a library's that a decision does without.
    assert len(ours) <= 48, ours
    assert len(foreign) <= 33, foreign


def test_start_up_compiles_only_the_patterns_that_it_needs(start: dict[str, Any]) -> None:
    # A pattern of ours costs 0.05 to 0.3 ms. One that only some settings or requests need is a text until then.
    assert len(start["compiled"]) <= 5, start["compiled"]


def test_what_start_up_made_is_not_looked_through_again(start: dict[str, Any]) -> None:
    assert start["frozen"] > 10_000
    assert start["collecting"] is True


def test_checking_bound_tokens_brings_no_aws_sdk_and_a_table_only_where_it_is_set() -> None:
    bound = {"JWT_BOUND_TOKENS": "dpop,mtls", "JWT_CACHED_BY": "nothing"}
    loaded = started(**bound)["loaded"]
    assert "jwt_authorizer.binding.dpop" in loaded
    assert not {"jwt_authorizer.dynamodb", "boto3", "cryptography.x509"} & set(loaded)
    loaded = started(**bound, JWT_DPOP_REPLAY="dynamodb:used-proofs")["loaded"]
    assert "jwt_authorizer.dynamodb" in loaded, "so that the first request has nothing to load"
    assert not {"boto3", "http.client"} & set(loaded)


def test_fetching_keys_loads_tls_and_no_http_client(tmp_path: Path) -> None:
    tls = self_signed(tmp_path, "localhost")
    server = IssuerServer(Provider(algorithms=("ES256",)), name="localhost", tls=tls).start()
    try:
        jwks = server.provider.jwks_url
        loaded = started(JWT_JWKS=jwks, SSL_CERT_FILE=str(tls.certificate))["loaded"]
        assert server.provider.fetches == {"jwks": 1}
    finally:
        server.stop()
    assert {"ssl", "jwt_authorizer.issuers.prefetch"} <= set(loaded)
    assert not {"http.client", "email", "urllib.parse", "encodings.idna", "dataclasses"} & set(loaded)


def test_pyjwt_and_cryptography_are_whole_for_whoever_asks_later() -> None:
    script = """
import jwt_authorizer.keys, sys
assert "cryptography.x509" not in sys.modules and "jwt" not in sys.modules
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from jwt import algorithms
assert jwt.exceptions.DecodeError is jwt.DecodeError and jwt.algorithms is algorithms
assert jwt.decode is not None and x509.load_pem_x509_certificate is not None
from cryptography.hazmat.primitives.asymmetric import rsa
key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
assert jwt.encode({"a": 1}, pem, algorithm="RS256").count(".") == 2
numbers = key.private_numbers()
found = rsa.rsa_recover_prime_factors(numbers.public_numbers.n, numbers.public_numbers.e, numbers.d)
assert set(found) == {numbers.p, numbers.q}
print(algorithms.Encoding.PEM == serialization.Encoding.PEM)
"""
    ended = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert (ended.stdout, ended.stderr) == ("True\n", "")


def test_a_stand_in_becomes_the_real_module_when_used_and_leaves_no_trace() -> None:
    sys.modules.pop("colorsys", None)
    with _standing_in("colorsys", "json"):
        from colorsys import rgb_to_hls  # noqa: PLC0415 - that is what is tried

        assert not hasattr(sys.modules["colorsys"], "__path__")
        assert sys.modules["json"] is json
    assert "colorsys" not in sys.modules
    assert rgb_to_hls(0, 0, 0) == (0, 0, 0)
    assert rgb_to_hls.__kwdefaults__ is None
    assert sys.modules["colorsys"].__file__


def test_a_package_s_own_code_is_not_run_for_one_of_its_modules() -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "wsgiref"]:
        del sys.modules[name]
    with _without_package_code("wsgiref"):
        from wsgiref.headers import Headers  # noqa: PLC0415 - that is what is tried
    assert "wsgiref" not in sys.modules
    assert Headers([]).items() == []
    with _without_package_code("json"):
        assert sys.modules["json"] is json
    assert sys.modules["json"] is json


# The hot path.


@pytest.mark.parametrize(("cache_size", "again", "most"), [(10, 2, 67), (10, 0, 43), (0, 0, 67)])
def test_what_is_off_is_not_called(cache_size: int, again: int, most: int) -> None:
    function = Watched(authorizer(FakeKeys(parsed_keys("RS256")), cache_size=cache_size))
    events = [rest_request_event(token({"jti": str(number)}, alg="RS256")) for number in range(3)]
    function(events[0])
    function(events[1])  # the second instance of a class compiles its constructor
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and "jwt_authorizer" in frame.f_code.co_filename:
            called.append(frame.f_code.co_qualname)

    sys.setprofile(note)
    try:
        function(events[again])
    finally:
        sys.setprofile(None)
    assert called.count("is_valid_signature") == (0 if cache_size and not again else 1)
    assert not {"check_revocation", "introspect", "introspect_jwt", "is_jwt"} & set(called)
    # A feature that is off adds no call. One more for everybody is a choice: measure it, and raise the number.
    assert len(called) <= most, called


def test_an_event_is_left_as_it_was() -> None:
    event = rest_request_event(token())
    before = deepcopy(event)
    Watched(authorizer())(event)
    assert event == before
