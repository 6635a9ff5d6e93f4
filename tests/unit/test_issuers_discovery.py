"""From an issuer's name to the address of its keys. What can go wrong on the wire: ``test_jwks_faults.py``."""

from __future__ import annotations

import io
import json
import re
import socket
import ssl
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, cast
from unittest.mock import Mock

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


ISSUER = "https://a.example/x"
OPENID, RFC_8414 = discovery_urls(ISSUER, allow_http=False)
DOCUMENT = {"issuer": ISSUER, "jwks_uri": "https://keys.example/"}


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", ["", "/realms/x"])
@pytest.mark.parametrize("origin", ["https://a.example", "https://a.example:8443"])
def test_where_the_document_may_be(origin: str, path: str, slash: str) -> None:
    openid = f"{origin}{path}/.well-known/openid-configuration"
    rfc_8414 = f"{origin}/.well-known/oauth-authorization-server{path}"
    assert discovery_urls(origin + path + slash, allow_http=False) == (openid, rfc_8414)


def ask(answers: dict[str, object], issuer: str = ISSUER) -> tuple[str, list[str]]:
    asked: list[str] = []

    def get(url: str, _session: Session) -> Response:
        asked.append(url)
        answer = answers.get(url, 404)
        return Response(answer, {}, b"") if isinstance(answer, int) else Response(200, {}, json.dumps(answer).encode())

    return discover(issuer, get, Session(5), allow_http=False), asked


def test_rfc_8414s_place_is_asked_only_where_openids_is_404() -> None:
    assert ask({RFC_8414: DOCUMENT}) == ("https://keys.example/", [OPENID, RFC_8414])
    with pytest.raises(FetchError, match="openid-configuration answered 500"):
        ask({OPENID: 500, RFC_8414: DOCUMENT})
    slash = f"{ISSUER}/"
    assert ask({OPENID: DOCUMENT | {"issuer": slash}}, slash)[1] == [OPENID], "which is a part of the issuer's name"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "did not answer with a JSON object"),
        (DOCUMENT | {"issuer": f"{ISSUER}/"}, "another issuer"),
        (DOCUMENT | {"issuer": "https://other.test"}, "another issuer: 'https://other.test'"),
        (DOCUMENT | {"issuer": "https://login.test/{tenantid}/v2.0"}, "has to name one tenant"),
        (DOCUMENT | {"issuer": "x\r\n\x1b[31m"}, "another issuer"),
        (DOCUMENT | {"jwks_uri": None}, "no jwks_uri"),
        (DOCUMENT | {"jwks_uri": "http://keys.example/"}, "a jwks_uri that is not https://"),
        (DOCUMENT | {"jwks_uri": "file:///etc/passwd"}, "a jwks_uri that is not an absolute https:// URL"),
        (DOCUMENT | {"jwks_uri": "https://me:pw@keys.example/"}, "a jwks_uri that is not an absolute https:// URL"),
    ],
    ids=str,
)
def test_a_document_that_is_wrong(document: object, said: str) -> None:
    with pytest.raises(FetchError, match=said) as caught:
        ask({OPENID: document})
    assert str(caught.value).isprintable()


# URLs that keys may come from, and the many that they may not.


