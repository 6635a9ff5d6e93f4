"""What a response says about its age, and the pieces that no real server is needed for."""

from __future__ import annotations

import http.client
import io
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.response import BODY_LIMIT, Deadline, Response, read_response

if TYPE_CHECKING:
    from collections.abc import Iterable


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

    def recv(self, size: int, /) -> bytes:
        if not self.pieces:
            return b""
        piece, self.pieces[0] = self.pieces[0][:size], self.pieces[0][size:]
        if not self.pieces[0]:
            del self.pieces[0]
        return piece

    def close(self) -> None:
        self.closed = True


def read(*pieces: bytes) -> Response:
    return read_response(Pieces(list(pieces)), Deadline(60))


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
    response = read_response(Pieces([b"HTTP/1.1 404 Not Found\r\n" + line + b" \t\r\n\r\n"]), Deadline(60))
    # Quadratic, it took seconds: longer than a fetch may, in which no deadline is looked at.
    assert time.process_time() - started < 1
    assert response.headers["a"] == "b" + " " * 60_000 + "c"


def test_the_body_of_a_refusal_is_not_read() -> None:
    connection = Pieces([b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n", b"later"])
    assert read_response(connection, Deadline(60)) == Response(503, {"content-length": "5"}, b"")
    assert connection.pieces == [b"later"]


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
    seconds = iter([0.0, 1.0, 2.5, 4.0])
    connection = Pieces([b"HTTP/1.1 200 OK\r\n", b"\r\n", b"{}"])
    with pytest.raises(FetchError, match="no complete answer within 3 s"):
        read_response(connection, Deadline(3, clock=lambda: next(seconds)))
    assert connection.timeouts == [2.0, 0.5]


def chunked(pieces: Iterable[bytes]) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Canned(io.BytesIO):
    """What ``http.client`` takes for a socket."""

    def makefile(self, _mode: str) -> Canned:
        return self


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=300), max_size=5),
    way=st.sampled_from(["chunked", "length", "end"]),
    cuts=st.lists(st.integers(1, 50), min_size=1),
    headers=st.lists(
        st.sampled_from([b"A: b", b"A:", b"Cache-Control:\tmax-age=1", b"X-\xe4: no", b"!: x:y"]), max_size=3
    ),
)
def test_proper_responses_read_as_http_client_reads_them(
    pieces: list[bytes], way: str, cuts: list[int], headers: list[bytes]
) -> None:
    body = b"".join(pieces)
    framing = {"chunked": b"Transfer-Encoding: chunked", "length": b"Content-Length: %d" % len(body), "end": b"X: y"}
    named = [header for header in headers if header.isascii()]
    head = b"\r\n".join([b"HTTP/1.1 200 OK", framing[way], *named])
    data = head + b"\r\n\r\n" + (chunked(pieces) if way == "chunked" else body)
    cut: list[bytes] = []
    position = 0
    while position < len(data):
        step = cuts[len(cut) % len(cuts)]
        cut.append(data[position : position + step])
        position += step

    theirs = http.client.HTTPResponse(Canned(data))  # type: ignore[arg-type]  # it reads no more of a socket than this has
    theirs.begin()
    ours = read(*cut)
    assert ours.status == theirs.status
    assert ours.body == theirs.read()
    for name, value in ours.headers.items():
        assert value == ", ".join(theirs.headers.get_all(name, []))


@given(st.binary(max_size=2000))
def test_bytes_at_random_are_a_response_or_a_fetch_error(data: bytes) -> None:
    for head in (b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            response = read(head + data)
        except FetchError as error:
            assert str(error).isprintable()  # noqa: PT017 - either outcome is right
        else:
            assert 200 <= response.status <= 599


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
        ([OK, *([b"x" * 1000] * 70)], "a line of over 65536 bytes"),
        ([OK + b"X: y\r\n" * 101 + b"\r\n{}"], "over 100 headers"),
        ([OK + b"Content-Encoding: gzip\r\n\r\n{}"], r"compressed \(gzip\), which was not asked for"),
        ([OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"], "a transfer coding of gzip, chunked"),
        ([CHUNKED + b"1\r\n{}\r\n0\r\n\r\n"], "a chunk longer than its size"),
        ([CHUNKED + b"2\r\n{}0\r\n\r\n"], "a chunk longer than its size"),
        ([CHUNKED + b"+2\r\n{}\r\n0\r\n\r\n"], "a chunk without a size"),
        ([CHUNKED + b"2\r\n{}\r\n"], "closed before the answer was complete"),
        ([OK + b"Content-Length: 3\r\n\r\n{}"], "closed before the answer was complete"),
        ([OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"], "a content length of 2, 2"),
        ([OK + b"Content-Length: +2\r\n\r\n{}"], r"a content length of \+2"),
        ([OK + b"X y\r\n\r\n{}"], "a header that is not one"),
        ([b"HTTP/1.1 20 OK\r\n\r\n{}"], "not HTTP/1.1"),
        ([b"HTTP/2.0 200 OK\r\n\r\n{}"], "not HTTP/1.1"),
    ],
)
def test_what_is_odd_is_refused_for_what_it_is(answer: list[bytes], said: str) -> None:
    with pytest.raises(FetchError, match=said):
        read(*answer)
