"""From an issuer's name to the address of its keys. What can go wrong on the wire: ``test_issuers_faults.py``."""

from __future__ import annotations

import json
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.issuers import FetchError, HttpsClient
from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.discovery import discover, discovery_urls
from jwt_authorizer.issuers.https import system_context
from jwt_authorizer.issuers.session import Response, Session

if TYPE_CHECKING:
    from jwt_authorizer.issuers.https import SocketAddress


@pytest.mark.parametrize(
    ("issuer", "openid", "rfc_8414"),
    [
        (
            "https://a.example",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.example/",
            "https://a.example/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server",
        ),
        (
            "https://a.example:8443/realms/x",
            "https://a.example:8443/realms/x/.well-known/openid-configuration",
            "https://a.example:8443/.well-known/oauth-authorization-server/realms/x",
        ),
        (
            "https://a.example/realms/x/",
            "https://a.example/realms/x/.well-known/openid-configuration",
            "https://a.example/.well-known/oauth-authorization-server/realms/x",
        ),
    ],
)
def test_where_the_document_may_be(issuer: str, openid: str, rfc_8414: str) -> None:
    assert discovery_urls(issuer, allow_http=False) == (openid, rfc_8414)


@pytest.mark.parametrize("issuer", ["a.example", "http://a.example", "https://a.example/?tenant=1"])
def test_issuers_that_cannot_be_discovered(issuer: str) -> None:
    with pytest.raises(ValueError, match=r"not|with a query"):
        discovery_urls(issuer, allow_http=False)


def ask(answers: dict[str, Response], issuer: str = "https://a.example/x") -> tuple[str, list[str]]:
    asked: list[str] = []

    def get(url: str, _session: Session) -> Response:
        asked.append(url)
        return answers.get(url, Response(404, {}, b""))

    return discover(issuer, get, Session(5), allow_http=False), asked


def document(issuer: str = "https://a.example/x", jwks_uri: str = "https://keys.example/") -> Response:
    return Response(200, {}, json.dumps({"issuer": issuer, "jwks_uri": jwks_uri}).encode())


def test_openids_place_comes_first() -> None:
    openid, rfc_8414 = discovery_urls("https://a.example/x", allow_http=False)
    assert ask({openid: document(), rfc_8414: document()}) == ("https://keys.example/", [openid])


def test_rfc_8414s_place_is_asked_only_where_openids_is_404() -> None:
    openid, rfc_8414 = discovery_urls("https://a.example/x", allow_http=False)
    assert ask({rfc_8414: document()}) == ("https://keys.example/", [openid, rfc_8414])
    with pytest.raises(FetchError, match="openid-configuration answered 500"):
        ask({openid: Response(500, {}, b""), rfc_8414: document()})


@pytest.mark.parametrize("uri", ["http://keys.example/", "file:///etc/passwd", "/keys", "https://me:pw@keys.example/"])
def test_a_jwks_uri_is_an_https_url(uri: str) -> None:
    openid, _ = discovery_urls("https://a.example/x", allow_http=False)
    with pytest.raises(FetchError, match="jwks_uri"):
        ask({openid: document(jwks_uri=uri)})


def test_neither_place_has_it() -> None:
    with pytest.raises(FetchError, match=r"openid-configuration nor at .*authorization-server/x \(404\): set JWT_JWKS"):
        ask({})


def test_the_trailing_slash_is_part_of_the_issuers_name() -> None:
    openid, _ = discovery_urls("https://a.example/x", allow_http=False)
    assert ask({openid: document("https://a.example/x/")}, "https://a.example/x/")[0] == "https://keys.example/"
    with pytest.raises(FetchError, match="another issuer"):
        ask({openid: document("https://a.example/x/")})


# URLs that keys may come from, and the many that they may not.


@pytest.mark.parametrize(
    ("url", "endpoint", "authority", "target"),
    [
        ("https://a.example", ("a.example", 443), "a.example", ""),
        ("https://a.example/", ("a.example", 443), "a.example", "/"),
        ("https://a.example/b/c?d=e&f=/?", ("a.example", 443), "a.example", "/b/c?d=e&f=/?"),
        ("https://a.example?d", ("a.example", 443), "a.example", "?d"),
        ("https://a.example:8443/x", ("a.example", 8443), "a.example:8443", "/x"),
        ("https://a.example./x", ("a.example.", 443), "a.example.", "/x"),
        ("https://[::1]:8443/x", ("::1", 8443), "[::1]:8443", "/x"),
        ("https://127.0.0.1/x", ("127.0.0.1", 443), "127.0.0.1", "/x"),
        ("http://localhost/x", ("localhost", 80), "localhost", "/x"),
    ],
)
def test_taken_apart(url: str, endpoint: tuple[str, int], authority: str, target: str) -> None:
    address = parse_address(url, allow_http=True)
    assert (address.host, address.port) == endpoint
    assert address.origin == f"{'https' if address.secure else 'http'}://{authority}"
    assert address.path + address.query == target


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "//a.example",
        "https:/a.example",
        "https://",
        "https:///x",
        "HTTPS://a.example",
        "ftp://a.example",
        "file:///etc/passwd",
        "https://user@a.example/",
        "https://user:password@a.example/",
        "https://a.example\\@b.example/",
        "https://a.example/#fragment",
        "https://a.example/?x#fragment",
        "https://a.example/with space",
        "https://a.example/\r\nHost: b.example",
        "https://a.example/\n",
        "https://a.example/\x00",
        "https://ä.example/",
        "https://a.example/ä",
        "https://a.example:/x",
        "https://a.example:port/",
        "https://a.example:123456/",
        "https://-a.example/",
        "https://[::1/",
        "https://::1/",
        " https://a.example/",
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an absolute https:// URL"):
        parse_address(url, allow_http=True)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_ports_that_do_not_exist(port: str) -> None:
    with pytest.raises(ValueError, match=f"port {port}, which does not exist"):
        parse_address(f"https://a.example:{port}/", allow_http=True)


def test_http_only_where_allowed() -> None:
    assert not parse_address("http://a.example/", allow_http=True).secure
    with pytest.raises(ValueError, match="JWT_ALLOW_HTTP"):
        parse_address("http://a.example/", allow_http=False)


def test_the_query_is_not_shown() -> None:
    assert str(parse_address("https://a.example:1/b?key=secret", allow_http=False)) == "https://a.example:1/b"


# The GET's edges that need no server. What servers do to it: ``tests/integration/test_jwks_faults.py``.


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
