"""An issuer's keys, kept fresh: when to fetch, what to serve meanwhile, when to give up.

The rules and their reasons: ``docs/adr/0004-key-cache.md``.

A Lambda execution environment handles one request at a time, so nothing here is locked. With threads, the worst is one
fetch too many, because a key set is replaced as a whole.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.issuers.fetched import FetchError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.issuers.fetched import Fetched, Report
    from jwt_authorizer.keys import Key, KeySet

FETCHES = "JwksFetches"
FETCH_FAILURES = "JwksFetchFailures"
STALE_SERVED = "JwksStaleServed"

_SHORTEST_MAX_AGE = 60.0
_LONGEST_MAX_AGE = 3600.0
_MOST_NOTES = 5
_JITTER = 0.1
_NEVER = float("-inf")
_MAYBE_NEW = "no key that is known fits the token, and the issuer can't be reached for new keys"
_NONE_TO_SERVE = "the issuer's keys can't be fetched, and there are none recent enough to serve"


def _random() -> float:
    """Return a random number from 0 up to 1, from the system: two restored snapshots never share its state."""
    return os.urandom(1)[0] / 256


class CachedKeySource:
    """One issuer's key set. Implements :class:`jwt_authorizer.keys.KeySource`.

    ``now`` is Unix time in seconds, and may jump either way. Only its movement forward makes keys older, so a clock
    that is set back can neither keep them alive nor lock anyone out.
    """

    __slots__ = (
        "_cooldown", "_due", "_expires", "_fetch", "_forward", "_found", "_generation", "_held_until", "_jitter",
        "_key_set", "_latest", "_limit", "_max_stale", "_monotonic", "_probe_from", "_problem", "_refused", "_report",
        "_stale_at", "_ttl",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - the three settings of the contract, and what a test stands in for
        self,
        fetch: Callable[[], Fetched],
        *,
        ttl: float,
        max_stale: float,
        cooldown: float,
        report: Report,
        jitter: Callable[[], float] = _random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fetch nothing yet.

        ``ttl``, ``max_stale`` and ``cooldown`` are in seconds: ``JWT_JWKS_TTL_SECONDS``, ``JWT_JWKS_MAX_STALE_SECONDS``
        and ``JWT_JWKS_COOLDOWN_SECONDS``. ``report`` is called with a metric's name and a note that is safe to log.
        ``jitter`` returns numbers from 0 up to 1, ``monotonic`` seconds of a clock that nobody sets.
        """
        self._fetch = fetch
        self._ttl = ttl
        self._max_stale = max_stale
        self._cooldown = cooldown
        self._report = report
        self._jitter = jitter
        self._monotonic = monotonic
        self._key_set: KeySet | None = None
        self._found: dict[tuple[str, str | None], tuple[Key, ...]] = {}
        self._generation = 0
        self._problem = ""
        self._refused = False
        # Everything below is in seconds of a clock that never goes back: now + _forward.
        # _due: fetch again. _expires: the TTL is over, what is served then is stale. _limit: nothing is served then.
        # _held_until: no fetch before, after a failure. _probe_from: no fetch before for an unknown key id.
        # _stale_at: when serving stale keys was counted last.
        self._latest = self._forward = 0.0
        self._due = self._expires = self._limit = self._held_until = self._probe_from = self._stale_at = _NEVER

    def warm(self, now: float) -> None:
        """Fetch ahead of the first request. If that fails, the first request after the cooldown tries again."""
        try:
            self.generation(now)
        except DecisionError:
            return

    def generation(self, now: float) -> int:
        """Refresh the keys if due. Return the version of the key set, which rises with each change.

        A token that was verified with a lower version has to be verified again. Raises :class:`DecisionError`
        (``keys_unavailable``) past the stale limit, for remembered tokens too.
        """
        self._serve(now)
        return self._generation

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Return the keys that may have signed such a token, at least one.

        Fetches if that is due, or once per cooldown for a key that is not known. Raises :class:`TokenError`
        (``unknown_key``) if the issuer has none, and :class:`DecisionError` (``keys_unavailable``) if that cannot be
        known because the issuer is out of reach.
        """
        just_fetched = self._serve(now)
        found = self._found.get((alg, kid)) or self._find(alg, kid)
        if found:
            return found
        time_ = now + self._forward
        if time_ < self._held_until:
            raise DecisionError(Reason.KEYS_UNAVAILABLE, _MAYBE_NEW)
        if just_fetched or time_ < self._probe_from:
            raise self._unknown(alg, kid)
        self._probe_from = time_ + self._cooldown
        if not self._refresh(time_):
            raise DecisionError(Reason.KEYS_UNAVAILABLE, _MAYBE_NEW)
        found = self._find(alg, kid)
        if not found:
            raise self._unknown(alg, kid)
        return found

    def known(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...] | None:
        """Return such keys without fetching; ``None`` if a fetch is due, so that only fetching can tell."""
        if self._time(now) >= self._due:
            return None
        return self._found.get((alg, kid)) or self._find(alg, kid)

    def holder(self, key: Key) -> CachedKeySource:
        """Return the key set that has this key: there is one."""
        del key
        return self

    @property
    def has_keys(self) -> bool:
        """Whether it has ever had keys."""
        return self._key_set is not None

    @property
    def refused(self) -> bool:
        """Whether the last fetch failed because the issuer answered 4xx, as for a tenant that it does not have."""
        return self._refused

    def holds(self, key: Key) -> bool:
        """Return whether it has this very key now."""
        return self._key_set is not None and any(one is key for one in self._key_set.keys)

    def _time(self, now: float) -> float:
        """Return the seconds of a clock that never goes back."""
        if now < self._latest:
            self._forward += self._latest - now
        self._latest = now
        return now + self._forward

    def _serve(self, now: float) -> bool:
        """Provide keys to serve. Returns whether they were fetched just now."""
        time_ = self._time(now)
        if time_ < self._due:
            return False
        if time_ >= self._held_until and self._refresh(time_):
            return True
        if time_ >= self._limit:
            raise DecisionError(Reason.KEYS_UNAVAILABLE, f"{_NONE_TO_SERVE}: {self._problem}")
        if time_ >= self._expires and time_ != self._stale_at:  # a request may ask twice, but counts once
            self._stale_at = time_
            self._report(STALE_SERVED, f"keys served {time_ - self._expires:.0f} s past their TTL")
        return False

    def _find(self, alg: str, kid: str | None) -> tuple[Key, ...]:
        """Look keys up, and remember them if there are any: unknown key ids take no memory."""
        found = self._key_set.candidates(alg, kid) if self._key_set else ()
        if found:
            self._found[alg, kid] = found
        return found

    def _unknown(self, alg: str, kid: str | None) -> TokenError:
        fitting = len(self._key_set.fitting(alg)) if self._key_set else 0
        if kid is None and fitting > 1:
            detail = f"the token has no kid, and {fitting} of the issuer's keys may sign {alg}: which one is unknown"
        else:
            detail = f"the issuer has no key {'with this kid ' if kid is not None else ''}that may sign {alg}"
        return TokenError(Reason.UNKNOWN_KEY, detail)

    def _refresh(self, time_: float) -> bool:
        """Fetch. Return whether it worked. A failure is reported, starts a cooldown, and changes no key."""
        started = self._monotonic()
        self._refused = False
        try:
            fetched = self._fetch()
            self._keep(fetched, time_)
        except FetchError as error:
            problem, self._refused = str(error), error.refused
        except Exception as error:  # noqa: BLE001 - a fetcher's bug must not take working keys away
            problem = f"unexpected {type(error).__name__}"
        else:
            left_out = fetched.key_set.skipped
            notes = [f"{len(fetched.key_set.keys)} keys", *left_out[:_MOST_NOTES]]
            notes += [f"{len(left_out) - _MOST_NOTES} more left out"] if len(left_out) > _MOST_NOTES else []
            self._report(FETCHES, printable("; ".join(notes), 1000))
            return True
        # Counted from the end of the fetch: a short cooldown and a long timeout must not meet.
        self._held_until = time_ + (self._monotonic() - started) + self._cooldown
        self._problem = printable(problem, 1000)
        self._report(FETCHES, "failed")
        self._report(FETCH_FAILURES, self._problem)
        return False

    def _keep(self, fetched: Fetched, time_: float) -> None:
        ttl = self._ttl
        if fetched.max_age is not None:
            ttl = min(max(fetched.max_age, _SHORTEST_MAX_AGE), _LONGEST_MAX_AGE)
        as_of = time_ if fetched.as_of is None else min(time_, fetched.as_of + self._forward)
        limit = as_of + ttl + self._max_stale
        if limit <= time_:
            raise FetchError(f"the copy of the key set is {time_ - as_of:.0f} s old: its refresher has stopped")
        if fetched.key_set != self._key_set:
            self._key_set = fetched.key_set
            self._found = {}
            self._generation += 1
        self._limit = limit
        self._expires = as_of + ttl
        # Never later than the TTL, and up to a tenth earlier: environments that started together do not fetch together.
        self._due = min(time_ + ttl * (1 - _JITTER * self._jitter()), limit)


class _Warm(Protocol):
    def warm(self, now: float) -> None: ...


def warm_all(sources: Sequence[_Warm], now: float) -> None:
    """Fetch the keys of several issuers side by side: start-up has ten seconds for all of them."""
    import threading  # noqa: PLC0415 - only needed for several issuers

    threads = [threading.Thread(target=source.warm, args=(now,)) for source in sources[1:]]
    for thread in threads:
        thread.start()
    for source in sources[:1]:
        source.warm(now)
    for thread in threads:
        thread.join()
