"""Tokens that have been verified are remembered, so that the same token is not verified for every request.

What is remembered is the outcome of checks that do not change. Whoever uses it checks anew what does: the
time, the keys' generation, and the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.records import unguarded

if TYPE_CHECKING:
    from jwt_authorizer.claims import Principal
    from jwt_authorizer.tokens import BearerToken


@unguarded(frozen=True, slots=True)
class Remembered:
    """A verified token's principal, the generation of the keys that verified it, and its header for the log."""

    principal: Principal
    generation: int
    alg: str
    kid: str | None


class TokenCache:
    """At most ``size`` tokens, the least recently used ones forgotten first; 0 remembers none.

    The key is the token's SHA-256, so that the memory of an execution environment holds no token for longer
    than its request takes.
    """

    def __init__(self, size: int) -> None:
        """Start empty."""
        self._size = size
        self._entries: dict[bytes, Remembered] = {}

    def get(self, token: BearerToken) -> Remembered | None:
        """Return what is known of exactly this token."""
        if not self._size:
            return None
        digest = token.digest
        entry = self._entries.pop(digest, None)
        if entry is not None:
            self._entries[digest] = entry  # now the most recently used
        return entry

    def put(self, token: BearerToken, entry: Remembered) -> None:
        """Remember a token that has been verified and checked."""
        if not self._size:
            return
        digest = token.digest
        self._entries.pop(digest, None)  # one that is verified again costs no other its place
        if len(self._entries) >= self._size:
            self._entries.pop(next(iter(self._entries)), None)
        self._entries[digest] = entry

    def forget(self, token: BearerToken) -> None:
        """Drop a token that is no longer good."""
        self._entries.pop(token.digest, None)
