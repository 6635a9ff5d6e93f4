"""An issuer's keys, kept fresh as ``kept.py`` says, and the one fetch more that an unknown key may cause."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.issuers.fetched import Fetched, printable
from jwt_authorizer.issuers.kept import NEVER, Ages, Kept, Kind
from jwt_authorizer.keys import Key, KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.issuers.fetched import Report

FETCH_FAILURES = "JwksFetchFailures"
_MOST_NOTES = 5
_MAYBE_NEW = "no key that is known fits the token, and the issuer can't be reached for new keys"
_KEYS = Kind(
    Reason.KEYS_UNAVAILABLE,
    "the issuer's keys can't be fetched, and there are none recent enough to serve",
    "JwksFetches",
    FETCH_FAILURES,
    "JwksStaleServed",
)


def _random() -> float:
    """Return a random number from 0 up to 1, from the system: two restored snapshots never share its state."""
    return os.urandom(1)[0] / 256


class CachedKeySource(Kept[KeySet]):
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
        self._probe_from = NEVER
        """No fetch for an unknown key id before this time."""

    def version(self, now: float) -> int:
        """Refresh the keys if due. Return the version of the key set, which rises with each change.

        A token that was verified with a lower version has to be verified again. Raises :class:`DecisionError`
        (``keys_unavailable``) past the stale limit, for remembered tokens too.
        """
        self.current(now)
        return self._version

    def candidates(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Return the keys that may have signed such a token, at least one.

        Fetches if that is due, or once per cooldown for a key that is not known. Raises :class:`TokenError`
        (``unknown_key``) if the issuer has none, and :class:`DecisionError` (``keys_unavailable``) if that cannot be
        known because the issuer is out of reach.
        """
        return self.current(now).candidates(alg, kid) or self._look_again(alg, kid, now)

    def _look_again(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...]:
        """Look for a key that is not known; fetch first, unless that was just done or a cooldown holds."""
        time_ = now + self._forward
        if time_ != self._fetched_at and time_ >= max(self._probe_from, self._held_until):
            self._probe_from = time_ + self._ages.cooldown
            self._refresh(time_)
        key_set = self.current(now)
        found = key_set.candidates(alg, kid)
        if not found and time_ < self._held_until:
            raise DecisionError(Reason.KEYS_UNAVAILABLE, _MAYBE_NEW)
        if not found:
            raise _unknown(key_set, alg, kid)
        return found

    def known(self, alg: str, kid: str | None, now: float) -> tuple[Key, ...] | None:
        """Return such keys without fetching; ``None`` if a fetch is due, so that only fetching can tell."""
        if self._value is None or self._time(now) >= self._due:
            return None
        return self._value.candidates(alg, kid)

    def source_of(self, key: Key) -> CachedKeySource:
        """Return the key set that has this key: there is one."""
        del key
        return self

    @property
    def has_keys(self) -> bool:
        """Whether it has ever had keys."""
        return self._value is not None

    def holds(self, key: Key) -> bool:
        """Return whether it has this very key now."""
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
    return TokenError(Reason.UNKNOWN_KEY, detail)


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
