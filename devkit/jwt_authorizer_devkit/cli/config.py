"""``jwt-authorizer config``: a schema for editors, and a document from environment variables."""

from __future__ import annotations

import tomllib

import typer

from jwt_authorizer_devkit.cli.inputs import EnvOption, read_environment
from jwt_authorizer_devkit.cli.terminal import JsonOption, WrongInputError, write_json
from jwt_authorizer_devkit.environment_toml import toml_of
from jwt_authorizer_devkit.schema import config_schema

app = typer.Typer(
    help="The document of JWT_CONFIG: its JSON Schema, or a document from JWT_ variables.",
    epilog="""\b
Examples:
  jwt-authorizer config schema > config.schema.json
  jwt-authorizer config from-env --env function.env > config.toml
""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command("schema", short_help="Print the JSON Schema of the document.")
def schema_command(
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print the JSON Schema of the TOML document. With it, editors complete and check the document.

    Keep it beside the document, and name it in the document's first line: #:schema ./authorizer.schema.json

    Exit codes: 0 printed.

    \b
    Examples:
      jwt-authorizer config schema > authorizer.schema.json
    """
    del as_json  # a schema is JSON anyway
    write_json(config_schema())


@app.command("from-env", short_help="Print the document for JWT_ variables.")
def from_env_command(
    env: EnvOption = None,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print the TOML document that is equivalent to JWT_ variables, of a file or of this process.

    Exit codes: 0 printed, 2 wrong input or settings.

    \b
    Examples:
      jwt-authorizer config from-env --env function.env > rules.toml
    """
    environment = read_environment(None, env)
    try:
        text = toml_of(environment.variables, environment.folder)
    except ValueError as error:
        raise WrongInputError(f"The document cannot be written: {error}.") from None
    if as_json:
        write_json(tomllib.loads(text))
    else:
        print("# Set JWT_CONFIG to this document, and remove the other JWT_ variables.")
        print(text, end="")
