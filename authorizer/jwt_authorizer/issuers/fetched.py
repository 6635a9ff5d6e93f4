"""What fetching a key set can end in: a :class:`Fetched`, or a :class:`FetchError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from jwt_authorizer.keys import KeySet

_SHOWN = 200
_TRY_AGAIN = (408, 429)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A key set with what its sender said about its age.

    ``max_age``: seconds it may be kept, from ``Cache-Control``; ``None`` where nothing was said.
    ``as_of``: Unix time at which somebody else fetched it from the issuer, for copies kept in S3 or
    Parameter Store by the refresher; ``None`` for a set that is true now.
    ``document``: what it was read from.
    """

    key_set: KeySet
    max_age: float | None = None
    as_of: float | None = None
    document: bytes = b""


class FetchError(Exception):
    """A key set could not be fetched. The message says why and is safe to log: see :func:`printable`.

    ``refused``: the issuer answered 4xx, other than 408 and 429, which ask to try again.
    """

    def __init__(self, message: str, *, status: int = 0) -> None:
        """``status`` is the answer's, if that is what is wrong."""
        super().__init__(message)
        self.refused = 400 <= status < 500 and status not in _TRY_AGAIN  # noqa: PLR2004 - RFC 9110 section 15.5


def printable(text: str, longest: int = _SHOWN) -> str:
    """Text from elsewhere, made safe for a log line: one line, no control characters, not long."""
    if text.isprintable() and len(text) <= longest:
        return text
    clean = "".join(character if character.isprintable() else "?" for character in text[: longest + 1])
    return clean if len(clean) <= longest else f"{clean[:longest]}..."
