"""When keys are fetched, what is served meanwhile, when it is given up. Time, fetch and jitter are arguments."""

import gc
import tracemalloc

import pytest

from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.issuers.cache import CachedKeySource, warm_all
from jwt_authorizer.issuers.fetched import FetchError
from tests.sources import COOLDOWN, MAX_STALE, START, TTL, Issuer, Reports, source


def kids(keys: CachedKeySource, kid: str | None, now: float) -> list[str | None]:
    return [found.kid for found in keys.candidates("ES256", kid, now)]


def refusal(keys: CachedKeySource, kid: str | None, now: float) -> Reason:
    with pytest.raises((TokenError, DecisionError)) as caught:
        keys.candidates("ES256", kid, now)
    error = caught.value
    assert isinstance(error, TokenError) == (error.code == Reason.UNKNOWN_KEY)
    return error.code


def test_jitter_only_ever_fetches_earlier_by_up_to_a_tenth() -> None:
    issuer = Issuer()
    keys = source(issuer, jitter=0.999)
    kids(keys, "a", START)
    kids(keys, "a", START + 0.9 * TTL)
    assert issuer.asked == 1
    kids(keys, "a", START + 0.91 * TTL)
    assert issuer.asked == 2


@pytest.mark.parametrize(("said", "kept"), [(0, 60), (10, 60), (120, 120), (1800, 1800), (3600, 3600), (99999, 3600)])
def test_max_age_shortens_or_lengthens_the_ttl_between_its_bounds(said: float, kept: float) -> None:
    issuer = Issuer(max_age=said)
    keys = source(issuer)
    kids(keys, "a", START)
    kids(keys, "a", START + kept - 0.001)
    assert issuer.asked == 1
    kids(keys, "a", START + kept)
    assert issuer.asked == 2


def test_a_removed_key_stops_within_the_ttl_for_remembered_tokens_too() -> None:
    issuer = Issuer(("a", "b"))
    keys = source(issuer)
    kids(keys, "a", START)
    remembered = keys.version(START)
    issuer.kids = ("b",)
    assert keys.version(START + TTL - 1) == remembered
    assert keys.version(START + TTL) != remembered
    assert refusal(keys, "a", START + TTL + 1) == Reason.UNKNOWN_KEY


def test_the_generation_stays_while_the_keys_do() -> None:
    issuer = Issuer()
    keys = source(issuer)
    first = keys.version(START)
    assert keys.version(START + TTL) == first
    assert issuer.asked == 2


def test_ten_thousand_unknown_kids_cause_one_fetch_a_cooldown() -> None:
    issuer = Issuer()
    keys = source(issuer)
    kids(keys, "a", START)
    for attempt in range(10_000):
        assert refusal(keys, f"made up {attempt}", START + attempt * 300 / 10_000) == Reason.UNKNOWN_KEY
        assert kids(keys, "a", START + attempt * 300 / 10_000) == ["a"]
    assert issuer.asked == 1 + 300 / COOLDOWN


def test_an_attacker_delays_a_rotation_by_no_more_than_one_cooldown() -> None:
    issuer = Issuer()
    keys = source(issuer)
    kids(keys, "a", START)
    refusal(keys, "made up", START + 1)
    issuer.kids = ("a", "b")
    for second in range(1, COOLDOWN):
        assert refusal(keys, f"made up {second}", START + 1 + second) == Reason.UNKNOWN_KEY
        assert refusal(keys, "b", START + 1 + second) == Reason.UNKNOWN_KEY
    assert kids(keys, "b", START + 1 + COOLDOWN) == ["b"]


def test_last_good_keys_serve_until_the_stale_limit_and_not_longer() -> None:
    issuer, reports = Issuer(), Reports()
    keys = source(issuer, reports)
    kids(keys, "a", START)
    issuer.failure = FetchError("the issuer answered 503")
    generation = keys.version(START)
    for second in range(TTL, TTL + MAX_STALE, 7):
        assert kids(keys, "a", START + second) == ["a"]
        assert keys.version(START + second) == generation
    assert refusal(keys, "a", START + TTL + MAX_STALE) == Reason.KEYS_UNAVAILABLE
    with pytest.raises(DecisionError):
        keys.version(START + TTL + MAX_STALE)
    assert reports.count("JwksStaleServed") == len(range(TTL, TTL + MAX_STALE, 7))
    assert ("JwksStaleServed", "served 14 s past the TTL") in reports.lines


