"""Simulate a fleet of execution environments with one issuer: fetches, added latency, rejected requests, cost.

Each simulated environment has the real key cache (:class:`jwt_authorizer.issuers.CachedKeySource`) and runs through the
same half hour. It starts in one burst with all others, needs keys for each of its requests, and is replaced now and
then; the issuer rotates its key, or cannot be reached. Environments are independent, so one is simulated after the
other, and only the issuer's load is summed.

:class:`Assumptions` has what is assumed, not measured.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from jwt_authorizer.errors import AuthorizerError
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.keys import Key, KeySet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZES = (1, 100, 10_000, 100_000)
SDK = 0.19
"""Seconds of a whole processor for importing boto3 and creating a client. Measured once, separately."""
CALL = 0.0013
"""The same for one call to a store: signing it, TLS, reading the answer. Measured once, separately."""
_ALG = "RS256"
_OLD = Key("old", frozenset({_ALG}), None)
_NEW = Key("new", frozenset({_ALG}), None)


class Event(StrEnum):
    """What happens to the issuer during the half hour."""

    NOTHING = "well"
    ROTATION = "rotates its key"
    OUTAGE = "out of reach"


class Keys(StrEnum):
    """Where environments get their keys."""

    ISSUER = "from the issuer"
    REFRESHER = "from the refresher's copy"


class Start(StrEnum):
    """How environments start."""

    COLD = "cold"
    SNAPSHOT = "from a snapshot"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Times in seconds. ``make bench`` fills in those that depend on the memory size; the rest is assumed."""

    cold_start: float = 0.3
    processor_of_fetch: float = 0.08
    """Opening TLS and reading keys."""
    warm_request: float = 0.001
    sdk: float = 2 * SDK
    processor_of_call: float = 2 * CALL

    network_of_fetch: float = 0.06
    """Name, TCP, TLS and one exchange with an issuer 15 ms away."""
    copy_read: float = 0.03
    """Reading the refresher's copy from S3 or Parameter Store in the same region."""
    restore: float = 0.2
    """From a snapshot to the first instruction; AWS states no figure."""
    timeout: float = 3.0
    """The time of a fetch from an issuer that does not answer: ``JWT_HTTP_TIMEOUT_SECONDS``."""

    duration: float = 1800.0
    burst: float = 10.0
    """All environments start within this time."""
    gap: float = 30.0
    """Mean time between two requests of one environment that API Gateway's cache does not answer."""
    life: float = 7200.0
    """Mean life of an environment."""
    token_life: float = 600.0
    """After a key rotation, the time until all tokens are signed with the new key. Their share grows linearly."""
    refresh_every: float = 300.0
    event_at: float = 700.0
    outage: float = 600.0


