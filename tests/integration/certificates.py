"""Throw-away certificates for servers on this machine."""

import datetime as dt
import socket
import ssl
from pathlib import Path

import trustme

from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.prefetch import Prefetch


class Authority:
    """A certificate authority, its certificate in ``file``."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def server_context(self, host: str, *, expired: bool = False) -> ssl.SSLContext:
        """Issue a certificate for ``host`` and make a server's context of it."""
        yesterday = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(host, not_after=yesterday if expired else None).configure_cert(context)
        return context

    def server_file(self, host: str) -> Path:
        """Issue a certificate for ``host``, and write it with its key into a file."""
        file = self.file.with_name(f"{host}.pem")
        self._authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(file)
        return file

    def client_context(self) -> ssl.SSLContext:
        """Make a context that trusts this authority alone."""
        return ssl.create_default_context(cafile=str(self.file))

    def client(self, port: int, prefetch: Prefetch | None = None) -> HttpsClient:
        """Make a client that trusts this authority alone, and finds each host at this port of this machine."""
        address = (socket.AF_INET, ("127.0.0.1", port))
        hand_over = prefetch.hand_over if prefetch else None
        return HttpsClient(resolve=lambda _host, _port: [address], context=self.client_context, hand_over=hand_over)
