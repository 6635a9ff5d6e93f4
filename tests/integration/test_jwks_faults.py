"""An issuer that fails in every way, over real sockets and real TLS: what its tokens' holders notice.

The wall clock is an argument, so that hours pass at once. What is timed is real.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer.keys import KeySet
from tests.factories import signing_key
from tests.integration.certificates import Authority
from tests.integration.hostile_server import (
    DISCOVERY,
    HOST,
    ISSUER,
    NOT_FOUND,
    PATIENT,
    SLACK,
    TIMEOUT,
    HostileServer,
    answer,
    answer_json,
    deaf_port,
    network_failures,
)
from tests.sources import COOLDOWN, MAX_STALE, START, TTL, Reports

if TYPE_CHECKING:
    from jwt_authorizer.issuers.https import SocketAddress

JWKS = "/keys"
KEY_SET = {"keys": [signing_key().public_jwk(kid="a")]}
ROTATED = {"keys": [signing_key().public_jwk(kid="b")]}
METADATA = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}{JWKS}"}
GOOD = {DISCOVERY: json.dumps(METADATA).encode(), JWKS: json.dumps(KEY_SET).encode()}


class Issuer:
    """An issuer on this machine, and a source of its keys that resolves its name to here."""

    def __init__(self, server: HostileServer, authority: Authority) -> None:
        self.server, self.authority = server, authority
        self.port, self.timeout = server.port, PATIENT
        self.reports = Reports()
        ages = Ages(TTL, MAX_STALE, COOLDOWN)
        self.keys = CachedKeySource(self._fetch, ages, self.reports, jitter=lambda: 0.0, monotonic=lambda: 0.0)

    def _fetch(self) -> Fetched[KeySet]:
        get = self.authority.client(self.port).get
        return key_fetcher(ISSUER, None, allow_http=False, timeout=self.timeout, package_root="", get=get)()

    def moved(self, port: int) -> AbstractContextManager[object]:
        """Lead the issuer's name to another port meanwhile."""
        return patch.object(self, "port", new=port)

    def failures(self) -> list[str]:
        return [detail for metric, detail in self.reports.lines if metric == "JwksFetchFailures"]

    def kid(self, kid: str, now: float) -> str | None:
        return self.keys.candidates("ES256", kid, now)[0].kid

    def outlives(self, outage: AbstractContextManager[object], timeout: float = PATIENT) -> str:
        """Check what is promised for an outage. Return what the failure was called."""
        assert self.kid("a", START) == "a"
        self.timeout = timeout
        with outage:
            began = time.monotonic()
            assert self.kid("a", START + TTL) == "a", "the last good keys serve"
            assert time.monotonic() - began < TIMEOUT + SLACK, "the first request waits no longer than the timeout"
            for second in range(COOLDOWN):
                assert self.kid("a", START + TTL + second) == "a"
            assert len(self.failures()) == 1, "the following ones do not wait"
            with pytest.raises(DecisionError) as caught:
                self.kid("a", START + TTL + MAX_STALE)
            assert caught.value.code == ErrorCode.KEYS_UNAVAILABLE
            assert len(self.failures()) == 2
        self.timeout = PATIENT
        self.server.behaviors[JWKS] = answer_json(ROTATED)
        assert self.kid("b", START + TTL + MAX_STALE + COOLDOWN) == "b", "it heals by itself"
        message = self.failures()[0]
        assert message.isprintable()
        assert HOST in message
        return message


@pytest.fixture
def issuer(authority: Authority) -> Iterator[Issuer]:
    behaviors = {path: answer(document) for path, document in GOOD.items()}
    with HostileServer(behaviors, authority.server_context(HOST)) as server:
        yield Issuer(server, authority)


FAILURES = (*network_failures(b"{}"), "404")
# Both documents come by the same client, so discovery needs one failure of each sort.
OF_DISCOVERY = (
    "404",
    "503",
    "reset within the body",
    "slow drip",
    "body over the limit",
    "not JSON",
    "redirect to http",
)


