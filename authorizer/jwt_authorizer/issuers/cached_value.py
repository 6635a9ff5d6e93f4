"""Cache a value in memory, and fetch it again when its TTL is over: a key set, a list of tenants, the revocation list.

If a fetch fails, the cached value is served for a limited time past its TTL (as ``stale-if-error`` of RFC 5861). After
that :class:`DecisionError` is raised, since the value may have changed long ago. The rules and their reasons:
``docs/adr/0004-key-cache.md``.

A Lambda execution environment handles one request at a time, so nothing here is locked. With threads, the worst is one
fetch too many, because a value is replaced as a whole.
"""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.errors import DecisionError, ErrorCode
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
    """How long a value is used, in seconds.

    ``ttl``: until it is fetched again. ``max_stale``: past that, as long as fetching fails. ``cooldown``: from the end
    of a failed fetch to the next one, at least.
    """

    ttl: float
    max_stale: float
    cooldown: float


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of value: the error if there is none to serve (code and detail), and the names of its metrics, or empty.

    ``fetches`` counts all fetches, ``failures`` those that failed, ``stale`` requests that were served past the TTL.
    """

    code: ErrorCode
    missing: str
    fetches: str = ""
    failures: str = ""
    stale: str = ""


class CachedValue(Generic[T]):
    """A value, its age, and the function that fetches it.

    ``now`` is Unix time in seconds, and may jump either way. Only steps forward make the value older, so that a clock
    that is set back neither prolongs its life nor delays a fetch.
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

        ``report`` counts a metric, with a note that is safe to log: after a fetch, what ``describe`` returns.
        ``jitter`` returns a random number from 0 up to 1. ``monotonic`` returns seconds of a monotonic clock.
        """
        self._fetch, self._ages, self._report, self._kind = fetch, ages, report, kind
        self._describe, self._jitter, self._monotonic = describe, jitter, monotonic
        self._value: T | None = None
        self._version = 0
        self._problem = ""
        self.answered_4xx = False
        """Whether the last fetch failed because the issuer answered 4xx, as for a tenant that it does not have."""
        self._last_now = self._clock_offset = 0.0
        # Times of a clock that never goes back (now + _clock_offset), in seconds, and what holds from then on.
        self._fetch_due = NEVER  # fetch again: the TTL, less the jitter
        self._stale_from = NEVER  # the TTL is over: what is served is stale
        self._stale_limit = NEVER  # nothing is served any more
        self._cooldown_until = NEVER  # after a failure, a fetch is allowed again
        self._fetched_at = self._last_stale = NEVER  # the last fetch; the last request that was counted as stale

    def warm(self, now: float) -> None:
        """Fetch ahead of the first request. If that fails, the first request after the cooldown tries again."""
        with suppress(DecisionError):
            self.current(now)

    def current(self, now: float) -> T:
        """Return the value; fetch it first if that is due.

        Raises :class:`DecisionError` if it was never fetched, or is past its stale limit.
        """
        time_ = self._time(now)
        if time_ >= self._fetch_due and time_ >= self._cooldown_until:
            self._refresh(time_)
        if time_ >= self._fetch_due:
            self._check_stale(time_)
        return self._value  # type: ignore[return-value]  # it is fresh, or may be served stale

    def _check_stale(self, time_: float) -> None:
        """Count a request that is served past the TTL. Raise :class:`DecisionError` past the stale limit."""
        if time_ >= self._stale_limit:
            raise DecisionError(self._kind.code, f"{self._kind.missing}: {self._problem}")
        if time_ >= self._stale_from and time_ != self._last_stale:
            self._last_stale = time_  # a request may ask twice, but counts once
            self._count(self._kind.stale, f"served {time_ - self._stale_from:.0f} s past the TTL")

    def _time(self, now: float) -> float:
        """Return the seconds of a clock that never goes back."""
        if now < self._last_now:
            self._clock_offset += self._last_now - now
        self._last_now = now
        return now + self._clock_offset

    def _refresh(self, time_: float) -> bool:
        """Fetch, and return whether that worked. A failure is reported, starts the cooldown, and keeps the value."""
        started = self._monotonic()
        self.answered_4xx = False
        try:
            fetched = self._fetch()
            self._keep(fetched, time_)
        except FetchError as error:
            problem, self.answered_4xx = str(error), error.answered_4xx
        except Exception as error:  # noqa: BLE001 - a fetcher's bug must not take away what works
            problem = f"unexpected {type(error).__name__}"
        else:
            self._count(self._kind.fetches, self._describe(fetched.value))
            return True
        # From the end of the fetch: else a cooldown that is shorter than the timeout would be none.
        self._cooldown_until = time_ + (self._monotonic() - started) + self._ages.cooldown
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
        as_of = time_ if fetched.as_of is None else min(time_, fetched.as_of + self._clock_offset)
        limit = as_of + ttl + self._ages.max_stale
        if limit <= time_:
            raise FetchError(f"the copy of the key set is {time_ - as_of:.0f} s old: its refresher has stopped")
        if fetched.value != self._value:
            self._value = fetched.value
            self._version += 1
        self._fetched_at = time_
        self._stale_limit = limit
        self._stale_from = as_of + ttl
        # Up to a tenth of the TTL early, so that environments that started together do not fetch together.
        self._fetch_due = min(time_ + ttl * (1 - _JITTER * self._jitter()), limit)


def parsed(read: Read, parse: Callable[[bytes], T]) -> Callable[[], Fetched[T]]:
    """Make the function that reads a document, and parses it if it has changed. ``parse`` may raise ``ValueError``."""
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