@dataclass(slots=True)
class Tally:
    """Counts. ``waits`` has the added latencies that are not zero, in seconds."""

    requests: int = 0
    environments: int = 0
    refused: int = 0
    failed: int = 0
    waits: list[float] = field(default_factory=list)
    fetches: Counter[int] = field(default_factory=Counter)
    """Fetches from the issuer, by second."""

    def quantile(self, share: float) -> float:
        """Return the added latency at this quantile of all requests."""
        without = self.requests - len(self.waits)
        position = min(int(share * self.requests), self.requests - 1)
        return 0.0 if position < without else sorted(self.waits)[position - without]

    @property
    def all_fetches(self) -> int:
        """The number of fetches from the issuer."""
        return self.fetches.total()

    @property
    def peak(self) -> int:
        """The most fetches in one second."""
        return max(self.fetches.values(), default=0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fleet, and the event in its half hour."""

    size: int
    event: Event = Event.NOTHING
    keys: Keys = Keys.ISSUER
    start: Start = Start.COLD


def simulate(scenario: Scenario, given: Assumptions, *, seed: int = 1) -> Tally:
    """Simulate a fleet for half an hour. The same seed gives the same outcome."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    tally = Tally()
    issuer = _Issuer(scenario, given)
    if scenario.keys is Keys.REFRESHER:
        tally.fetches.update(int(at) for at in issuer.refreshes)
    for times in lives(scenario.size, given, chance):
        _live(times, scenario, given, issuer, tally, chance)
    return tally


def lives(size: int, given: Assumptions, chance: random.Random) -> Iterator[Iterator[float]]:
    """Yield the times of each environment's requests. All start in one burst; each is replaced when it ends."""
    for _ in range(size):
        born = chance.uniform(0, given.burst)
        while born < given.duration:
            died = born + chance.expovariate(1 / given.life)
            yield requests(born, min(died, given.duration), given, chance)
            born = died


class _Issuer:
    """The issuer, or the copy of its keys, at any time."""

    def __init__(self, scenario: Scenario, given: Assumptions) -> None:
        self._scenario = scenario
        self._given = given
        self.refreshes = [n * given.refresh_every for n in range(int(given.duration / given.refresh_every) + 1)]

    def is_out(self, at: float) -> bool:
        begins = self._given.event_at
        return self._scenario.event is Event.OUTAGE and begins <= at < begins + self._given.outage

    def keys(self, at: float) -> KeySet:
        rotated = self._scenario.event is Event.ROTATION and at >= self._given.event_at
        return KeySet((_NEW, _OLD) if rotated else (_OLD,), ())

    def fetched(self, at: float) -> Fetched[KeySet]:
        """Answer a fetch. Raises :class:`FetchError` like a real fetch."""
        if self._scenario.keys is Keys.ISSUER:
            if self.is_out(at):
                message = "out of reach"
                raise FetchError(message)
            return Fetched(self.keys(at))
        copied = max(moment for moment in self.refreshes if moment <= at and not self.is_out(moment))
        return Fetched(self.keys(copied), as_of=copied)

    def wait(self, at: float) -> float:
        """Return how many seconds a fetch takes."""
        if self._scenario.keys is Keys.REFRESHER:
            return self._given.copy_read
        return self._given.timeout if self.is_out(at) else self._given.network_of_fetch + self._given.processor_of_fetch

    def share_of_new(self, at: float) -> float:
        """Return the share of tokens that are signed with the new key."""
        if self._scenario.event is not Event.ROTATION:
            return 0.0
        return min(max((at - self._given.event_at) / self._given.token_life, 0.0), 1.0)


def requests(born: float, end: float, given: Assumptions, chance: random.Random) -> Iterator[float]:
    """Yield the times of one environment's requests. The first one starts the environment."""
    at = born
    while at < end:
        yield at
        at += chance.expovariate(1 / given.gap)


def _live(  # noqa: PLR0913, PLR0917 - what one life depends on
    times: Iterator[float],
    scenario: Scenario,
    given: Assumptions,
    issuer: _Issuer,
    tally: Tally,
    chance: random.Random,
) -> None:
    waited = now = 0.0
    has_sdk = scenario.keys is Keys.ISSUER

    def fetch() -> Fetched[KeySet]:
        nonlocal waited, has_sdk
        waited += issuer.wait(now) + (0.0 if has_sdk else given.sdk)
        has_sdk = True
        if scenario.keys is Keys.ISSUER:
            tally.fetches[int(now)] += 1
        return issuer.fetched(now)

    source = key_source(fetch, chance.random)
    tally.environments += 1
    for first, now in _marked(times):
        waited = 0.0
        if first:
            waited += given.cold_start - given.processor_of_fetch if scenario.start is Start.COLD else given.restore
            source.warm(now)
        tally.requests += 1
        kid = "new" if chance.random() < issuer.share_of_new(now) else "old"
        try:
            source.version(now)
            source.candidates(_ALG, kid, now)
        except AuthorizerError as error:
            tally.refused += error.code == "unknown_key"
            tally.failed += error.code != "unknown_key"
        if waited:
            tally.waits.append(waited)


def key_source(fetch: Callable[[], Fetched[KeySet]], jitter: Callable[[], float]) -> CachedKeySource:
    """Make the real key cache with the settings' defaults."""
    return CachedKeySource(fetch, Ages(600, 3600, 30), lambda *_: None, jitter=jitter, monotonic=lambda: 0.0)


def _marked(times: Iterator[float]) -> Iterator[tuple[bool, float]]:
    first = True
    for time in times:
        yield first, time
        first = False
