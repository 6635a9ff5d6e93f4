"""Draw the site's pages as a browser shows them: ``.venv/bin/python -m docs.website.look`` after ``make docs``.

For the eye: light and dark, on a desk and on a phone. It ends with an error where a page asks another host for
something, is wider than its window, or writes too faintly.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docs.website.browser import Scheme, Tab, program, served, tab

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    *("index", "quick-start", "how-it-decides", "settings", "faq", "errors"),
    *("operations", "runbook", "performance", "architecture", "tools"),
)
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
WIDTHS = {"desk": 1280, "phone": 390}
HIGHEST = 4000


def main(arguments: list[str] | None = None) -> int:
    """Draw the pages into a folder; 1 where something is wrong with one, 2 where there is nothing to draw with."""
    parser = argparse.ArgumentParser(prog="python -m docs.website.look", description=__doc__)
    parser.add_argument("pages", nargs="*", default=PAGES, help="such as faq; the most important ones unless given")
    parser.add_argument("--site", type=Path, default=ROOT / "site", help="the folder that `make docs` wrote")
    parser.add_argument("--into", type=Path, default=ROOT / ".build" / "site-pictures", help="where the pictures go")
    asked = parser.parse_args(arguments)
    there = pages_of(asked.site)
    if not there:
        parser.error(f"{asked.site} has no site: run `make docs` first")
    unknown = [page for page in asked.pages if page not in there]
    if unknown:
        listed = ", ".join(page for page in there if not page.startswith("source/"))
        parser.error(f"the site has no page {', '.join(unknown)}; there are {listed}")
    chromium = program()
    if chromium is None:
        parser.error("Chromium was not found")
    asked.into.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with served(asked.site) as address, tab(chromium) as browser:
        for page in asked.pages:
            for scheme in SCHEMES:
                for name, width in WIDTHS.items():
                    browser.show(f"{address}/{page}.html", width=width, scheme=scheme)
                    picture = asked.into / f"{page.replace('/', '-')}-{name}-{scheme}.png"
                    height = min(browser.evaluate("document.documentElement.scrollHeight"), HIGHEST)
                    picture.write_bytes(browser.picture(height=height))
                    problems = [*problems_of(browser, width), *browser.asked_elsewhere(address)]
                    wrong += len(problems)
                    print(picture, *problems, sep="\n  ")
    return int(wrong > 0)


def pages_of(site: Path) -> list[str]:
    """Name the pages of a built site as this command is told them; none where there is no site."""
    return sorted(page.relative_to(site).with_suffix("").as_posix() for page in site.rglob("*.html"))


def problems_of(browser: Tab, width: int) -> list[str]:
    """Say what makes the page wider than the window, and what is written too faintly, if anything is."""
    wide = browser.evaluate("document.documentElement.scrollWidth")
    faint: list[str] = browser.evaluate((ROOT / "docs" / "website" / "contrast.js").read_text("utf-8"))
    return [f"is {wide} pixels wide in a window of {width}", *faint] if wide > width else faint


if __name__ == "__main__":
    sys.exit(main())
