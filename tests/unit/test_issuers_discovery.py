"""From an issuer's name to the address of its keys. What can go wrong on the wire: ``test_jwks_faults.py``."""

from __future__ import annotations

import io
import json
import re
import socket
import ssl
import time
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwt_authorizer.issuers.address import discovery_urls, parse_address
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.https import HttpsClient, system_context
from jwt_authorizer.issuers.session import BODY_LIMIT, Response, Session
from jwt_authorizer.issuers.sources import discover

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


def ask(answers: dict[str, Response], issuer: str = "https://a.example/x") -> tuple[str, list[str]]:
    asked: list[str] = []

    def get(url: str, _session: Session) -> Response:
        asked.append(url)
        return answers.get(url, Response(404, {}, b""))

    return discover(issuer, get, Session(5), allow_http=False), asked


def document(issuer: str = "https://a.example/x", jwks_uri: str = "https://keys.example/") -> Response:
    return Response(200, {}, json.dumps({"issuer": issuer, "jwks_uri": jwks_uri}).encode())


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


@pytest.mark.parametrize("body", [b"[]", b"null", b'"https://keys.example/"'])
def test_a_document_is_an_object(body: bytes) -> None:
    openid, _ = discovery_urls("https://a.example/x", allow_http=False)
    with pytest.raises(FetchError, match="did not answer with a JSON object"):
        ask({openid: Response(200, {}, body)})


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


NOT_URLS = ["", "a.example", "//a.example", "https:/a.example", "https://", "https:///x", "HTTPS://a.example"]
NOT_URLS += ["ftp://a.example", "file:///etc/passwd", "https://user@a.example/", "https://user:password@a.example/"]
NOT_URLS += ["https://a.example\\@b.example/", "https://a.example/#fragment", "https://a.example/?x#fragment"]
NOT_URLS += ["https://a.example/with space", "https://a.example/\r\nHost: b.example", "https://a.example/\n"]
NOT_URLS += ["https://a.example/\x00", "https://ä.example/", "https://a.example/ä", "https://a.example:/x"]
NOT_URLS += ["https://a.example:port/", "https://a.example:123456/", "https://-a.example/", "https://[::1/"]
NOT_URLS += ["https://::1/", " https://a.example/"]


@pytest.mark.parametrize("url", NOT_URLS)
def test_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an absolute https:// URL"):
        parse_address(url, allow_http=True)


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_ports_that_do_not_exist(port: str) -> None:
    with pytest.raises(ValueError, match=f"port {port}, which does not exist"):
        parse_address(f"https://a.example:{port}/", allow_http=True)


# The edges of a GET that need no server. What servers do to it: ``tests/integration/test_jwks_faults.py``.


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


# ---------------------------------------------------------------------------------------------------------------
# What a response says about its age, and the pieces that no real server is needed for.


@dataclass
class Pieces:
    """A connection that hands out prepared pieces."""

    pieces: list[bytes]
    timeouts: list[float] = field(default_factory=list)
    sent: bytes = b""
    closed: bool = False

    def settimeout(self, seconds: float, /) -> None:
        self.timeouts.append(seconds)

    def sendall(self, data: bytes, /) -> None:
        self.sent += data

    def recv_into(self, buffer: memoryview, /) -> int:
        if not self.pieces:
            return 0
        piece, self.pieces[0] = self.pieces[0][: len(buffer)], self.pieces[0][len(buffer) :]
        if not self.pieces[0]:
            del self.pieces[0]
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self.closed = True


def ask_of_session(connection: Pieces, session: Session | None = None) -> Response:
    return (session or Session(60)).exchange(cast("socket.socket", connection), b"GET / HTTP/1.1\r\n\r\n")


def read(*pieces: bytes) -> Response:
    return ask_of_session(Pieces(list(pieces)))


@pytest.mark.parametrize(
    ("headers", "age"),
    [
        ({}, None),
        ({"cache-control": ""}, None),
        ({"cache-control": "public"}, None),
        ({"cache-control": "max-age=300"}, 300),
        ({"cache-control": "public,MAX-AGE=300 , must-revalidate"}, 300),
        ({"cache-control": 'max-age="300"'}, 300),
        ({"cache-control": "max-age=300", "age": "100"}, 200),
        ({"cache-control": "max-age=300", "age": "900"}, 0),
        ({"cache-control": "max-age=300", "age": "soon"}, 300),
        ({"cache-control": "max-age=-5"}, None),
        ({"cache-control": "max-age=1e9"}, None),
        ({"cache-control": "max-age=99999999999"}, None),
        ({"cache-control": "s-maxage=300"}, None),
        ({"cache-control": "no-store"}, 0),
        ({"cache-control": "max-age=300, no-cache"}, 0),
        ({"cache-control": "max-age=300, max-age=900"}, 300),
    ],
    ids=str,
)
def test_max_age(headers: dict[str, str], age: float | None) -> None:
    assert Response(200, headers, b"").max_age() == age


def test_a_header_full_of_white_space_is_read_in_the_time_of_its_length() -> None:
    line = b"a:b" + b" " * 60_000 + b"c"
    started = time.process_time()
    response = read(b"HTTP/1.1 404 Not Found\r\n" + line + b" \t\r\n\r\n")
    # If it took quadratic time, it would be seconds: longer than a fetch may take.
    assert time.process_time() - started < 1
    assert response.headers["a"] == "b" + " " * 60_000 + "c"


