"""The site, built as `make docs` builds it: it is whole, and its pages load nothing from elsewhere."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.emulator import ROOT

PYTHON = ROOT / ".venvs" / "docs" / "bin" / "python"
NOT_OF_THE_SITE = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "site", "dist")
ELSEWHERE = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*?
        \b(?:src|srcset|href|poster|data)=["']?(?:[a-z]+:)?//|url\(["']?(?:[a-z]+:)?//""",
    re.VERBOSE,
)
"""An element that a browser asks another host for by itself. A link is asked for by who clicks it."""


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


def test_pages_load_nothing_from_another_host(site: Path) -> None:
    pages = {page.name: page.read_text("utf-8") for page in site.rglob("*.html")}
    assert len(pages) > 40
    assert "AWS::Serverless::HttpApi" in pages["attach.html"]  # from the README
    assert [found[0] for html in pages.values() for found in ELSEWHERE.finditer(html)] == []
    # The theme's script asks GitHub for the stars of a repository that it shows.
    assert not any('data-md-component="source"' in html for html in pages.values())


def test_what_leads_nowhere_or_is_left_out_fails_the_build_and_is_named(tmp_path: Path) -> None:
    # All links of the pages as they are in the repository: tests/unit/test_docs.py.
    project = tmp_path / "project"
    shutil.copytree(ROOT, project, ignore=NOT_OF_THE_SITE)
    (project / "docs" / "orphan.md").write_text("# Nobody lists me\n", "utf-8")
    with (project / "CONTRIBUTING.md").open("a", encoding="utf-8") as page:
        page.write("\n[no such anchor](docs/rules.md#no-such-rule) [gone](docs/gone.md)\n")
    built = build(project, tmp_path / "site")
    assert built.returncode == 1
    for told in (
        r'not included in the "nav" configuration:\s+- orphan\.md',
        r"'project/CONTRIBUTING\.md' contains a link '\.\./rules\.md#no-such-rule'",
        r"'project/CONTRIBUTING\.md' contains a link '\S*gone\.md'",
    ):
        assert re.search(told, built.stderr), f"{told}\n{built.stderr}"
    assert "Aborted with 3 warnings in strict mode" in built.stdout
