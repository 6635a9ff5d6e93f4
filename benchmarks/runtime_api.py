"""A server with the part of Lambda's Runtime API that the runtime client needs. It records when answers arrive.

AWS Lambda developer guide, "Using the Lambda runtime API": ``GET …/invocation/next`` returns an event,
``POST …/invocation/ID/response`` accepts the answer.
"""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX = "/2018-06-01/runtime"
NOT_TRACED = "Root=1-00000000-000000000000000000000000;Sampled=0"


class RuntimeApi:
    """Returns the events one after another, then lets the runtime wait."""

    def __init__(self, events: Sequence[bytes], trace: str = NOT_TRACED) -> None:
        """Serve these events, once each. ``trace`` is the X-Ray tracing header of each."""
        self.trace = trace
        self.answers: list[bytes] = []
        self.failures: list[bytes] = []
        self.answered_at: list[float] = []
        """``time.perf_counter()`` when each answer or failure arrived."""
        self.finished = threading.Event()
        """Set when the runtime asks for another event after the last, or could not start."""
        self._events = list(events)
        self._next = 0
        self._server = _Server(self)

    @property
    def address(self) -> str:
        """The value for ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    def take(self) -> tuple[int, bytes] | None:
        """Return the next event with its number, or ``None``."""
        if self._next == len(self._events):
            self.finished.set()
            return None
        self._next += 1
        return self._next, self._events[self._next - 1]

    def note(self, path: str, body: bytes) -> None:
        """Record an answer or a failure of the runtime."""
        self.answered_at.append(time.perf_counter())
        if path.endswith("/response"):
            self.answers.append(body)
            return
        self.failures.append(body)
        if path.endswith("/init/error"):
            self.finished.set()

    def __enter__(self) -> Self:
        """Listen."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.finished.set()
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, api: RuntimeApi) -> None:
        self.api = api
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer
    server: _Server

    def do_GET(self) -> None:
        """Return an event. If there are no more, let the runtime wait as Lambda does."""
        taken = self.server.api.take()
        if taken is None:
            self.server.closing.wait()
            return
        number, event = taken
        self._reply(200, event, f"request-{number}")

    def do_POST(self) -> None:
        """Accept an answer or a failure."""
        self.server.api.note(self.path, self._body())
        self._reply(202, b'{"status":"OK"}', None)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _reply(self, status: int, body: bytes, request_id: str | None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if request_id is not None:
            self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 10_000))
            self.send_header(
                "Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-west-1:123456789012:function:bench"
            )
            self.send_header("Lambda-Runtime-Trace-Id", self.server.api.trace)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Do not log requests."""
