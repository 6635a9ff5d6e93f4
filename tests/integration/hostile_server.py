"""A server that speaks raw bytes, so that it can misbehave in every way a real one does."""

import contextlib
import gzip
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import takewhile
from typing import Any, Self
from unittest.mock import patch

type Behavior = Callable[[Exchange], None]

HOST = "issuer.test"
ISSUER = f"https://{HOST}"
DISCOVERY = "/.well-known/openid-configuration"
PATIENT = 20.0
"""Seconds that a client may wait where nothing hangs: no machine is that busy."""
TIMEOUT = 0.6
"""Seconds that a client may wait where a server hangs, so that they are waited for."""
SLACK = 5.0
"""Seconds that a busy machine may add to a timeout."""

_REQUEST_LIMIT = 16 * 1024
_RESET = struct.pack("ii", 1, 0)
_LONG = 30.0
"""Longer than any client here waits; the end of the test ends it."""


class Exchange:
    """One connection, after its request has been read."""

    def __init__(self, connection: socket.socket, request: bytes, stopped: threading.Event) -> None:
        """Leave the connection's end to the server."""
        self._connection = connection
        self._stopped = stopped
        self.request = request

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._connection.sendall(data)

    def receive(self) -> bytes:
        """Wait for the next request on this connection; return nothing once the client has closed it."""
        return self._connection.recv(_REQUEST_LIMIT)

    def json_request(self) -> tuple[dict[str, str], Any]:
        """Return the request's headers, named in lower case, and its body."""
        headers, body = parse_request(self.request)
        return headers, json.loads(body or "null")

    def pause(self, seconds: float = _LONG) -> bool:
        """Wait, and return whether to go on: not once the test is over."""
        return not self._stopped.wait(seconds)

    def reset(self) -> None:
        """Make the end of the connection an RST instead of a FIN."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def parse_request(request: bytes) -> tuple[dict[str, str], str]:
    """Return a request's headers, named in lower case, and its body."""
    head, _, body = request.decode().partition("\r\n\r\n")
    headers = (line.split(": ", 1) for line in head.split("\r\n")[1:])
    return {name.lower(): value for name, value in headers}, body


class HostileServer:
    """Serves each path by its behavior, until told to close. ``asked`` lists the paths that were asked for.

    ``behaviors`` may be changed while it serves.
    """

    def __init__(self, behaviors: dict[str, Behavior], context: ssl.SSLContext | None = None) -> None:
        """Listen on a free port of 127.0.0.1; with ``context``, speak TLS."""
        self.behaviors = behaviors
        self.asked: list[str] = []
        self.requests: list[bytes] = []
        self.connections = 0
        self._context = context
        self._silent = False
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        """Begin to serve."""
        self._threads[0].start()
        return self

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections meanwhile."""
        self._close()
        try:
            yield
        finally:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self._threads.append(threading.Thread(target=self._accept))
            self._threads[-1].start()

    def silent(self) -> AbstractContextManager[object]:
        """Let connections in and say nothing meanwhile, not even TLS."""
        return patch.object(self, "_silent", new=True)

    def presenting(self, context: ssl.SSLContext) -> AbstractContextManager[object]:
        """Present another certificate meanwhile."""
        return patch.object(self, "_context", new=context)

    def behaving(self, path: str, behavior: Behavior) -> AbstractContextManager[object]:
        """Behave differently at one path meanwhile."""
        return patch.dict(self.behaviors, {path: behavior})

    def _close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __exit__(self, *_: object) -> None:
        """Stop, and wait for every connection to end."""
        self._stopped.set()
        self._close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        listener = self._listener
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(_LONG)
            if self._silent:
                self._stopped.wait(_LONG)
            elif self._context is None:
                self._answer(connection)
            else:
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as stream:
            head = b"".join(takewhile(lambda line: line != b"\r\n", iter(stream.readline, b"")))
            length = re.search(rb"\ncontent-length: (\d+)", head.lower())
            request = head + b"\r\n" + stream.read(int(length[1]) if length else 0)
        if not head.endswith(b"\r\n"):  # not HTTP, or cut off
            return
        path = request.split(b" ", 2)[1].decode("latin-1")
        self.asked.append(path)
        self.requests.append(request)
        self.behaviors.get(path, NOT_FOUND)(Exchange(connection, request, self._stopped))


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """Give a port that answers nothing, not even to a connection: its queue is full."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)  # noqa: FBT003 - its only argument
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def answer(body: bytes, *headers: str, status: str = "200 OK") -> Behavior:
    """Answer properly."""
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))
    return lambda exchange: exchange.send(f"{head}\r\n".encode("latin-1") + body)