@pytest.mark.parametrize(
    ("url", "endpoint", "authority", "target"),
    [
        ("https://a.example", ("a.example", 443), "a.example", ""),
        ("https://a.example/b/c?d=e&f=/?", ("a.example", 443), "a.example", "/b/c?d=e&f=/?"),
        ("https://a.example?d", ("a.example", 443), "a.example", "?d"),
        ("https://a.example:8443/x", ("a.example", 8443), "a.example:8443", "/x"),
        ("https://a.example./x", ("a.example.", 443), "a.example.", "/x"),
        ("https://[::1]:8443/x", ("::1", 8443), "[::1]:8443", "/x"),
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


WRONG = [(url, "not an absolute https:// URL") for url in NOT_URLS]
WRONG += [(f"https://a.example:{port}/", f"port {port}, which does not exist") for port in (0, 65536, 99999)]


@pytest.mark.parametrize(("url", "said"), WRONG)
def test_refused(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_address(url, allow_http=True)


# The edges of a GET that need no server. What servers do to it: ``tests/integration/test_jwks_faults.py``.


KEYS = "https://issuer.test/keys"


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [
        ("http://issuer.test/", AssertionError(), "http://issuer.test/ is not https://"),
        ("https://issuer.test/\r\nX: y", AssertionError(), r"https://issuer.test/\?\?X: y is not an absolute"),
        (KEYS, socket.gaierror(-2, "Name not known"), f"{KEYS}: the name does not resolve: .*Name not known"),
        (KEYS, UnicodeError("label too long"), f"{KEYS}: the name does not resolve: label too long"),
        (KEYS, None, f"{KEYS}: the name has no address$"),
    ],
    ids=str,
)
def test_a_url_that_is_none_is_not_asked_and_a_name_may_not_resolve(
    url: str, error: Exception | None, said: str
) -> None:
    def resolve(_host: str, _port: int) -> list[SocketAddress]:
        if error is not None:
            raise error
        return []

    with pytest.raises(FetchError, match=f"^{said}"):
        HttpsClient(resolve=resolve).get(url, Session(5))


def test_an_error_without_a_text_is_named_by_its_kind() -> None:
    client = HttpsClient(hand_over=Mock(side_effect=ConnectionAbortedError))
    with pytest.raises(FetchError, match=f"^{KEYS}: ConnectionAbortedError$"):
        client.get(KEYS, Session(5))


def test_the_system_s_context_speaks_tls_1_2_or_later() -> None:
    assert system_context().minimum_version == ssl.TLSVersion.TLSv1_2


# ---------------------------------------------------------------------------------------------------------------
# What a response says about its age, and the pieces that no real server is needed for.


class Recorded(io.BytesIO):
    """A connection whose other end has sent all of its data, which arrives in parts of ``size`` bytes at most."""

    def __init__(self, data: bytes, size: int = BODY_LIMIT) -> None:
        super().__init__(data)
        self.size, self.received = size, 0
        self.timeouts: list[float] = []

    def settimeout(self, seconds: float, /) -> None:
        self.timeouts.append(seconds)

    def sendall(self, _data: bytes, /) -> None:
        pass

    def recv_into(self, buffer: memoryview, /) -> int:
        count = self.readinto(buffer[: self.size])
        self.received += count
        return count


def ask_of_session(connection: Recorded, session: Session | None = None) -> Response:
    return (session or Session(60)).exchange(cast("socket.socket", connection), b"GET / HTTP/1.1\r\n\r\n")


def read(data: bytes, size: int = BODY_LIMIT) -> Response:
    return ask_of_session(Recorded(data, size))


@pytest.mark.parametrize(
    ("headers", "age"),
    [
        ({}, None),
        ({"cache-control": "public,MAX-AGE=300 , must-revalidate"}, 300),
        ({"cache-control": 'max-age="300"'}, 300),
        ({"cache-control": "max-age=300", "age": "100"}, 200),
        ({"cache-control": "max-age=300", "age": "900"}, 0),
        ({"cache-control": "max-age=300", "age": "soon"}, 300),
        ({"cache-control": "max-age=-5"}, None),
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
    head = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n"
    connection = Recorded(head + b"later", len(head))
    assert ask_of_session(connection) == Response(503, {"content-length": "5"}, b"")
    assert (connection.received, connection.closed) == (len(head), True)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\n{\r\n0001 ;x=y\r\n}\r\n0\r\nX: y\r\n\r\n", True),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.1 200\nX: y\nContent-Encoding: Identity\n\n{}", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", False),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", False),
    ],
)
def test_a_connection_is_kept_where_the_response_has_an_end_and_the_server_agrees(answer: bytes, *, kept: bool) -> None:
    connection, session = Recorded(answer), Session(60)
    with session:
        assert ask_of_session(connection, session).body == b"{}"
        assert connection.closed is not kept
        assert (session.connection is not None) is kept
    assert connection.closed


def test_the_largest_body_fits_and_the_next_does_not() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    body = b" " * BODY_LIMIT
    sized = head + b"Content-Length: %d\r\n\r\n"
    assert read(sized % BODY_LIMIT + body).body == body
    assert read(head + b"\r\n" + body).body == body
    for too_much in (sized % (BODY_LIMIT + 1), head + b"\r\n"):
        with pytest.raises(FetchError, match=f"larger than {BODY_LIMIT} bytes"):
            read(too_much + body + b" ")


def test_each_wait_is_bounded_by_what_is_left_in_all() -> None:
    seconds = iter([0.0, 0.5, 1.0, 2.5, 4.0])
    connection = Recorded(OK + b"\r\n{}" + b" " * 13, len(OK))
    with pytest.raises(FetchError, match="no complete answer within 3 s"):
        ask_of_session(connection, Session(3, clock=lambda: next(seconds)))
    assert connection.timeouts == [2.5, 2.0, 0.5]


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
LINE = [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 103 Early Hints", b"Content-Length: 5"]
LINE += [b"Transfer-Encoding: chunked", b"Connection: close", b"A-b: \t c", b"", b"5", b"5;x=y", b"{}   ", b"0", b"a b"]
LINES = st.lists(st.sampled_from(LINE), max_size=14).map(b"\r\n".join)
HEADS = st.sampled_from([b"", OK, CHUNKED, OK + b"Content-Length: 5\r\n\r\n"])


@given(HEADS, st.one_of(LINES, st.binary(max_size=2000)), st.integers(1, 100))
def test_what_is_read_is_what_the_standard_library_reads(head: bytes, rest: bytes, size: int) -> None:
    """It may refuse more, and never reads another status, header or body."""
    data = head + rest
    try:
        response = read(data, size)
    except (FetchError, ConnectionResetError):
        return
    theirs = HTTPResponse(Mock(makefile=Mock(return_value=io.BytesIO(data))))
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


def test_printable_text_is_short_and_on_one_line() -> None:
    assert printable("fine: ä") == "fine: ä"
    assert printable("a\r\nb\x1b[0m\u2028\u202e") == "a??b?[0m??"
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 200 + "..."
    assert printable("abc", 2) == "ab..."


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" * 30_000, "larger than 524288 bytes"),
        (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 200_000, "larger than 524288 bytes"),
        (OK + b"x" * 70_000, "more than 65536 bytes"),
        (OK + b"X: y\r\n" * 101 + b"\r\n{}", "more than 100 headers"),
        (OK + b"Content-Encoding: gzip\r\n\r\n{}", r"compressed \(gzip\), which was not asked for"),
        (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", "a transfer coding of gzip, chunked"),
        (CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", "a chunk that is longer than its size"),
        (CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n", "a chunk whose size is -5"),
        (CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n", "a chunk whose size is 0x2"),
        (CHUNKED + b"ffffffff\r\n{}\r\n", "larger than 524288 bytes"),
        (CHUNKED + b"2\r\n{}\r\n", "closed before the answer was complete"),
        (CHUNKED + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 9, "larger than 524288 bytes"),
        (OK + b"Content-Length: 3\r\n\r\n{}", "closed before the answer was complete"),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "a content length of 2, 2"),
        (OK + b"Content-Length: +2\r\n\r\n{}", r"a content length of \+2"),
        (OK + b"X y\r\n\r\n{}", "a malformed header"),
        (OK + b"X: y\r\n z\r\n\r\n{}", "a malformed header"),
        (OK + b": y\r\n\r\n{}", "a malformed header"),
        (OK + b"X : y\r\n\r\n{}", "a malformed header"),
        (OK + b"X: y\rZ: a\r\n\r\n{}", "a malformed header"),
        (b"", "closed without an answer"),
        (b"HTTP/1.1 20 OK\r\n\r\n{}", "HTTP/1.1 20 OK"),
        (b"HTTP/2.0 200 OK\r\n\r\n{}", "HTTP/2.0"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_odd_is_refused_for_what_it_is(answer: bytes, said: str) -> None:
    with pytest.raises((FetchError, ConnectionResetError)) as caught:
        read(answer)
    assert re.search(said, f"{type(caught.value).__name__}: {caught.value}")
