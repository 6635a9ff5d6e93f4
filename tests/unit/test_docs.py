"""Examples in README and docs run: settings load, backends read what the authorizer sends, links lead somewhere."""

import ast
import io
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from jwt_authorizer.function import create_function
from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings.table import SETTINGS
from jwt_authorizer_devkit.cli.app import app, run
from jwt_authorizer_devkit.mint import mint
from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_devkit.signing import key_set
from tests.cloudformation import Template, read_template
from tests.factories import AUDIENCE, ISSUER, signing_key
from tests.unit.pages import DOCS, EXAMPLES, PAGES, README, ROOT, Block, blocks, prose

LINKED = [*PAGES, *(ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "events/README.md"))]
MISSPELT_ON_PURPOSE = {"JWT_ISUER"}
OF_THE_REFRESHER = {"JWT_REFRESH_TARGET"}
ARN = "arn:aws:execute-api:eu-west-1:123456789012:abcdef1234/prod/GET/orders"


def page_id(page: Path) -> str:
    return str(page.relative_to(ROOT))


# Settings.


@pytest.mark.parametrize("block", blocks("env", "toml"), ids=str)
def test_examples_of_settings_are_accepted(block: Block) -> None:
    if block.language == "toml":
        environment = {"JWT_CONFIG": with_issuers(block.text)}
    else:
        environment = dict(line.split("=", 1) for line in block.text.splitlines() if line)
        if not environment.keys() & {"JWT_ISSUER", "JWT_CONFIG"}:  # an example that is about other settings alone
            environment |= {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE}
    assert all(issuer.issuer for issuer in load_settings(environment, ROOT).issuers)


def with_issuers(text: str) -> str:
    """Complete an example that is about routes alone."""
    if "[[issuers]]" in text:
        return text
    named = set(re.findall(r'"(https://[^"]+)"', " ".join(re.findall(r"^issuers = (.*)$", text, re.MULTILINE))))
    tables = (f'[[issuers]]\nissuer = "{name}"\naudience = "orders"\n' for name in sorted(named or {ISSUER}))
    return "\n".join([text, *tables])


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_settings_and_commands_that_a_page_mentions_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    mentioned = set(re.findall(r"\bJWT_[A-Z_]+\b(?!…)", text))
    assert mentioned <= {setting.variable for setting in SETTINGS} | OF_THE_REFRESHER | MISSPELT_ON_PURPOSE
    commands = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert set(re.findall(r"^(?:\$ )?jwt-authorizer ([a-z]+)", text, re.MULTILINE)) <= commands


@pytest.mark.parametrize("page", LINKED, ids=page_id)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        headings = re.findall(r"^#+ (.*)$", prose(file), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in anchors, target


@pytest.mark.parametrize("page", LINKED, ids=page_id)
def test_the_command_is_installed_from_a_checkout(page: Path) -> None:
    # The name is on no package index: whoever registers it would be installed.
    assert not re.search(r"install [^\n`]*(?<![./])\bjwt-authorizer\b", page.read_text("utf-8"))


# Templates.


def authorizer(template: Template) -> dict[str, Any]:
    found: dict[str, Any] = template["Resources"]["Api"]["Properties"]["Auth"]["Authorizers"]["Jwt"]
    return found | {"FunctionArn": "", "Identity": {**found["Identity"], "ReauthorizeEvery": ""}}


def test_what_pages_show_of_a_template_is_in_the_examples() -> None:
    # Those are deployed and called: tests/e2e/test_examples.py.
    (shown,) = (block.text for block in blocks("yaml", page=README) if "AWS::Serverless::HttpApi" in block.text)
    assert authorizer(read_document(shown)) == authorizer(read_template(EXAMPLES / "http-api" / "template.yaml"))
    (shown,) = (block.text for block in blocks("yaml", page=DOCS / "gateway-responses.md"))
    example = read_template(EXAMPLES / "rest-routes" / "template.yaml")["Resources"]["Api"]["Properties"]
    assert read_document(shown)["GatewayResponses"] == example["GatewayResponses"]


# What the authorizer says, and those who read it.


REST, HTTP = (json.loads(block.text) for block in blocks("json", page=DOCS / "backends.md"))
"""The events that the page shows to backends."""


def test_the_events_shown_to_backends_are_what_the_authorizer_makes() -> None:
    shown = HTTP["requestContext"]["authorizer"]["lambda"]
    claims = shown["claims"]
    (renamed,) = set(re.findall(r"`JWT_CONTEXT_CLAIMS=(.*?)`", (DOCS / "backends.md").read_text("utf-8")))
    settings = {"JWT_ISSUER": claims["iss"], "JWT_AUDIENCE": claims["aud"], "JWT_CONTEXT_CLAIMS": renamed}
    settings["JWT_JWKS"] = json.dumps(key_set((signing_key(),)))
    function = create_function(settings, write=str, clock=lambda: float(claims["exp"] - 60))
    headers = {"authorization": f"Bearer {mint(signing_key(), claims)}"}
    simple = function({"version": "2.0", "type": "REQUEST", "routeArn": ARN, "headers": headers}, None)
    assert simple["context"] == shown
    policy = function({"type": "REQUEST", "methodArn": ARN, "headers": headers}, None)
    context = cast("dict[str, object]", policy["context"])
    # API Gateway gives each value to a REST API's backend as text.
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in context.items()}
    assert {"principalId": policy["principalId"], **texts} == REST["requestContext"]["authorizer"]


