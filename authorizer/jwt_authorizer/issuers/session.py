"""One fetch: its deadline, its connection, and its HTTP responses (RFC 9112), read within limits.

Not by ``http.client``, which loads the e-mail package: ``docs/adr/0003-fetching-keys.md``.
"""

from __future__ import annotations

import io
import re
import time
from typing import TYPE_CHECKING, Self

from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping

BODY_LIMIT = 512 * 1024
HEAD_LIMIT = 64 * 1024
_LINE_LIMIT = 64 * 1024
_MOST_HEADERS = 100
_OK = 200
_WITH_BODY = (200, 400)
_TOO_LARGE = f"the answer is larger than {BODY_LIMIT} bytes"
_CUT_OFF = "the connection was closed before the answer was complete"
_VERSIONS = ("HTTP/1.0", "HTTP/1.1")
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")
"""The characters of a header's name (RFC 9110 section 5.6.2), in lower case."""
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")
_LONGEST_LENGTH, _LONGEST_CHUNK_SIZE = 12, 8
"""Digits."""
_MAX_AGE = r'max-age="?([0-9]{1,10})"?'
_AGE = r"[0-9]{1,10}"


class Session:
    """The seconds that one whole fetch may take, and the connection that its requests to one origin share.

    ``with`` closes the connection.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start the deadline."""
        self._seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self.origin = ""
        self.connection: socket.socket | None = None
        self.sent = b""
        """The prefetched request: sent over the connection, and not answered yet; empty if there is none."""

    def left(self) -> float:
        """Return the seconds left, above zero. Raises :class:`FetchError` when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise self.timeout_error()
        return left

    def timeout_error(self) -> FetchError:
        """Return the error to raise when time is up."""
        return FetchError(f"no complete answer within {self._seconds:g} s")

    def exchange(self, connection: socket.socket, request: bytes) -> Response:
        """Send a request and read its response; keep the connection if the next request may use it.

        Raises :class:`FetchError`, ``OSError``.
        """
        self.connection = connection
        connection.settimeout(self.left())
        if self.sent != request:
            connection.sendall(request)
        self.sent = b""
        response, reusable = read_response(io.BufferedReader(_BoundedReader(connection, self)))
        if not reusable:
            self.close()
        return response

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def __enter__(self) -> Self:
        """Start nothing: a connection is made for the first request."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection, if there is one."""
        self.close()


