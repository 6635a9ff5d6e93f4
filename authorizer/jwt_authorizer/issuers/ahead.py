"""Connect to the issuer ahead: a thread waits for the network while the function's modules are imported.

Importing takes longer than a round trip to most issuers, so the connection is there when the keys are asked for. With
one processor or less only the waiting is saved, which is most of it. ``docs/adr/0007-start-up.md`` has the figures.
"""

from __future__ import annotations

import socket  # noqa: F401 - here, so that the thread imports nothing: two that import would wait for each other
import ssl  # noqa: F401 - as above
import threading

from jwt_authorizer.issuers.address import parse_address
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Session

_SECONDS = 5.0
"""For the connection. Whoever waits for it waits no longer than their own deadline."""


class Ahead:
    """One connection that is made before it is known whether anybody needs it."""

    def __init__(self, url: str, client: HttpsClient | None = None) -> None:
        """Start to connect to an ``https://`` URL's origin. Raises ``ValueError`` for anything else."""
        self._address = parse_address(url, allow_http=False)
        self._client = client or HttpsClient()
        self._session = Session(_SECONDS)
        self._thread = threading.Thread(target=self._connect, daemon=True)
        self._thread.start()

    @property
    def origin(self) -> str:
        """What it connects to, as :class:`Session` has it."""
        return self._address.origin

    def hand_over(self, session: Session) -> None:
        """Give the connection to a fetch, as if the request before had left it. If there is none, it makes its own."""
        self._thread.join(session.left())
        session.origin, session.connection = self._session.origin, self._session.connection

    def _connect(self) -> None:
        try:
            connection = self._client.connect(self._address, self._session)
        except (FetchError, OSError):
            return  # the fetch finds out by itself, and reports it
        self._session.origin, self._session.connection = self._address.origin, connection
