"""The command line keeps the conventions of its field (clig.dev), in every command."""

import re
import shlex
from collections.abc import Iterator

import pytest
from typer.main import get_command

from jwt_authorizer_devkit.cli.app import app, run


def _paths(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _paths(inner, (*path, name))


PATHS = sorted(_paths(get_command(app)))
GROUPS = {path[:-1] for path in PATHS if path}
LEAVES = [path for path in PATHS if path not in GROUPS]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_examples_use_options_that_there_are(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    text = capsys.readouterr().out
    prefix = ["jwt-authorizer", *path]
    lines = [shlex.split(line) for line in text.splitlines() if "jwt-authorizer" in line and "Usage:" not in line]
    own = [words[words.index("jwt-authorizer") :] for words in lines if "jwt-authorizer" in words]
    own = [words for words in own if words[: len(prefix)] == prefix]
    assert own
    options = set(re.findall(r"--[a-z][a-z-]+", text.partition("\nOptions:")[2]))
    assert {word.partition("=")[0] for words in own for word in words if word.startswith("--")} <= options


@pytest.mark.parametrize("path", [(), ("explain",), ("rules",), ("rules", "check"), ("config",)], ids=" ".join)
def test_without_arguments_help_is_all_there_is(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*path, "--help"]) == 0
    text = capsys.readouterr().out
    assert run([*path]) == 2
    assert capsys.readouterr().err == text


@pytest.mark.parametrize("arguments", [["nonsense"], *([*path, "--nonsense"] for path in PATHS)], ids=" ".join)
def test_a_wrong_command_line_is_one_line_on_stderr_with_where_to_look(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    command = " ".join(["jwt-authorizer", *arguments[:-1]])
    assert line.startswith("error No such ")
    assert line.endswith(f". See {command} --help.")
    assert "\x1b" not in line


@pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
def test_colors_are_off_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], no_color: str, *, colored: bool
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": no_color}.items():
        monkeypatch.setenv(name, value)
    assert run(["nonsense"]) == 2
    assert ("\x1b[1;31m" in capsys.readouterr().err) is colored
