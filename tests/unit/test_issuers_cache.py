"""What the model of ``tests/properties/test_jwks_cache.py`` leaves out: metrics, max-age, how long a fetch takes."""

import gc
import tracemalloc

import pytest

from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.issuers.fetched import FetchError
from tests.sources import COOLDOWN, START, TTL, Issuer, Reports, kids, refusal, source


@pytest.mark.parametrize(("said", "kept"), [(0, 60), (120, 120), (99999, 3600)])
def test_max_age_shortens_or_lengthens_the_ttl_between_its_bounds(said: float, kept: float) -> None:
    issuer = Issuer(max_age=said)
    keys = source(issuer)
    kids(keys, "a", START)
    kids(keys, "a", START + kept - 0.001)
    assert issuer.asked == 1
    kids(keys, "a", START + kept)
    assert issuer.asked == 2


def test_the_cooldown_after_a_failure_counts_from_the_end_of_the_fetch() -> None:
    issuer = Issuer(failure=FetchError("no complete answer within 3 s"))
    keys = source(issuer, fetch_takes=3)
    refusal(keys, "a", START)
    refusal(keys, "a", START + COOLDOWN + 2.9)
    assert issuer.asked == 1
    refusal(keys, "a", START + COOLDOWN + 3)
    assert issuer.asked == 2


def test_reports_count_fetches_and_requests_and_hold_nothing_that_a_log_must_not() -> None:
    issuer, reports = Issuer(skipped=("key 1 left out: its kty\nis odd",)), Reports()
    keys = source(issuer, reports)
    kids(keys, "a", START)
    assert reports.lines == [("JwksFetches", "1 keys; key 1 left out: its kty?is odd")]
    issuer.skipped = tuple(f"key {number} left out" for number in range(1, 8))
    kids(keys, "a", START + TTL)
    assert reports.lines[1:] == [("JwksFetches", "; ".join(["1 keys", *issuer.skipped[:5], "2 more left out"]))]
    issuer.failure = FetchError("bad\r\n\x1b[31mred")
    now = START + 2 * TTL + 14
    assert (kids(keys, "a", now), refusal(keys, "b", now)) == (["a"], ErrorCode.KEYS_UNAVAILABLE)
    failed, stale = ("JwksFetches", "failed"), ("JwksStaleServed", "served 14 s past the TTL")
    assert reports.lines[2:] == [failed, ("JwksFetchFailures", "bad???[31mred"), stale]
    issuer.failure = RuntimeError("eyJhbGciOi... who knows what this holds")
    kids(keys, "a", now + COOLDOWN)
    assert reports.lines[-2] == ("JwksFetchFailures", "unexpected RuntimeError")


def test_unknown_kids_take_no_room() -> None:
    keys = source(Issuer())
    kids(keys, "a", START)
    refusal(keys, "made up", START)
    tracemalloc.start()
    try:
        for attempt in range(500):
            refusal(keys, f"made up {attempt:01000}", START + attempt)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
