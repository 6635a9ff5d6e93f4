"""What README and docs say about settings and reasons is held against the code, and their links to files."""

from __future__ import annotations

import json
import re
import tomllib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from demo.calls import Api
from demo.scenarios import By, attempts
from jwt_authorizer.errors import Reason
from jwt_authorizer.function import create_function
from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings.table import SETTINGS, Place
from jwt_authorizer_devkit.signing import key_set
from tests.factories import AUDIENCE, ISSUER, NOW, http_api_v2_event, signing_key, token
from tests.unit.pages import BLOCKS, DOCS, EXAMPLES, PAGES, README, ROOT, Block, blocks, prose, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

    from jwt_authorizer.settings import Settings

LINKED = [*PAGES, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"))]
TEMPLATES = [path for path in sorted(EXAMPLES.rglob("*.yaml")) if "\nResources:\n" in path.read_text("utf-8")]
NO_DEFAULT = {"none", "required", "required, or `JWT_CLIENT_ID`, or `JWT_ANY_AUDIENCE`", "from discovery"}
MISSPELT_ON_PURPOSE = {"JWT_ISUER"}
OF_THE_REFRESHER = {"JWT_REFRESH_TARGET"}
DEMO_ROW = re.compile(r"^  (connect|[A-Z]+ /\S*) +(\S+(?: \S+)?) +(\d{3}\*?) +(\([^)]+\)|\w+)", re.MULTILINE)


def _documented() -> list[tuple[str, str]]:
    """Read names and defaults out of the README's table."""
    return re.findall(r"^\| `(JWT_[A-Z_]+)` \| (.*?) \| .* \|$", README.read_text("utf-8"), re.MULTILINE)


def test_the_table_lists_every_setting_in_the_order_of_the_code() -> None:
    assert [name for name, _ in _documented()] == [setting.variable for setting in SETTINGS]


@pytest.mark.parametrize(("name", "default"), _documented())
def test_a_default_in_the_table_is_the_one_in_the_code(name: str, default: str) -> None:
    setting = next(setting for setting in SETTINGS if setting.variable == name)
    if default in NO_DEFAULT:
        assert not setting.default
    else:
        assert re.fullmatch(r"`[^`]+`", default)
        assert setting.read(default.strip("`")) == setting.default


def test_the_places_that_the_readme_gives_settings_in_toml_are_the_ones_in_the_code() -> None:
    names = [setting.variable for setting in SETTINGS]
    of_issuers = [setting.variable for setting in SETTINGS if setting.place is Place.ISSUER]
    either = [setting.variable for setting in SETTINGS if setting.place is Place.EITHER]
    assert "Those up to `JWT_PRINCIPAL_CLAIM` stand in" in prose(README)
    assert of_issuers == names[: names.index("JWT_PRINCIPAL_CLAIM") + 1]
    assert "Variables from `JWT_CACHED_BY` on may stay variables" in prose(README)
    assert either == names[names.index("JWT_CACHED_BY") : -1]


@pytest.mark.parametrize("block", blocks("env", "toml"), ids=str)
def test_examples_of_settings_are_accepted(block: Block) -> None:
    settings = _settings(block)
    assert all(issuer.issuer for issuer in settings.issuers)


def _settings(block: Block) -> Settings:
    if block.language == "toml":
        return load_settings({"JWT_CONFIG": _with_issuers(block.text)}, ROOT)
    lines = [line.partition("=") for line in block.text.splitlines()]
    return load_settings({name: value for name, _, value in lines}, ROOT)


def _with_issuers(text: str) -> str:
    """Complete an example that is about routes alone."""
    document = tomllib.loads(text)
    if "issuers" in document:
        return text
    named = {name for route in document["routes"] for name in route.get("issuers", [])} or {"https://i.example.com"}
    return text + "".join(f'\n[[issuers]]\nissuer = "{name}"\naudience = "orders"\n' for name in sorted(named))


PROVIDERS = {
    "Authgear": r"https://[a-z0-9-]+\.authgear\.cloud",
    "Amazon Cognito": r"https://cognito-idp\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9-]+_[A-Za-z0-9]+",
    "Auth0": r"https://[a-z0-9-]+\.([a-z]{2}\.)?auth0\.com/",
    "Okta": r"https://[a-z0-9-]+\.okta\.com/oauth2/[a-z0-9]+",
    "Microsoft Entra ID": r"https://login\.microsoftonline\.com/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0",
    "Keycloak": r"https://[a-z.]+/realms/[a-z]+",
    "Google": r"https://accounts\.google\.com",
    "Firebase": r"https://securetoken\.google\.com/[a-z0-9-]+",
}
"""The formats of issuers, from the providers' own documentation."""


@pytest.mark.parametrize(("page", "heading"), [(README, "**{}**"), (DOCS / "providers.md", "## {}")])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_has_an_example_with_an_issuer_of_its_own_format(page: Path, heading: str, provider: str) -> None:
    _, _, after = page.read_text("utf-8").partition("\n" + heading.format(provider))
    issuer = re.search(r"^JWT_ISSUER=(.*)$", after, re.MULTILINE)
    assert issuer is not None
    assert re.fullmatch(PROVIDERS[provider], issuer[1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_settings_that_a_page_mentions_exist(page: Path) -> None:
    mentioned = set(re.findall(r"\bJWT_[A-Z_]+\b(?!…)", page.read_text("utf-8")))
    assert mentioned <= {setting.variable for setting in SETTINGS} | OF_THE_REFRESHER | MISSPELT_ON_PURPOSE


def test_the_table_of_the_demo_is_what_the_demo_holds_itself_to() -> None:
    wanted = [
        (
            "connect" if attempt.api is Api.WEBSOCKET else f"{attempt.method} {attempt.path}",
            attempt.token,
            f"{attempt.status}{'*' if attempt.note else ''}",
            (attempt.reason or "allow") if attempt.by is By.FUNCTION else f"({attempt.by})",
        )
        for attempt in attempts()
    ]
    assert DEMO_ROW.findall(README.read_text("utf-8")) == wanted


def test_parameters_of_the_stack_that_the_readme_lists_exist() -> None:
    parameters = read_yaml((ROOT / "template.yaml").read_text("utf-8"))["Parameters"]
    rows = re.findall(r"^\| ((?:`[A-Z][A-Za-z]+`(?:, )?)+) \|", README.read_text("utf-8"), re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert listed
    assert set(listed) <= parameters.keys()


def test_every_reason_has_its_entry() -> None:
    entries = re.findall(r"^### `([a-z_]+)`$", (DOCS / "errors.md").read_text("utf-8"), re.MULTILINE)
    assert entries == [str(reason) for reason in Reason]


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            assert re.fullmatch(r"https://([a-z0-9-]+\.)+[a-z]{2,}(/[\w./~%-]*)?(#[\w./-]+)?", target), target
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        if anchor:
            assert anchor in {_anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose(file), re.MULTILINE)}, (
                target
            )


def _anchor(heading: str) -> str:
    """Make the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_architecture_lists_the_rooms_in_the_order_that_imports_follow() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (layers,) = (
        contract["layers"] for contract in settings["tool"]["importlinter"]["contracts"] if contract["id"] == "layers"
    )
    _, _, table = (DOCS / "architecture.md").read_text("utf-8").partition("## The rooms")
    listed = re.findall(r"^\| `([a-z_]+)(?:\.py|/)` \|", table.partition("## ")[0], re.MULTILINE)
    assert listed == [room for layer in layers for room in layer.split(" | ")]


def test_the_architecture_names_files_that_exist() -> None:
    rows = re.findall(r"^\|.*\|$", prose(DOCS / "architecture.md"), re.MULTILINE)
    names = re.findall(r"`([a-z_/]+(?:\.py|/))`", "\n".join(rows))
    assert len(names) > 30
    assert [name for name in names if not (ROOT / "authorizer" / "jwt_authorizer" / name).exists()] == []


def test_the_index_of_decisions_lists_all_of_them() -> None:
    listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (DOCS / "adr" / "README.md").read_text("utf-8"))
    assert listed == sorted(page.name for page in (DOCS / "adr").glob("0*.md"))


def test_blocks_say_what_language_they_are_in() -> None:
    known = {"env", "toml", "json", "yaml", "sh", "python", "javascript", "go", "http", "text"}
    assert {block.language for block in BLOCKS} <= known


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_lists_are_such_to_all_who_read_markdown(page: Path) -> None:
    """The site's reader wants an empty line before a list or table, and four spaces before what belongs to an item."""
    lines = prose(page).splitlines()
    for before, line in pairwise(lines):
        begins = re.match(r"(- |\d+\. |\|)", line)
        assert not begins or not before or re.match(r"(- |\d+\. |\||  |<!--)", before), line
        assert before or not re.match(r" {1,3}\S", line), line


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_yaml_is_yaml(block: Block) -> None:
    assert isinstance(read_yaml(block.text), dict)


def test_templates_in_the_readme_refer_to_what_they_have() -> None:
    shown = [block.text for block in blocks("yaml", page=README)]
    assert shown
    for text in shown:
        template = read_yaml(text)
        assert set(re.findall(r"!Ref (\w+)", text)) <= template["Resources"].keys() | template["Parameters"].keys()


def test_an_http_api_attached_as_the_readme_says_takes_rules_by_route() -> None:
    (shown,) = (block.text for block in blocks("yaml", page=README) if "AWS::Serverless::HttpApi" in block.text)
    authorizer = read_yaml(shown)["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["Jwt"]
    bearer = token()
    by_route = "routeKey" in authorizer["Identity"].get("Context", ())
    event = http_api_v2_event(bearer, route_key="GET /orders/{id}", by_route=by_route)
    keys = json.dumps(key_set((signing_key(),)))
    issuer = f"[[issuers]]\nissuer = '{ISSUER}'\naudience = '{AUDIENCE}'\njwks = '{keys}'\n"
    config = issuer + '[[routes]]\nmethod = "GET"\npath = "/orders/{id}"\n'
    function = create_function({"JWT_CONFIG": config}, write=str, clock=lambda: NOW)
    assert function(event, None)["isAuthorized"] is authorizer["EnableSimpleResponses"] is True


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_example_templates_refer_to_what_they_have(path: Path) -> None:
    text = path.read_text("utf-8")
    template = read_yaml(text)
    named = set(re.findall(r"!Ref ([A-Za-z]+)\b(?!:)", text)) | set(
        re.findall(r"\$\{([A-Za-z]+)(?:\.[A-Za-z]+)?\}", text)
    )
    assert named
    assert named <= template["Resources"].keys() | template.get("Parameters", {}).keys()