def answer_json(document: object, *headers: str) -> Behavior:
    """Answer with a document."""
    return answer(json.dumps(document).encode(), "Content-Type: application/json", *headers)


def raw(*pieces: bytes, then: Callable[[Exchange], object] = lambda _: None) -> Behavior:
    """Send exactly these bytes, do what comes ``then``, and close the connection."""

    def send(exchange: Exchange) -> None:
        for piece in pieces:
            exchange.send(piece)
        then(exchange)

    return send


then_hang = partial(raw, then=Exchange.pause)
then_reset = partial(raw, then=Exchange.reset)


def drip(data: bytes, seconds: float) -> Behavior:
    """Send one byte at a time, with pauses: each read succeeds, the whole never ends."""

    def send(exchange: Exchange) -> None:
        for position in range(len(data)):
            exchange.send(data[position : position + 1])
            if not exchange.pause(seconds):
                return

    return send


def endless(head: bytes, piece: bytes) -> Behavior:
    """Send as fast as the client reads, without end."""

    def send(exchange: Exchange) -> None:
        exchange.send(head)
        while exchange.pause(0):
            exchange.send(piece)

    return send


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
NOT_FOUND = answer(b"no such thing", status="404 Not Found")


def network_failures(good: bytes) -> dict[str, Behavior]:
    """List what a server may do wrong, whatever it was asked for. ``good`` is what would be right."""
    proper = HEAD + f"Content-Length: {len(good)}\r\n\r\n".encode() + good
    return {
        "500": answer(good, status="500 Internal Server Error"),
        "503": answer(good, status="503 Service Unavailable"),
        "429": answer(good, status="429 Too Many Requests"),
        "204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "closed at once": raw(),
        "reset at once": then_reset(),
        "reset within the body": then_reset(proper[:-10]),
        "closed within the headers": raw(proper[:20]),
        "closed within the body": raw(proper[:-10]),
        "hang before the answer": then_hang(),
        "hang within the headers": then_hang(proper[:40]),
        "hang within the body": then_hang(proper[:-10]),
        "hang after 100 Continue": then_hang(b"HTTP/1.1 100 Continue\r\n\r\n"),
        "slow drip": drip(proper, 0.05),
        "slow drip of headers": drip(HEAD + b"X-Padding: x\r\n" * 1000, 0.05),
        "body without end": endless(HEAD + b"\r\n", b" " * 65536),
        "chunks without end": endless(CHUNKED, b"1000\r\n" + b" " * 4096 + b"\r\n"),
        "header line without end": endless(HEAD + b"X: ", b"x" * 65536),
        "headers without end": endless(HEAD, b"X: y\r\n" * 1000),
        "100 Continue without end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        "huge header": raw(HEAD + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n" + good),
        "101 headers": raw(HEAD + b"X: y\r\n" * 101 + b"\r\n" + good),
        "header that is none": raw(HEAD + b"no colon here\r\n\r\n" + good),
        "folded header": raw(HEAD + b"X: y\r\n folded\r\n\r\n" + good),
        "huge length announced": raw(HEAD + b"Content-Length: 999999999999\r\n\r\n" + good),
        "negative length": raw(HEAD + b"Content-Length: -1\r\n\r\n" + good),
        "two lengths": raw(HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + good),
        "body over the limit": answer(good + b" " * 600_000),
        "chunk of negative size": raw(CHUNKED + b"-5\r\n" + good),
        "chunk without size": raw(CHUNKED + b"\r\n" + good),
        "chunk size with prefix": raw(CHUNKED + b"0x10\r\n" + good),
        "chunk of huge size": raw(CHUNKED + b"ffffffff\r\n" + good),
        "chunk longer than its size": raw(CHUNKED + b"1\r\n" + good + b"\r\n0\r\n\r\n"),
        "chunks cut off": raw(CHUNKED + f"{len(good):x}\r\n".encode() + good),
        "unknown transfer coding": raw(HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + good),
        "gzip that nobody asked for": answer(gzip.compress(good), "Content-Encoding: gzip"),
        "not HTTP": raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
        "HTTP/0.9": raw(good),
        "HTTP/2": raw(b"HTTP/2 200\r\n\r\n" + good),
        "not JSON": answer(b"<html>Be right back</html>"),
        "not UTF-8": answer(b'{"keys": "\xff\xfe"}'),
        "deeply nested JSON": answer(b"[" * 200_000),
        "empty body": answer(b""),
        "JSON of another shape": answer_json([1, 2, 3]),
        "redirect to http": answer(b"", "Location: http://issuer.test/keys", status="302 Found"),
        "redirect to https": answer(
            b"", "Location: https://issuer.test/keys?secret=1", status="307 Temporary Redirect"
        ),
        "redirect to nowhere": answer(b"", status="301 Moved Permanently"),
    }
