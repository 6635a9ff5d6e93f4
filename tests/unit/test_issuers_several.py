"""Several key sets of one issuer: a token of any is good, and one that is down costs the others nothing."""

from __future__ import annotations

import pytest

from jwt_authorizer.errors import DecisionError, Reason, TokenError
from jwt_authorizer.issuers import FetchError, SeveralKeySources
from tests.unit.test_issuers_cache import COOLDOWN, MAX_STALE, START, TTL, Issuer, source


class Two:
    """Two sets of one issuer, and how often each was fetched."""

    def __init__(self, first: tuple[str | None, ...] = ("a",), second: tuple[str | None, ...] = ("b",)) -> None:
        self.first, self.second = Issuer(first), Issuer(second)
        self.sources = (source(self.first), source(self.second))
        self.keys = SeveralKeySources(self.sources)

    def kids(self, kid: str | None, now: float) -> list[str | None]:
        return [key.kid for key in self.keys.candidates("ES256", kid, now)]

    def code(self, kid: str | None, now: float) -> Reason:
        with pytest.raises((TokenError, DecisionError)) as caught:
            self.kids(kid, now)
        return caught.value.code

    @property
    def asked(self) -> tuple[int, int]:
        return self.first.asked, self.second.asked


def test_a_key_of_any_set_is_found_and_belongs_to_its_set() -> None:
    two = Two()
    two.keys.warm(START)
    for kid, holder in zip("ab", two.sources, strict=True):
        (key,) = two.keys.candidates("ES256", kid, START)
        assert key.kid == kid
        assert two.keys.holder(key) is holder
        assert holder.holder(key) is holder
    assert two.asked == (1, 1)


def test_keys_of_one_kid_or_without_any_are_tried_in_the_order_of_the_sets() -> None:
    two = Two(("a", None), ("a", None))
    two.keys.warm(START)
    found = list(two.keys.candidates("ES256", "a", START))
    assert [two.keys.holder(key) for key in found] == list(two.sources)


def test_a_set_that_is_down_is_not_asked_for_a_key_of_another() -> None:
    two = Two()
    two.keys.warm(START)
    two.second.failure = FetchError("down")
    for second in range(int(TTL) - 1):
        assert next(iter(two.keys.candidates("ES256", "a", START + second))).kid == "a"
    assert two.asked == (1, 1)
    # Both are due now. A set that has the key is enough: what comes after it is not asked.
    assert next(iter(two.keys.candidates("ES256", "a", START + TTL))).kid == "a"
    assert two.asked == (2, 1)
    assert two.kids("b", START + TTL + 1) == ["b"], "the last good keys of the one that is down"
    assert two.asked == (2, 2)
    late = START + TTL + MAX_STALE + COOLDOWN
    assert two.code("b", late) == Reason.KEYS_UNAVAILABLE
    assert next(iter(two.keys.candidates("ES256", "a", late))).kid == "a"


def test_what_no_set_has_is_unknown_and_unavailable_if_one_could_not_be_asked() -> None:
    two = Two()
    two.keys.warm(START)
    assert two.code("c", START + 1) == Reason.UNKNOWN_KEY
    assert two.asked == (2, 2), "each set is asked once more, as a single one is"
    assert two.code("c", START + 2) == Reason.UNKNOWN_KEY
    assert two.asked == (2, 2)
    two.first.failure = FetchError("down")
    assert two.code("c", START + 2 + COOLDOWN) == Reason.KEYS_UNAVAILABLE


def test_a_bad_signature_is_not_known_to_be_one_while_a_set_cannot_be_asked() -> None:
    two = Two(("a",), ("a",))
    two.second.failure = FetchError("down")
    two.keys.warm(START)
    keys = iter(two.keys.candidates("ES256", "a", START))
    assert next(keys).kid == "a"
    with pytest.raises(DecisionError):
        next(keys)


def test_a_change_of_any_set_is_a_new_generation() -> None:
    two = Two()
    two.keys.warm(START)
    before = two.keys.generation(START)
    assert two.keys.generation(START + 1) == before
    two.second.kids = ("c",)
    assert two.keys.generation(START + TTL) != before
