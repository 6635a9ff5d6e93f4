"""``jwt-authorizer doctor``: what is wrong with an issuer, the settings, or a deployed API."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from jwt_authorizer.errors import SettingsError
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.documents import document_reader
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.tenants import tenant_list
from jwt_authorizer.settings import load_settings
from jwt_authorizer.settings import table as defaults
from jwt_authorizer.settings.model import KeySettings
from jwt_authorizer.settings.raw import read_raw
from jwt_authorizer.wiring import of_tenant
from jwt_authorizer_devkit.advised_settings import advised
from jwt_authorizer_devkit.aws_access import aws_clients
from jwt_authorizer_devkit.cli.inputs import ConfigOption, EnvOption, read_environment
from jwt_authorizer_devkit.cli.terminal import (
    ExitCode,
    JsonOption,
    QuietOption,
    UndecidedError,
    WrongInputError,
    console,
    progress,
    write_json,
)
from jwt_authorizer_devkit.doctoring.apis import apis_of_stack, environment_of, read_api
from jwt_authorizer_devkit.doctoring.attached import examine_attached, examine_routes
from jwt_authorizer_devkit.doctoring.configured import examine_settings
from jwt_authorizer_devkit.doctoring.exchanges import Asked
from jwt_authorizer_devkit.doctoring.findings import Finding, Level
from jwt_authorizer_devkit.doctoring.introspection import examine_introspection
from jwt_authorizer_devkit.doctoring.issuers import examine_issuer
from jwt_authorizer_devkit.doctoring.native import examine_need
from jwt_authorizer_devkit.doctoring.revoked import examine_revocation_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rich.console import Console

    from jwt_authorizer.settings import Settings
    from jwt_authorizer.settings.model import IssuerSettings
    from jwt_authorizer_devkit.cli.inputs import Environment

_TENANTS = 10
"""The most tenants of an issuer that are checked."""
_MARKS = {
    Level.GOOD: "[green]✓[/]",
    Level.NOTE: "[blue]i[/]",
    Level.WARNING: "[yellow]![/]",
    Level.PROBLEM: "[red]✗[/]",
}


def doctor_command(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    issuer: Annotated[
        str | None, typer.Argument(metavar="ISSUER", help="The issuer's URL: the iss of its tokens.")
    ] = None,
    config: ConfigOption = None,
    env: EnvOption = None,
    api: Annotated[list[str] | None, typer.Option(metavar="ID", help="A deployed API; repeatable.")] = None,
    stack: Annotated[str | None, typer.Option(metavar="NAME", help="A deployed stack: all of its APIs.")] = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    quiet: QuietOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Check an issuer, the settings with all of their issuers, or the authorizers of deployed APIs.

    APIs are read with the AWS credentials of this machine (AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL), and their
    settings from the function, unless --config or --env is given. Nothing is changed.

    Exit codes: 0 nothing to fix, 1 something to fix, 2 wrong input or settings, 3 AWS cannot be reached.

    \b
    Examples:
      jwt-authorizer doctor https://myapp.authgear.cloud
      jwt-authorizer doctor --env function.env
      jwt-authorizer doctor --stack my-apis
      jwt-authorizer doctor --api abcdef1234 --config rules.toml --quiet
    """
    if issuer is not None and (config or env):
        message = "Give an ISSUER or settings (--config, --env), not both: the settings name their issuers."
        raise WrongInputError(message)
    findings = list(_findings(issuer, config, env, api, stack))
    to_fix = sum(finding.to_fix for finding in findings)
    if as_json and not quiet:
        write_json({"to_fix": to_fix, "findings": [dataclasses.asdict(finding) for finding in findings]})
    else:
        show(findings, console(quiet=quiet))
    raise typer.Exit(ExitCode.REFUSED if to_fix else ExitCode.FINE)


def _findings(
    issuer: str | None, config: Path | None, env: Path | None, api: list[str] | None, stack: str | None
) -> Iterator[Finding]:
    deployed = bool(api or stack)
    environment = None if issuer or (deployed and not (config or env)) else read_environment(config, env)
    if issuer is not None:
        with progress(f"Asking {issuer}"):
            yield from examine_issuer(_by_name(issuer))
    elif environment is not None:
        settings = environment.settings()
        yield from _in_the_users_form(examine_settings(settings), environment.variables)
        yield from _in_the_users_form(examine_revocation_list(settings, environment.folder), environment.variables)
        if not deployed:
            yield from examine_need(settings, read_raw(environment.variables, environment.folder))
        with progress("Asking the introspection endpoint"):
            found = examine_introspection(settings, environment.folder, time.time())
            yield from _in_the_users_form(found, environment.variables)
        for asked in _all_of(settings, environment):
            with progress(f"Asking {asked.issuer}"):
                yield from _in_the_users_form(examine_issuer(asked), environment.variables)
    if deployed:
        with progress("Reading the APIs' authorizers"):
            yield from _deployed(api or [], stack, environment)