@dataclass(frozen=True, slots=True)
class Response:
    """Status, headers (names in lower case) and the body of a 200 or a 400, in which AWS says what was wrong."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def ok(self, url: str) -> Response:
        """Return the response. Raises :class:`FetchError` with the ``url`` if its status is not 200."""
        if self.status != _OK:
            raise FetchError(f"{printable(url.partition('?')[0])} answered {self.status}", status=self.status)
        return self

    def max_age(self) -> float | None:
        """Return the seconds for which it may be kept, by ``Cache-Control`` and ``Age`` (RFC 9111 section 4.2).

        Returns ``None`` where the sender did not say. Reads ``no-store`` and ``no-cache`` as 0.
        """
        directives = [part.strip().lower() for part in self.headers.get("cache-control", "").split(",")]
        if "no-store" in directives or "no-cache" in directives:
            return 0.0
        for directive in directives:
            if match := re.fullmatch(_MAX_AGE, directive):
                age = self.headers.get("age", "")
                spent = int(age) if re.fullmatch(_AGE, age) else 0
                return float(max(0, int(match[1]) - spent))
        return None


def read_response(reader: io.BufferedReader) -> tuple[Response, bool]:
    """Read a response, and whether its connection can carry another one. Raises :class:`FetchError`, ``OSError``.

    It rejects what RFC 9112 lets a client reject or guess: folded headers, repeated lengths, other transfer codings.
    """
    version, status, headers = _read_head(reader)
    while status < _OK:  # interim responses (RFC 9110 section 15.2)
        version, status, headers = _read_head(reader)
    if status not in _WITH_BODY:
        return Response(status, headers, b""), False
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise FetchError(f"the answer is compressed ({printable(encoding)}), which was not asked for")
    coding, length = headers.get("transfer-encoding"), headers.get("content-length")
    if coding is not None:
        if coding.lower() != "chunked":
            raise FetchError(f"the answer has a transfer coding of {printable(coding)}")
        body = _read_chunks(reader)
    elif length is not None:
        if not (length.isascii() and length.isdecimal() and len(length) <= _LONGEST_LENGTH):
            raise FetchError(f"the answer has a content length of {printable(length)}")
        body = _read_exactly(reader, int(length))
    elif len(body := reader.read(BODY_LIMIT + 1)) > BODY_LIMIT:
        raise FetchError(_TOO_LARGE)
    framed = coding is not None or length is not None
    agreed = version == _VERSIONS[1] and "close" not in headers.get("connection", "").lower()
    return Response(status, headers, body), framed and agreed


def _read_head(reader: io.BufferedReader) -> tuple[str, int, dict[str, str]]:
    """Read a status line and its headers: the version, the status, and the values by name in lower case."""
    if not reader.peek(1):
        raise ConnectionResetError("the connection was closed without an answer")
    line = _read_line(reader)
    version, _, rest = line.partition(" ")
    status = rest.partition(" ")[0]
    if version not in _VERSIONS or not (len(status) == 3 and status.isascii() and status.isdecimal()):  # noqa: PLR2004 - RFC 9112 section 4
        raise FetchError(f"the answer is not HTTP/1.1: it begins with {printable(line, 40)}")
    headers: dict[str, str] = {}
    count = 0
    while line := _read_line(reader):
        name, colon, value = line.partition(":")
        name, value, count = name.lower(), value.strip(" \t"), count + 1
        if not (colon and name and _TOKEN.issuperset(name)):
            raise FetchError("the answer has a malformed header")
        if count > _MOST_HEADERS:
            raise FetchError(f"the answer has more than {_MOST_HEADERS} headers")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return version, int(status), headers


def _read_line(reader: io.BufferedReader) -> str:
    """Read a line and drop its end: CRLF, or LF alone (RFC 9112 section 2.2)."""
    line = reader.readline(_LINE_LIMIT + 1)
    if len(line) > _LINE_LIMIT:
        raise FetchError(f"the answer has a line of more than {_LINE_LIMIT} bytes")
    if not line.endswith(b"\n"):
        raise FetchError(_CUT_OFF)
    line = line[:-1].removesuffix(b"\r")
    if b"\r" in line or b"\0" in line:
        raise FetchError("the answer has a malformed header")
    return line.decode("latin-1")


def _read_exactly(reader: io.BufferedReader, length: int) -> bytes:
    if length > BODY_LIMIT:
        raise FetchError(_TOO_LARGE)
    found = reader.read(length)
    if len(found) < length:
        raise FetchError(_CUT_OFF)
    return found


def _read_chunks(reader: io.BufferedReader) -> bytes:
    """Read a chunked body and drop what follows it (RFC 9112 section 7.1)."""
    body = bytearray()
    while True:
        size = _read_line(reader).partition(";")[0].rstrip(" \t")
        if not (0 < len(size) <= _LONGEST_CHUNK_SIZE and _HEXADECIMAL.issuperset(size)):
            raise FetchError(f"the answer has a chunk whose size is {printable(size)}")
        if int(size, 16) == 0:
            break
        body += _read_exactly(reader, int(size, 16))
        if len(body) > BODY_LIMIT:
            raise FetchError(_TOO_LARGE)
        if _read_line(reader):
            raise FetchError("the answer has a chunk that is longer than its size")
    while _read_line(reader):
        pass
    return bytes(body)


class _BoundedReader(io.RawIOBase):
    """The stream that a response is read from.

    No read outlasts the session's deadline, and all of them together stay below a limit.
    """

    def __init__(self, connection: socket.socket, session: Session) -> None:
        self._connection = connection
        self._session = session
        self._budget = HEAD_LIMIT + BODY_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what BufferedReader passes
        self._connection.settimeout(self._session.left())
        count = self._connection.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise FetchError(_TOO_LARGE)
        return count
