"""The site, built as `make docs` builds it: it is whole, and its pages load nothing from elsewhere."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from html import unescape
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


# What people type into the site's search finds its page, first or second.


QUERIES = {
    "revoke": "tools",
    "revocation": "revocation",
    "logout": "revocation",
    "clock skew": "glossary",
    "leeway": "errors",
    "key rotation": "faq",
    "403 second path": "caching",
    "403 on another path": "faq",
    "missing authentication token": "faq",
    "unauthorized": "faq",
    "CORS": "gateway-responses",
    "preflight": "attach",
    "multi-tenant": "faq",
    "tenants": "tenants",
    "own check": "hooks",
    "M2M": "faq",
    "client credentials": "faq",
    "opaque token": "opaque-tokens",
    "introspection": "opaque-tokens",
    "DPoP": "bound-tokens",
    "mutual TLS": "bound-tokens",
    "nested claim": "claims",
    "cross-account": "attach",
    "custom domain": "attach",
    "WAF": "attach",
    "throttling": "attach",
    "provisioned concurrency": "faq",
    "SnapStart": "faq",
    "OpenTelemetry": "faq",
    "X-Ray": "faq",
    "cold start": "performance",
    "cost": "faq",
    "memory size": "performance",
    "TTL": "end-with-token",
    "cache": "caching",
    "JWT_CACHED_BY": "caching",
    "unsafe_cache": "errors",
    "cookie": "faq",
    "websocket": "faq",
    "Sec-WebSocket-Protocol": "faq",
    "Cognito": "providers",
    "Auth0": "providers",
    "Okta": "providers",
    "Entra ID": "providers",
    "Keycloak roles": "providers",
    "audience": "errors",
    "scopes": "errors",
    "roles groups": "faq",
    "WWW-Authenticate": "gateway-responses",
    "alarm": "runbook",
    "dashboard": "operations",
    "VPC": "examples/private-vpc/index",
    "Terraform": "examples/terraform/index",
    "CDK": "examples/cdk/index",
    "OpenAPI": "rules-tools",
    "Verified Permissions": "compare",
    "native JWT authorizer": "faq",
    "threat model": "threat-model",
    "sam local": "events/index",
    "issuer down": "faq",
    "upgrade": "releasing",
    "pytest fixture": "testing",
    "JWE encrypted": "glossary",
    "MCP": "examples/mcp-server/index",
}


@pytest.fixture(scope="module")
def index(site: Path) -> Index:
    return Index.of(site)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_finds_its_page_first_or_second(index: Index, query: str) -> None:
    assert f"{QUERIES[query]}.html" in index.pages(query)[:2]


# Search of the built site, scored as its theme's search scores: BM25, with a title far above the text.


_TAG = re.compile(r"<[^>]+>")
_WORD = re.compile(r"[a-z0-9]+")
_ENDINGS = re.compile(r"(ations?|ing|ed|es|s|e)$")
_K, _B = 1.2, 0.75
"""BM25's constants, as Lunr has them, with which Material for MkDocs searches."""
_SHORTEST_WITH_ENDING = 5


def words(text: str) -> Counter[str]:
    """Count the words of a text, without their endings."""
    found = _WORD.findall(unescape(_TAG.sub(" ", text)).lower())
    return Counter(_ENDINGS.sub("", word) if len(word) >= _SHORTEST_WITH_ENDING else word for word in found)


@dataclass(frozen=True, slots=True)
class Section:
    """One entry of the index. ``boost`` is what the page's own count for."""

    page: str
    fields: tuple[tuple[float, Counter[str]], ...]
    boost: float


@dataclass(frozen=True)
class Index:
    """The sections that MkDocs wrote down for its search."""

    sections: tuple[Section, ...]

    @classmethod
    def of(cls, site: Path) -> Index:
        """Read the index of a built site, with the boosts of titles and pages that it names."""
        index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
        boosts = {name: float(field["boost"]) for name, field in index["config"]["fields"].items() if name != "tags"}
        return cls(
            tuple(
                Section(
                    entry["location"].partition("#")[0],
                    tuple((boost, words(entry[name])) for name, boost in boosts.items()),
                    entry.get("boost", 1),
                )
                for entry in index["docs"]
            )
        )

    @cached_property
    def _spread(self) -> Counter[str]:
        return Counter(word for it in self.sections for word in {word for _, field in it.fields for word in field})

    @cached_property
    def _lengths(self) -> list[float]:
        fields = zip(*(section.fields for section in self.sections), strict=True)
        return [sum(counted.total() for _, counted in field) / len(field) for field in fields]

    def _score(self, section: Section, word: str) -> float:
        rarity = math.log(1 + len(self.sections) / self._spread[word])
        total = 0.0
        for (boost, counted), usual in zip(section.fields, self._lengths, strict=True):
            long = 1 - _B + _B * counted.total() / usual
            total += boost * rarity * counted[word] * (_K + 1) / (counted[word] + _K * long)
        return total * section.boost

    def pages(self, query: str) -> list[str]:
        """Return the pages that have a section with words of the query, the best first."""
        best: dict[str, float] = {}
        for section in self.sections:
            score = sum(self._score(section, word) for word in words(query) if self._spread[word])
            if score > best.get(section.page, 0):
                best[section.page] = score
        return sorted(best, key=best.__getitem__, reverse=True)
