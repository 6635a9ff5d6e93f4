"""Prefetch: a thread sends the first request to the issuer while the function's modules are imported.

Importing takes longer than a round trip to most issuers, so the response has arrived, or nearly, when it is needed.
With one processor or less this saves only the waiting, which is most of it. Figures: ``docs/adr/0007-start-up.md``.
"""

from __future__ import annotations

import socket  # noqa: F401 - here, so that the thread imports nothing: two that import would wait for each other
import ssl  # noqa: F401 - for the same reason
import threading

from jwt_authorizer.issuers.address import Address, parse_address
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.https import HttpsClient
from jwt_authorizer.issuers.session import Session

_SECONDS = 5.0
"""For the request. A fetch that takes it over waits no longer than its own deadline."""


class Prefetch:
    """One GET request that is sent before its response is needed."""

    def __init__(self, url: str, client: HttpsClient | None = None) -> None:
        """Start to send a request for an ``https://`` URL. Raises ``ValueError`` for anything else."""
        self._address = parse_address(url, allow_http=False)
        self._client = client or HttpsClient()
        self._session = Session(_SECONDS)
        self._handed_over = False
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def hand_over(self, method: str, address: Address, session: Session) -> None:
        """Hand the connection to the first fetch of the same document. If there is none, the fetch makes its own."""
        if self._handed_over or method != "GET" or address != self._address:
            return
        self._handed_over = True
        self._thread.join(session.left())
        ours = self._session
        session.origin, session.connection, session.sent = ours.origin, ours.connection, ours.sent

    def _send(self) -> None:
        try:
            self._client.send_get(self._address, self._session)
        except (FetchError, OSError):
            return  # the fetch then makes its own connection, and reports what is wrong
