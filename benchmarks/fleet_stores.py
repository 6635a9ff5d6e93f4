"""Simulate a fleet with the stores that requests wait for: used DPoP proofs, the revocation list, introspection.

As in ``fleet.py``, each environment runs through the same half hour, here with the real caches of the list
(:class:`jwt_authorizer.issuers.cached_value.CachedValue`) and of introspection's answers. A DPoP proof has no cache:
each request with a bound token is one conditional put. Times of the network are assumed, in :class:`Calls`.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from benchmarks.fleet import Tally, lives
from jwt_authorizer.errors import DecisionError, ErrorCode
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.client_auth import ClientAuth
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.introspection import Introspector
from jwt_authorizer.issuers.session import Response
from jwt_authorizer.token_cache import TokenCache
from jwt_authorizer.tokens import BearerToken
from jwt_authorizer.wiring.token_status import revocation_list

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.fleet import Assumptions
    from jwt_authorizer.issuers.fetched import Fetched
    from jwt_authorizer.keys import KeySet

_SIMULATED = 5_000
"""The most environments that are simulated. They are independent, so the counts of a larger fleet are multiples."""
_ANSWER = Response(200, {}, b'{"active": true}')
_EMPTY_LIST = b'{"issuers": {}}'
_AT_99 = 2.326
"""The 99th percentile of a normal distribution, in standard deviations."""


class Store(StrEnum):
    """The stores that a request may wait for."""

    PROOFS = "DynamoDB, a put for each DPoP-bound request"
    LIST = "S3, the revocation list"
    INTROSPECTION = "introspection, opaque tokens"


@dataclass(frozen=True, slots=True)
class Calls:
    """Assumed seconds of one call: usually, at the 99th percentile, and if the store does not answer."""

    usual: float
    slow: float
    unanswered: float

    def one(self, chance: random.Random) -> float:
        """Draw the time of one call: log-normal, as network times approximately are."""
        return self.usual * math.exp(chance.gauss(0, math.log(self.slow / self.usual) / _AT_99))


CALLS = {
    # A new connection for each put: TCP, TLS and the put, which AWS gives "single-digit milliseconds".
    Store.PROOFS: Calls(0.010, 0.030, 3.0),
    # "Often in the tens of milliseconds" for less than 512 KB (AWS's whitepaper on S3's performance), and "roughly
    # 100-200" at the slow end. boto3 waits half of JWT_HTTP_TIMEOUT_SECONDS to connect.
    Store.LIST: Calls(0.030, 0.200, 1.5),
    # An issuer 15 ms away, as for fetching keys: name, TCP, TLS and one exchange.
    Store.INTROSPECTION: Calls(0.060, 0.250, 3.0),
}
LIMITS = {Store.PROOFS: 4_000, Store.LIST: 5_500}
"""Calls a second that a store accepts from the start: for a new on-demand table (DynamoDB developer guide, "DynamoDB
on-demand capacity mode"), and for a prefix in a bucket (S3 user guide, "Best practices design patterns")."""
TOKENS_EACH = 10
"""Opaque tokens in use for each environment. Each token may be sent to any environment."""


@dataclass(frozen=True, slots=True)
class StoreScenario:
    """One fleet, its store, and whether there is an outage."""

    size: int
    store: Store
    is_out: bool = False

    @property
    def simulated(self) -> int:
        """The number of environments that are simulated."""
        return min(self.size, _SIMULATED)

    @property
    def times(self) -> float:
        """The factor for all counts."""
        return self.size / self.simulated


def simulate(scenario: StoreScenario, given: Assumptions, *, seed: int = 1) -> Tally:
    """Simulate a fleet for half an hour. The same seed gives the same outcome."""
    fleet = _Fleet(scenario, given, random.Random(seed))  # noqa: S311 - a simulation
    for times in lives(scenario.simulated, given, fleet.chance):
        fleet.live(times)
    return fleet.tally


class _Fleet:
    """What all environments share: the store, the clock, and the counts."""

    def __init__(self, scenario: StoreScenario, given: Assumptions, chance: random.Random) -> None:
        self.chance, self.tally = chance, Tally()
        self._scenario, self._given, self._calls = scenario, given, CALLS[scenario.store]
        self._now = self._waited = 0.0

    def live(self, times: Iterator[float]) -> None:
        """Start one environment, and answer requests at these times."""
        self.tally.environments += 1
        ask: Callable[[float], object] | None = None
        for self._now in times:
            self.tally.requests += 1
            self._waited = 0.0
            if ask is None:
                ask = self._started()
            try:
                ask(self._now)
            except DecisionError:
                self.tally.failed += 1
            if self._waited:
                self.tally.waits.append(self._waited)

    def _started(self) -> Callable[[float], object]:
        """Return what a new function does for each request."""
        match self._scenario.store:
            case Store.PROOFS:
                return self._put
            case Store.LIST:
                cached = revocation_list(self._read, Ages(60, 600, 30), lambda *_: None)
                self._waited += self._given.sdk
                cached.warm(self._now)
                return cached.current
            case Store.INTROSPECTION:
                introspector = self._introspector()
                return lambda now: introspector.claims(self._token(), now)

    def _call(self) -> None:
        """Make one call. Raises :class:`FetchError` if the store does not answer."""
        self.tally.fetches[int(self._now)] += 1
        begins = self._given.event_at
        if self._scenario.is_out and begins <= self._now < begins + self._given.outage:
            self._waited += self._calls.unanswered
            raise FetchError("no complete answer")
        self._waited += self._calls.one(self.chance) + self._given.processor_of_call

    def _put(self, _: float) -> None:
        try:
            self._call()
        except FetchError as error:
            raise DecisionError(ErrorCode.REPLAY_STORE_UNAVAILABLE, str(error)) from None

    def _read(self) -> bytes:
        self._call()
        return _EMPTY_LIST

    def _introspector(self) -> Introspector:
        return Introspector(
            name="https://issuer.example.com",
            find_endpoint=lambda _: ("https://issuer.example.com/introspect", frozenset()),
            client=ClientAuth("orders-api", "client_secret_basic", lambda: b"secret"),
            post=lambda *_: self._answered(),
            keys=CachedKeySource(_no_keys, Ages(600, 3600, 30), lambda *_: None),  # answers are not signed
            report=lambda *_: None,
            timeout=self._given.timeout,
            cooldown=30,
            cache_seconds=60,
            answers=TokenCache(1000),
        )

    def _answered(self) -> Response:
        self._call()
        return _ANSWER

    def _token(self) -> BearerToken:
        return BearerToken(f"token-{self.chance.randrange(self._scenario.size * TOKENS_EACH)}")


def _no_keys() -> Fetched[KeySet]:
    raise FetchError("answers are not signed")
