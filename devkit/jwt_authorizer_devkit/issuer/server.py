"""Serve a provider on this machine: HTTP or TLS, in a thread, on a free port."""

from __future__ import annotations

import contextlib
import ssl
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self, cast

from jwt_authorizer_devkit.issuer.control import CONTROL, answer_control
from jwt_authorizer_devkit.issuer.faults import json_reply
from jwt_authorizer_devkit.issuer.provider import Endpoint, Provider
from jwt_authorizer_devkit.issuer.tenants import add_tenants, serving
from jwt_authorizer_devkit.issuer.tokens import answer_token_request

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from jwt_authorizer_devkit.issuer.faults import Reply

_LARGEST_REQUEST = 1_000_000


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """A certificate (chain) and its private key, as PEM files."""

    certificate: Path
    key: Path


class IssuerServer:
    """Serves one provider. After stop and start it has the same port, like an issuer after an outage."""

    def __init__(
        self,
        provider: Provider,
        *,
        port: int = 0,
        name: str | None = None,
        tls: TlsFiles | None = None,
        keep_alive: bool = False,
    ) -> None:
        """Set what to serve, and where.

        Args:
            provider: What to serve. :meth:`start` sets its ``origin``.
            port: 0 takes a free port.
            name: The host name in URLs, if it is not the address: the name in the certificate.
            tls: Serve ``https`` with this certificate.
            keep_alive: Serve several requests over one connection, as issuers do. Without it, a stopped issuer cannot
                be reached at once, even by clients that keep connections open.

        """
        self.provider = provider
        self._keep_alive = keep_alive
        self._address = ("127.0.0.1", port)
        self._name = name or self._address[0]
        self._tls = tls
        self._running: tuple[_Server, threading.Thread] | None = None

    @property
    def port(self) -> int:
        """The port, once started."""
        return self._address[1]

    def start(self) -> Self:
        """Listen. Raises ``OSError`` if the port is in use."""
        context = None
        if self._tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls.certificate, self._tls.key)
        server = _Server(self._address, self.provider, context, keep_alive=self._keep_alive)
        self._address = (self._address[0], server.server_address[1])
        self.provider.origin = f"{'http' if context is None else 'https'}://{self._name}:{self.port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self._running = (server, thread)
        return self

    def stop(self) -> None:
        """Stop listening, and end requests that hang. Can be called twice."""
        if self._running is None:
            return
        server, thread = self._running
        self._running = None
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()


@contextlib.contextmanager
def local_issuer(  # noqa: PLR0913 - the options of provider and server
    *,
    path: str = "",
    algorithms: tuple[str, ...] = ("RS256",),
    jwks_headers: Mapping[str, str] | None = None,
    tenants: tuple[str, ...] = (),
    port: int = 0,
    name: str | None = None,
    tls: TlsFiles | None = None,
) -> Iterator[Provider]:
    """Run a provider while the block runs; see :class:`Provider` and :class:`IssuerServer`."""
    provider = Provider(path=path, algorithms=algorithms, jwks_headers=jwks_headers)
    add_tenants(provider, tenants)
    with IssuerServer(provider, port=port, name=name, tls=tls):
        yield provider


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(
        self, address: tuple[str, int], provider: Provider, tls: ssl.SSLContext | None, *, keep_alive: bool
    ) -> None:
        self.keep_alive = keep_alive
        self.provider = provider
        self.tls = tls
        self.stopping = threading.Event()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        if self.tls is not None:
            # The connection's own thread does the handshake: a client that sends nothing must not block others.
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Do not log: tests use clients that give up, or that do not trust the certificate."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # the body must not wait until the header is acknowledged

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > _LARGEST_REQUEST:
            self._send(json_reply(413, {"error": "too large"}))
            return
        self._answer(self.rfile.read(length))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Do not log requests: they are counted."""

    @property
    def _server(self) -> _Server:
        return cast("_Server", self.server)

    def _answer(self, body: bytes) -> None:
        provider = self._server.provider
        path = self.path.partition("?")[0]
        if path.startswith(CONTROL):
            self._send(answer_control(provider, self.command, path, self.headers.get("Content-Type"), body))
            return
        provider = serving(provider, path)
        endpoint = provider.endpoint(path)
        if endpoint is None or (endpoint is Endpoint.TOKEN) != (self.command == "POST"):
            self._send(json_reply(404, {"error": "not_found", "issuer": provider.url}))
            return
        authorization = self.headers.get("Authorization")
        accept = self.headers.get("Accept")
        proof = self.headers.get("DPoP")
        self._send(provider.serve(endpoint, lambda: answer_token_request(provider, authorization, body, accept, proof)))

    def _send(self, reply: Reply) -> None:
        stopping = self._server.stopping
        self.close_connection = not self._server.keep_alive or reply.cut
        if reply.delay_seconds and stopping.wait(reply.delay_seconds):
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        body = reply.body[: len(reply.body) // 2] if reply.cut else reply.body
        if not reply.drip_seconds:
            self.wfile.write(body)
            return
        for byte in body:
            if stopping.wait(reply.drip_seconds):
                return
            self.wfile.write(bytes([byte]))
