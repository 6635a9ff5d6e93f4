"""One fetch: its deadline, its connection, and its responses, read within limits.

``http.client`` reads them. What is added here, and why: ``docs/adr/0003-fetching-keys.md``.
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
    from http.client import HTTPResponse

BODY_LIMIT = 512 * 1024
HEAD_LIMIT = 64 * 1024
_OK = 200
_WITH_BODY = (200, 400)
_TOO_LARGE = f"the answer is larger than {BODY_LIMIT} bytes"
_LENGTH = r"[0-9]{1,12}"
_MAX_AGE = r'max-age="?([0-9]{1,10})"?'
_AGE = r"[0-9]{1,10}"


class Session:
    """The seconds that one whole fetch may take, and the connection that its requests to one origin share.

    ``with`` closes the connection.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Start to count."""
        self._seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self.origin = ""
        self.connection: socket.socket | None = None

    def left(self) -> float:
        """Return the seconds left, above zero. Raises :class:`FetchError` when there are none."""
        left = self._end - self._clock()
        if left <= 0:
            raise self.missed()
        return left

    def missed(self) -> FetchError:
        """Return the error to raise when time is up."""
        return FetchError(f"no complete answer within {self._seconds:g} s")

    def ask(self, connection: socket.socket, request: bytes) -> Response:
        """Send a request and read its response; keep the connection if the next request may use it.

        Raises :class:`FetchError`, ``http.client.HTTPException``, ``OSError``.
        """
        from http.client import HTTPResponse  # noqa: PLC0415 - 11 ms, only needed when keys come over the network

        self.connection = connection
        connection.settimeout(self.left())
        connection.sendall(request)
        reader = _BoundedReader(connection, self)
        with HTTPResponse(reader) as answer:  # type: ignore[arg-type]  # of a socket it uses makefile alone
            answer.begin()
            response = _read(answer)
            if answer.will_close or not answer.isclosed():
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
        """Return it. Raises :class:`FetchError` if its status is not 200; ``url`` is what was asked for."""
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


def _read(answer: HTTPResponse) -> Response:
    """Read the rest of a response. What ``http.client`` would guess at is refused."""
    while answer.status < _OK:  # interim responses (RFC 9110 section 15.2): begin() skips no others than 100
        answer.headers = None  # type: ignore[assignment]  # begin() then reads the next head
        answer.begin()
    head = answer.headers
    headers = {name.lower(): ", ".join(value.strip() for value in head.get_all(name, [])) for name in head}
    if answer.status not in _WITH_BODY:
        return Response(answer.status, headers, b"")
    coding, length = headers.get("transfer-encoding", "chunked"), headers.get("content-length", "0")
    encoding = headers.get("content-encoding", "identity")
    if head.defects or any("\n" in value or "\r" in value for value in headers.values()):
        message = "the answer has a header that is not one"
    elif encoding.lower() != "identity":
        message = f"the answer is compressed ({printable(encoding)}), which was not asked for"
    elif coding.lower() != "chunked":
        message = f"the answer has a transfer coding of {printable(coding)}"
    elif not re.fullmatch(_LENGTH, length):
        message = f"the answer has a content length of {printable(length)}"
    elif len(body := answer.read(BODY_LIMIT + 1)) > BODY_LIMIT:
        message = _TOO_LARGE
    elif answer.length:
        message = "the connection was closed before the answer was complete"
    else:
        return Response(answer.status, headers, body)
    raise FetchError(message)


class _BoundedReader(io.RawIOBase):
    """What ``http.client`` reads a response from, in place of a socket.

    No read outlasts the session's deadline, and all of them together stay below a limit.
    """

    def __init__(self, connection: socket.socket, session: Session) -> None:
        self._connection = connection
        self._session = session
        self._budget = HEAD_LIMIT + BODY_LIMIT

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what BufferedReader passes
        self._connection.settimeout(self._session.left())
        count = self._connection.recv_into(buffer)
        self._budget -= count
        if self._budget < 0:
            raise FetchError(_TOO_LARGE)
        return count
