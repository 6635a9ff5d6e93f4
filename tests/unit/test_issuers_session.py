"""What a response says about its age, and the pieces that no real server is needed for."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.session import BODY_LIMIT, Response, Session

if TYPE_CHECKING:
    import socket


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


def ask(connection: Pieces, session: Session | None = None) -> Response:
    return (session or Session(60)).ask(cast("socket.socket", connection), b"GET / HTTP/1.1\r\n\r\n")


def read(*pieces: bytes) -> Response:
    return ask(Pieces(list(pieces)))


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


def test_headers_that_repeat_are_one_list_and_names_have_no_case() -> None:
    response = read(b"HTTP/1.1 200 OK\r\nCACHE-control:\tpublic \t\r\ncache-Control: max-age=5\r\n\r\n{}")
    assert response.headers == {"cache-control": "public, max-age=5"}
    assert response.max_age() == 5


def test_a_header_full_of_white_space_is_read_in_the_time_of_its_length() -> None:
    line = b"a:b" + b" " * 60_000 + b"c"
    started = time.process_time()
    response = read(b"HTTP/1.1 404 Not Found\r\n" + line + b" \t\r\n\r\n")
    # If it took quadratic time, it would be seconds: longer than a fetch may take.
    assert time.process_time() - started < 1
    assert response.headers["a"] == "b" + " " * 60_000 + "c"


def test_the_body_of_a_refusal_is_not_read() -> None:
    connection = Pieces([b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n", b"later"])
    assert ask(connection) == Response(503, {"content-length": "5"}, b"")
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
        assert ask(connection, session).body == b"{}"
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
        ask(connection, Session(3, clock=lambda: next(seconds)))
    assert connection.timeouts == [2.5, 2.0, 0.5]


@given(st.binary(max_size=2000))
def test_bytes_at_random_are_a_response_or_an_error_that_the_client_expects(data: bytes) -> None:
    for head in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            response = read(head + data)
        except (FetchError, HTTPException, ValueError, ConnectionError):
            continue
        assert 200 <= response.status <= 999


def test_printable_text_is_short_and_on_one_line() -> None:
    assert printable("fine: ä") == "fine: ä"
    assert printable("a\r\nb\x1b[0m\u2028\u202e") == "a??b?[0m??"
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 200 + "..."
    assert printable("abc", 2) == "ab..."


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ([b"HTTP/1.1 100 Continue\r\n\r\n" * 1000] * 30, "larger than 524288 bytes"),
        ([b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000] * 30, "larger than 524288 bytes"),
        ([CHUNKED + b"-1\r\n", *([b" " * 65536] * 20)], "larger than 524288 bytes"),
        ([OK, *([b"x" * 1000] * 70)], "more than 65536 bytes"),
        ([OK + b"X: y\r\n" * 101 + b"\r\n{}"], "more than 100 headers"),
        ([OK + b"Content-Encoding: gzip\r\n\r\n{}"], r"compressed \(gzip\), which was not asked for"),
        ([OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"], "a transfer coding of gzip, chunked"),
        ([CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"], "IncompleteRead"),
        ([CHUNKED + b"-5\r\n{}\r\n0\r\n\r\n"], "non-negative"),
        ([CHUNKED + b"2\r\n{}\r\n"], "IncompleteRead"),
        ([OK + b"Content-Length: 3\r\n\r\n{}"], "closed before the answer was complete"),
        ([OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"], "a content length of 2, 2"),
        ([OK + b"Content-Length: +2\r\n\r\n{}"], r"a content length of \+2"),
        ([OK + b"X y\r\n\r\n{}"], "a header that is not one"),
        ([OK + b"X: y\r\n z\r\n\r\n{}"], "a header that is not one"),
        ([b"HTTP/1.1 20 OK\r\n\r\n{}"], "HTTP/1.1 20 OK"),
        ([b"HTTP/2.0 200 OK\r\n\r\n{}"], "HTTP/2.0"),
    ],
)
def test_what_is_odd_is_refused_for_what_it_is(answer: list[bytes], said: str) -> None:
    with pytest.raises((FetchError, HTTPException, ValueError)) as caught:
        read(*answer)
    assert re.search(said, f"{type(caught.value).__name__}: {caught.value}")
