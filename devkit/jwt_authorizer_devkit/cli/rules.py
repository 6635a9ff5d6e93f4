"""``jwt-authorizer rules``: write rules from an API's description, check them, and test them with a table of cases."""

from __future__ import annotations

import dataclasses
from pathlib import Path  # noqa: TC003 - Typer reads annotations at run time
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from jwt_authorizer.answers import CachedBy  # noqa: TC001 - Typer reads annotations at run time
from jwt_authorizer_devkit.cli.inputs import (
    AtOption,
    ConfigOption,
    EnvOption,
    read_environment,
    read_moment,
    read_text,
)
from jwt_authorizer_devkit.cli.rules_view import show_check, show_results
from jwt_authorizer_devkit.cli.terminal import (
    ExitCode,
    JsonOption,
    QuietOption,
    WrongInputError,
    console,
    progress,
    write_json,
)
from jwt_authorizer_devkit.routes.cases import CasesError, parse_cases
from jwt_authorizer_devkit.routes.checking import check_rules
from jwt_authorizer_devkit.routes.listed import route_tables
from jwt_authorizer_devkit.routes.reading import read_routes, routes_toml
from jwt_authorizer_devkit.routes.trying import try_cases

app = typer.Typer(
    help="Rules by route: write them from an OpenAPI document or a template, check them, test them with cases.",
    epilog="""\b
Examples:
  jwt-authorizer rules from openapi.yaml
  jwt-authorizer rules check rules.toml
  jwt-authorizer rules test cases.yaml --config rules.toml
""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("from", no_args_is_help=True, short_help="Write rules from OpenAPI or a template.")
def from_command(
    source: Annotated[
        Path, typer.Argument(metavar="OPENAPI|TEMPLATE", help="An OpenAPI 3 document or a SAM/CloudFormation template.")
    ],
    api: Annotated[str | None, typer.Option(metavar="LOGICAL_ID", help="The API, if the template has several.")] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Write the routes of JWT_CONFIG, with unlisted_routes = "absent", from a document that describes the API.

    Nothing is written if something cannot be expressed: "absent" promises that the list is complete.

    Exit codes: 0 written, 1 something cannot be expressed, 2 wrong input.

    \b
    Examples:
      jwt-authorizer rules from openapi.yaml
      jwt-authorizer rules from template.yaml --api OrdersApi >> rules.toml
    """
    try:
        listing = read_routes(read_text(source), api)
    except ValueError as error:
        raise WrongInputError(f"{source} {error}.") from None
    problems = listing.problems
    if as_json:
        tables = [] if problems else route_tables(listing)
        left = listing.without_token
        write_json({"routes": tables, "without_token": left, "problems": problems, "notes": listing.notes})
    elif problems:
        err = Console(stderr=True, highlight=False, soft_wrap=True)
        err.print(f"[bold red]error[/] {escape(str(source))} cannot be converted to rules; nothing was written:")
        for problem in problems:
            err.print(f"  - {escape(problem)}")
    else:
        print(routes_toml(listing, source.name), end="")
    raise typer.Exit(ExitCode.REFUSED if problems else ExitCode.FINE)


@app.command("check", no_args_is_help=True, short_help="Show which rules overlap.")
def check_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.toml", help="The TOML document of JWT_CONFIG.")],
    cached_by: Annotated[
        CachedBy | None,
        typer.Option(help="What the API's cache is keyed by (default: the document's cached_by)."),
    ] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    quiet: QuietOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Show which rules overlap, and which routes cached policies leave out.

    Exit codes: 0 nothing found, 1 something found, 2 wrong input or settings.

    \b
    Examples:
      jwt-authorizer rules check rules.toml
      jwt-authorizer rules check rules.toml --cached-by route --quiet
    """
    settings = read_environment(config, None).settings()
    cache = cached_by or settings.answers.cached_by
    with progress("Writing policies for all kinds of tokens"):
        check = check_rules(settings, cache)
    if as_json and not quiet:
        write_json({"fine": check.fine, **dataclasses.asdict(check)})
    else:
        show_check(check, console(quiet=quiet))
    raise typer.Exit(ExitCode.FINE if check.fine else ExitCode.REFUSED)


@app.command("test", no_args_is_help=True, short_help="Test rules with a table of cases.")
def try_command(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    cases: Annotated[
        Path, typer.Argument(metavar="CASES.yaml", help="The table: tokens, and cases with the expected result.")
    ],
    config: ConfigOption = None,
    env: EnvOption = None,
    at: AtOption = None,
    replay: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--replay", help="Also test each case with the cached policy of each other request of the token."),
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    quiet: QuietOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Test rules with a table of cases: the claims of a token, the request, and the expected result.

    The function's own code checks claims and rules, without signatures and without the network.

    Exit codes: 0 all as expected, 1 some not as expected, 2 wrong input or settings.

    \b
    Examples:
      jwt-authorizer rules test cases.yaml --config rules.toml
      jwt-authorizer rules test cases.yaml --config rules.toml --replay --quiet
    """
    try:
        table = parse_cases(read_text(cases))
    except CasesError as error:
        raise WrongInputError(f"{cases} is not a table of cases:{error}") from None
    results = try_cases(read_environment(config, env).settings(), table, read_moment(at), replay=replay)
    failed = sum(not result.passed for result in results)
    if as_json and not quiet:
        shown = [dataclasses.asdict(result) for result in results]
        write_json({"passed": len(results) - failed, "failed": failed, "results": shown})
    else:
        show_results(results, console(quiet=quiet))
    raise typer.Exit(ExitCode.REFUSED if failed else ExitCode.FINE)
