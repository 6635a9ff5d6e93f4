"""Examples for other tools list the settings, to refuse a misspelt one early: the list is the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from authorizer.settings.table import SETTINGS

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.mark.parametrize(
    ("file", "listed"),
    [
        ("cdk/jwt_authorizer.py", r"^SETTINGS = \((.*?)^\)"),
        ("terraform/jwt_authorizer/variables.tf", r"setsubtract\(keys\(var\.settings\), \[(.*?)\]\)"),
    ],
)
def test_an_example_lists_the_settings_there_are(file: str, listed: str) -> None:
    found = re.search(listed, (EXAMPLES / file).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found
    assert re.findall(r'"(\w+)"', found[1]) == [setting.name for setting in SETTINGS]
