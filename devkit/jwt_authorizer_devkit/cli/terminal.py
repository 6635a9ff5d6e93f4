"""Output, errors and exit codes of all commands."""

from __future__ import annotations

import contextlib
import json
import sys
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDEST = 120
"""Columns. Wider tables are harder to read."""

JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors. The exit code has the result.")]


class ExitCode(IntEnum):
    """The exit codes of all commands, stable for scripts."""

    FINE = 0
    """Allowed; nothing found."""
    REFUSED = 1
    """Rejected or denied; something found that should be fixed."""
    WRONG_INPUT = 2
    """The command line, an input or the settings are wrong: nothing was done."""
    UNDECIDED = 3
    """Undecided: the function would answer with an error, or something cannot be reached."""


class WrongInputError(typer.TyperException):
    """The input is wrong. Ends the command; the message says what is wrong and what would be right."""

    exit_code = ExitCode.WRONG_INPUT


class UndecidedError(typer.TyperException):
    """Something that is needed cannot be reached. Ends the command."""

    exit_code = ExitCode.UNDECIDED


def console(*, quiet: bool = False) -> Console:
    """Return the console for results, as wide as the terminal up to a limit. ``quiet``: it prints nothing."""
    out = Console(highlight=False, emoji=False, quiet=quiet)
    out.width = min(out.width, _WIDEST) if out.is_terminal else _WIDEST
    return out


def write_json(document: object, *, one_line: bool = False) -> None:
    """Write a result for scripts."""
    indent = None if one_line else 2
    sys.stdout.write(json.dumps(document, indent=indent, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def progress(what: str) -> Iterator[None]:
    """Show on stderr, if it is a terminal, that something is running that may take longer than a second."""
    with Console(stderr=True).status(what):
        yield
