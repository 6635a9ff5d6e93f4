"""The site, built as `make docs` builds it: it is whole, it loads nothing from elsewhere, and a browser can show it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from contextlib import ExitStack
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from docs.website.browser import BrowserError, Scheme, Tab, program, served, tab
from docs.website.look import PAGES, pages_of, problems_of
from tests.integration.emulator import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PYTHON = ROOT / ".venvs" / "docs" / "bin" / "python"
NOT_OF_THE_SITE = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "site", "dist")
LOADED = {
    "script": {"src"},
    "img": {"src", "srcset"},
    "iframe": {"src"},
    "source": {"src", "srcset"},
    "video": {"src", "poster"},
    "audio": {"src"},
    "embed": {"src"},
    "object": {"data"},
}
"""What a browser asks for by itself. A link is asked for by who clicks it."""
LINKS_THAT_LOAD = {
    "stylesheet",
    "icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "manifest",
}
NAMED_BY_SCRIPTS = {
    "unpkg.com/mermaid@",  # for a page with an element of the class mermaid
    "unpkg.com/resize-observer-polyfill",  # for browsers from before 2020
    "api.github.com/",  # for pages with a repository's widget
    "bit.ly/",  # in a message
    "www.w3.org/",  # names of namespaces
}


def build(project: Path, site: Path) -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)]
    environment = {"PATH": os.environ["PATH"], "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(  # noqa: S603 - our own arguments
        command, capture_output=True, text=True, check=False, cwd=project, env=environment, timeout=60
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert built.returncode == 0, built.stderr
    return folder


class _Loads(HTMLParser):
    """Collects what a page loads, and the classes and components of its elements."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[str] = []
        self.marks: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.found += [values[name] for name in LOADED.get(tag, set()) & values.keys()]
        if tag == "link" and LINKS_THAT_LOAD & set(values.get("rel", "").split()):
            self.found.append(values["href"])
        self.found += re.findall(r"url\(['\"]?([^)'\"]+)", values.get("style", ""))
        self.marks |= {*values.get("class", "").split(), values.get("data-md-component", "")}


def is_elsewhere(address: str) -> bool:
    return bool(re.match(r"([a-z]+:)?//", address))


def test_pages_load_nothing_from_another_host(site: Path) -> None:
    pages = [(page, _Loads(page)) for page in sorted(site.rglob("*.html"))]
    assert len(pages) > 40
    assert [f"{page.name}: {url}" for page, loads in pages for url in loads.found if is_elsewhere(url)] == []
    assert all(loads.found for _, loads in pages)
    # What would make the theme's script ask others:
    assert not any({"mermaid", "source"} & loads.marks for _, loads in pages)


def test_style_sheets_and_scripts_name_no_other_host_that_they_ask(site: Path) -> None:
    sheets = [sheet.read_text("utf-8") for sheet in site.rglob("*.css")]
    assert sheets
    for sheet in sheets:
        assert [url for url in re.findall(r"url\(['\"]?([^)'\"]+)", sheet) if is_elsewhere(url)] == []
        assert not re.search(r"@import\s+(url\()?['\"]?(https?:)?//", sheet)
    # The search's scripts for languages that the site is not in are there as well, and nobody asks for them.
    used = [script for script in site.rglob("*.js") if script.parent.name != "lunr"]
    scripts = [re.sub(r"/\*.*?\*/", "", script.read_text("utf-8"), flags=re.DOTALL) for script in used]
    named = {url for script in scripts for url in re.findall(r"https?://([\w.-]+/?[\w@./-]*)", script)}
    assert {url for url in named if not any(url.startswith(known) for known in NAMED_BY_SCRIPTS)} == set()


def test_a_page_that_is_not_found_says_so(site: Path) -> None:
    assert "404" in (site / "404.html").read_text("utf-8")


def test_the_site_has_what_the_readme_has(site: Path) -> None:
    settings = (site / "settings.html").read_text("utf-8")
    assert "JWT_JWKS_MAX_STALE_SECONDS" in settings
    assert "unlisted_routes" in settings
    assert "README.md" not in settings
    assert "AWS::Serverless::HttpApi" in (site / "quick-start.html").read_text("utf-8")
    assert "authenticate" in (site / "source" / "authorizer" / "jwt_authorizer" / "authorize.py.html").read_text(
        "utf-8"
    )


