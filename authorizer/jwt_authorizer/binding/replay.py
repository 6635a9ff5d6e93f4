"""Remember the proofs that have been used, so that each is accepted once (RFC 9449 section 11.1).

A proof is remembered by its key and its ``jti``, for as long as it could be accepted, and no longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError
from jwt_authorizer.records import request_dataclass

if TYPE_CHECKING:
    from typing import NoReturn

MAX_REMEMBERED = 100_000
"""Proofs in the memory of one execution environment: some 20 MB."""


@request_dataclass(frozen=True, slots=True)
class UsedProof:
    """A proof that passed every check. ``id`` stands for its key and ``jti``.

    From ``until`` on (Unix time in seconds) it is too old to be accepted.
    """

    id: str
    until: float


class ReplayStore(Protocol):
    """Where used proofs are remembered."""

    def use(self, proof: UsedProof, now: float) -> None:
        """Record a proof as used at ``now`` (Unix time in seconds).

        Raises :class:`TokenError` (``replayed_dpop_proof``) if it has been used before, and :class:`DecisionError`
        (``replay_store_unavailable``) if the store cannot be asked.
        """
        ...


class MemoryReplayStore:
    """The proofs that this execution environment has seen. Another one does not know of them."""

    def __init__(self, size: int = MAX_REMEMBERED) -> None:
        """Start empty; remember at most ``size`` proofs."""
        self._size = size
        self._until: dict[str, float] = {}

    def use(self, proof: UsedProof, now: float) -> None:
        """Record a proof, as :meth:`ReplayStore.use` describes.

        A proof that is still good is never forgotten. If there is no room, that is an error and not a replay.
        """
        known = self._until.pop(proof.id, None)
        if known is not None and known > now:
            self._until[proof.id] = known
            replayed()
        self._drop_old(now)
        if len(self._until) >= self._size:
            raise DecisionError(
                ErrorCode.REPLAY_STORE_UNAVAILABLE,
                f"this execution environment remembers {self._size} DPoP proofs that are still good, and has no room "
                "for more: set JWT_DPOP_REPLAY=dynamodb:TABLE, or lower JWT_DPOP_MAX_AGE_SECONDS",
            )
        self._until[proof.id] = proof.until

    def _drop_old(self, now: float) -> None:
        """Drop expired proofs, from the oldest up to the first that has not expired."""
        while self._until:
            oldest = next(iter(self._until))
            if self._until[oldest] > now:
                return
            del self._until[oldest]


def replayed() -> NoReturn:
    """Reject a proof that has been used before."""
    raise TokenError(
        ErrorCode.REPLAYED_DPOP_PROOF,
        "the DPoP proof has been used before: the client has to make a new one for each request",
    )
