"""Whatever clock, issuer and callers do, in any order: the promises of the key cache hold.

The model knows no rule of the cache, only what the issuer was asked, when, and what it said. "Time" is
how far the wall clock has moved forward from request to request: being set back makes no key younger.
"""

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jwt_authorizer.errors import AuthorizerError, DecisionError, TokenError
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.keys import Key, KeySet

TTL, MAX_STALE, COOLDOWN = 600, 900, 30
NEVER = -(10**12)
KIDS = ("a", "b", "c")
LIMITS = (TTL * 9 // 10, TTL, TTL + MAX_STALE)


@dataclass(frozen=True)
class Asked:
    """One fetch: when, and the keys handed out, or ``None`` for a failure."""

    time: int
    kids: frozenset[str] | None


class KeyCache(RuleBasedStateMachine):
    """A source, its issuer, a wall clock that jumps, and callers both good and bad."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = self.last_seen = 1_700_000_000
        self.time = 0
        self.published = frozenset({"a"})
        self.healthy = True
        self.asked: list[Asked] = []
        self.made_up = 0

    @initialize(jitter=st.sampled_from([0.0, 0.5, 0.99]))
    def start(self, jitter: float) -> None:
        self.due_after = TTL * (1 - jitter / 10)
        self.source = CachedKeySource(
            self.fetch,
            Ages(TTL, MAX_STALE, COOLDOWN),
            lambda _metric, _detail: None,
            jitter=lambda: jitter,
            monotonic=lambda: 0.0,
        )

    def fetch(self) -> Fetched[KeySet]:
        self.asked.append(Asked(self.time, self.published if self.healthy else None))
        if not self.healthy:
            message = "the issuer is down"
            raise FetchError(message)
        return Fetched(KeySet(tuple(Key(kid, frozenset({"ES256"}), kid) for kid in sorted(self.published)), ()))

    def last_good(self) -> Asked:
        return next((asked for asked in reversed(self.asked) if asked.kids is not None), Asked(NEVER, frozenset()))

    @rule(seconds=st.one_of(st.integers(0, 2 * COOLDOWN), st.integers(0, TTL), st.integers(0, 30 * 86_400)))
    def time_passes(self, seconds: int) -> None:
        self.wall += seconds

    @rule(seconds=st.integers(1, 10**9))
    def the_clock_is_set_back(self, seconds: int) -> None:
        self.wall -= seconds

    def now(self) -> float:
        self.time += max(0, self.wall - self.last_seen)
        self.last_seen = self.wall
        return self.wall

    @rule(kids=st.sets(st.sampled_from(KIDS), min_size=1))
    def the_issuer_rotates(self, kids: set[str]) -> None:
        self.published = frozenset(kids)

    @rule(healthy=st.booleans())
    def the_issuer_fails_or_heals(self, healthy: bool) -> None:  # noqa: FBT001 - Hypothesis passes by name
        self.healthy = healthy

    @rule(kid=st.sampled_from(KIDS))
    def a_token_comes(self, kid: str) -> None:
        self.ask(kid)

    @rule(kid=st.sampled_from(KIDS), limit=st.sampled_from(LIMITS), before=st.integers(0, 1))
    def a_token_comes_when_a_limit_is_reached(self, kid: str, limit: int, before: int) -> None:
        self.wall = max(self.wall, self.last_seen + self.last_good().time + limit - before - self.time)
        self.ask(kid)

    @rule(count=st.integers(1, COOLDOWN - 1))
    def an_attacker_makes_up_kids(self, count: int) -> None:
        asked_before = len(self.asked)
        for _ in range(count):
            self.made_up += 1
            self.wall += 1
            assert self.ask(f"made up {self.made_up}") != "served"
        assert len(self.asked) <= asked_before + 2  # one that was due, one caused by the attacker

    @rule()
    def a_remembered_token_comes(self) -> None:
        try:
            version = self.source.version(self.now())
        except DecisionError:
            assert self.asked[-1].kids is None
            assert self.time >= self.last_good().time + TTL + MAX_STALE
            return
        assert self.time < self.last_good().time + TTL + MAX_STALE
        if self.asked[-1].kids is not None:
            assert self.time < self.last_good().time + self.due_after
        kept = [asked.kids for asked in self.asked if asked.kids is not None]
        assert version == 1 + sum(before != after for before, after in pairwise(kept))

    def ask(self, kid: str) -> str:
        """Ask for a key, and hold the answer against the model."""
        now = self.now()
        asked_before = len(self.asked)
        failed = bool(self.asked) and self.asked[-1].kids is None
        held_back = failed and self.time < self.asked[-1].time + COOLDOWN
        known_before = self.last_good()
        found: tuple[Key, ...] = ()
        try:
            found = self.source.candidates("ES256", kid, now)
            outcome = "served"
        except AuthorizerError as error:
            outcome = error.code.value
            assert isinstance(error, TokenError) is (outcome == "unknown_key")  # noqa: PT017 - the model says which
        fetches = self.asked[asked_before:]
        good = self.last_good()
        assert good.kids is not None
        recent = self.time < good.time + TTL + MAX_STALE

        assert len(fetches) <= 1
        assert not (held_back and fetches)
        if outcome == "served":
            assert [key.kid for key in found] == [kid]
            assert kid in good.kids
            assert recent
            assert self.asked[-1].kids is None or self.time < good.time + self.due_after
        if kid in good.kids and recent:
            assert outcome == "served"
        if fetches and kid in (known_before.kids or ()):
            assert self.time >= known_before.time + self.due_after, "it was not due"
        assert outcome in {"served", "unknown_key", "keys_unavailable"}
        if outcome == "keys_unavailable":
            assert self.asked[-1].kids is None
        if outcome == "unknown_key":
            assert self.asked[-1].kids is not None or not recent
        # A key that is published is found, unless a fetch that found nothing of it is fresher than a cooldown.
        if self.healthy and kid in self.published and not held_back:
            lately = any(self.time < asked.time + COOLDOWN for asked in self.asked)
            assert outcome == "served" or (self.time < known_before.time + TTL and lately)
        return outcome

    @invariant()
    def fetches_keep_their_distance(self) -> None:
        """Behind a failure a cooldown; and a cooldown holds no more than one fetch that nothing made due."""
        for before, after in pairwise(self.asked):
            if before.kids is None:
                assert after.time >= before.time + COOLDOWN
        for first, third in zip(self.asked, self.asked[2:], strict=False):
            assert third.time >= first.time + COOLDOWN


KeyCache.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestKeyCache = KeyCache.TestCase
