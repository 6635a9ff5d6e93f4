"""An issuer that fails in every way, over real sockets and real TLS: what its tokens' holders notice.

The wall clock is an argument, so that hours pass at once. What is timed is real.
"""

from __future__ import annotations

import contextlib
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

import pytest

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.issuers.sources import key_fetcher
from jwt_authorizer.keys import KeySet
from tests.factories import signing_key
from tests.integration.certificates import Authority
from tests.integration.hostile_server import (
    CHUNKED,
    DISCOVERY,
    HEAD,
    HOST,
    ISSUER,
    NOT_FOUND,
    PATIENT,
    SLACK,
    TIMEOUT,
    Exchange,
    HostileServer,
    answer,
    answer_json,
    deaf_port,
    network_failures,
    raw,
    refused_port,
    then_hang,
)

if TYPE_CHECKING:
    from jwt_authorizer.issuers.https import SocketAddress

TTL, MAX_STALE, COOLDOWN = 600, 3600, 30
START = 1_700_000_000.0
JWKS = "/keys"
KEY_SET = {"keys": [signing_key().public_jwk(kid="a")]}
ROTATED = {"keys": [signing_key().public_jwk(kid="b")]}
METADATA = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}{JWKS}"}
GOOD = {DISCOVERY: json.dumps(METADATA).encode(), JWKS: json.dumps(KEY_SET).encode()}


class Issuer:
    """An issuer on this machine, and a source of its keys that resolves its name to here."""

    def __init__(self, server: HostileServer, authority: Authority) -> None:
        self.server = server
        self.port = server.port
        self.timeout = PATIENT
        self.reports: list[tuple[str, str]] = []
        context = authority.client_context()
        self._https = HttpsClient(resolve=self._resolve, context=lambda: context)
        self.keys = CachedKeySource(
            self._fetch,
            Ages(TTL, MAX_STALE, COOLDOWN),
            lambda metric, detail: self.reports.append((metric, detail)),
            jitter=lambda: 0.0,
            monotonic=lambda: 0.0,
        )

    def _resolve(self, host: str, _port: int) -> list[SocketAddress]:
        assert host == HOST
        return [(socket.AF_INET, ("127.0.0.1", self.port))]

    def _fetch(self) -> Fetched[KeySet]:
        get = self._https.get
        return key_fetcher(ISSUER, None, allow_http=False, timeout=self.timeout, package_root="", get=get)()

    @contextlib.contextmanager
    def moved(self, port: int) -> Iterator[None]:
        """Lead the issuer's name to another port meanwhile."""
        usual, self.port = self.port, port
        yield
        self.port = usual

    def failures(self) -> list[str]:
        return [detail for metric, detail in self.reports if metric == "JwksFetchFailures"]

    def kid(self, kid: str, now: float) -> str | None:
        return self.keys.candidates("ES256", kid, now)[0].kid

    def outlives(self, outage: AbstractContextManager[None], timeout: float = PATIENT) -> str:
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
            assert caught.value.code == Reason.KEYS_UNAVAILABLE
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


