"""The page about the tools names what there is: commands, options, advice, faults, defects."""

from __future__ import annotations

import inspect
import re

import pytest

from devkit.cli.app import app
from devkit.explaining.advice import general
from devkit.issuer import FaultKind
from devkit.mint import Defect
from tests.unit import test_explain_advice as mistakes
from tests.unit.pages import DOCS, ROOT

PAGE = (DOCS / "tools.md").read_text("utf-8")


def test_each_command_has_its_section() -> None:
    commands = {command.name for command in app.registered_commands}
    assert commands <= set(re.findall(r"^## ([a-z]+)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("command", app.registered_commands, ids=lambda command: str(command.name))
def test_options_on_the_page_exist(command: object) -> None:
    name, callback = command.name, command.callback  # type: ignore[attr-defined]  # Typer types its commands loosely
    lines = [line for line in PAGE.splitlines() if line.startswith(f"jwt-authorizer {name} ")]
    source = inspect.getsource(inspect.getmodule(callback)) + (ROOT / "devkit/cli/inputs.py").read_text()  # type: ignore[arg-type]  # a callback has a module
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