def _in_the_users_form(findings: Iterable[Finding], variables: Mapping[str, str]) -> Iterator[Finding]:
    for finding in findings:
        fix = None if finding.fix is None else advised(finding.fix, variables)
        yield dataclasses.replace(finding, said=advised(finding.said, variables), fix=fix)


def _by_name(issuer: str) -> Asked:
    if not issuer.startswith(("https://", "http://")):
        message = f"ISSUER {issuer} is not a URL: write the iss of its tokens, such as https://myapp.authgear.cloud"
        raise WrongInputError(message)
    keys = KeySettings(
        Ages(defaults.JWKS_TTL.default, defaults.JWKS_MAX_STALE.default, defaults.JWKS_COOLDOWN.default),
        timeout=defaults.HTTP_TIMEOUT.default,
        allow_http=issuer.startswith("http://"),
    )
    return Asked(issuer, None, keys, defaults.LEEWAY.default, defaults.ALGORITHMS.default, Path.cwd())


def _all_of(settings: Settings, environment: Environment) -> Iterator[Asked]:
    for issuer in settings.issuers:
        leeway = issuer.claim_rules.leeway
        for one in _tenants_of(issuer, settings, environment):
            for jwks in one.jwks or (None,):
                yield Asked(one.issuer, jwks, settings.keys, leeway, one.algorithms, environment.folder)


def _tenants_of(issuer: IssuerSettings, settings: Settings, environment: Environment) -> list[IssuerSettings]:
    """Return the issuer, or those of the first listed tenants; nothing if any tenant may call."""
    if issuer.tenants is None or (issuer.jwks and not any("{tenant}" in location for location in issuer.jwks)):
        return [issuer]
    tenants = issuer.tenants
    if isinstance(tenants, str):
        if tenants == "any":
            return []
        try:
            read = document_reader(tenants, timeout=settings.keys.timeout, package_root=environment.folder)
            tenants = tuple(sorted(tenant_list(read())))
        except (FetchError, ValueError) as error:
            raise UndecidedError(f"The list of tenants cannot be read: {error}") from None
    return [of_tenant(issuer, tenant) for tenant in tenants[:_TENANTS]]


def _deployed(apis: list[str], stack: str | None, environment: Environment | None) -> Iterator[Finding]:
    clients = aws_clients()
    found = [*apis, *(apis_of_stack(stack, clients) if stack else ())]
    for api_id in found:
        described = read_api(api_id, clients)
        yield from examine_routes(described)
        for one in described.attached:
            variables = environment_of(one.function, clients) if environment is None else environment.variables
            if not {"JWT_ISSUER", "JWT_CONFIG"} & variables.keys():
                said = f"API {api_id}, authorizer {one.name}: its function has no JWT_ISSUER, so it is another one."
                yield Finding("api", Level.NOTE, said)
                continue
            folder = Path.cwd() if environment is None else environment.folder
            try:
                settings = load_settings(variables, folder)
            except SettingsError as error:
                said = f"API {api_id}, authorizer {one.name}: {error}"
                fix = "Fix the function's environment. If it names a file of its package, give --config FILE."
                yield Finding("api", Level.PROBLEM, said, fix)
                continue
            yield from _in_the_users_form(examine_attached(one, settings), variables)
            yield from examine_need(settings, read_raw(variables, folder), (described.kind,))


def show(findings: list[Finding], out: Console) -> None:
    """Print findings."""
    table = Table(box=box.SIMPLE, pad_edge=False, show_header=False)
    for column in ("", "topic", "said"):
        table.add_column(column, overflow="fold")
    for finding in findings:
        fix = f"\n[bold]→ {escape(finding.fix)}[/]" if finding.fix and "\n" not in finding.fix else ""
        table.add_row(_MARKS[finding.level], finding.topic, escape(finding.said) + fix)
    out.print(table)
    for finding in findings:
        if finding.fix and "\n" in finding.fix:  # to be copied, so without wrapping and indentation
            out.print(f"[bold]{escape(finding.fix)}[/]\n", soft_wrap=True)
    to_fix = sum(finding.to_fix for finding in findings)
    out.print(f"[bold]{to_fix} to fix.[/]" if to_fix else "[bold green]Nothing to fix.[/]")
