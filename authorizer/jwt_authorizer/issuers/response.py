"""Reading one HTTP/1.1 response, bounded in time and size (RFC 9112).

Only what a key source needs: a status, headers, and a body with a length, in chunks, or up to the end
of the connection. Whatever is odd is refused instead of guessed at. ``http.client`` is not used: see
``docs/adr/0003-fetching-keys.md``.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

BODY_LIMIT = 512 * 1024
HEAD_LIMIT = 64 * 1024
HEADER_COUNT_LIMIT = 100
_RECEIVE = 16 * 1024
_OK = 200
_FIRST_FINAL = 200
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: .*)?")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_LENGTH = re.compile(r"[0-9]{1,12}")
_MAX_AGE = re.compile(r'max-age="?([0-9]{1,10})"?')
_AGE = re.compile(r"[0-9]{1,10}")


class Connection(Protocol):
    """What is used of a socket."""

    def settimeout(self, seconds: float, /) -> None:
        """Bound the next operation."""

    def sendall(self, data: bytes, /) -> None:
        """Send."""

    def recv(self, size: int, /) -> bytes:
        """Receive at most ``size`` bytes; none at the end."""

    def close(self) -> None:
        """Let go."""


class Deadline:
    """The seconds that one whole fetch may take, however many steps it has."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to count."""
        self._seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds left, above zero. Raises :class:`FetchError` when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise self.missed()
        return left

    def missed(self) -> FetchError:
        """Return the error to raise when time is up."""
        return FetchError(f"no complete answer within {self._seconds:g} s")


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers (names in lower case) and, of a 200 only, the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def max_age(self) -> float | None:
        """Seconds for which it may be kept, as ``Cache-Control`` and ``Age`` say (RFC 9111 section 4.2).

        ``None`` where they say nothing that can be read.
        """
        directives = [part.strip().lower() for part in self.headers.get("cache-control", "").split(",")]
        if "no-store" in directives or "no-cache" in directives:
            return 0.0
        for directive in directives:
            if match := _MAX_AGE.fullmatch(directive):
                age = self.headers.get("age", "")
                spent = int(age) if _AGE.fullmatch(age) else 0
                return float(max(0, int(match[1]) - spent))
        return None


def read_response(connection: Connection, deadline: Deadline) -> Response:
    """Read the response to a GET. Raises :class:`FetchError` or, from the socket, ``OSError``."""
    reader = _Reader(connection, deadline)
    status, headers = _head(reader)
    while status < _FIRST_FINAL:  # 100 Continue and its like come before the answer
        status, headers = _head(reader)
    if status != _OK:
        return Response(status, headers, b"")
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        message = f"the answer is compressed ({printable(encoding)}), which was not asked for"
        raise FetchError(message)
    return Response(status, headers, _body(reader, headers))


def _head(reader: _Reader) -> tuple[int, dict[str, str]]:
    first = reader.line()
    status = _STATUS_LINE.fullmatch(first)
    if status is None:
        message = "the answer is not HTTP/1.1"
        raise FetchError(message)
    headers: dict[str, str] = {}
    for count, line in enumerate(iter(reader.line, b"")):
        if count >= HEADER_COUNT_LIMIT:
            message = f"the answer has over {HEADER_COUNT_LIMIT} headers"
            raise FetchError(message)
        match = _HEADER.fullmatch(line)
        if match is None:
            message = "the answer has a header that is not one"
            raise FetchError(message)
        name, value = match[1].decode("ascii").lower(), match[2].strip(b" \t").decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return int(status[1]), headers


def _body(reader: _Reader, headers: Mapping[str, str]) -> bytes:
    coding = headers.get("transfer-encoding")
    if coding is not None:
        if coding.lower() != "chunked":
            message = f"the answer has a transfer coding of {printable(coding)}"
            raise FetchError(message)
        return _chunks(reader)
    length = headers.get("content-length")
    if length is None:
        return reader.rest()
    if not _LENGTH.fullmatch(length):
        message = f"the answer has a content length of {printable(length)}"
        raise FetchError(message)
    return reader.exactly(int(length))


def _chunks(reader: _Reader) -> bytes:
    body = bytearray()
    while True:
        match = _CHUNK.fullmatch(reader.line())
        if match is None:
            message = "the answer has a chunk without a size"
            raise FetchError(message)
        size = int(match[1], 16)
        if not size:
            return bytes(body)  # trailers mean nothing to us, and the connection is not used again
        body += reader.exactly(size)
        if reader.line():
            message = "the answer has a chunk longer than its size"
            raise FetchError(message)


class _Reader:
    """Bytes off one connection: never after the deadline, never more than the limits."""

    def __init__(self, connection: Connection, deadline: Deadline) -> None:
        self._connection = connection
        self._deadline = deadline
        self._waiting = bytearray()
        self._budget = HEAD_LIMIT + BODY_LIMIT

    def line(self) -> bytes:
        """Return the next line without its end. A bare LF ends it too (RFC 9112 section 2.2)."""
        searched = 0
        while (end := self._waiting.find(b"\n", searched)) < 0:
            searched = len(self._waiting)
            if searched > HEAD_LIMIT:
                message = f"the answer has a line of over {HEAD_LIMIT} bytes"
                raise FetchError(message)
            self._more()
        return self._take(end + 1).removesuffix(b"\n").removesuffix(b"\r")

    def exactly(self, size: int) -> bytes:
        """Return that many bytes. The size is checked first: it is a stranger's word."""
        if size > BODY_LIMIT:
            raise self._too_large()
        while len(self._waiting) < size:
            self._more()
        return self._take(size)

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        while self._receive():
            if len(self._waiting) > BODY_LIMIT:
                raise self._too_large()
        return self._take(len(self._waiting))

    def _take(self, size: int) -> bytes:
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken

    def _more(self) -> None:
        if not self._receive():
            message = "the connection was closed before the answer was complete"
            raise FetchError(message)

    def _receive(self) -> int:
        self._connection.settimeout(self._deadline.left())
        data = self._connection.recv(_RECEIVE)
        self._waiting += data
        self._budget -= len(data)
        if self._budget < 0:
            raise self._too_large()
        return len(data)

    def _too_large(self) -> FetchError:
        return FetchError(f"the answer is larger than {BODY_LIMIT} bytes")
