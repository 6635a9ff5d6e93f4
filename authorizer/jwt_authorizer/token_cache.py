"""Remember what is known about tokens, so that the same one is not verified again for every request.

Only results of checks that do not change are remembered. The caller checks the rest on each use: the time, the
version of the issuer's keys, and the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.keys import KeySource
    from jwt_authorizer.tokens import BearerToken

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remembered:
    """A verified token's principal, the keys that verified it and their version, and its header for the log."""

    principal: Principal
    keys: KeySource
    version: int
    alg: str
    kid: str | None


class TokenCache(Generic[T]):
    """A cache of at most ``size`` verified tokens, least recently used first out. With size 0 it remembers nothing.

    The key is the token's SHA-256: the token itself stays in memory no longer than its request.
    """

    def __init__(self, size: int) -> None:
        """Start empty."""
        self._size = size
        self._entries: dict[bytes, T] = {}

    def get(self, token: BearerToken) -> T | None:
        """Return what is known about exactly this token."""
        entry = self._entries.pop(token.digest, None)
        if entry is not None:
            self._entries[token.digest] = entry  # now the most recently used
        return entry

    def put(self, token: BearerToken, entry: T) -> None:
        """Remember what is known about a token that has been checked."""
        if not self._size:
            return
        self._entries.pop(token.digest, None)  # a token that is verified again pushes no other one out
        if len(self._entries) >= self._size:
            self._entries.pop(next(iter(self._entries)), None)
        self._entries[token.digest] = entry