@pytest.mark.parametrize(
    ("where", "failure"),
    [*((JWKS, failure) for failure in FAILURES), *((DISCOVERY, failure) for failure in OF_DISCOVERY)],
)
def test_an_outage(issuer: Issuer, where: str, failure: str) -> None:
    behavior = (network_failures(GOOD[where]) | {"404": NOT_FOUND})[failure]
    timeout = TIMEOUT if "hang" in failure or "drip" in failure else PATIENT
    message = issuer.outlives(issuer.server.behaving(where, behavior), timeout)
    if failure.isdigit():
        assert failure in message
    if timeout == TIMEOUT:
        assert f"no complete answer within {TIMEOUT:g} s" in message
    if "redirect" in failure:
        assert "redirects are not followed" in message
        assert "secret" not in message


def test_an_outage_by_a_refused_connection(issuer: Issuer) -> None:
    assert "refused" in issuer.outlives(issuer.server.refusing())


def test_an_outage_by_a_hang_in_the_tls_handshake(issuer: Issuer) -> None:
    assert f"no complete answer within {TIMEOUT:g} s" in issuer.outlives(issuer.server.silent(), TIMEOUT)


def test_an_outage_by_a_hang_while_connecting(issuer: Issuer) -> None:
    with deaf_port() as port:
        assert f"no complete answer within {TIMEOUT:g} s" in issuer.outlives(issuer.moved(port), TIMEOUT)


def test_an_outage_by_a_server_without_tls(issuer: Issuer) -> None:
    with HostileServer({DISCOVERY: answer(GOOD[DISCOVERY])}) as plain:
        issuer.outlives(issuer.moved(plain.port), TIMEOUT)
        assert plain.asked == []


@pytest.mark.parametrize(
    ("known", "host", "expired", "said"),
    [
        (False, HOST, False, "unable to get local issuer"),
        (True, "elsewhere.test", False, "mismatch"),
        (True, HOST, True, "certificate has expired"),
    ],
)
def test_an_outage_by_a_bad_certificate(  # noqa: PLR0913 - a fixture and what certificates differ in
    issuer: Issuer, tmp_path: Path, *, known: bool, host: str, expired: bool, said: str
) -> None:
    authority = issuer.authority if known else Authority(tmp_path)
    message = issuer.outlives(issuer.server.presenting(authority.server_context(host, expired=expired)))
    assert issuer.server.asked == [DISCOVERY, JWKS] * 2, "before and after"
    assert "CERTIFICATE_VERIFY_FAILED] certificate verify failed: " in message
    assert said in message


def test_proxies_of_the_environment_are_not_used(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert issuer.kid("a", START) == "a"


def test_the_first_address_that_answers_is_used(authority: Authority) -> None:
    with (
        HostileServer({"/": answer(b"hello")}, authority.server_context(HOST)) as server,
        deaf_port() as deaf,
    ):
        addresses: list[SocketAddress] = [
            (9999, ("127.0.0.1", server.port)),
            (socket.AF_INET, ("127.0.0.1", 9)),
            (socket.AF_INET, ("127.0.0.1", deaf)),
            (socket.AF_INET, ("127.0.0.1", server.port)),
        ]
        client = HttpsClient(resolve=lambda _host, _port: addresses, context=authority.client_context)
        with Session(2) as session:
            assert client.get(ISSUER, session).body == b"hello"


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    released = threading.Event()
    client = HttpsClient(resolve=lambda _host, _port: [(released.wait(PATIENT), "")])
    began = time.monotonic()
    with pytest.raises(FetchError, match="did not resolve in time"):
        client.get(ISSUER, Session(TIMEOUT))
    assert time.monotonic() - began < TIMEOUT + SLACK
    released.set()


# The long run of ``benchmarks/faults.py`` with each fourth failure: its promises hold, and its report says so.


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("of", "requests", "good", "bad"),
    [
        ("keys", 1500, "Good tokens rejected (401 or 403)", "Bad tokens accepted"),
        ("introspection", 1000, "Active tokens rejected (401 or 403)", "Inactive or bad tokens accepted"),
    ],
)
def test_no_good_token_is_rejected_and_no_bad_one_accepted_while_an_issuer_fails_in_every_way(
    of: str, requests: int, good: str, bad: str
) -> None:
    run = subprocess.run(  # noqa: S603 - our own arguments
        [sys.executable, "-m", "benchmarks.faults", "--of", of, "--requests", str(requests), "--every", "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"| {good} | 0 |" in run.stdout
    assert f"| {bad} | 0 |" in run.stdout
