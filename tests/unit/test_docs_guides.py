"""What the guides say of decisions, contexts, commands and pictures is so."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, cast
from xml.etree import ElementTree as ET

import pytest

from jwt_authorizer.errors import Reason
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.cli.app import app
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.signing import generate, key_set
from tests.unit.pages import DOCS, PAGES, ROOT, blocks, prose, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

HOW = DOCS / "how-it-decides.md"
STATUS = {
    "The token is missing or bad": "401",
    "The token is good, its rights are not enough": "403",
    "It could not be decided": "500",
}
PICTURES = sorted((DOCS / "images").glob("*.svg"))
DRAWN_BY_HAND = [DOCS / "images" / name for name in ("how-it-decides.svg", "rooms.svg")]
GUIDES = [DOCS / f"{name}.md" for name in ("faq", "quick-start", "running", "security", "settings", "from-app-server")]
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"
SVG = "{http://www.w3.org/2000/svg}"


def _steps() -> list[tuple[str, str]]:
    """Read the table: the name of each step, and how it ends where it fails."""
    return re.findall(r"^\| (\d\. [A-Za-z ]+) \| .* \| (.*) \|$", HOW.read_text("utf-8"), re.MULTILINE)


def _status_of_reasons() -> dict[str, str]:
    page = prose(DOCS / "errors.md")
    groups = {heading: page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] for heading in STATUS}
    return {
        reason: STATUS[heading]
        for heading, text in groups.items()
        for reason in re.findall(r"^### `(.*)`$", text, re.MULTILINE)
    }


def test_each_reason_ends_one_step_with_its_own_status() -> None:
    named: dict[str, str] = {}
    for _, ends in _steps():
        for status, reasons in re.findall(r"(\d{3})((?: \[`[a-z_]+`\]\(errors\.md#[a-z_]+\))+)", ends):
            for reason in re.findall(r"`([a-z_]+)`", reasons):
                assert reason not in named
                named[reason] = status
    named[Reason.INTERNAL_ERROR] = "500"  # in the text: it ends no step of its own
    assert named == _status_of_reasons()
    assert named.keys() == set(Reason)


def test_the_picture_has_the_steps_and_statuses_of_the_table() -> None:
    texts = [element.text or "" for element in ET.parse(HOW.parent / "images/how-it-decides.svg").iter(f"{SVG}text")]  # noqa: S314 - our own file
    drawn: dict[str, list[str]] = {}
    for text in texts:
        if re.match(r"\d\. ", text):
            drawn[text] = []
        elif re.fullmatch(r"\d{3}|replayed", text):
            drawn[list(drawn)[-1]].append(text)
    written = {step: re.findall(r"\b\d{3}\b", ends) or ["replayed"] for step, ends in _steps()}
    assert drawn == written


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.name)
def test_pictures_load_nothing(picture: Path) -> None:
    text = picture.read_text("utf-8")
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert not re.search(r'href="(?!#)', text)
    assert "<script" not in text


@pytest.mark.parametrize("picture", DRAWN_BY_HAND, ids=lambda path: path.name)
def test_pictures_drawn_by_hand_are_for_light_and_dark_and_say_what_they_are(picture: Path) -> None:
    text = picture.read_text("utf-8")
    light, _, dark = text.partition("</style>")[0].partition("@media (prefers-color-scheme: dark)")
    coloured = set(re.findall(r"^ +(\.?[a-z-]+) \{[^}]*#", light, re.MULTILINE))
    assert coloured
    assert coloured == set(re.findall(r"^ +(\.?[a-z-]+) \{[^}]*#", dark, re.MULTILINE))
    used = set(" ".join(re.findall(r'class="([^"]+)"', text)).split())
    assert {name.removeprefix(".") for name in coloured} - {"text"} <= used
    title = ET.fromstring(text).find(f"{SVG}title")  # noqa: S314 - our own file
    assert title is not None
    assert title.text


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_pictures_have_a_text_for_those_who_do_not_see_them(page: Path) -> None:
    assert all(len(text) > 10 for text in re.findall(r"!\[(.*?)\]\(", prose(page)))


def _contexts(settings: dict[str, str], claims: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask the function, as an HTTP API and as a REST API whose backend gets each value as text."""
    key = generate("RS256", "1")
    lines: list[str] = []
    function = create_function(
        settings | {"JWT_JWKS": json.dumps(key_set((key,)))},
        write=lines.append,
        clock=lambda: float(claims["exp"] - 60),
    )
    token = {"authorization": f"Bearer {mint(key, claims)}"}
    simple = function({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": token}, None)
    policy = function({"type": "REQUEST", "methodArn": ARN, "headers": token}, None)
    context = cast("dict[str, object]", policy["context"])
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in context.items()}
    return cast("dict[str, Any]", simple["context"]), {"principalId": policy["principalId"], **texts}


def test_the_contexts_shown_to_those_who_move_over_are_what_the_function_gives() -> None:
    page = DOCS / "from-app-server.md"
    (shown,) = (block for block in blocks("env", page=page) if "JWT_CONTEXT_CLAIMS" in block.text)
    settings = {name: value for name, _, value in (line.partition("=") for line in shown.text.splitlines())}
    claims, http, rest = (json.loads(block.text) for block in blocks("json", page=page))
    assert _contexts(settings, claims) == (http, rest)


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_commands_that_a_guide_names_exist(page: Path) -> None:
    known = {command.name for command in app.registered_commands}
    known |= {f"{group.name}" for group in app.registered_groups}
    assert set(re.findall(r"jwt-authorizer ([a-z]+)", page.read_text("utf-8"))) <= known


@pytest.mark.parametrize("page", GUIDES, ids=lambda path: path.name)
def test_parameters_that_a_guide_names_exist(page: Path) -> None:
    parameters = read_yaml((ROOT / "template.yaml").read_text("utf-8"))["Parameters"].keys()
    of_aws = {"EnableSimpleResponses", "AddDefaultAuthorizerToCorsPreflight", "PyJWKClient"}
    of_outputs = read_yaml((ROOT / "template.yaml").read_text("utf-8"))["Outputs"].keys()
    named = re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)(?:=[a-z]+)?`", page.read_text("utf-8"))
    of_ours = {"JwtAuthorizer", "SettingsError", "JwksFetches", "JwksFetchFailures", "StartFailures"}
    of_python = {"ImportError"}
    assert set(named) <= parameters | of_aws | of_outputs | of_ours | of_python


def test_each_entry_of_the_faq_says_what_to_do_here() -> None:
    entries = prose(DOCS / "faq.md").partition("\n## Is it needed?")[0].split("\n### ")[1:]
    assert len(entries) > 20
    assert [entry.partition("\n")[0] for entry in entries if "**Here**" not in entry] == []
