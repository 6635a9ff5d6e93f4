"""``jwt-authorizer issuer``: a local OpenID provider, with a page that makes tokens."""

from __future__ import annotations

import contextlib
import shlex
import signal
import threading
from pathlib import Path  # noqa: TC003 - Typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from jwt_authorizer_devkit.certificate import self_signed
from jwt_authorizer_devkit.cli.terminal import JsonOption, UndecidedError, WrongInputError, console, write_json
from jwt_authorizer_devkit.cli.token_page import TokenPage
from jwt_authorizer_devkit.issuer import IssuerServer, Provider
from jwt_authorizer_devkit.issuer.tenants import add_tenants, tenant_of
from jwt_authorizer_devkit.signing import ALGORITHMS

if TYPE_CHECKING:
    from jwt_authorizer_devkit.issuer import TlsFiles


def issuer_command(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    port: Annotated[
        int, typer.Option(min=0, max=65534, metavar="PORT", help="0: any free port. The page has the next port.")
    ] = 8480,
    path: Annotated[str, typer.Option(metavar="PATH", help="The issuer's path, such as /realms/demo.")] = "",
    tenant: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An issuer for this tenant, if the path has {tenant} in it; repeatable."),
    ] = None,
    alg: Annotated[
        list[str] | None, typer.Option(metavar="ALG", help="A key for this algorithm; repeatable (default: RS256).")
    ] = None,
    tls: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Serve https, and write a certificate for localhost into this folder."),
    ] = None,
    page: Annotated[bool, typer.Option(help="Serve the page that makes tokens.")] = True,  # noqa: FBT002 - a flag
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Run a local issuer until Ctrl-C: discovery, keys, tokens for any client, key rotation and faults on request.

    Exit codes: 0 stopped, 2 wrong input, 3 the port is in use.

    \b
    Examples:
      jwt-authorizer issuer --alg RS256 --alg ES256
      jwt-authorizer issuer --path '/{tenant}/v2.0' --tenant acme --tenant globex
      jwt-authorizer issuer --port 0 --tls certificates --json
    """
    for name in alg or ():
        if name not in ALGORITHMS:
            raise WrongInputError(f"--alg {name} is unknown: use one of {', '.join(ALGORITHMS)}.")
    if path and not path.startswith("/"):
        raise WrongInputError(f"--path {path} has to start with a slash: /{path}")
    if bool(tenant) != ("{tenant}" in path):
        message = "--tenant needs a --path with {tenant} in it, and such a --path needs --tenant."
        raise WrongInputError(message)
    provider = Provider(path=path, algorithms=tuple(alg or ["RS256"]))
    add_tenants(provider, tenant or ())
    files = None if tls is None else _certificate(tls)
    with contextlib.ExitStack() as running:
        server = IssuerServer(provider, port=port, name="localhost" if files else None, tls=files)
        try:
            running.enter_context(server)
            token_page = (
                running.enter_context(TokenPage(_first(provider), server.port + 1 if port else 0)) if page else None
            )
        except OSError as error:
            message = f"Cannot listen on port {port} or the next: {error.strerror}. Try --port 0."
            raise UndecidedError(message) from None
        _welcome(provider, token_page, files, as_json=as_json)
        _wait()


def _first(provider: Provider) -> Provider:
    """Return the provider, or its first tenant's."""
    return tenant_of(provider, next(iter(provider.tenants))) if provider.tenants else provider


def _certificate(folder: Path) -> TlsFiles:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return self_signed(folder.resolve())
    except OSError as error:
        message = f"Cannot write to --tls {folder}: {error.strerror}. Give a folder; it does not have to exist."
        raise WrongInputError(message) from None


def _wait() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()


def _welcome(provider: Provider, page: TokenPage | None, files: TlsFiles | None, *, as_json: bool) -> None:
    addresses = {
        "issuer": provider.url,
        "keys": provider.jwks_url,
        "tokens": provider.token_url,
        "knobs": f"{provider.origin}/-/state",
        "page": None if page is None else page.url,
        "certificate": None if files is None else str(files.certificate),
    }
    if as_json:
        # One line, so that a script can read it while the issuer runs.
        write_json(addresses, one_line=True)
        return
    out = console()
    for name, address in addresses.items():
        if address is not None:
            out.print(f"[bold]{name:12}[/]{escape(address)}", soft_wrap=True)
    settings = f"JWT_ISSUER={provider.url} JWT_AUDIENCE=https://api.example.com"
    settings += f" JWT_TENANTS={','.join(provider.tenants)}" if provider.tenants else ""
    certificate = f"SSL_CERT_FILE={shlex.quote(str(files.certificate))}" if files else ""
    trust = certificate or "JWT_ALLOW_HTTP=true"
    out.print(f"[bold]settings    [/]{escape(settings)} {escape(trust)}", soft_wrap=True)
    tenant = f" --tenant {next(iter(provider.tenants))}" if provider.tenants else ""
    mint = (
        f"{certificate} jwt-authorizer mint --issuer {shlex.quote(provider.url)}{tenant} --scope orders:read".lstrip()
    )
    out.print(f"[bold]a token     [/]{escape(mint)}", soft_wrap=True)
    out.print("[dim]Stop it with Ctrl-C.[/]")