def test_the_body_of_a_refusal_is_not_read() -> None:
    connection = Pieces([b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n", b"later"])
    assert ask_of_session(connection) == Response(503, {"content-length": "5"}, b"")
    assert connection.pieces == [b"later"]
    assert connection.closed


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", False),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", False),
    ],
)
def test_a_connection_is_kept_where_the_response_has_an_end_and_the_server_agrees(answer: bytes, *, kept: bool) -> None:
    connection, session = Pieces([answer]), Session(60)
    with session:
        assert ask_of_session(connection, session).body == b"{}"
        assert connection.closed is not kept
        assert (session.connection is not None) is kept
    assert connection.closed


def test_the_largest_body_fits_and_the_next_does_not() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    body = b" " * BODY_LIMIT
    sized = head + b"Content-Length: %d\r\n\r\n"
    assert read(sized % BODY_LIMIT, body).body == body
    assert read(head + b"\r\n", body).body == body
    for too_much in (sized % (BODY_LIMIT + 1), head + b"\r\n"):
        with pytest.raises(FetchError, match=f"larger than {BODY_LIMIT} bytes"):
            read(too_much, body + b" ")


def test_each_wait_is_bounded_by_what_is_left_in_all() -> None:
    seconds = iter([0.0, 0.5, 1.0, 2.5, 4.0])
    connection = Pieces([b"HTTP/1.1 200 OK\r\n", b"\r\n", b"{}"])
    with pytest.raises(FetchError, match="no complete answer within 3 s"):
        ask_of_session(connection, Session(3, clock=lambda: next(seconds)))
    assert connection.timeouts == [2.5, 2.0, 0.5]


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LINES = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK",
            b"HTTP/1.0 200",
            b"HTTP/1.1 103 Early Hints",
            b"Content-Length: 5",
            b"Transfer-Encoding: chunked",
            b"Connection: close",
            b"A-b: \t c",
            b"",
            b"5",
            b"5;x=y",
            b"{}   ",
            b"0",
            b"a b",
        ]
    ),
    max_size=14,
).map(b"\r\n".join)
HEADS = st.sampled_from([b"", OK, CHUNKED, OK + b"Content-Length: 5\r\n\r\n"])


@given(HEADS, st.one_of(LINES, st.binary(max_size=2000)), st.integers(1, 100))
def test_what_is_read_is_what_the_standard_library_reads(head: bytes, rest: bytes, size: int) -> None:
    """It may refuse more, and never reads another status, header or body."""
    data = head + rest
    try:
        response = read(*(data[at : at + size] for at in range(0, len(data), size)))
    except (FetchError, ConnectionResetError):
        return
    theirs = HTTPResponse(cast("socket.socket", Recorded(data)))
    theirs.begin()
    while theirs.status < 200:
        theirs.headers = None  # type: ignore[assignment]  # begin() then reads the next head
        theirs.begin()
    headers: dict[str, str] = {}
    for name, value in theirs.getheaders():
        values = [headers[name.lower()]] if name.lower() in headers else []
        headers[name.lower()] = ", ".join([*values, value.strip(" \t")])
    assert (response.status, response.headers) == (theirs.status, headers)
    if response.status in (200, 400):
        assert response.body == theirs.read()


class Recorded:
    """What ``http.client`` takes for a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def test_printable_text_is_short_and_on_one_line() -> None:
    assert printable("fine: ä") == "fine: ä"
    assert printable("a\r\nb\x1b[0m\u2028\u202e") == "a??b?[0m??"
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 200 + "..."
    assert printable("abc", 2) == "ab..."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([b"HTTP/1.1 100 Continue\r\n\r\n" * 1000] * 30, "larger than 524288 bytes"),
        ([b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000] * 30, "larger than 524288 bytes"),
        ([CHUNKED + b"2\r\n{}\r\n0\r\n", *([b"X: y\r\n" * 10_000] * 20)], "larger than 524288 bytes"),
        ([OK, *([b"x" * 1000] * 70)], "more than 65536 bytes"),
        ([OK + b"X: y\r\n" * 101 + b"\r\n{}"], "more than 100 headers"),
        ([OK + b"Content-Encoding: gzip\r\n\r\n{}"], r"compressed \(gzip\), which was not asked for"),
        ([OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"], "a transfer coding of gzip, chunked"),
        ([CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"], "a chunk that is longer than its size"),
        ([CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n"], "a chunk whose size is -5"),
        ([CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n"], "a chunk whose size is 0x2"),
        ([CHUNKED + b"ffffffff\r\n{}\r\n"], "larger than 524288 bytes"),
        ([CHUNKED + b"2\r\n{}\r\n"], "closed before the answer was complete"),
        ([CHUNKED, *([b"10000\r\n" + b" " * 65536 + b"\r\n"] * 9)], "larger than 524288 bytes"),
        ([OK + b"Content-Length: 3\r\n\r\n{}"], "closed before the answer was complete"),
        ([OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"], "a content length of 2, 2"),
        ([OK + b"Content-Length: +2\r\n\r\n{}"], r"a content length of \+2"),
        ([OK + b"X y\r\n\r\n{}"], "a malformed header"),
        ([OK + b"X: y\r\n z\r\n\r\n{}"], "a malformed header"),
        ([OK + b": y\r\n\r\n{}"], "a malformed header"),
        ([OK + b"X : y\r\n\r\n{}"], "a malformed header"),
        ([OK + b"X: y\rZ: a\r\n\r\n{}"], "a malformed header"),
        ([b""], "closed without an answer"),
        ([b"HTTP/1.1 20 OK\r\n\r\n{}"], "HTTP/1.1 20 OK"),
        ([b"HTTP/2.0 200 OK\r\n\r\n{}"], "HTTP/2.0"),
    ],
)
def test_what_is_odd_is_refused_for_what_it_is(answer: list[bytes], said: str) -> None:
    with pytest.raises((FetchError, ConnectionResetError)) as caught:
        read(*answer)
    assert re.search(said, f"{type(caught.value).__name__}: {caught.value}")
