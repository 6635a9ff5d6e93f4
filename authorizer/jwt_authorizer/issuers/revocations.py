"""The revocation list in force: read at start-up, and again when its TTL is over.

A list that cannot be read, or that is not one, never replaces the one in force. That one serves for a limited time past
its TTL; then every token is refused with a 500, because nobody knows any more whether it has been revoked.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.issuers.fetched import FetchError, printable
from jwt_authorizer.revocation import BadListError, read_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jwt_authorizer.issuers.documents import Read
    from jwt_authorizer.revocation import Revoked

    Report = Callable[[str, str], None]

READS = "RevocationListReads"
READ_FAILURES = "RevocationListFailures"
MAX_LIST = 8 * 1024 * 1024
"""Bytes of a list: some 180,000 entries with identifiers of 32 characters."""
_NEVER = float("-inf")


class RevocationSource:
    """Where the list is, and the list that was last read from there.

    ``now`` is Unix time in seconds. A clock that is set back makes no list younger.
    """

    __slots__ = (
        "_cooldown", "_digest", "_due", "_forward", "_held_until", "_issuers", "_latest", "_limit", "_max_stale",
        "_problem", "_read", "_report", "_ttl",
    )  # fmt: skip

    def __init__(self, read: Read, *, ttl: float, max_stale: float, cooldown: float, report: Report) -> None:
        """Read nothing yet.

        ``ttl``: seconds until the list is read again. ``max_stale``: seconds past that for which the last good list
        serves. ``cooldown``: least seconds between two reads after a failure. ``report`` is called with a metric's
        name and a detail that is safe to log.
        """
        self._read = read
        self._ttl = ttl
        self._max_stale = max_stale
        self._cooldown = cooldown
        self._report = report
        self._issuers: Mapping[str, Revoked] = {}
        self._digest = b""
        self._problem = ""
        self._latest = self._forward = 0.0
        self._due = self._limit = self._held_until = _NEVER

    def warm(self, now: float) -> None:
        """Read the list ahead of the first request. A failure does not stop start-up: the request meets it."""
        try:
            self.current(now)
        except DecisionError:
            return

    def current(self, now: float) -> Mapping[str, Revoked]:
        """Return the list in force, by issuer; read it first if that is due.

        Raises :class:`DecisionError` (``revocation_unavailable``) if none was ever read, or the last good one is
        past its limit.
        """
        if now < self._latest:
            self._forward += self._latest - now
        self._latest = now
        moment = now + self._forward
        if moment < self._due:
            return self._issuers
        if moment >= self._held_until:
            self._refresh(moment)
        if moment >= self._limit:
            raise DecisionError(
                Reason.REVOCATION_UNAVAILABLE,
                f"the revocation list can't be read, and none recent enough is known: {self._problem}",
            )
        return self._issuers

    def _refresh(self, moment: float) -> None:
        """Read the list. Whatever goes wrong is reported, delays the next read, and leaves the list as it is."""
        self._report(READS, "read")
        try:
            document = self._read()
            digest = sha256(document).digest()
            if digest != self._digest:
                self._issuers = read_list(document)
                self._digest = digest
        except (FetchError, BadListError) as error:
            self._held_until = moment + self._cooldown
            self._problem = printable(str(error), 1000)
            self._report(READ_FAILURES, self._problem)
            return
        self._due = moment + self._ttl
        self._limit = self._due + self._max_stale