def test_the_cooldown_after_a_failure_counts_from_the_end_of_the_fetch() -> None:
    issuer = Issuer(failure=FetchError("no complete answer within 3 s"))
    keys = source(issuer, fetch_takes=3)
    refusal(keys, "a", START)
    refusal(keys, "a", START + COOLDOWN + 2.9)
    assert issuer.asked == 1
    refusal(keys, "a", START + COOLDOWN + 3)
    assert issuer.asked == 2


def test_an_unknown_kid_waits_for_the_cooldown_of_a_scheduled_fetch_that_failed() -> None:
    issuer = Issuer()
    keys = source(issuer)
    kids(keys, "a", START)
    issuer.failure = FetchError("connection reset")
    assert kids(keys, "a", START + TTL) == ["a"]
    assert refusal(keys, "b", START + TTL + COOLDOWN - 1) == Reason.KEYS_UNAVAILABLE
    assert issuer.asked == 2


def test_a_bug_in_a_fetcher_is_a_failure_like_any_other_and_its_text_is_not_repeated() -> None:
    issuer, reports = Issuer(), Reports()
    keys = source(issuer, reports)
    kids(keys, "a", START)
    issuer.failure = RuntimeError("eyJhbGciOi... who knows what this holds")
    assert kids(keys, "a", START + TTL) == ["a"]
    assert reports.lines[-2] == ("JwksFetchFailures", "unexpected RuntimeError")


def test_reports_hold_no_control_characters_and_say_which_keys_were_left_out() -> None:
    issuer, reports = Issuer(skipped=("key 1 left out: its kty\nis odd",)), Reports()
    keys = source(issuer, reports)
    kids(keys, "a", START)
    assert reports.lines == [("JwksFetches", "1 keys; key 1 left out: its kty?is odd")]
    issuer.skipped = tuple(f"key {number} left out" for number in range(1, 8))
    kids(keys, "a", START + TTL)
    assert reports.lines[-1] == ("JwksFetches", "; ".join(["1 keys", *issuer.skipped[:5], "2 more left out"]))
    issuer.failure = FetchError("bad\r\n\x1b[31mred")
    kids(keys, "a", START + 2 * TTL)
    assert ("JwksFetchFailures", "bad???[31mred") in reports.lines


def test_a_clock_set_back_neither_locks_out_nor_keeps_keys_for_ever() -> None:
    issuer = Issuer()
    keys = source(issuer)
    kids(keys, "a", START)
    issuer.failure = FetchError("connection refused")
    back = START - 365 * 86_400
    assert kids(keys, "a", back) == ["a"]
    assert kids(keys, "a", back + TTL) == ["a"]
    assert refusal(keys, "a", back + TTL + MAX_STALE) == Reason.KEYS_UNAVAILABLE
    issuer.failure = None
    assert kids(keys, "a", back + TTL + MAX_STALE + COOLDOWN) == ["a"]


def test_a_copy_is_as_old_as_its_refresher_says() -> None:
    issuer = Issuer(as_of=START - 400)
    keys = source(issuer)
    assert kids(keys, "a", START) == ["a"]
    stale_limit = START - 400 + TTL + MAX_STALE
    assert kids(keys, "a", stale_limit - 1) == ["a"]
    assert refusal(keys, "a", stale_limit) == Reason.KEYS_UNAVAILABLE


def test_a_copy_whose_refresher_has_stopped_counts_as_a_failure_to_fetch() -> None:
    issuer, reports = Issuer(as_of=START - TTL - MAX_STALE), Reports()
    keys = source(issuer, reports)
    assert refusal(keys, "a", START) == Reason.KEYS_UNAVAILABLE
    assert reports.lines[-1] == (
        "JwksFetchFailures",
        "the copy of the key set is 4200 s old: its refresher has stopped",
    )
    refusal(keys, "a", START + 1)
    assert issuer.asked == 1


def test_issuers_are_warmed_side_by_side_and_one_that_fails_touches_no_other() -> None:
    issuers = [Issuer(), Issuer(failure=FetchError("connection refused")), Issuer(("c",))]
    sources = [source(issuer) for issuer in issuers]
    warm_all(sources, START)
    assert [issuer.asked for issuer in issuers] == [1, 1, 1]
    assert kids(sources[0], "a", START) == ["a"]
    assert refusal(sources[1], "a", START) == Reason.KEYS_UNAVAILABLE
    assert kids(sources[2], "c", START) == ["c"]
    assert [issuer.asked for issuer in issuers] == [1, 1, 1]


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
