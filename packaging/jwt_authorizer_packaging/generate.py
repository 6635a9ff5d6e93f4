"""Write what is generated from the table of settings: ``make generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer_packaging.pages import with_tables

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
_PAGES = ("README.md", "docs/settings.md")


def generated(root: Path) -> Mapping[str, str]:
    """Return the content of each generated file by its path in the repository."""
    return {page: with_tables((root / page).read_text("utf-8"), page) for page in _PAGES}


def main() -> None:
    """Write each file whose content differs, and print its path."""
    for path, text in generated(ROOT).items():
        if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text:
            (ROOT / path).write_text(text, "utf-8")
            print(path)


if __name__ == "__main__":
    main()
