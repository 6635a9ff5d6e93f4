"""What the HTTPS client does beside failing: TLS, one connection for a fetch, and POST. Real sockets, real TLS.

How a fetch fails: ``test_jwks_faults.py``.
"""

import json
import os
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.prefetch import Prefetch
from jwt_authorizer.issuers.session import Session
from jwt_authorizer.issuers.sources import key_fetcher
from tests.factories import signing_key
from tests.integration.certificates import Authority
from tests.integration.hostile_server import (
    DISCOVERY,
    HOST,
    ISSUER,
    PATIENT,
    SLACK,
    TIMEOUT,
    Exchange,
    HostileServer,
    answer_json,
    network_failures,
)

METADATA = answer_json({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
KEY_SET = answer_json({"keys": [signing_key("ES256").public_jwk(kid="a")]})
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Basic eDp5"}


@pytest.fixture
def server(authority: Authority) -> Iterator[HostileServer]:
    with HostileServer({DISCOVERY: METADATA, "/keys": KEY_SET}, authority.server_context(HOST)) as server:
        yield server


@pytest.fixture
def client(server: HostileServer, authority: Authority) -> HttpsClient:
    return authority.client(server.port)


def discovered(client: HttpsClient, timeout: float = PATIENT) -> str | None:
    fetch = key_fetcher(ISSUER, None, allow_http=False, timeout=timeout, package_root="", get=client.get)
    return fetch().value.keys[0].kid


def fetched(port: int) -> str | None:
    """Fetch as the deployed function does: by the system's resolver, with the system's authorities."""
    url = f"https://localhost:{port}/keys"
    return key_fetcher("x", url, allow_http=False, timeout=PATIENT, package_root="")().value.keys[0].kid


# TLS.


def test_a_name_that_only_the_common_name_has_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 9525 section 6.3: identities are in the subject alternative names."""
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=localhost"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)  # noqa: S603 - our own arguments
    monkeypatch.setenv("SSL_CERT_FILE", certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with HostileServer({"/keys": KEY_SET}, context) as server:
        with pytest.raises(FetchError, match=r"CERTIFICATE_VERIFY_FAILED.*ismatch"):
            fetched(server.port)
        assert server.asked == []


def test_authorities_are_looked_up_in_the_systems_hashed_folder(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["openssl", "x509", "-noout", "-subject_hash", "-in", os.fspath(authority.file)]
    named = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - our own arguments
    (tmp_path / f"{named}.0").write_bytes(authority.file.read_bytes())
    (tmp_path / "empty").mkdir()
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with HostileServer({"/keys": KEY_SET}, authority.server_context("localhost")) as server:

        def fetch(*folders: Path) -> str | None:
            monkeypatch.setattr("jwt_authorizer.issuers.https.HASHED_FOLDERS", tuple(map(os.fspath, folders)))
            return fetched(server.port)

        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch()
        assert fetch(tmp_path / "absent", tmp_path / "empty", tmp_path) == "a"
        assert f"\r\nHost: localhost:{server.port}\r\n".encode() in server.requests[-1]
        (tmp_path / "empty" / "00000000.0").touch()
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch(tmp_path / "empty")
        monkeypatch.setenv("SSL_CERT_DIR", os.fspath(tmp_path))
        assert fetch(tmp_path / "empty") == "a"


# One connection.


@pytest.mark.parametrize("drop", [Exchange.reset, lambda _: None], ids=["reset", "closed"])
def test_a_kept_connection_that_the_server_ended_is_made_anew(
    server: HostileServer, client: HttpsClient, drop: Callable[[Exchange], None]
) -> None:
    def then_drop(exchange: Exchange) -> None:
        METADATA(exchange)
        exchange.receive()
        drop(exchange)

    server.behaviors[DISCOVERY] = then_drop
    assert discovered(client) == "a"
    assert server.asked == [DISCOVERY, "/keys"]


def test_discovery_and_keys_share_one_deadline_over_a_kept_connection_too(
    server: HostileServer, client: HttpsClient
) -> None:
    def then_wait(exchange: Exchange) -> None:
        exchange.pause(1)
        METADATA(exchange)
        exchange.receive()
        exchange.pause()

    server.behaviors[DISCOVERY] = then_wait
    began = time.monotonic()
    with pytest.raises(FetchError, match=f"^{ISSUER}/keys: no complete answer within 2 s$"):
        discovered(client, 2)
    assert 2 <= time.monotonic() - began < 3, "not half of it, and then all of it"


def test_a_fetch_that_fails_leaves_no_thread_behind(server: HostileServer, client: HttpsClient) -> None:
    server.behaviors["/keys"] = network_failures(b"{}")["slow drip"]
    before = set(threading.enumerate())
    with pytest.raises(FetchError, match="no complete answer"):
        discovered(client, TIMEOUT)
    left = {thread.name for thread in threading.enumerate() if thread not in before}
    assert all("(_serve)" in name for name in left), "the server's own"


# Asking ahead.


def asking_ahead(authority: Authority, port: int, url: str = ISSUER + DISCOVERY) -> HttpsClient:
    return authority.client(port, Prefetch(url, authority.client(port)))


def test_the_first_fetch_reads_the_response_that_was_asked_for_ahead_and_asks_for_keys_over_the_same_connection(
    server: HostileServer, authority: Authority
) -> None:
    asked, ended, requests = threading.Event(), threading.Event(), list[bytes]()

    def two_answers(exchange: Exchange) -> None:
        asked.set()
        METADATA(exchange)
        requests.append(exchange.receive())
        KEY_SET(exchange)
        requests.append(exchange.receive())
        ended.set()

    server.behaviors = {DISCOVERY: two_answers}
    client = asking_ahead(authority, server.port)
    assert asked.wait(PATIENT), "before anybody fetches"
    assert discovered(client) == "a"
    assert (server.connections, server.asked) == (1, [DISCOVERY])
    assert ended.wait(PATIENT), "it is closed after the fetch"
    assert [request.partition(b" HTTP")[0] for request in requests] == [b"GET /keys", b""]
    server.behaviors = {DISCOVERY: METADATA, "/keys": KEY_SET}
    assert discovered(client) == "a", "the next one asks by itself"


def test_no_other_request_gets_it(server: HostileServer, authority: Authority) -> None:
    server.behaviors["/keys?a=b"] = answer_json({})
    client = asking_ahead(authority, server.port, f"{ISSUER}/keys?a=b")
    with Session(PATIENT) as session:
        assert client.get(f"{ISSUER}/keys", session).body != b"{}"
        client.post(f"{ISSUER}/keys?a=b", session, b"a=b", FORM)
    with Session(PATIENT) as session:
        assert client.get(f"{ISSUER}/keys?a=b", session).body == b"{}"
    assert server.connections == 3, "the one that was made ahead, and one for each of the others"


def test_a_request_that_was_lost_is_sent_again(server: HostileServer, authority: Authority) -> None:
    asked = threading.Event()

    def then_drop(exchange: Exchange) -> None:
        exchange.reset()
        asked.set()

    server.behaviors = {DISCOVERY: then_drop, "/keys": KEY_SET}
    client = asking_ahead(authority, server.port)
    assert asked.wait(PATIENT)
    server.behaviors[DISCOVERY] = METADATA
    assert discovered(client) == "a"


OUTAGES: dict[str, Callable[[HostileServer, Authority], AbstractContextManager[object]]] = {
    "Connection refused": lambda server, _: server.refusing(),
    f"no complete answer within {TIMEOUT:g} s": lambda server, _: server.silent(),
    "CERTIFICATE_VERIFY_FAILED": lambda server, authority: server.presenting(authority.server_context("another.test")),
}


@pytest.mark.parametrize("said", OUTAGES)
def test_what_fails_ahead_is_tried_once_more_within_the_fetch_s_own_deadline(
    server: HostileServer, authority: Authority, said: str
) -> None:
    with OUTAGES[said](server, authority):
        client = asking_ahead(authority, server.port)
        started = time.monotonic()
        with pytest.raises(FetchError, match=said):
            discovered(client, TIMEOUT)
        assert time.monotonic() - started < TIMEOUT + SLACK
    assert discovered(client) == "a"


# POST.


def test_a_post_sends_its_body_and_headers(server: HostileServer, client: HttpsClient) -> None:
    server.behaviors["/introspect"] = answer_json({"active": True})
    with Session(PATIENT) as session:
        response = client.post(f"{ISSUER}/introspect", session, b"token=a", FORM)
    assert json.loads(response.body) == {"active": True}
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /introspect HTTP/1.1\r\nHost: issuer.test\r\n")
    lines = set(head.split(b"\r\n"))
    assert lines >= {b"Authorization: Basic eDp5", b"Content-Length: 7", b"Accept-Encoding: identity"}
    assert any(line.startswith(b"User-Agent: jwt-authorizer/") for line in lines)
    assert body == b"token=a"


@pytest.mark.parametrize("failure", ["reset at once", "closed at once", "slow drip", "redirect to https", "500"])
def test_a_post_that_fails_is_not_sent_again_and_not_repeated_in_errors(
    server: HostileServer, client: HttpsClient, failure: str
) -> None:
    def then_drop(exchange: Exchange) -> None:
        METADATA(exchange)
        assert exchange.receive() == b"", "a POST needs a connection that cannot have been closed"

    server.behaviors |= {DISCOVERY: then_drop, "/introspect": network_failures(b"{}")[failure]}
    with Session(TIMEOUT if failure == "slow drip" else PATIENT) as session:
        client.get(f"{ISSUER}{DISCOVERY}", session)
        try:
            assert client.post(f"{ISSUER}/introspect", session, b"token=secret", FORM).status == 500
        except FetchError as error:
            assert "secret" not in str(error)  # noqa: PT017 - either outcome is right
    assert server.asked == [DISCOVERY, "/introspect"]


def test_a_header_cannot_hold_another_one(server: HostileServer, client: HttpsClient) -> None:
    with pytest.raises(FetchError, match="control character"), Session(PATIENT) as session:
        client.post(f"{ISSUER}/introspect", session, b"", {"Authorization": "x\r\nX: y"})
    assert server.asked == []
