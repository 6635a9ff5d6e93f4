"""What all commands share: where output goes, how errors read, what exit codes mean."""

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
"""Columns: beyond that, tables only get harder to read."""

JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for scripts.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors: the exit code says it.")]


class ExitCode(IntEnum):
    """What a script may rely on."""

    FINE = 0
    """Allowed; nothing found."""
    REFUSED = 1
    """Refused; something found that should be fixed."""
    WRONG_INPUT = 2
    """The command line, an input or the settings are wrong: nothing was done."""
    UNDECIDED = 3
    """It could not be told: the function would have answered with an error, or something is out of reach."""


class WrongInputError(typer.TyperException):
    """The input is wrong. The message says what, and what would be right; it ends the command."""

    exit_code = ExitCode.WRONG_INPUT


class UndecidedError(typer.TyperException):
    """Something that is needed is out of reach. It ends the command."""

    exit_code = ExitCode.UNDECIDED


def console(*, quiet: bool = False) -> Console:
    """Return the console for results: as wide as the terminal, within reason. ``quiet``: it prints nothing."""
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
    """Show that something goes on that may take longer than a second; on a terminal only, and beside the result."""
    with Console(stderr=True).status(what):
        yield
