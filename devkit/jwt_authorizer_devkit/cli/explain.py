"""``jwt-authorizer explain``: why a token or an event is accepted, rejected or denied."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path  # noqa: TC003 - Typer reads annotations at run time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from jwt_authorizer_devkit.advised_settings import advised
from jwt_authorizer_devkit.cli.explain_view import show
from jwt_authorizer_devkit.cli.inputs import (
    AtOption,
    ConfigOption,
    EnvOption,
    read_environment,
    read_moment,
    read_proof,
    read_subject,
    read_text,
)
from jwt_authorizer_devkit.cli.terminal import (
    ExitCode,
    JsonOption,
    QuietOption,
    WrongInputError,
    console,
    progress,
    write_json,
)
from jwt_authorizer_devkit.explaining import ApiKind, event_for, explain, watched_function
from jwt_authorizer_devkit.explaining.events import default_request
from jwt_authorizer_devkit.explaining.introspected import introspected
from jwt_authorizer_devkit.explaining.redaction import redacted, shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.cli.inputs import Environment
    from jwt_authorizer_devkit.explaining import Explanation, WatchedFunction

EXIT_CODES = {"allow": ExitCode.FINE, "deny": ExitCode.REFUSED, "reject": ExitCode.REFUSED, "error": ExitCode.UNDECIDED}


def explain_command(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    subject: Annotated[
        list[str],
        typer.Argument(metavar="TOKEN|EVENT.json|-", help="A token, an event's JSON file, or - for standard input."),
    ],
    config: ConfigOption = None,
    env: EnvOption = None,
    at: AtOption = None,
    keys: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The issuer's key set, to work offline."),
    ] = None,
    request: Annotated[
        str | None,
        typer.Option(
            metavar='"METHOD /path"', help="The request for a bare token (default: the first route of the settings)."
        ),
    ] = None,
    proof: Annotated[
        str | None,
        typer.Option(
            metavar="PROOF|FILE",
            help='The DPoP proof that was sent with a bare token. --request then names the URL: "GET https://host/path".',
        ),
    ] = None,
    introspect: Annotated[  # noqa: FBT002 - a flag of the command line
        bool,
        typer.Option("--introspect", help="Also show what the introspection endpoint answers about the token."),
    ] = False,
    api: Annotated[ApiKind, typer.Option(help="The kind of API that a bare token is sent to.")] = ApiKind.REST,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
    quiet: QuietOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Explain step by step why a token or an event is accepted, rejected or denied, with the function's own code.

    Exit codes: 0 allowed, 1 rejected or denied, 2 wrong input or settings, 3 undecided.

    \b
    Examples:
      pbpaste | jwt-authorizer explain - --env function.env
      jwt-authorizer explain event.json --config rules.toml --keys keys.json
      jwt-authorizer explain token.txt --env function.env --request "DELETE /orders/1" --api http
      jwt-authorizer explain token.txt --env function.env --at 2026-11-24T08:30:00Z --json
      jwt-authorizer explain token.txt --env function.env --introspect
      jwt-authorizer explain token.txt --proof proof.txt --request "GET https://api.example.com/orders"
    """
    read = read_subject(subject)
    environment = read_environment(config, env)
    document = None if keys is None else read_text(keys)
    try:
        watched = watched_function(
            environment.variables, now=read_moment(at), package_root=environment.folder, key_document=document
        )
    except ValueError as error:
        raise WrongInputError(f"--keys {keys}: {error}") from None
    event, assumed = (read, None) if isinstance(read, dict) else _event_of(read, request, proof, api, watched)
    with progress("Asking the issuer for its keys"):
        explanation = _in_the_users_form(explain(event, watched), environment)
        answered = _introspected(event, watched) if introspect else None
    if as_json and not quiet:
        more = {} if answered is None else {"introspection": answered}
        write_json({**_document(explanation), "assumed_request": assumed, **more})
    else:
        show(explanation, assumed, console(quiet=quiet), answered)
    raise typer.Exit(EXIT_CODES[explanation.decision])


def _introspected(event: object, watched: WatchedFunction) -> dict[str, str]:
    try:
        return introspected(event, watched)
    except ValueError as error:
        raise WrongInputError(f"--introspect: {error}") from None


def _in_the_users_form(explanation: Explanation, environment: Environment) -> Explanation:
    if explanation.advice is None:
        return explanation
    text = advised(explanation.advice.text, environment.variables)
    return dataclasses.replace(explanation, advice=dataclasses.replace(explanation.advice, text=text))


def _event_of(
    token: str, request: str | None, proof: str | None, api: ApiKind, watched: WatchedFunction
) -> tuple[dict[str, object], str | None]:
    """Make an event of a token; also return the request if it was assumed."""
    domain = None
    if request is None:
        method, path = default_request(watched.settings.rules)
    else:
        method, _, path = request.strip().partition(" ")
        path = path.strip()
        if path.startswith(("https://", "http://", "wss://")):
            parts = urlsplit(path)
            domain, path = parts.netloc, parts.path or "/"
        if not method.isalpha() or not path.startswith("/"):
            message = f'--request {shortened(request, 60)} is not a request: write it like "GET /orders/1".'
            raise WrongInputError(message)
        method = method.upper()
    sent = None if proof is None else read_proof(proof)
    event = event_for(token, watched.settings.token_sources[0], api, method, path, proof=sent, domain=domain)
    return event, f"{method} {path}" if request is None and api not in {ApiKind.WEBSOCKET, ApiKind.APPSYNC} else None


def _document(explanation: Explanation) -> dict[str, object]:
    """Return an explanation for JSON. It has claims, but never a token, not even one inside a claim."""
    text = json.dumps(dataclasses.asdict(explanation), ensure_ascii=False)
    return dict(json.loads(redacted(text)))
