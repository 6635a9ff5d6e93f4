"""What MkDocs asks while it builds the site: which pages there are, how they are ordered, and what is in them.

``mkdocs.yml`` names this file. MkDocs runs it in an environment of its own (``.venvs/docs``), as ``python -m mkdocs``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel

from docs.website.pages import README, Site, SiteError, address_of, linked_files, listing, page_text, site_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

_BY_OTHERS = re.compile(r"/(\.|node_modules/)")
"""What was installed or built lies in such folders."""

_FOR_DEVELOPERS = ("adr/", "project/", "source/")
_LESS = 0.1
"""What a page for those who change the code counts in a search, beside one for users."""

FOLDER = "/"
"""What an entry of the navigation ends with that stands for every page of a folder."""


@dataclass(frozen=True, slots=True)
class _Project:
    """What was read of the project: the text of each page, and of each file that is none but is linked to."""

    pages: Mapping[str, str]
    sources: Mapping[str, str]
    site: Site

    @property
    def paths(self) -> dict[str, str]:
        """The path of each page by its address."""
        return {self.site.files[path]: path for path in self.pages if path != README}


def on_config(config: MkDocsConfig) -> None:
    """Read the project's pages, and put the pages of a folder in the place of the folder in the navigation."""
    root = Path(config.config_file_path).parent
    named = [Path(config.docs_dir).rglob("*.md"), *(root.glob(pattern) for pattern in config.extra["outside"])]
    paths = sorted(path.relative_to(root) for found in named for path in found)
    ours = [path.as_posix() for path in paths if not _BY_OTHERS.search(f"/{path.as_posix()}")]
    pages = {path: (root / path).read_text("utf-8") for path in [README, *ours]}
    linked = {path for page, text in pages.items() for path in linked_files(page, text)} - pages.keys()
    shown = {path for path in linked if (root / path).is_file() and not (root / path).is_relative_to(config.docs_dir)}
    sources = {path: (root / path).read_text("utf-8") for path in sorted(shown)}
    try:
        site = site_of(pages, sources, config.extra["summaries"])
    except SiteError as error:
        raise PluginError(str(error)) from error
    project = config.extra["project"] = _Project(pages, sources, site)
    config.nav = [_expanded(entry, project) for entry in config.nav or []]
    if config.extra["repository"]:
        # Not `repo_url`: with that, the theme has each reader's browser ask GitHub for the number of stars.
        link = {"icon": "fontawesome/brands/git-alt", "link": config.extra["repository"], "name": "Repository"}
        config.extra["social"] = [link]


def on_files(files: Files, config: MkDocsConfig) -> None:
    """Add the pages that are not in ``docs/``, and a page for each file that is linked to."""
    project: _Project = config.extra["project"]
    for path in project.pages:
        if path != README and not path.startswith("docs/"):
            files.append(File.generated(config, address_of(path), content=project.pages[path]))
    for path, text in project.sources.items():
        file = File.generated(
            config, project.site.files[path], content=listing(path, text), inclusion=InclusionLevel.NOT_IN_NAV
        )
        files.append(file)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Return the text that a page has on the site."""
    if page.file.src_uri.startswith(_FOR_DEVELOPERS):
        page.meta["search"] = {"boost": _LESS}
    project: _Project = config.extra["project"]
    path = project.paths.get(page.file.src_uri)
    return page_text(path, project.pages, project.site) if path else markdown


def _expanded(entry: object, project: _Project) -> object:
    if isinstance(entry, dict):
        return {title: _expanded(inner, project) for title, inner in entry.items()}
    if isinstance(entry, list):
        return [_expanded(inner, project) for inner in entry]
    if isinstance(entry, str) and entry.endswith(FOLDER):
        inside = [address for address in project.paths if address.startswith(entry)]
        return sorted(inside, key=lambda address: (address != entry + README, address))
    return entry
