"""Bounded HTTPS requests: a total deadline, a size limit, verified TLS, no redirects, no proxies.

Why not by a library: ``docs/adr/0003-fetching-keys.md``.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jwt_authorizer import __version__
from jwt_authorizer.issuers.address import Address, parse_address
from jwt_authorizer.issuers.calls import traced
from jwt_authorizer.issuers.fetched import FetchError, printable

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Mapping

    from jwt_authorizer.issuers.session import Response, Session

    Get = Callable[[str, Session], Response]
    Post = Callable[[str, Session, bytes, Mapping[str, str]], Response]
    SocketAddress = tuple[int, str | tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
    Resolve = Callable[[str, int], list[SocketAddress]]
    HandOver = Callable[[str, Address, Session], None]

_GET = {"Accept": "application/json, application/jwk-set+json"}
_FIRST_REDIRECT, _LAST_REDIRECT = 300, 399
HASHED_FOLDERS = ("/etc/ssl/certs", "/etc/pki/ca-trust/extracted/pem/directory-hash")
"""Where Debian and Fedora (Amazon Linux too) keep each trusted certificate in a file named after its subject's hash."""


class HttpsClient:
    """Sends requests. It caches only its TLS context."""

    def __init__(
        self,
        *,
        allow_http: bool = False,
        resolve: Resolve | None = None,
        context: Callable[[], ssl.SSLContext] | None = None,
        hand_over: HandOver | None = None,
    ) -> None:
        """Allow ``http://`` for local work only. ``resolve`` and ``context`` replace the system's.

        ``hand_over`` gives a session the connection over which its request was sent already, if there is one.
        """
        self._allow_http = allow_http
        self._resolve = resolve or _resolve
        self._make_context = context or system_context
        self._context: ssl.SSLContext | None = None
        self._hand_over = hand_over

    def get(self, url: str, session: Session, headers: Mapping[str, str] = _GET) -> Response:
        """GET a document within the session's deadline: resolving, connecting, TLS and the whole body.

        Returns a response of any status but a redirect. Raises :class:`FetchError` for everything else.
        """
        return self._send(url, session, "GET", headers, b"")

    def post(self, url: str, session: Session, body: bytes, headers: Mapping[str, str]) -> Response:
        """POST a body, as :meth:`get` does. It is sent once, over a new connection, and is in no error message."""
        session.close()
        return self._send(url, session, "POST", {**headers, "Content-Length": str(len(body))}, body)

    def send_get(self, address: Address, session: Session) -> None:
        """Connect and send the request of :meth:`get`, without reading a response. Raises as :meth:`connect` does."""
        connection, request = self.connect(address, session), _head(address, "GET", _GET)
        connection.sendall(request)
        session.origin, session.connection, session.sent = address.origin, connection, request

    def _send(self, url: str, session: Session, method: str, headers: Mapping[str, str], body: bytes) -> Response:
        try:
            address = parse_address(url, allow_http=self._allow_http)
        except ValueError as error:
            raise FetchError(f"{printable(url)} is {error}") from None
        operation = f"{method} {address}"
        return traced(address.host, operation, lambda: self._answer(address, session, method, headers, body))

    def _answer(
        self, address: Address, session: Session, method: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        try:
            if self._hand_over is not None:
                self._hand_over(method, address, session)
            response = self._exchange(address, session, _head(address, method, headers) + body)
        except TimeoutError:
            raise FetchError(f"{address}: {session.timeout_error()}") from None
        except (OSError, FetchError, ValueError) as error:  # an OSError: no route, reset, a bad certificate
            raise FetchError(f"{address}: {printable(str(error), 300) or type(error).__name__}") from error
        if _FIRST_REDIRECT <= response.status <= _LAST_REDIRECT:
            location = printable(response.headers.get("location", "nowhere").partition("?")[0])
            raise FetchError(f"{address} redirects ({response.status}) to {location}, and redirects are not followed")
        return response

    def _exchange(self, address: Address, session: Session, request: bytes) -> Response:
        """Reuse the connection of the last request if it is to the same origin, unless the server has closed it."""
        kept = session.connection
        if kept is not None and session.origin == address.origin:
            try:
                return session.exchange(kept, request)
            except TimeoutError:
                raise
            except OSError:
                pass
        session.close()
        session.origin = address.origin
        return session.exchange(self.connect(address, session), request)

    def connect(self, address: Address, session: Session) -> socket.socket:
        """Connect, within the session's deadline. Raises :class:`FetchError`, ``OSError``."""
        plain = _open(self._addresses(address, session), session)
        if not address.secure:
            return plain
        try:
            if self._context is None:
                self._context = self._make_context()
            plain.settimeout(session.left())  # bounds the handshake as a whole
            # As bytes: for a string, Python would load its codec for names outside ASCII, which ours never is.
            return self._context.wrap_socket(plain, server_hostname=address.host.encode("ascii"))
        except BaseException:
            plain.close()
            raise

    def _addresses(self, address: Address, session: Session) -> list[SocketAddress]:
        """Resolve a name in a thread of its own: the system's resolver has no deadline."""
        import threading  # noqa: PLC0415 - only needed when keys come over the network

        answers: list[list[SocketAddress] | Exception] = []

        def ask() -> None:
            try:
                answers.append(self._resolve(address.host, address.port))
            except (OSError, UnicodeError) as error:
                answers.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(session.left())
        if not answers:
            raise FetchError("the name did not resolve in time")
        if isinstance(answers[0], Exception):
            raise FetchError(f"the name does not resolve: {printable(str(answers[0]))}")
        return answers[0]


def system_context() -> ssl.SSLContext:
    """Make a TLS context that trusts the system's authorities, or those that ``SSL_CERT_FILE`` names.

    ``SSL_CERT_DIR`` adds a folder of them. The server's name must be among its certificate's subject alternative names
    (RFC 9525 section 6.3), and the protocol is TLS 1.2 or later.
    """
    import ssl  # noqa: PLC0415 - loads OpenSSL: only needed when keys come over TLS

    folder = None if os.environ.get("SSL_CERT_FILE") else next(filter(_is_hashed, HASHED_FOLDERS), None)
    if folder and (more := os.environ.get("SSL_CERT_DIR")):
        folder = f"{folder}:{more}"
    # Finding one authority in a hashed folder takes OpenSSL 0.03 ms, loading the file of all of them 25 ms.
    context = ssl.create_default_context(capath=folder)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # whatever the system's configuration says
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    return context


def _is_hashed(folder: str) -> bool:
    """Return whether a folder has a file named as OpenSSL looks it up: eight hexadecimal digits and a number."""
    try:
        with os.scandir(folder) as entries:
            return any(entry.name[8:] == ".0" for entry in entries)
    except OSError:
        return False


def _head(address: Address, method: str, headers: Mapping[str, str]) -> bytes:
    """Build a request up to its body. Raises ``ValueError`` for a header with a line break."""
    ours = {
        "Host": address.origin.partition("//")[2],
        "User-Agent": f"jwt-authorizer/{__version__}",
        "Accept-Encoding": "identity",
    }
    lines = [f"{method} {address.path or '/'}{address.query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (ours | {**headers}).items()]
    if not all(line.isprintable() for line in lines):
        raise ValueError("a header of the request has a control character")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _resolve(host: str, port: int) -> list[SocketAddress]:
    import socket  # noqa: PLC0415 - only needed when keys come over the network

    found = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)  # as bytes: it loads no codec
    return [(family, endpoint) for family, _, _, _, endpoint in found]


def _open(addresses: list[SocketAddress], session: Session) -> socket.socket:
    """Connect to the first address that answers.

    Each gets a fair share of the time left, so that one which swallows packets leaves time for the others.
    """
    import socket  # noqa: PLC0415 - only needed when keys come over the network

    problem = OSError("the name has no address")
    for position, (family, endpoint) in enumerate(addresses):
        share = session.left() / (len(addresses) - position)
        try:
            candidate = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # a family that this system does not have
            problem = error
            continue
        try:
            candidate.settimeout(share)
            candidate.connect(endpoint)
        except OSError as error:
            candidate.close()
            problem = error
        else:
            return candidate
    raise problem
