"""What the pages of the project become on the site."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

import pytest

from docs.website.look import main as look
from docs.website.pages import HERE, SiteError, address_of, anchor_of, linked_files, listing, page_text, site_of
from docs.website.pages import sections_of as sections

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = {
    "README.md": "# It\n\n## Settings\n\nSee [errors](docs/errors.md) and [below](#more).\n\n## More\n\nA list.\n",
    "CONTRIBUTING.md": "# Contributing\n\nRun it.\n",
    "docs/README.md": "# Welcome\n\nAll of it.\n",
    "docs/errors.md": "# Reasons\n\n## One\n\nIt is one.\n",
    "docs/settings.md": f"# Settings\n\nFirst.\n\n## All of them\n\n[Table](../README.md#settings) {HERE}\n\nLast.\n",
    "docs/adr/README.md": "# Decisions\n\n- [1](0001-one.md)\n",
    "docs/adr/0001-one.md": "# 1. One\n",
    "examples/attach/README.md": "# Attach\n\nTake [this](api.yaml).\n",
}
SOURCES = {"examples/attach/api.yaml": "a: 1\n", "authorizer/jwt_authorizer/authorize.py": "pass\n"}
SUMMARIES = {"more": "docs/README.md"}


def shown(path: str, text: str, **others: str) -> str:
    """Give what the text of a page becomes, in a project with the pages above."""
    pages = PROJECT | {path: text} | others
    return page_text(path, pages, site_of(pages, SOURCES, SUMMARIES))


@pytest.mark.parametrize(
    ("path", "link", "there"),
    [
        ("docs/errors.md", "settings.md", "settings.md"),
        ("docs/errors.md", "settings.md#all-of-them", "settings.md#all-of-them"),
        ("docs/errors.md", "../CONTRIBUTING.md", "project/CONTRIBUTING.md"),
        ("docs/errors.md", "../examples/attach/README.md", "examples/attach/README.md"),
        ("docs/errors.md", "../examples/attach", "examples/attach/README.md"),
        ("docs/errors.md", "../examples/attach/api.yaml", "source/examples/attach/api.yaml.md"),
        ("docs/errors.md", "adr/", "adr/README.md"),
        ("docs/errors.md", "#one", "#one"),
        ("docs/adr/0001-one.md", "../errors.md#one", "../errors.md#one"),
        (
            "docs/adr/0001-one.md",
            "../../authorizer/jwt_authorizer/authorize.py",
            "../source/authorizer/jwt_authorizer/authorize.py.md",
        ),
        ("CONTRIBUTING.md", "docs/errors.md#one", "../errors.md#one"),
        ("examples/attach/README.md", "api.yaml", "../../source/examples/attach/api.yaml.md"),
        ("examples/attach/README.md", "../../docs/adr/README.md", "../../adr/README.md"),
        ("docs/errors.md", "https://example.com/a.md", "https://example.com/a.md"),
    ],
)
def test_a_link_leads_to_where_the_site_has_the_same(path: str, link: str, there: str) -> None:
    assert shown(path, f"# Page\n\nSee [it]({link}).\n").endswith(f"See [it]({there}).\n")


@pytest.mark.parametrize(
    ("link", "there"),
    [
        ("../README.md", "README.md"),
        ("../README.md#settings", "settings.md#all-of-them"),  # the page that takes it in, at the heading above it
        ("../README.md#more", "README.md"),  # the page that says more
    ],
)
def test_a_link_to_the_readme_leads_to_the_page_that_has_the_section(link: str, there: str) -> None:
    assert f"[it]({there})" in shown("docs/errors.md", f"# Page\n\nSee [it]({link}).\n")


def test_a_section_of_the_readme_stands_where_a_page_takes_it_in() -> None:
    text = shown("docs/settings.md", PROJECT["docs/settings.md"])
    assert text == (
        "# Settings\n\nFirst.\n\n## All of them\n\nSee [errors](errors.md) and [below](README.md).\n\nLast.\n"
    )


def test_a_page_that_links_to_a_section_it_has_itself_links_to_its_own_heading() -> None:
    text = PROJECT["docs/settings.md"] + "\nBack [up](../README.md#settings).\n"
    assert shown("docs/settings.md", text).endswith("Back [up](#all-of-them).\n")


def test_a_section_that_is_taken_in_at_the_top_of_a_page_is_the_page() -> None:
    top = f"# Settings\n\n[The table](../README.md#settings) {HERE}\n"
    assert "[it](settings.md)" in shown(
        "docs/errors.md", "# Page\n\nSee [it](../README.md#settings).\n", **{"docs/settings.md": top}
    )


@pytest.mark.parametrize(
    "code", ["`[it](settings.md)`", "```sh\n[it](settings.md)\n```", "~~~text\n```\n[it](settings.md)\n~~~"]
)
def test_what_is_code_stays_as_it_is(code: str) -> None:
    text = f"# Page\n\n{code}\n\nA `tick, and [it](../CONTRIBUTING.md).\n"
    assert code in shown("docs/errors.md", text)
    assert linked_files("docs/errors.md", text) == {"CONTRIBUTING.md"}


def test_a_link_with_code_in_its_name_is_a_link() -> None:
    assert "[`x`](project/CONTRIBUTING.md)" in shown("docs/errors.md", "# P\n\n[`x`](../CONTRIBUTING.md)\n")


def test_a_page_that_is_named_by_its_path_is_named_by_its_title() -> None:
    text = "# Page\n\n[docs/errors.md](docs/errors.md), [docs/adr](docs/adr/README.md), [nothing.md](nothing.md)\n"
    assert "[Reasons](../errors.md), [Decisions](../adr/README.md), [nothing.md](nothing.md)" in shown(
        "CONTRIBUTING.md", text
    )


def test_a_link_that_leads_nowhere_stays_and_is_found_by_the_builder() -> None:
    assert "[it](nowhere.md#x)" in shown("docs/errors.md", "# Page\n\nSee [it](nowhere.md#x).\n")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"docs/settings.md": "# Settings\n"}, "README.md#settings is on no page of the site"),
        ({"docs/twice.md": PROJECT["docs/settings.md"]}, "#settings has a place already: settings.md#all-of-them"),
        ({"README.md": PROJECT["README.md"].replace("## More", "## Others")}, "README.md#others is on no page"),
        ({"README.md": "# P\n\n## More\n\nA list.\n"}, "there is no section #settings"),
        ({"docs/errors.md": "# P\n\n```mermaid\nflowchart TD\n```\n"}, "docs/errors.md: the site has no Mermaid"),
    ],
)
def test_pages_that_do_not_fit_together_are_told(changed: dict[str, str], told: str) -> None:
    with pytest.raises(SiteError, match=told):
        site_of(PROJECT | changed, SOURCES, SUMMARIES)


def test_no_two_pages_have_one_address_also_where_case_makes_no_difference() -> None:
    addresses = [address_of(path).lower() for path in ("SECURITY.md", "docs/security.md", "docs/README.md")]
    assert len(set(addresses)) == len(addresses)


def test_a_comment_in_a_block_is_no_heading() -> None:
    text = "# P\n\n## One\n\n```sh\n## no heading\n```\n\n### Deeper\n\n## Two\n\nEnd.\n"
    assert sections(text) == {"one": "```sh\n## no heading\n```\n\n### Deeper", "two": "End."}


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("`rules from`: the list as your API has it", "rules-from-the-list-as-your-api-has-it"),
        ("403 `Missing Authentication Token`", "403-missing-authentication-token"),
        ("Where is …?", "where-is-"),
    ],
)
def test_anchors_are_those_of_the_repository(heading: str, anchor: str) -> None:
    assert anchor_of(heading) == anchor


def test_a_file_that_holds_a_fence_is_shown_whole() -> None:
    text = "a = '''\n```\n'''\n"
    page = listing("examples/a.py", text)
    assert f"````python\n{text}````\n" in page
    assert posixpath.basename("examples/a.py") in page.partition("\n# ")[2].partition("\n")[0]


def test_a_page_that_does_not_exist_is_not_drawn_but_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "adr").mkdir()
    for name in ("index", "faq", "adr/index"):
        (tmp_path / f"{name}.html").write_text("<html></html>")
    with pytest.raises(SystemExit, match="2"):
        look(["faq", "fag", "--site", str(tmp_path), "--into", str(tmp_path / "pictures")])
    assert "the site has no page fag; there are adr/index, faq, index" in capsys.readouterr().err
    assert not (tmp_path / "pictures").exists()
    with pytest.raises(SystemExit, match="2"):
        look(["--site", str(tmp_path / "adr" / "none")])
    assert "has no site: run `make docs` first" in capsys.readouterr().err
