"""Check an issuer's TLS version and certificate."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING

from jwt_authorizer.issuers.https import system_context
from jwt_authorizer_devkit.doctoring.findings import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DAY = 86_400
_SOON = 14
"""Days: certificates are usually renewed earlier."""


def examine_tls(
    host: str, port: int, *, timeout: float, context: Callable[[], ssl.SSLContext] | None = None
) -> Iterator[Finding]:
    """Make a TLS connection as the function does. ``context`` replaces the system's settings."""
    try:
        with (
            socket.create_connection((host, port), timeout) as plain,
            (context or system_context)().wrap_socket(plain, server_hostname=host) as secured,
        ):
            version, certificate = secured.version(), secured.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        yield Finding(
            "tls", Level.PROBLEM, f"{host}: the certificate is not trusted: {error.verify_message}.", _renew(host)
        )
        return
    except OSError as error:
        yield Finding("tls", Level.PROBLEM, f"{host}:{port} cannot be reached over TLS: {error}.")
        return
    ends = certificate.get("notAfter")
    left = (ssl.cert_time_to_seconds(ends) - time.time()) / _DAY if isinstance(ends, str) else None
    if left is not None and left < _SOON:
        # The local issuer's certificate is valid for one day.
        level = Level.NOTE if host in ("localhost", "127.0.0.1") else Level.WARNING
        fix = None if level is Level.NOTE else _renew(host)
        yield Finding("tls", level, f"{host}: {version}; the certificate expires in {left:.0f} days.", fix)
        return
    until = "" if left is None else f"; the certificate is valid for {left:.0f} more days"
    yield Finding("tls", Level.GOOD, f"{host}: {version}{until}.")


def _renew(host: str) -> str:
    return f"Renew the certificate of {host}, with its whole chain, from a public authority."
