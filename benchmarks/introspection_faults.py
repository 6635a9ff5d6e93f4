"""An introspection endpoint that fails in every way, and what the whole function makes of opaque tokens meanwhile.

    python -m benchmarks.introspection_faults

Each failure lasts one cooldown, with a token that is remembered and one that is not in each of its seconds. The issuer
speaks TLS over a real socket, the client secret is in (moto's) Parameter Store, the clock is simulated. Ends with 1
when a promise was broken.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import boto3  # type: ignore[import-untyped]  # AWS ships no types
from moto import mock_aws

from benchmarks.workload import AUDIENCE, rest_event
from jwt_authorizer.function import create_function
from tests.integration.certificates import Authority
from tests.integration.hostile_server import NOT_FOUND, HostileServer, answer, answer_json, network_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    type Failure = tuple[str, Callable[[], AbstractContextManager[None]]]

PATH, SECRET = "/introspect", "/bench/introspection-secret"
TIMEOUT, COOLDOWN, SLACK = 0.5, 30, 1.5
START = 1_800_000_000.0
CONFIG = """
http_timeout_seconds = {timeout}
[[issuers]]
issuer = "{issuer}"
audience = ["{audience}"]
jwks = "{issuer}/keys"
introspection = "{issuer}{path}"
introspection_client_id = "bench"
introspection_secret = "ssm:{secret}"
"""


class _Context:
    function_name = "bench"
    function_version = "1"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:bench"
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    tenant_id = None


def failures(server: HostileServer, good: bytes, authority: Authority) -> Iterator[Failure]:
    """Name every way to fail, each ready to be entered."""
    ways = network_failures(good) | {
        "404": NOT_FOUND,
        "wrong secret": answer(b'{"error": "invalid_client"}', status="401 Unauthorized"),
        "active is a string": answer_json({"active": "true"}),
        "garbage": answer(b"<html>"),
    }
    for name, behavior in ways.items():
        yield name, partial(server.behaving, PATH, behavior)
    yield "connection refused", server.refusing
    yield "silent, no TLS", server.silent
    yield "another name's certificate", partial(server.presenting, authority.server_context("other.test"))
    yield "expired certificate", partial(server.presenting, authority.server_context("localhost", expired=True))


def ask(function: Callable[[object, object], object], token: str) -> str:
    """Send a token. Returns ``allowed``, ``refused`` or ``undecided``, which API Gateway answers with 500."""
    try:
        answered = json.dumps(function(rest_event(token), _Context()))
    except Exception as error:  # noqa: BLE001 - what Lambda's runtime would report
        return "refused" if str(error) == "Unauthorized" else "undecided"
    return "allowed" if '"Allow"' in answered else "refused"


def run(folder: Path) -> list[str]:
    """Live through all failures, print a table, and return the promises that were broken."""
    authority = Authority.create(folder)
    os.environ["SSL_CERT_FILE"] = os.fspath(authority.file)  # read by OpenSSL, not by us
    broken: list[str] = []
    print("| Failure | New tokens: allowed | refused | undecided | Questions | Worst wait |\n| --- |" + " ---: |" * 5)
    with HostileServer({}, authority.server_context("localhost")) as server:
        issuer = f"https://localhost:{server.port}"
        active = {"active": True, "sub": "user-1", "iss": issuer, "aud": AUDIENCE, "exp": START + 86_400 * 30}
        server.behaviors |= {PATH: answer_json(active), "/keys": answer_json({"keys": []})}
        config = CONFIG.format(timeout=TIMEOUT, issuer=issuer, audience=AUDIENCE, path=PATH, secret=SECRET)
        for name, failing in failures(server, json.dumps(active).encode(), authority):
            now = START
            function = create_function({"JWT_CONFIG": config}, write=lambda _: None, clock=lambda: now)  # noqa: B023 - called here
            if ask(function, "known") != "allowed":
                broken.append(f"{name}: a good token is allowed before")
            counts = {"allowed": 0, "refused": 0, "undecided": 0}
            known, worst, before = True, 0.0, server.asked.count(PATH)
            with failing():
                for second in range(COOLDOWN):
                    now = START + second
                    began = time.perf_counter()
                    counts[ask(function, f"new-{second}")] += 1
                    worst = max(worst, time.perf_counter() - began)
                    known = known and ask(function, "known") == "allowed"
            questions = server.asked.count(PATH) - before
            now = START + 2 * COOLDOWN
            promises = {
                "what is not answered is never decided": counts["undecided"] == COOLDOWN,
                "a remembered token is allowed": known,
                "nobody waits longer than the timeout": worst < TIMEOUT + SLACK,
                "one question in a cooldown": questions <= 2,  # noqa: PLR2004 - one more for a secret that was read anew
                "it heals": ask(function, "new") == "allowed",
            }
            broken += [f"{name}: {promise}" for promise, held in promises.items() if not held]
            print(
                f"| {name} | {' | '.join(map(str, counts.values()))} | {questions} | {worst * 1e3:.0f} ms |", flush=True
            )
    return broken


def main() -> int:
    """Run from the command line."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}
    with tempfile.TemporaryDirectory() as folder, mock_aws():
        boto3.client("ssm").put_parameter(Name=SECRET, Value="s3cret", Type="SecureString")
        broken = run(Path(folder))
    for promise in broken:
        print(f"BROKEN: {promise}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
