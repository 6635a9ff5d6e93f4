"""The facts that advice is derived from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.authorize import Outcome
    from jwt_authorizer.errors import ErrorCode
    from jwt_authorizer_devkit.explaining.function import WatchedFunction
    from jwt_authorizer_devkit.explaining.steps import Seen


@dataclass(frozen=True, slots=True)
class Advice:
    """One line of advice, and the stable name of the mistake that it is for."""

    mistake: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """A request that was rejected or denied, or ended with an error, and all that is known about it."""

    reason: ErrorCode
    detail: str
    event: object
    seen: Seen
    outcome: Outcome
    watched: WatchedFunction

    @property
    def claims(self) -> Mapping[str, object]:
        """The token's claims; empty if it could not be parsed."""
        return {} if self.seen.token is None else self.seen.token.claims

    @property
    def text(self) -> str:
        """What was sent as the token."""
        return "" if self.seen.bearer is None else self.seen.bearer.text

    def claim_strings(self, name: str) -> tuple[str, ...]:
        """Return the strings of a claim that is a string or a list."""
        value = self.claims.get(name)
        items = value if isinstance(value, list) else [value]
        return tuple(item for item in items if isinstance(item, str))
