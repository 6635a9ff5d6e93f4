"""What a page of the project becomes on the site: where it is there, and where its links lead.

The pages are written for those who read them in the repository. There they link to README, to examples and to code; the
site has another shape, so each link is turned to where the site has the same thing. A *path* is that of a file in the
project, such as ``docs/errors.md``; an *address* is where the site has it, such as ``errors.md``.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

README = "README.md"
HERE = "<!-- on the site: the section itself -->"
"""Stands behind a link to a section of the README, alone on a line: the site has the section in place of that line."""

_FENCED = re.compile(r"^ *(?P<fence>`{3,}|~{3,})[^\n]*\n.*?^ *(?P=fence) *$", re.MULTILINE | re.DOTALL)
_SPAN = r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n\n).)+?(?<!`)(?P=ticks)(?!`)"
_CODE = re.compile(f"{_FENCED.pattern}|{_SPAN}", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<=\]\()([^)\s]+)(?=\))")
_NAMED_BY_PATH = re.compile(r"\[([\w./-]+\.md|[\w./-]+/[\w./-]*)\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_TAKEN_IN = re.compile(rf"^\[[^\]]+\]\((?:\.\./)*README\.md#([a-z-]+)\) {re.escape(HERE)}$", re.MULTILINE)
_SECTION = 2
_LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", ".json": "json", ".sh": "sh"}


class SiteError(Exception):
    """The pages do not fit together: what is wrong, and what would be right."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the site has what: files by their path, with their titles, and the README's sections by their anchor."""

    files: Mapping[str, str]
    titles: Mapping[str, str]
    sections: Mapping[str, str]

    def address(self, path: str, anchor: str) -> str | None:
        """Give the address of a file, with the anchor; None where the site does not have it. A folder is its README."""
        if path == README:
            return self.sections.get(anchor)
        file = self.files.get(path) or self.files.get(posixpath.join(path, README))
        return file and file + ("#" + anchor if anchor else "")

    def title(self, path: str) -> str | None:
        """Give the title of a page."""
        return self.titles.get(path) or self.titles.get(posixpath.join(path, README))


def site_of(pages: Mapping[str, str], sources: Mapping[str, str], summaries: Mapping[str, str]) -> Site:
    """Find a place for everything, given the text of each page, and of each file that is none but is linked to.

    The README is no page of the site: each section of it is taken in by one page, or it is the summary of a page that
    stands for it (``summaries``: the section's anchor, and the page's path). So no fact stands there twice, and each
    link to the README leads somewhere. Raises :class:`SiteError` where a section has no place or more than one.
    """
    files = {path: address_of(path) for path in pages if path != README}
    files |= {path: f"source/{path}.md" for path in sources}
    sections = {anchor: files[path] for anchor, path in summaries.items()}
    for path, text in pages.items():
        if "```mermaid" in text:
            message = f"{path}: the site has no Mermaid, which is loaded from another host: draw an SVG in docs/images/"
            raise SiteError(message)
        for anchor, heading in _taken_in(text):
            if anchor in sections:
                message = f"{path}: the README's section #{anchor} has a place already: {sections[anchor]}"
                raise SiteError(message)
            sections[anchor] = files[path] + ("#" + heading if heading else "")
    known = sections_of(pages[README]).keys()
    if missing := known - sections.keys():
        section = f"README.md#{min(missing)}"
        message = (
            f"{section} is on no page of the site: take it in, by a line of its own in a page, "
            f"`[…](../{section}) {HERE}`, or name the page that says more under `summaries` in mkdocs.yml"
        )
        raise SiteError(message)
    if unknown := sections.keys() - known:
        message = f"README.md: there is no section #{min(unknown)}, which {sections[min(unknown)]} stands for"
        raise SiteError(message)
    titles = {path: title for path, text in pages.items() for _, level, title in _headings(text)[:1] if level == 1}
    return Site(files, titles, sections | {"": address_of(f"docs/{README}")})


