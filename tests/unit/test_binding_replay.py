"""Used proofs, in the memory of one execution environment and in DynamoDB: each is good once."""

from __future__ import annotations

import pytest

from jwt_authorizer.binding.replay import MemoryReplayStore, UsedProof
from jwt_authorizer.errors import DecisionError, Reason, TokenError
from tests.factories import NOW


def test_a_proof_is_good_once_for_as_long_as_it_could_be_accepted() -> None:
    store = MemoryReplayStore()
    proof = UsedProof("a", NOW + 120)
    store.use(proof, NOW)
    for now in (NOW, NOW + 60, NOW + 119.9):
        with pytest.raises(TokenError) as caught:
            store.use(proof, now)
        assert caught.value.code is Reason.REPLAYED_DPOP_PROOF
    store.use(UsedProof("b", NOW + 120), NOW)
    # From then on the proof itself is too old, so a new one may have the same jti.
    store.use(UsedProof("a", NOW + 240), NOW + 120)
    with pytest.raises(TokenError):
        store.use(UsedProof("a", NOW + 240), NOW + 121)


def test_memory_is_bounded_and_forgets_nothing_that_is_still_good() -> None:
    store = MemoryReplayStore(size=3)
    for name in ("a", "b", "c"):
        store.use(UsedProof(name, NOW + 100), NOW)
    with pytest.raises(DecisionError) as caught:
        store.use(UsedProof("d", NOW + 100), NOW)
    assert caught.value.code is Reason.REPLAY_STORE_UNAVAILABLE
    with pytest.raises(TokenError):
        store.use(UsedProof("a", NOW + 100), NOW + 99)
    for name in ("d", "e", "f"):
        store.use(UsedProof(name, NOW + 200), NOW + 100)
    with pytest.raises(DecisionError):
        store.use(UsedProof("g", NOW + 200), NOW + 100)
