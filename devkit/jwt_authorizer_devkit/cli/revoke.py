"""``jwt-authorizer revoke``: revoke the tokens of a user, a session or a client, or one token."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from jwt_authorizer_devkit.aws_access import aws_clients
from jwt_authorizer_devkit.cli.terminal import (
    ExitCode,
    JsonOption,
    QuietOption,
    WrongInputError,
    console,
    progress,
    write_json,
)
from jwt_authorizer_devkit.revoking import LONGEST, only_issuer, revoke, revoker_of


def revoke_command(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    sub: Annotated[str | None, typer.Option(metavar="USER", help="All tokens of this user issued until now.")] = None,
    sid: Annotated[str | None, typer.Option(metavar="SESSION", help="All tokens of this session.")] = None,
    jti: Annotated[str | None, typer.Option(metavar="ID", help="This token (of Cognito: its origin_jti).")] = None,
    client_id: Annotated[
        str | None, typer.Option(metavar="CLIENT", help="All tokens of this client issued until now.")
    ] = None,
    iss: Annotated[
        str | None, typer.Option(metavar="ISSUER", help="The tokens' issuer (default: the only one in the settings).")
    ] = None,
    function: Annotated[
        str | None, typer.Option(metavar="NAME", help="The revoker: the stack's output RevokerName.")
    ] = None,
    stack: Annotated[
        str | None, typer.Option(metavar="NAME", help="The authorizer's stack, deployed with Revocation=on.")
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--dry-run", help="Write nothing; show what would be written.")
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    quiet: QuietOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Revoke tokens: those of a user, a session or a client, or a single one. Invokes the stack's revoker.

    Needs lambda:InvokeFunction; without --iss also lambda:GetFunctionConfiguration, and with --stack
    cloudformation:DescribeStacks. The credentials are those of this machine (AWS_PROFILE, AWS_REGION).

    Exit codes: 0 revoked, 1 revoked, but an API's cached answers are still used, 2 wrong input, nothing was written,
    3 AWS or the revoker failed.

    \b
    Examples:
      jwt-authorizer revoke --sub user-1 --stack my-authorizer
      jwt-authorizer revoke --sid 9a1b --function my-revoker --dry-run
      jwt-authorizer revoke --iss https://myapp.authgear.cloud --jti 3f6c --stack my-authorizer --json
    """
    named = {"sub": sub, "sid": sid, "jti": jti, "client_id": client_id}
    given = {name: value for name, value in named.items() if value is not None}
    if len(given) != 1:
        raise WrongInputError("Give what to revoke: one of --sub, --sid, --jti and --client-id.")
    if (function is None) == (stack is None):
        raise WrongInputError("Give the revoker: one of --stack and --function.")
    with progress("Invoking the revoker"):
        clients = aws_clients(LONGEST)
        name = function or revoker_of(stack or "", clients)
        issuer = iss or only_issuer(name, clients)
        done = revoke(name, {"iss": issuer, **given}, clients, dry_run=dry_run)
    left = done.get("not_flushed")
    not_emptied = [str(api) for api in left] if isinstance(left, list) else []
    if as_json and not quiet:
        write_json(done)
    else:
        _show(done, not_emptied, quiet=quiet)
    raise typer.Exit(ExitCode.REFUSED if not_emptied else ExitCode.FINE)


def _show(done: dict[str, object], not_emptied: list[str], *, quiet: bool) -> None:
    out = console(quiet=quiet)
    ((kind, value),) = ((name, done[name]) for name in ("sub", "sid", "jti", "client_id") if name in done)
    what = f"{kind} {value} of {done['iss']}"
    if done["written"]:
        out.print(f"[green]✓[/] Revoked: {escape(what)}. The list has {done['entries']} entries.", soft_wrap=True)
    else:
        out.print(f"[blue]i[/] Would be revoked: {escape(what)}. Nothing was written.", soft_wrap=True)
    for api in not_emptied:
        out.print(
            f"[red]✗[/] The cached answers of {escape(api)} could not be emptied: they are used until the "
            "authorizer's TTL is over. The revoker's log says why.",
            soft_wrap=True,
        )
