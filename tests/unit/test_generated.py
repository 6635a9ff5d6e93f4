"""What ``make generate`` writes: it is committed, and up to date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from jwt_authorizer.settings import table
from jwt_authorizer.settings.table import SETTINGS
from jwt_authorizer_devkit.described import described
from jwt_authorizer_packaging.generate import generated
from jwt_authorizer_packaging.pages import with_tables
from jwt_authorizer_packaging.template import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "First.\n\n<!-- make generate: settings{} -->\n\n| old |\n\n<!-- end -->\n\nLast.\n"


@pytest.mark.parametrize("path", generated(ROOT))
def test_what_is_committed_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text("utf-8") == generated(ROOT)[path], "run `make generate`"


def test_the_table_of_a_page_has_a_row_for_each_setting_or_for_those_it_names() -> None:
    page = with_tables(PAGE.format(""), "docs/page.md")
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")] == [
        setting.variable for setting in SETTINGS
    ]
    assert page.startswith("First.\n\n<!--")
    assert page.endswith(" |\n\n<!-- end -->\n\nLast.\n")
    some = with_tables(PAGE.format(" JWT_JWKS JWT_CACHED_BY"), "docs/page.md")
    assert [line.split("`")[1] for line in some.splitlines() if line.startswith("| `")] == ["JWT_JWKS", "JWT_CACHED_BY"]
    with pytest.raises(LookupError, match="JWT_JWK'"):
        with_tables(PAGE.format(" JWT_JWK"), "docs/page.md")


@pytest.mark.parametrize(
    ("page", "link"),
    [
        ("README.md", "](docs/caching.md)"),
        ("docs/settings.md", "](caching.md)"),
        ("x/y/z.md", "(../../docs/caching.md)"),
    ],
)
def test_a_link_of_a_description_leads_there_from_each_page(page: str, link: str) -> None:
    assert link in with_tables(PAGE.format(" JWT_CACHED_BY"), page)


@pytest.mark.parametrize(
    "row",
    [
        'NEW = Setting("new", values.text, None, _I)\n"""No section above."""\n# --- Section\n',
        '# --- Section\nNEW = Setting("new", values.text, None, _I)\nOTHER = 3\n',
    ],
)
def test_a_setting_without_a_description_or_a_section_is_an_error(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    described.cache_clear()
    (tmp_path / "table.py").write_text(row, "utf-8")
    monkeypatch.setattr(table, "__file__", str(tmp_path / "table.py"))
    monkeypatch.setattr(table, "NEW", SETTINGS[0], raising=False)
    with pytest.raises(LookupError, match="needs a text below it"):
        described()
