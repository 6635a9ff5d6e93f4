"""The site, built as `make docs` builds it: it is whole, and its pages load nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.integration.emulator import ROOT

if TYPE_CHECKING:
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


def test_the_site_has_what_the_readme_has(site: Path) -> None:
    settings = (site / "settings.html").read_text("utf-8")
    assert "JWT_JWKS_MAX_STALE_SECONDS" in settings
    assert "unlisted_routes" in settings
    assert "README.md" not in settings
    assert "AWS::Serverless::HttpApi" in (site / "attach.html").read_text("utf-8")
    assert "Principal" in (site / "source" / "authorizer" / "jwt_authorizer" / "authorize.py.html").read_text("utf-8")


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
    text = (project / "README.md").read_text("utf-8").replace("## Try it\n", "## Try it\n\n[gone](docs/gone-too.md)\n")
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
        r"'quick-start\.md' contains a link 'docs/gone-too\.md'",
    ):
        assert re.search(told, built.stderr), f"{told}\n{built.stderr}"
    assert "Aborted with 7 warnings in strict mode" in built.stdout


# What people type into the site's search is in a heading of the page that answers it: headings count most there.


SEARCHED = {
    "attach": ["preflight", "cross-account", "WAF", "throttling"],
    "bound-tokens": ["DPoP", "mutual TLS"],
    "caching": ["403 second path", "cache"],
    "claims": ["nested claim"],
    "compare": ["Verified Permissions"],
    "errors": ["unsafe_cache"],
    "events/index": ["sam local"],
    "examples/cdk/index": ["CDK"],
    "examples/mcp-server/index": ["MCP"],
    "examples/private-vpc/index": ["VPC"],
    "examples/terraform/index": ["Terraform"],
    "faq": [
        *("key rotation", "403 on another path", "missing authentication token", "unauthorized", "multi-tenant", "M2M"),
        *("client credentials", "provisioned concurrency", "SnapStart", "OpenTelemetry", "X-Ray", "cost", "cookie"),
        *("websocket", "roles groups", "issuer is down"),
    ],
    "gateway-responses": ["CORS"],
    "hooks": ["own check"],
    "opaque-tokens": ["introspection"],
    "operations": ["alarms", "dashboard"],
    "performance": ["cold start", "memory size"],
    "providers": ["Cognito", "Auth0", "Okta", "Entra ID", "Keycloak"],
    "releasing": ["upgrade"],
    "revocation": ["revocation", "logout"],
    "tenants": ["tenants"],
    "threat-model": ["threat model"],
    "tools": ["revoke"],
}


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9_]+", re.sub(r"<[^>]+>", " ", text).lower()))


@pytest.mark.parametrize("page", SEARCHED)
def test_what_people_search_for_is_in_a_heading_of_its_page(site: Path, page: str) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    sections = [it for it in index["docs"] if it["location"].partition("#")[0] == f"{page}.html"]
    headings = [words(f"{it['title']} {it['location'].replace('-', ' ')}") for it in sections]
    assert [query for query in SEARCHED[page] if not any(words(query) <= heading for heading in headings)] == []
