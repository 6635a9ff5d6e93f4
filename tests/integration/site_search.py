"""Search of the built site, scored as its theme's search scores: BM25, with a title far above the text."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TAG = re.compile(r"<[^>]+>")
_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = re.compile(r"(ations?|ing|ed|es|s|e)$")
_K, _B = 1.2, 0.75
"""BM25's constants, as Lunr has them, with which Material for MkDocs searches."""
_SHORTEST_WITH_ENDING = 5


def words(text: str) -> Counter[str]:
    """Count the words of a text, without their endings."""
    found = _WORD.findall(unescape(_TAG.sub(" ", text)).lower())
    return Counter(_ENDINGS.sub("", word) if len(word) >= _SHORTEST_WITH_ENDING else word for word in found)


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the index. ``boost`` is what the page's own count for."""

    page: str
    fields: tuple[tuple[float, Counter[str]], ...]
    boost: float


@dataclass(frozen=True)
class Index:
    """The sections that MkDocs wrote down for its search."""

    sections: tuple[Section, ...]

    @classmethod
    def of(cls, site: Path) -> Index:
        """Read the index of a built site, with the boosts of titles and pages that it names."""
        index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
        boosts = {name: float(field["boost"]) for name, field in index["config"]["fields"].items() if name != "tags"}
        return cls(
            tuple(
                Section(
                    entry["location"].partition("#")[0],
                    tuple((boost, words(entry[name])) for name, boost in boosts.items()),
                    entry.get("boost", 1),
                )
                for entry in index["docs"]
            )
        )

    @cached_property
    def _spread(self) -> Counter[str]:
        return Counter(word for it in self.sections for word in {word for _, field in it.fields for word in field})

    @cached_property
    def _lengths(self) -> list[float]:
        fields = zip(*(section.fields for section in self.sections), strict=True)
        return [sum(counted.total() for _, counted in field) / len(field) for field in fields]

    def _score(self, section: Section, word: str) -> float:
        rarity = math.log(1 + len(self.sections) / self._spread[word])
        total = 0.0
        for (boost, counted), usual in zip(section.fields, self._lengths, strict=True):
            long = 1 - _B + _B * counted.total() / usual
            total += boost * rarity * counted[word] * (_K + 1) / (counted[word] + _K * long)
        return total * section.boost

    def pages(self, query: str) -> list[str]:
        """Return the pages that have a section with words of the query, the best first."""
        best: dict[str, float] = {}
        for section in self.sections:
            score = sum(self._score(section, word) for word in words(query) if self._spread[word])
            if score > best.get(section.page, 0):
                best[section.page] = score
        return sorted(best, key=best.__getitem__, reverse=True)
