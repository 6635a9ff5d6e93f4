"""A value that is fetched, kept in memory, and fetched again when its TTL is over: a key set, a list, other documents.

A fetch that fails never replaces what is in force. That serves for a limited time past its TTL; then nothing is
decided, because nobody knows any more what the issuer says. The rules and their reasons:
``docs/adr/0004-key-cache.md``.

A Lambda execution environment handles one request at a time, so nothing here is locked. With threads, the worst is one
fetch too many, because a value is replaced as a whole.
"""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.errors import DecisionError, Reason
from jwt_authorizer.issuers.fetched import Fetched, FetchError, printable
from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.issuers.documents import Read
    from jwt_authorizer.issuers.fetched import Report

T = TypeVar("T")

NEVER = float("-inf")

SHORTEST_MAX_AGE = 60.0
LONGEST_MAX_AGE = 3600.0
_JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Ages:
    """How a value ages, in seconds.

    ``ttl``: until it is fetched again. ``max_stale``: how long the last good one serves past that. ``cooldown``: least
    time from the end of a failed fetch to the next one.
    """

    ttl: float
    max_stale: float
    cooldown: float


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: what is said where none can serve, and the metrics that count it (empty: none does).

    ``fetches`` counts all of them, ``failures`` those that failed, ``stale`` requests that were served past the TTL.
    """

    reason: Reason
    missing: str
    fetches: str = ""
    failures: str = ""
    stale: str = ""


class Kept(Generic[T]):
    """One such value.

    ``now`` is Unix time in seconds, and may jump either way. Only its movement forward makes a value older, so a clock
    that is set back can neither keep it alive nor lock anyone out.
    """

    def __init__(  # noqa: PLR0913 - what values differ in
        self,
        fetch: Callable[[], Fetched[T]],
        ages: Ages,
        report: Report,
        kind: Kind,
        *,
        describe: Callable[[T], str] = lambda _: "fetched",
        jitter: Callable[[], float] = lambda: 0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fetch nothing yet.

        ``report`` is called with a metric's name and a note that is safe to log, for a fetch what ``describe`` returns.
        ``jitter`` returns numbers from 0 up to 1, ``monotonic`` seconds of a clock that nobody sets.
        """
        self._fetch, self._ages, self._report, self._kind = fetch, ages, report, kind
        self._describe, self._jitter, self._monotonic = describe, jitter, monotonic
        self._value: T | None = None
        self._version = 0
        self._problem = ""
        self.refused = False
        """Whether the last fetch failed because the issuer answered 4xx, as for a tenant that it does not have."""
        # Everything below is in seconds of a clock that never goes back: now + _forward.
        # _due: fetch again. _expires: the TTL is over, what is served then is stale. _limit: nothing is served then.
        # _held_until: no fetch before, after a failure. _fetched_at, _stale_at: when that was last.
        self._latest = self._forward = 0.0
        self._due = self._expires = self._limit = self._held_until = self._fetched_at = self._stale_at = NEVER

    def warm(self, now: float) -> None:
        """Fetch ahead of the first request. If that fails, the first request after the cooldown tries again."""
        with suppress(DecisionError):
            self.current(now)

    def current(self, now: float) -> T:
        """Return what is in force; fetch it first if that is due.

        Raises :class:`DecisionError` if it was never fetched, or the last good one is past its limit.
        """
        time_ = self._time(now)
        if time_ >= self._due and time_ >= self._held_until:
            self._refresh(time_)
        if time_ >= self._due:
            self._serve_stale(time_)
        return self._value  # type: ignore[return-value]  # there is one that is not due, or may be served stale

    def _serve_stale(self, time_: float) -> None:
        if time_ >= self._limit:
            raise DecisionError(self._kind.reason, f"{self._kind.missing}: {self._problem}")
        if time_ >= self._expires and time_ != self._stale_at:
            self._stale_at = time_  # a request may ask twice, but counts once
            self._count(self._kind.stale, f"served {time_ - self._expires:.0f} s past the TTL")

    def _time(self, now: float) -> float:
        """Return the seconds of a clock that never goes back."""
        if now < self._latest:
            self._forward += self._latest - now
        self._latest = now
        return now + self._forward

    def _refresh(self, time_: float) -> bool:
        """Fetch. Return whether it worked. A failure is reported, starts a cooldown, and changes no value."""
        started = self._monotonic()
        self.refused = False
        try:
            fetched = self._fetch()
            self._keep(fetched, time_)
        except FetchError as error:
            problem, self.refused = str(error), error.refused
        except Exception as error:  # noqa: BLE001 - a fetcher's bug must not take away what works
            problem = f"unexpected {type(error).__name__}"
        else:
            self._count(self._kind.fetches, self._describe(fetched.value))
            return True
        # Counted from the end of the fetch: a short cooldown and a long timeout must not meet.
        self._held_until = time_ + (self._monotonic() - started) + self._ages.cooldown
        self._problem = printable(problem, 1000)
        self._count(self._kind.fetches, "failed")
        self._count(self._kind.failures, self._problem)
        return False

    def _count(self, metric: str, note: str) -> None:
        if metric:
            self._report(metric, note)

    def _keep(self, fetched: Fetched[T], time_: float) -> None:
        ttl = self._ages.ttl
        if fetched.max_age is not None:
            ttl = min(max(fetched.max_age, SHORTEST_MAX_AGE), LONGEST_MAX_AGE)
        as_of = time_ if fetched.as_of is None else min(time_, fetched.as_of + self._forward)
        limit = as_of + ttl + self._ages.max_stale
        if limit <= time_:
            raise FetchError(f"the copy of the key set is {time_ - as_of:.0f} s old: its refresher has stopped")
        if fetched.value != self._value:
            self._value = fetched.value
            self._version += 1
        self._fetched_at = time_
        self._limit = limit
        self._expires = as_of + ttl
        # Never later than the TTL, and up to a tenth earlier: environments that started together do not fetch together.
        self._due = min(time_ + ttl * (1 - _JITTER * self._jitter()), limit)


def parsed(read: Read, parse: Callable[[bytes], T]) -> Callable[[], Fetched[T]]:
    """Make the fetch of a document that ``parse`` reads, or raises ``ValueError`` for; the same one is parsed once."""
    digest = b""
    last: Fetched[T] | None = None

    def fetch() -> Fetched[T]:
        nonlocal digest, last
        document = read()
        new = sha256(document).digest()
        if last is None or new != digest:
            try:
                last, digest = Fetched(parse(document)), new
            except ValueError as error:
                raise FetchError(str(error)) from error
        return last

    return fetch
