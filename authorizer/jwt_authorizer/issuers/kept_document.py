"""A document that is kept in memory, and read again when its TTL is over: the revocation list, a list of tenants.

One that cannot be read or parsed never replaces the one in force. That one serves for a limited time past its TTL; then
nothing is decided, because nobody knows any more what the document says.
"""

from __future__ import annotations

import time
from hashlib import sha256
from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.errors import DecisionError
from jwt_authorizer.issuers.fetched import FetchError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.errors import Reason
    from jwt_authorizer.issuers.documents import Read

T = TypeVar("T")
_NEVER = float("-inf")


class KeptDocument(Generic[T]):
    """One document. ``now`` is Unix time in seconds; a clock that is set back makes no document younger."""

    __slots__ = (
        "_cooldown", "_digest", "_due", "_forward", "_held_until", "_latest", "_limit", "_max_stale", "_name", "_parse",
        "_parsed", "_problem", "_read", "_reason", "_report", "_ttl",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - the three durations, and what documents differ in
        self,
        read: Read,
        parse: Callable[[bytes], T],
        *,
        name: str,
        reason: Reason,
        report: Callable[[str | None], None],
        ttl: float,
        max_stale: float,
        cooldown: float,
    ) -> None:
        """Read nothing yet.

        ``parse`` raises ``ValueError`` for a wrong document. ``name`` and ``reason`` are for the error of a document
        that is not known. ``report`` is called after each attempt to read it, with the problem if there was one.
        ``ttl``: seconds until it is read again. ``max_stale``: seconds past that for which the last good one serves.
        ``cooldown``: least seconds between two attempts after a failure.
        """
        self._read, self._parse, self._name, self._reason, self._report = read, parse, name, reason, report
        self._ttl, self._max_stale, self._cooldown = ttl, max_stale, cooldown
        self._parsed: T | None = None
        self._digest = b""
        self._problem = ""
        self._latest = self._forward = 0.0
        self._due = self._limit = self._held_until = _NEVER

    def warm(self, now: float) -> None:
        """Read it ahead of the first request. A failure does not stop start-up: the request meets it."""
        try:
            self.current(now)
        except DecisionError:
            return

    def current(self, now: float) -> T:
        """Return what is in force; read it first if that is due.

        Raises :class:`DecisionError` if none was ever read, or the last good one is past its limit.
        """
        if now < self._latest:
            self._forward += self._latest - now
        self._latest = now
        moment = now + self._forward
        if moment >= self._due and moment >= self._held_until:
            self._refresh(moment)
        if self._parsed is None or moment >= self._limit:
            problem = f"the {self._name} can't be read, and none recent enough is known: {self._problem}"
            raise DecisionError(self._reason, problem)
        return self._parsed

    def _refresh(self, moment: float) -> None:
        """Read it. Whatever goes wrong is reported, delays the next read, and leaves what is in force as it is."""
        started = time.monotonic()
        try:
            document = self._read()
            digest = sha256(document).digest()
            if digest != self._digest:
                self._parsed = self._parse(document)
                self._digest = digest
        except (FetchError, ValueError) as error:
            # Counted from the end of the read: a short cooldown and a long timeout must not meet.
            self._held_until = moment + (time.monotonic() - started) + self._cooldown
            self._problem = printable(str(error), 1000)
            self._report(self._problem)
            return
        self._due = moment + self._ttl
        self._limit = self._due + self._max_stale
        self._report(None)
