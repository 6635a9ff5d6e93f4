"""The threat model's promises name tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]*)`", PAGE)))
PROMISES = [
    line for line in PAGE.splitlines() if line.startswith("| ") and "Shown by" not in line and "---" not in line
]


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert (ROOT / file).exists()
    if test:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_names_what_shows_it() -> None:
    promises = PROMISES[PROMISES.index(next(line for line in PROMISES if line.startswith("| At most 16 KB"))) :]
    assert len(promises) > 40
    assert [line for line in promises if "`tests/" not in line and "`mypy" not in line] == []