def address_of(path: str) -> str:
    """Say where a page goes: those of docs/ to the top, examples under their path, the rest under ``project/``."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    return path if "/" in path else f"project/{path}"


def page_text(path: str, pages: Mapping[str, str], site: Site) -> str:
    """Give the text that a page has on the site, sections of the README and all.

    A link to what the site does not have stays as it is: a strict build fails there, and names it.
    """
    text, address, parts, end = pages[path], site.files[path], [], 0
    for match in _TAKEN_IN.finditer(text):
        section = sections_of(pages[README])[match[1]]
        parts += [_turned(text[end : match.start()], path, address, site), _turned(section, README, address, site)]
        end = match.end()
    return "".join([*parts, _turned(text[end:], path, address, site)])


def listing(path: str, text: str) -> str:
    """Make the page that shows a file of the project: an example's template, a module that is linked to."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 3)
    language = _LANGUAGES.get(posixpath.splitext(path)[1], "text")
    name = posixpath.basename(path)
    return f"---\nsearch: {{exclude: true}}\n---\n# {name}\n\n`{path}`:\n\n{fence}{language}\n{text}{fence}\n"


def linked_files(path: str, text: str) -> set[str]:
    """Give the paths of what a page links to within the project, whether it is there or not."""
    found: list[str] = []

    def find(prose: str) -> str:
        found.extend(target for target in _LINK.findall(prose) if "://" not in target)
        return prose

    _outside_code(text, find)
    return {_resolved(target, path)[0] for target in found}


def sections_of(text: str) -> dict[str, str]:
    """Take a page apart at its headings of the second level: the text below each, by its anchor."""
    headings = [(match, title) for match, level, title in _headings(text) if level == _SECTION]
    ends = [*(match.start() for match, _ in headings[1:]), len(text)]
    return {
        anchor_of(title): text[match.end() : end].strip() for (match, title), end in zip(headings, ends, strict=True)
    }


def anchor_of(heading: str) -> str:
    """Make the anchor that GitHub makes of a heading; the site is set up to make the same."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _headings(text: str) -> list[tuple[re.Match[str], int, str]]:
    # A comment in a shell's block is no heading: blank what is in blocks, and keep each place.
    bare = _FENCED.sub(lambda block: re.sub(r"[^\n]", " ", block[0]), text)
    return [(match, len(match[1]), match[2]) for match in _HEADING.finditer(bare)]


def _taken_in(text: str) -> list[tuple[str, str]]:
    """Give the README's sections that a page takes in, each with the anchor of the heading above it; none: the top."""
    taken = []
    for match in _TAKEN_IN.finditer(text):
        above = [(level, title) for heading, level, title in _headings(text) if heading.start() < match.start()]
        level, title = above[-1]
        taken.append((match[1], anchor_of(title) if level >= _SECTION else ""))
    return taken


def _turned(text: str, path: str, address: str, site: Site) -> str:
    def name(match: re.Match[str]) -> str:
        # In the repository a page is named by its path, on the site by its title.
        title = None if "://" in match[2] else site.title(_resolved(match[2], path)[0])
        return f"[{title}]({match[2]})" if title else match[0]

    def turn(match: re.Match[str]) -> str:
        there = None if "://" in match[1] else site.address(*_resolved(match[1], path))
        if there is None:
            return match[1]
        file, _, anchor = there.partition("#")
        suffix = "#" + anchor if anchor else ""
        return suffix if suffix and file == address else posixpath.relpath(file, posixpath.dirname(address)) + suffix

    return _outside_code(text, lambda prose: _LINK.sub(turn, _NAMED_BY_PATH.sub(name, prose)))


def _resolved(target: str, path: str) -> tuple[str, str]:
    file, _, anchor = target.partition("#")
    return (posixpath.normpath(posixpath.join(posixpath.dirname(path), file)) if file else path), anchor


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change what is not code: neither in a fenced block nor between backticks."""
    changed, end = [], 0
    for code in _CODE.finditer(text):
        changed += [change(text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*changed, change(text[end:])])
