"""The site, built as `make docs` builds it: it is whole, and its pages load nothing from elsewhere."""

import os
import re
import subprocess
from pathlib import Path

from tests.integration.emulator import ROOT

PYTHON = ROOT / ".venvs" / "docs" / "bin" / "python"
ELSEWHERE = re.compile(
    r"""<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*?
        \b(?:src|srcset|href|poster|data)=["']?(?:[a-z]+:)?//|url\(["']?(?:[a-z]+:)?//""",
    re.VERBOSE,
)
"""An element that a browser asks another host for by itself. A link is asked for by who clicks it."""


def test_it_is_whole_and_loads_nothing_from_another_host(tmp_path: Path) -> None:
    # Dead links, as the repository has them: tests/unit/test_docs.py.
    command = [str(PYTHON), "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    environment = {"PATH": os.environ["PATH"], "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(  # noqa: S603 - our own arguments
        command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment, timeout=60
    )
    assert built.returncode == 0, built.stderr
    pages = {page.name: page.read_text("utf-8") for page in tmp_path.rglob("*.html")}
    assert len(pages) > 40
    assert "AWS::Serverless::HttpApi" in pages["attach.html"]  # from the README
    assert [found[0] for html in pages.values() for found in ELSEWHERE.finditer(html)] == []
    # The theme's script asks GitHub for the stars of a repository that it shows.
    assert not any('data-md-component="source"' in html for html in pages.values())
