"""One bounded GET: a total deadline, a size limit, verified TLS, no redirects, no proxies.

Why not a library: ``docs/adr/0003-fetching-keys.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer import __version__
from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.issuers.response import read_response

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from jwt_authorizer.issuers.address import Address
    from jwt_authorizer.issuers.response import Connection, Deadline, Response

    type Get = Callable[[str, Deadline], Response]
    type Resolve = Callable[[str, int], list[SocketAddress]]
    type SocketAddress = tuple[int, str | tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]

_FIRST_REDIRECT, _LAST_REDIRECT = 300, 399


class HttpsClient:
    """GETs documents. It keeps nothing but its TLS context, whose certificates take long to load."""

    def __init__(
        self,
        *,
        allow_http: bool = False,
        resolve: Resolve | None = None,
        context: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """Allow ``http://`` for local work only. ``resolve`` and ``context`` stand in for the system's."""
        self._allow_http = allow_http
        self._resolve = resolve or _resolve
        self._make_context = context or system_context
        self._context: ssl.SSLContext | None = None

    def get(self, url: str, deadline: Deadline) -> Response:
        """GET a document; resolving, connecting, TLS and the whole body share the deadline.

        Returns a response of any status but a redirect. Raises :class:`FetchError` for everything else.
        """
        try:
            address = parse_address(url, allow_http=self._allow_http)
        except ValueError as error:
            message = f"{printable(url)} is {error}"
            raise FetchError(message) from None
        try:
            response = self._exchange(address, deadline)
        except TimeoutError:
            message = f"{address}: {deadline.missed()}"
            raise FetchError(message) from None
        except OSError as error:  # refused, reset, no route, and ssl.SSLError: a bad certificate
            message = f"{address}: {printable(str(error)) or type(error).__name__}"
            raise FetchError(message) from error
        except FetchError as error:
            message = f"{address}: {error}"
            raise FetchError(message) from error
        if _FIRST_REDIRECT <= response.status <= _LAST_REDIRECT:
            location = printable(response.headers.get("location", "nowhere").partition("?")[0])
            message = f"{address} redirects ({response.status}) to {location}, and redirects are not followed"
            raise FetchError(message)
        return response

    def _exchange(self, address: Address, deadline: Deadline) -> Response:
        connection = self._connect(address, deadline)
        try:
            connection.settimeout(deadline.left())
            connection.sendall(
                f"GET {address.path or '/'}{address.query} HTTP/1.1\r\n"
                f"Host: {address.authority}\r\n"
                f"User-Agent: jwt-authorizer/{__version__}\r\n"
                "Accept: application/json, application/jwk-set+json\r\n"
                "Accept-Encoding: identity\r\n"
                "Connection: close\r\n"
                "\r\n".encode("ascii")
            )
            return read_response(connection, deadline)
        finally:
            connection.close()

    def _connect(self, address: Address, deadline: Deadline) -> Connection:
        plain = _open(self._addresses(address, deadline), deadline)
        if not address.secure:
            return plain
        try:
            if self._context is None:
                self._context = self._make_context()
            plain.settimeout(deadline.left())  # bounds the handshake as a whole
            return self._context.wrap_socket(plain, server_hostname=_ascii(address.endpoint[0]))
        except BaseException:
            plain.close()
            raise

    def _addresses(self, address: Address, deadline: Deadline) -> list[SocketAddress]:
        """Resolve a name in a thread of its own: the system's resolver knows no deadline."""
        import threading  # noqa: PLC0415 - only needed when keys come over the network

        answers: list[list[SocketAddress] | Exception] = []

        def ask() -> None:
            try:
                answers.append(self._resolve(*address.endpoint))
            except (OSError, UnicodeError) as error:
                answers.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(deadline.left())
        if not answers:
            message = "the name did not resolve in time"
            raise FetchError(message)
        if isinstance(answers[0], Exception):
            message = f"the name does not resolve: {printable(str(answers[0]))}"
            raise FetchError(message)
        return answers[0]


def _resolve(host: str, port: int) -> list[SocketAddress]:
    import socket  # noqa: PLC0415 - only needed when keys come over the network

    found = socket.getaddrinfo(_ascii(host), port, type=socket.SOCK_STREAM)
    return [(family, endpoint) for family, _, _, _, endpoint in found]


def _ascii(host: str) -> bytes:
    """Give the name as bytes: for a text Python would load its codec for names outside ASCII, which ours never is."""
    return host.encode("ascii")


def _open(addresses: list[SocketAddress], deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers.

    Each gets a fair share of what time is left, so that one which swallows packets (IPv6 in a network
    that has none) does not use up the others' turn.
    """
    import socket  # noqa: PLC0415 - only needed when keys come over the network

    problem = OSError("the name has no address")
    for position, (family, endpoint) in enumerate(addresses):
        share = deadline.left() / (len(addresses) - position)
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


def system_context() -> ssl.SSLContext:
    """Python's default: the system's certificates or SSL_CERT_FILE's, names checked, TLS 1.2 or later."""
    import ssl  # noqa: PLC0415 - loads OpenSSL: only needed when keys come over TLS

    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # whatever the system's configuration says
    context.set_alpn_protocols(["http/1.1"])
    return context
