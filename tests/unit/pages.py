"""README, docs and examples, read as the tests need them: fenced blocks, and tables."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
EXAMPLES = ROOT / "examples"
PAGES = [README, ROOT / "events" / "README.md", *sorted(DOCS.rglob("*.md")), *sorted(EXAMPLES.rglob("*.md"))]
_FENCED = re.compile(r"^```([a-z]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        """Where it stands."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def _blocks() -> Iterator[Block]:
    for page in PAGES:
        text = page.read_text("utf-8")
        for match in _FENCED.finditer(text):
            yield Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])


BLOCKS = list(_blocks())


def blocks(*languages: str, page: Path | None = None) -> list[Block]:
    """Give the blocks in these languages, of one page or of all."""
    return [block for block in BLOCKS if block.language in languages and page in (None, block.page)]


def prose(page: Path) -> str:
    """Give a page without its fenced blocks."""
    return _FENCED.sub("", page.read_text("utf-8"))


def table(page: Path, *columns: str) -> list[dict[str, str]]:
    """Read the rows of a page's table with these columns, without the backticks around cells."""
    head = re.escape(f"| {' | '.join(columns)} |")
    found = re.search(rf"^{head}\n\|[ -|]+\|\n((?:\|.*\|\n)+)", page.read_text("utf-8"), re.MULTILINE)
    if found is None:
        message = f"{page} has no table with the columns {columns}"
        raise ValueError(message)
    rows = [line.strip("|").split("|") for line in found[1].splitlines()]
    return [dict(zip(columns, (cell.strip().replace("`", "") for cell in row), strict=True)) for row in rows]