@pytest.mark.parametrize(
    "key_set",
    [{}, {"keys": {}}, {"keys": []}, {"keys": [{"kty": "oct", "k": "AA"}]}, {"keys": ["a"]}, "keys", None],
    ids=json.dumps,
)
def test_an_outage_by_a_key_set_without_usable_keys(issuer: Issuer, key_set: object) -> None:
    assert "key" in issuer.outlives(issuer.server.behaving(JWKS, answer_json(key_set)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"issuer": "https://other.test"}, "another issuer: 'https://other.test'"),
        ({"issuer": None}, "another issuer"),
        ({"issuer": "https://login.test/{tenantid}/v2.0"}, "has to name one tenant"),
        ({"issuer": "x\r\n\x1b[31m"}, "another issuer"),
        ({"jwks_uri": None}, "no jwks_uri"),
        ({"jwks_uri": f"http://{HOST}{JWKS}"}, "a jwks_uri that is not https://"),
        ({"jwks_uri": f"https://user:secret@{HOST}{JWKS}"}, "not an absolute https:// URL"),
    ],
    ids=str,
)
def test_an_outage_by_a_discovery_document_that_is_wrong(issuer: Issuer, change: dict[str, object], said: str) -> None:
    assert said in issuer.outlives(issuer.server.behaving(DISCOVERY, answer_json(METADATA | change)))


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
    ("kind", "said"),
    [("unknown authority", "unable to get local issuer"), ("another name", "mismatch"), ("expired", "expired")],
)
def test_an_outage_by_a_bad_certificate(
    issuer: Issuer, authority: Authority, tmp_path: Path, kind: str, said: str
) -> None:
    context = {
        "unknown authority": lambda: Authority(tmp_path).server_context(HOST),
        "another name": lambda: authority.server_context("elsewhere.test"),
        "expired": lambda: authority.server_context(HOST, expired=True),
    }[kind]()
    message = issuer.outlives(issuer.server.presenting(context))
    assert issuer.server.asked == [DISCOVERY, JWKS] * 2, "before and after"
    assert said in message
    assert "CERTIFICATE_VERIFY_FAILED" in message


def test_a_cold_start_in_an_outage_starts_and_heals(issuer: Issuer) -> None:
    issuer.timeout = TIMEOUT
    with issuer.server.behaving(JWKS, network_failures(b"{}")["hang before the answer"]):
        issuer.keys.warm(START)
        with pytest.raises(DecisionError) as caught:
            issuer.kid("a", START + 1)
        assert caught.value.code == Reason.KEYS_UNAVAILABLE
        assert len(issuer.failures()) == 1, "the request did not wait"
    issuer.timeout = PATIENT
    assert issuer.kid("a", START + COOLDOWN) == "a"


def test_discovery_and_keys_share_one_deadline(issuer: Issuer) -> None:
    issuer.timeout = 2

    def late(exchange: Exchange) -> None:
        exchange.pause(issuer.timeout / 2)
        answer(GOOD[DISCOVERY])(exchange)

    issuer.server.behaviors |= {DISCOVERY: late, JWKS: then_hang()}
    began = time.monotonic()
    issuer.keys.warm(START)
    assert 2 <= time.monotonic() - began < 3, "not half of it, and then all of it"
    assert issuer.failures() == [f"{ISSUER}{JWKS}: no complete answer within 2 s"]


def test_redirects_are_not_followed(issuer: Issuer) -> None:
    issuer.server.behaviors["/elsewhere"] = answer(GOOD[JWKS])
    issuer.server.behaviors[JWKS] = answer(b"", f"Location: {ISSUER}/elsewhere?secret=1", status="302 Found")
    issuer.keys.warm(START)
    assert issuer.server.asked == [DISCOVERY, JWKS]
    assert issuer.failures() == [
        f"{ISSUER}{JWKS} redirects (302) to {ISSUER}/elsewhere, and redirects are not followed"
    ]


def test_what_a_server_may_do_and_still_be_understood(issuer: Issuer) -> None:
    good = GOOD[JWKS]
    half = len(good) // 2
    sizes = f"{half:x}".encode(), f"{len(good) - half:X}".encode()
    pieces = sizes[0] + b"\r\n" + good[:half] + b"\r\n" + sizes[1] + b" ;x=y\r\n" + good[half:]
    fine = {
        "chunks": CHUNKED + pieces + b"\r\n0\r\n\r\n",
        "up to the end of the connection": HEAD + b"\r\n" + good,
        "bare line feeds": b"HTTP/1.1 200\nX: y\n\n" + good,
        "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n" + good,
        "early hints first": b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + HEAD + b"\r\n" + good,
        "identity": HEAD + b"Content-Encoding: Identity\r\n\r\n" + good,
        "byte by byte": HEAD + b"\r\n" + good,
    }
    now = START
    for name, response in fine.items():
        one_by_one = [bytes([byte]) for byte in response]
        issuer.server.behaviors[JWKS] = raw(*(one_by_one if name == "byte by byte" else [response]))
        now += TTL
        assert issuer.kid("a", now) == "a"
        assert issuer.failures() == [], name