@pytest.mark.parametrize("event", [REST, HTTP], ids=["REST", "HTTP"])
@pytest.mark.parametrize("block", blocks("python", "javascript", page=DOCS / "backends.md"), ids=str)
def test_backends_read_them(block: Block, event: dict[str, Any], tmp_path: Path) -> None:
    if block.language == "python":
        names: dict[str, Any] = {}
        exec(compile(block.text, str(block), "exec"), names)  # noqa: S102 - our own documentation
        answer = names["handler"](event, None)
        with pytest.raises(KeyError):  # a route without an authorizer
            names["handler"]({"requestContext": {}}, None)
    elif shutil.which("node") is None:
        pytest.skip("there is no node to run JavaScript with")
    else:
        module = tmp_path / "backend.mjs"
        module.write_text(f"{block.text}\nconsole.log(JSON.stringify(await handler({json.dumps(event)})));\n", "utf-8")
        ran = subprocess.run(["node", module], capture_output=True, text=True, check=True)  # noqa: S603, S607 - our own
        answer = json.loads(ran.stdout)
    assert answer["statusCode"] == 200
    assert "user-1" in answer["body"]


# Commands.


def test_a_token_of_a_key_file_is_let_in_by_the_settings_of_the_quick_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = next(block.text for block in blocks("env", page=DOCS / "quick-start.md"))
    (tmp_path / "function.env").write_text(settings, "utf-8")
    (tmp_path / "dev.pem").write_bytes(signing_key().private_pem())
    shown = next(block.text for block in blocks("sh", page=DOCS / "tools.md") if "openssl genpkey" in block.text)
    publish, ask, explain = shown.replace("|\n", "\n").splitlines()[1:]
    assert run(shlex.split(publish)[1:-2]) == 0
    (tmp_path / shlex.split(publish)[-1]).write_text(capsys.readouterr().out, "utf-8")
    assert run(shlex.split(ask)[1:]) == 0
    monkeypatch.setattr(sys, "stdin", io.StringIO(capsys.readouterr().out))
    assert run(shlex.split(explain)[1:]) == 0, capsys.readouterr().out


# The threat model's promises name tests that exist.


NAMED = sorted(set(re.findall(r"`(tests/[^`]*)`", (DOCS / "threat-model.md").read_text("utf-8"))))


@pytest.mark.parametrize("name", NAMED)
def test_what_the_page_names_exists(name: str) -> None:
    file, _, test = name.partition("::")
    assert (ROOT / file).exists()
    if test:
        tree = ast.parse((ROOT / file).read_text("utf-8"))
        assert test in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
