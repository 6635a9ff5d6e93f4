"""The GET's edges that need no server. What servers do to it: ``tests/integration/test_jwks_faults.py``."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.issuers import FetchError, HttpsClient
from jwt_authorizer.issuers.https import system_context
from jwt_authorizer.issuers.session import Session

if TYPE_CHECKING:
    from jwt_authorizer.issuers.https import SocketAddress


def failure(client: HttpsClient, url: str = "https://issuer.test/keys") -> str:
    with pytest.raises(FetchError) as caught:
        client.get(url, Session(5))
    return str(caught.value)


@pytest.mark.parametrize("url", ["http://issuer.test/", "https://issuer.test/\r\nX: y", "keys"])
def test_a_url_that_is_none_is_not_asked(url: str) -> None:
    def resolve(_host: str, _port: int) -> list[SocketAddress]:
        pytest.fail("nobody is to be asked")

    message = failure(HttpsClient(resolve=resolve), url)
    assert " is not " in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
def test_a_name_that_does_not_resolve(error: Exception, said: str) -> None:
    def resolve(_host: str, _port: int) -> list[SocketAddress]:
        raise error

    message = failure(HttpsClient(resolve=resolve))
    assert message.startswith("https://issuer.test/keys: the name does not resolve: ")
    assert said in message


def test_a_name_without_an_address() -> None:
    assert failure(HttpsClient(resolve=lambda _host, _port: [])) == "https://issuer.test/keys: the name has no address"


def test_an_error_without_a_text_is_named_by_its_kind() -> None:
    def context() -> ssl.SSLContext:
        raise ConnectionAbortedError

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = HttpsClient(resolve=lambda _host, _port: [(socket.AF_INET, listener.getsockname())], context=context)
        assert failure(client) == "https://issuer.test/keys: ConnectionAbortedError"


def test_the_systems_context_checks_names_and_speaks_tls_1_2_or_later() -> None:
    context = system_context()
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