def test_what_leads_nowhere_or_is_left_out_fails_the_build_and_is_named(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=NOT_OF_THE_SITE)

    def add(page: str, text: str) -> None:
        with (project / page).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")

    add("docs/orphan.md", "# Nobody lists me")
    add(
        "docs/faq.md",
        "[gone](gone.md) [no such anchor](errors.md#no-such-reason) [no such file](../authorizer/gone.py)",
    )
    add("CONTRIBUTING.md", "[no such anchor](docs/rules.md#no-such-rule)")
    example = next((project / "examples").glob("*/README.md")).relative_to(project)
    add(str(example), "[gone](../gone/README.md)")
    text = (
        (project / "README.md").read_text("utf-8").replace("## Caching\n", "## Caching\n\n[gone](docs/gone-too.md)\n")
    )
    (project / "README.md").write_text(text, "utf-8")
    built = build(project, tmp_path / "site")
    assert built.returncode == 1
    for told in (
        r'not included in the "nav" configuration:\s+- orphan\.md',
        r"'faq\.md' contains a link 'gone\.md'",
        r"'faq\.md' contains a link 'errors\.md#no-such-reason'",
        r"'faq\.md' contains a link '\.\./authorizer/gone\.py'",
        r"'project/CONTRIBUTING\.md' contains a link '\.\./rules\.md#no-such-rule'",
        rf"'{re.escape(str(example))}' contains a link '\.\./gone/README\.md'",
        r"'how-it-decides\.md' contains a link 'docs/gone-too\.md'",
    ):
        assert re.search(told, built.stderr), f"{told}\n{built.stderr}"
    assert "Aborted with 7 warnings in strict mode" in built.stdout


SEARCH = """
new Promise((resolve, reject) => {
  const input = document.querySelector("input.md-search__input")
  input.focus(); input.value = "unsafe_cache"; input.dispatchEvent(new KeyboardEvent("keyup"))
  const deadline = Date.now() + 10000
  const look = () => {
    const found = [...document.querySelectorAll(".md-search-result__link")].map(link => link.getAttribute("href"))
    if (found.length) resolve(found); else if (Date.now() > deadline) reject(); else setTimeout(look, 50)
  }
  look()
})
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Tab]:
    chromium = program()
    if chromium is None:
        pytest.skip("there is no Chromium to show the site")
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(tab(chromium))
        except BrowserError as error:  # a matter of the machine: a sandbox that it does not allow, a snap that is none
            pytest.skip(f"{chromium} does not start here: {error}")
        yield opened


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as at:
        yield at


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["how-it-decides", "settings", "faq", "runbook", "tools"])
def test_a_page_is_legible_on_a_phone_by_day_and_night(page: str, scheme: Scheme, browser: Tab, address: str) -> None:
    browser.asked.clear()
    browser.show(f"{address}/{page}.html", width=390, scheme=scheme)
    assert browser.evaluate("document.body.dataset.mdColorScheme") == {"light": "default", "dark": "slate"}[scheme]
    assert problems_of(browser, 390) == []
    assert browser.evaluate("[...document.images].every(image => image.naturalWidth)")
    assert len(browser.asked) > 3
    assert browser.asked_elsewhere(address) == []


# As the theme itself can do it for links: the page changes and the tab stays, a tenth of the time of loading it.
SHOW_INSTEAD = """
(async (url) => {
  const page = new DOMParser().parseFromString(await (await fetch(url)).text(), "text/html")
  document.querySelector("base")?.remove()
  document.head.insertAdjacentHTML("afterbegin", `<base href="${url}">`)
  document.querySelector(".md-container").replaceWith(document.adoptNode(page.querySelector(".md-container")))
  await Promise.allSettled([...document.images].map((image) => image.decode()))
  const missing = [...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)
  return {title: document.querySelector("h1").innerText, wide: document.documentElement.scrollWidth, missing}
})
"""


def test_no_page_of_the_navigation_is_wider_than_a_phone(site: Path, browser: Tab, address: str) -> None:
    listed = re.findall(r'<a href="([^"#:]+)\.html" class="md-nav__link', (site / "index.html").read_text("utf-8"))
    assert {*PAGES, "releasing", "project/CONTRIBUTING", "adr/index"} <= {*listed}
    assert {*listed} <= {*pages_of(site)}
    browser.asked.clear()
    browser.show(f"{address}/index.html", width=390)
    shown = {page: browser.evaluate(f"{SHOW_INSTEAD}({json.dumps(f'{address}/{page}.html')})") for page in {*listed}}
    assert {page: told for page, told in shown.items() if told["wide"] > 390 or told["missing"]} == {}
    assert len({told["title"] for told in shown.values()}) > 40
    assert browser.asked_elsewhere(address) == []


def test_the_search_finds_what_is_on_the_site_and_asks_nobody_else(browser: Tab, address: str) -> None:
    browser.asked.clear()
    browser.show(f"{address}/index.html", width=1280)
    found = browser.evaluate(SEARCH)
    assert any("errors.html" in link for link in found)
    assert browser.asked_elsewhere(address) == []
