"""Verified tokens are remembered: so many, the latest ones, and never their text."""

from __future__ import annotations

import gc

from jwt_authorizer.token_cache import Remembered, TokenCache
from jwt_authorizer.tokens import BearerToken
from tests.factories import FakeKeys, principal

A, B, C = BearerToken("a"), BearerToken("b"), BearerToken("c")


def remembered(generation: int = 1) -> Remembered:
    return Remembered(principal(), FakeKeys(), generation, "ES256", "key-1")


def held(cache: TokenCache) -> list[str]:
    return [token.text for token in (A, B, C) if cache.get(token) is not None]


def test_the_least_recently_used_is_forgotten_first() -> None:
    cache = TokenCache(2)
    cache.put(A, remembered())
    cache.put(B, remembered())
    cache.get(A)
    cache.put(C, remembered())
    assert held(cache) == ["a", "c"]


def test_a_token_that_is_verified_again_costs_no_other_its_place() -> None:
    cache = TokenCache(2)
    cache.put(A, remembered())
    cache.put(B, remembered())
    newer = remembered(generation=2)
    cache.put(B, newer)
    assert held(cache) == ["a", "b"]
    assert cache.get(B) is newer


def test_size_0_remembers_nothing() -> None:
    cache = TokenCache(0)
    cache.put(A, remembered())
    assert cache.get(A) is None


def test_nothing_that_is_kept_holds_the_token() -> None:
    cache = TokenCache(1)
    cache.put(BearerToken("the token's text"), remembered())
    reached: list[object] = [cache]
    for item in reached:
        reached.extend(
            found for found in gc.get_referents(item) if isinstance(found, str | bytes | dict) and found not in reached
        )
    assert len(reached) > 2
    assert not [item for item in reached if isinstance(item, str) and "the token's text" in item]
    assert not [item for item in reached if isinstance(item, bytes) and b"the token's text" in item]
