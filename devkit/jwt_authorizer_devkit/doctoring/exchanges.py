"""Requests to an issuer, and its answers."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

    from jwt_authorizer.issuers.https import HttpsClient
    from jwt_authorizer.issuers.session import Response, Session
    from jwt_authorizer.settings.model import KeySettings


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to the issuer: its answer, how many ``seconds`` it took, and when it arrived (seconds since 1970)."""

    url: str
    response: Response
    seconds: float
    at: float


@dataclass(frozen=True, slots=True)
class Asked:
    """An issuer to check, as the settings describe it."""

    issuer: str
    jwks: str | None
    keys: KeySettings
    leeway: float
    algorithms: frozenset[str]
    package_root: str | PathLike[str]


@dataclass(slots=True)
class Recorder:
    """Sends requests to an issuer, and records its answers."""

    https: HttpsClient
    clock: Callable[[], float]
    exchanges: list[Exchange] = field(default_factory=list)

    def get(self, url: str, session: Session) -> Response:
        """GET a document, as :meth:`HttpsClient.get` does."""
        started = time.perf_counter()
        response = self.https.get(url, session)
        self.exchanges.append(Exchange(url, response, time.perf_counter() - started, self.clock()))
        return response
