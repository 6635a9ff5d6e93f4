"""``jwt-authorizer``: the developer tools as one command."""

from __future__ import annotations

import os
import re
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from jwt_authorizer import __version__
from jwt_authorizer.errors import SettingsError
from jwt_authorizer_devkit.aws_access import NotThereError, OutOfReachError, name_region
from jwt_authorizer_devkit.cli import config, rules
from jwt_authorizer_devkit.cli.doctor import doctor_command
from jwt_authorizer_devkit.cli.explain import explain_command
from jwt_authorizer_devkit.cli.issuer import issuer_command
from jwt_authorizer_devkit.cli.mint import mint_command
from jwt_authorizer_devkit.cli.revoke import revoke_command
from jwt_authorizer_devkit.cli.terminal import ExitCode, UndecidedError, WrongInputError, write_json
from jwt_authorizer_devkit.explaining.redaction import redacted
from jwt_authorizer_devkit.revoking import RefusedError

_DASHED_TOKEN = re.compile(r"-[A-Za-z0-9._-]{24,}")

_EPILOG = """\b
Exit codes: 0 fine, 1 rejected, denied or something to fix, 2 wrong input or
settings, 3 undecided, or something cannot be reached.

\b
Examples:
  jwt-authorizer explain token.txt --env function.env
  jwt-authorizer doctor --config rules.toml
  jwt-authorizer rules --help
"""

app = typer.Typer(
    name="jwt-authorizer",
    epilog=_EPILOG,
    help="Tools for the JWT authorizer: explain a rejected token, check an issuer or an API, make test tokens.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would show tokens
    rich_markup_mode=None,  # plain help shows a flag as a flag; Typer's tables print `--json <bool>`
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("explain", no_args_is_help=True, short_help="Why is this token or event rejected or denied?")(
    explain_command
)
app.command("doctor", short_help="What is wrong with an issuer, settings or APIs?")(doctor_command)
app.command("issuer", short_help="Run a local OpenID issuer.")(issuer_command)
app.command("mint", short_help="Print a test token, valid or with one defect.")(mint_command)
app.command("revoke", no_args_is_help=True, short_help="Revoke tokens before they expire.")(revoke_command)
app.add_typer(rules.app, name="rules", short_help="Write, check and test rules by route.")
app.add_typer(config.app, name="config", short_help="Write the document of JWT_CONFIG, or its schema.")


def _version(wanted: bool) -> None:  # noqa: FBT001 - Typer calls it with the flag's value
    if wanted:
        print(f"jwt-authorizer {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


def run(arguments: list[str]) -> int:
    """Run one command, and return the exit code. Error messages never contain a token."""
    # A token may begin with a dash. It is longer than any option, and must not be printed as an unknown option.
    tokens = [argument for argument in arguments if _DASHED_TOKEN.fullmatch(argument)]
    if tokens:
        arguments = [*(argument for argument in arguments if argument not in tokens), "--", *tokens]
    try:
        code = _run(arguments)
    except typer.TyperException as error:
        message = redacted(error.format_message()).replace("Value error, ", "")
        if message.startswith("Usage: "):
            # Arguments are missing: the message is the command's help.
            print(message, file=sys.stderr)
            return error.exit_code
        context = getattr(error, "ctx", None)
        if context is not None:  # the command line itself is invalid
            message = f"{message.rstrip('.')}. See {context.command_path} --help."
        if "--json" in arguments:
            write_json({"error": message})
        Console(stderr=True, highlight=False).print(f"[bold red]error[/] {escape(message)}", soft_wrap=True)
        return error.exit_code
    except typer.Abort:
        return ExitCode.WRONG_INPUT
    return code if isinstance(code, int) else ExitCode.FINE


def _run(arguments: list[str]) -> object:
    """Run one command. Convert errors that any command may raise."""
    try:
        return app(arguments, prog_name="jwt-authorizer", standalone_mode=False)
    except (SettingsError, NotThereError, RefusedError) as error:
        raise WrongInputError(str(error)) from None
    except OutOfReachError as error:
        raise UndecidedError(str(error)) from None


def main() -> None:
    """Run the command line of this process."""
    name_region(os.environ)
    sys.exit(run(sys.argv[1:]))