def test_what_the_request_says(issuer: Issuer) -> None:
    issuer.keys.warm(START)
    first, second = issuer.server.requests
    assert first.startswith(b"GET /.well-known/openid-configuration HTTP/1.1\r\nHost: issuer.test\r\n")
    assert second.startswith(b"GET /keys HTTP/1.1\r\n")
    assert b"\r\nAccept-Encoding: identity\r\n" in second
    assert b"\r\nUser-Agent: jwt-authorizer/" in second


def test_proxies_of_the_environment_are_not_used(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refused_port()}")
    assert issuer.kid("a", START) == "a"


def test_rfc_8414_metadata_is_found_where_openid_has_none(authority: Authority) -> None:
    name = f"https://{HOST}/tenant/1"
    behaviors = {
        "/.well-known/oauth-authorization-server/tenant/1": answer_json(
            {"issuer": name, "jwks_uri": f"https://{HOST}/keys?v=1"}
        ),
        "/keys?v=1": answer_json(KEY_SET, "Cache-Control: public, max-age=300"),
    }
    with HostileServer(behaviors, authority.server_context(HOST)) as server:
        client = authority.client(server.port)
        fetched = key_fetcher(name, None, allow_http=False, timeout=PATIENT, package_root="", get=client.get)()
        assert fetched.max_age == 300
        assert [key.kid for key in fetched.value.keys] == ["a"]
        assert server.asked == [f"/tenant/1{DISCOVERY}", *behaviors]


def test_the_first_address_that_answers_is_used(authority: Authority) -> None:
    with (
        HostileServer({"/": answer(b"hello")}, authority.server_context(HOST)) as server,
        deaf_port() as deaf,
    ):
        addresses: list[SocketAddress] = [
            (9999, ("127.0.0.1", server.port)),
            (socket.AF_INET, ("127.0.0.1", refused_port())),
            (socket.AF_INET, ("127.0.0.1", deaf)),
            (socket.AF_INET, ("127.0.0.1", server.port)),
        ]
        client = HttpsClient(resolve=lambda _host, _port: addresses, context=authority.client_context)
        with Session(2) as session:
            assert client.get(ISSUER, session).body == b"hello"


def test_a_resolver_that_hangs_is_not_waited_for() -> None:
    released = threading.Event()

    def resolve(_host: str, _port: int) -> list[SocketAddress]:
        released.wait(PATIENT)
        return []

    get = HttpsClient(resolve=resolve).get
    fetch = key_fetcher(ISSUER, None, allow_http=False, timeout=TIMEOUT, package_root="", get=get)
    began = time.monotonic()
    with pytest.raises(Exception, match="did not resolve in time"):
        fetch()
    assert time.monotonic() - began < TIMEOUT + SLACK
    released.set()


def test_http_is_for_those_who_allow_it() -> None:
    with HostileServer({"/keys": answer_json(KEY_SET)}) as server:
        url = f"http://127.0.0.1:{server.port}/keys"
        with pytest.raises(ValueError, match="JWT_ALLOW_HTTP"):
            key_fetcher("x", url, allow_http=False, timeout=5, package_root="")
        fetch = key_fetcher("x", url, allow_http=True, timeout=5, package_root="")
        assert fetch().value.keys[0].kid == "a"
        assert server.requests[0].startswith(f"GET /keys HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n".encode())


# The long run of ``benchmarks/faults.py`` with each fourth failure: its promises hold, and its report says so.


@pytest.mark.timeout(120)
def test_no_good_token_is_turned_away_and_no_bad_one_let_in_while_an_issuer_fails_in_every_way() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--of", "keys", "--requests", "1500", "--every", "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "| Good tokens refused (401 or 403) | 0 |" in run.stdout
    assert "| Bad tokens let in | 0 |" in run.stdout
