"""The page about the tools names what there is: commands, options, advice, faults, defects."""

from __future__ import annotations

import inspect
import io
import re
import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from jwt_authorizer_devkit.cli.app import app, run
from jwt_authorizer_devkit.explaining.advice import general
from jwt_authorizer_devkit.issuer import FaultKind
from jwt_authorizer_devkit.mint import Defect
from tests.factories import signing_key
from tests.unit import test_explain_advice as mistakes
from tests.unit.pages import DOCS, PAGES, ROOT, blocks

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (DOCS / "tools.md").read_text("utf-8")


def test_each_command_has_its_section() -> None:
    commands = {command.name for command in app.registered_commands}
    assert commands <= set(re.findall(r"^## ([a-z]+)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("command", app.registered_commands, ids=lambda command: str(command.name))
def test_options_on_the_page_exist(command: object) -> None:
    name, callback = command.name, command.callback  # type: ignore[attr-defined]  # Typer types its commands loosely
    lines = [line for line in PAGE.splitlines() if line.startswith(f"jwt-authorizer {name} ")]
    module = inspect.getsource(inspect.getmodule(callback))  # type: ignore[arg-type]  # a callback has a module
    source = module + (ROOT / "devkit/jwt_authorizer_devkit/cli/inputs.py").read_text()
    for option in {option for line in lines for option in re.findall(r"(--[a-z-]+)", line.split(" | ")[0])}:
        assert option in source or option.removeprefix("--").replace("-", "_") in source, option


def test_the_table_of_mistakes_is_the_one_that_is_tested() -> None:
    table = PAGE.partition("| Advice named |")[2].partition("In a pipeline")[0]
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`([a-z_0-9]+)`", row.strip(" |").rpartition(" | ")[2])
    }
    tested = set(re.findall(r'"([a-z_0-9]+)"', inspect.getsource(mistakes)))
    assert len(named) > 30
    assert named <= tested
    assert not named & {str(reason) for reason in general.GENERAL}


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


@pytest.mark.parametrize("page", [*PAGES, ROOT / "SECURITY.md", ROOT / "events/README.md"], ids=str)
def test_the_command_is_installed_from_a_checkout_and_called_by_its_name(page: Path) -> None:
    text = page.read_text("utf-8")
    # The name is on no package index, so whoever registers it would be installed.
    assert not re.search(r"install [^\n`]*(?<![./])\bjwt-authorizer\b", text)
    assert "python -m devkit" not in text


@pytest.mark.parametrize("one", [*FaultKind, *Defect], ids=str)
def test_faults_and_defects_are_listed(one: str) -> None:
    assert re.search(rf"`{one}[:`]", PAGE)


def test_the_pictures_load_nothing_from_elsewhere() -> None:
    pictures = re.findall(r"\]\((images/[a-z-]+\.svg)\)", PAGE)
    assert len(pictures) == 3
    for picture in pictures:
        text = (DOCS / picture).read_text("utf-8")
        assert "url(http" not in text
        assert "@import" not in text
