"""What a fetch returns (:class:`Fetched`) or raises (:class:`FetchError`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    Report = Callable[[str, str], None]
    """Counts a metric by its name, with a note that is safe to log."""

T = TypeVar("T")
_SHOWN = 200
_TRY_AGAIN = (408, 429)


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    """A value, such as a key set, and what its sender said about its age.

    ``max_age``: seconds that it may be kept, from ``Cache-Control``; ``None`` if the sender did not say.
    ``as_of``: Unix time at which the refresher fetched this copy from the issuer; ``None`` if it is not a copy.
    ``document``: the bytes that it was parsed from.
    """

    value: T
    max_age: float | None = None
    as_of: float | None = None
    document: bytes = b""


class FetchError(Exception):
    """Something could not be fetched. The message says why and is safe to log: see :func:`printable`.

    ``answered_4xx``: the issuer answered 4xx, other than 408 and 429, which ask to try again.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        """``status`` is the HTTP status, if that is what is wrong."""
        super().__init__(message)
        self.answered_4xx = 400 <= status < 500 and status not in _TRY_AGAIN  # noqa: PLR2004 - RFC 9110 section 15.5


def printable(text: str, longest: int = _SHOWN) -> str:
    """Make untrusted text safe for a log line: on one line, without control characters, at most ``longest`` long."""
    if text.isprintable() and len(text) <= longest:
        return text
    clean = "".join(character if character.isprintable() else "?" for character in text[: longest + 1])
    return clean if len(clean) <= longest else f"{clean[:longest]}..."
