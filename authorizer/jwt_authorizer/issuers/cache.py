"""Cache an issuer's key set (``cached_value.py``), and fetch it once more for a token whose key it does not have."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError
from jwt_authorizer.issuers.cached_value import NEVER, Ages, CachedValue, Kind
from jwt_authorizer.issuers.fetched import Fetched, printable
from jwt_authorizer.keys import Key, KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.issuers.fetched import Report

FETCH_FAILURES = "JwksFetchFailures"
_MOST_NOTES = 5
_MAYBE_NEW = "no key that is known fits the token, and the issuer can't be reached for new keys"
_KEYS = Kind(
    ErrorCode.KEYS_UNAVAILABLE,
    "the issuer's keys can't be fetched, and there are none recent enough to serve",
    "JwksFetches",
    FETCH_FAILURES,
    "JwksStaleServed",
)


def _random() -> float:
    """Return a random number from 0 up to 1, by the system: restored snapshots must not share a generator's state."""
    return os.urandom(1)[0] / 256


class CachedKeySource(CachedValue[KeySet]):
    """One issuer's key set. Implements :class:`jwt_authorizer.keys.KeySource`."""

    def __init__(
        self,
        fetch: Callable[[], Fetched[KeySet]],
        ages: Ages,
        report: Report,
        *,
        jitter: Callable[[], float] = _random,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Fetch nothing yet. ``report`` is called with a metric's name and a note that is safe to log."""
        super().__init__(fetch, ages, report, _KEYS, describe=_described, jitter=jitter, monotonic=monotonic)
        self._next_probe = NEVER
        """Time from which a token with an unknown key may cause a fetch."""

    def version(self, now: float) -> int:
        """Refresh the keys if due. Return the version of the key set, which changes with its keys.

        A token that was verified with another version has to be verified again. Raises :class:`DecisionError`
        (``keys_unavailable``) past the stale limit, for remembered tokens too.
        """
        self.current(now)
        return self._version

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Return the keys that may have signed such a token, at least one.

        Fetches if that is due, and once per cooldown for an unknown key. Raises :class:`TokenError` (``unknown_key``)
        if the issuer has no such key, and :class:`DecisionError` (``keys_unavailable``) if it cannot be reached.
        """
        return self.current(now).candidates(alg, kid) or self._look_again(alg, kid, now)

    def _look_again(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Look for an unknown key again.

        Fetch first, unless this request has fetched already, or during a cooldown: of the last fetch for an unknown key
        (``_next_probe``), or of a failed one (``_cooldown_until``). During the latter the issuer may have a new key, so
        the error is ``keys_unavailable`` and not ``unknown_key``.
        """
        time_ = now + self._clock_offset
        if time_ != self._fetched_at and time_ >= max(self._next_probe, self._cooldown_until):
            self._next_probe = time_ + self._ages.cooldown
            self._refresh(time_)
        key_set = self.current(now)
        found = key_set.candidates(alg, kid)
        if not found and time_ < self._cooldown_until:
            raise DecisionError(ErrorCode.KEYS_UNAVAILABLE, _MAYBE_NEW)
        if not found:
            raise _unknown(key_set, alg, kid)
        return found

    def cached_candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...] | None:
        """Return the keys that :meth:`candidates` would, without a fetch; ``None`` if a fetch is due."""
        if self._value is None or self._time(now) >= self._fetch_due:
            return None
        return self._value.candidates(alg, kid)

    def source_of(self, key: Key) -> CachedKeySource:
        """Return this source: it has one key set."""
        del key
        return self

    @property
    def has_keys(self) -> bool:
        """Whether it has ever had keys."""
        return self._value is not None

    def holds(self, key: Key) -> bool:
        """Return whether its key set has this key object."""
        return self._value is not None and any(one is key for one in self._value.keys)


def _described(key_set: KeySet) -> str:
    left_out = key_set.skipped
    notes = [f"{len(key_set.keys)} keys", *left_out[:_MOST_NOTES]]
    notes += [f"{len(left_out) - _MOST_NOTES} more left out"] if len(left_out) > _MOST_NOTES else []
    return printable("; ".join(notes), 1000)


def _unknown(key_set: KeySet, alg: str, kid: str | None) -> TokenError:
    fitting = len(key_set.fitting(alg))
    if kid is None and fitting > 1:
        detail = f"the token has no kid, and {fitting} of the issuer's keys may sign {alg}: which one is unknown"
    else:
        detail = f"the issuer has no key {'with this kid ' if kid is not None else ''}that may sign {alg}"
    return TokenError(ErrorCode.UNKNOWN_KEY, detail)


class _Warm(Protocol):
    def warm(self, now: float) -> None: ...


def warm_all(sources: Sequence[_Warm], now: float) -> None:
    """Fetch the keys of several issuers in parallel: start-up has ten seconds for all of them."""
    import threading  # noqa: PLC0415 - only needed for several issuers

    threads = [threading.Thread(target=source.warm, args=(now,)) for source in sources[1:]]
    for thread in threads:
        thread.start()
    for source in sources[:1]:
        source.warm(now)
    for thread in threads:
        thread.join()
