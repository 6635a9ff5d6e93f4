"""Patterns of requests, as sequences of segments, and how IAM's resource patterns write them.

A request is a *word*: its method, then the segments of its path, and an empty one for a slash at the end. A
pattern is a word in which ``ANY`` stands for one segment or more. That is what ``*`` between two slashes
means to IAM, where it also matches a slash: nothing in IAM's language means one segment exactly. All that the
compiler writes is of this form. (``?*`` at the end would spare some denials, but not every evaluator of
policies knows ``?``.)

IAM user guide: "IAM JSON policy elements: Resource".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Word = tuple[str, ...]
    Pattern = tuple[str | None, ...]

ANY = None
"""One segment or more, whatever they are."""

OTHER = "*"
"""Stands in a word for a segment (or a method) that no rule names; no template can name this one."""

SLASH = ""
"""The empty segment behind a slash at the end: API Gateway ignores it, IAM does not."""


NO_EMPTY_SEGMENT = "*//*"
"""The resource that covers every path with an empty segment: see ``docs/rules.md``."""

EVERYTHING = "*"

SPECIAL = r"[*?]|\$(?=\{)"
"""An expression for what is a pattern in a resource, or begins a policy variable."""


def advance(pattern: Pattern, positions: int, symbol: str) -> int:
    """Read one more segment. ``positions`` is a set of bits: how many parts of the pattern have been read so far."""
    following = 0
    for index, part in enumerate(pattern):
        bit = 1 << index
        if part is ANY:
            # A position behind ANY stays there as well: ANY takes one more segment.
            if positions & (bit | bit << 1):
                following |= bit << 1
        elif positions & bit and part == symbol:
            following |= bit << 1
    return following


def accepts(pattern: Pattern, positions: int) -> bool:
    """Tell whether a pattern has been read to its end."""
    return bool(positions >> len(pattern) & 1)


def matches(pattern: Pattern, word: Iterable[str]) -> bool:
    """Tell whether a pattern covers a word."""
    positions = 1
    for symbol in word:
        positions = advance(pattern, positions, symbol)
    return accepts(pattern, positions)


def typical(pattern: Pattern) -> Word:
    """Give the shortest word of a pattern in which nothing is named that the pattern does not name."""
    return tuple(OTHER if part is ANY else part for part in pattern)


def covers(wider: Pattern, pattern: Pattern) -> bool:
    """Tell whether one pattern covers all that another does.

    What takes the place of ``OTHER`` in a word is read by an ``ANY``, and that would read anything there.
    """
    return matches(wider, typical(pattern))


def generalize(word: Word) -> Pattern:
    """Give the pattern of all words that differ from this one in what no rule names."""
    return tuple(ANY if symbol == OTHER else symbol for symbol in word)


def resource(pattern: Pattern) -> str:
    """Write a pattern as a resource, relative to the stage: ``GET/orders/*``."""
    return "/".join(EVERYTHING if part is ANY else part for part in pattern)


def compile_texts(texts: Iterable[str]) -> re.Pattern[str]:
    """Make one expression of resource patterns, to evaluate them as IAM does, in time linear in the text for each."""
    return re.compile("|".join(f"(?:{_expression(text)})\\Z" for text in texts) or r"(?!)", re.DOTALL)


def _expression(text: str) -> str:
    first, *rest = [re.escape(chunk).replace(r"\?", ".") for chunk in text.split("*")]
    if not rest:
        return first
    # Between two stars the leftmost place is as good as any other, so there is nothing to go back for.
    *middle, last = rest
    return first + "".join(f"(?>.*?{chunk})" for chunk in middle) + ".*" + last
