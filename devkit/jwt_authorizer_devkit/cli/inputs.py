"""Read the input of commands: settings, times, tokens and events."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jwt_authorizer.settings import load_settings
from jwt_authorizer_devkit.cli.terminal import WrongInputError
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.settings import Settings

_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")
_SCHEME = re.compile(r"(authorization:\s*)?((bearer|dpop)(\s+|$))?", re.IGNORECASE)
_PROOF_HEADER = re.compile(r"dpop:\s*", re.IGNORECASE)
_PARAMETER = re.compile(r"Jwt[A-Za-z]+")
_STDIN = "-"

ConfigOption = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The TOML document of JWT_CONFIG.")]
EnvOption = Annotated[
    Path | None,
    typer.Option(
        "--env",
        metavar="FILE",
        help="The function's environment: NAME=value lines, or the JSON of `aws lambda get-function-configuration`.",
    ),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="TIME", help="Decide as of this time: Unix seconds or ISO 8601 (default: now)."),
]


@dataclass(frozen=True, slots=True)
class Environment:
    """The function's environment variables, and the folder that ``file:`` settings are relative to."""

    variables: Mapping[str, str]
    folder: Path

    def settings(self) -> Settings:
        """Read the settings. Raises :class:`SettingsError`."""
        return load_settings(self.variables, self.folder)


def read_environment(config: Path | None, env: Path | None) -> Environment:
    """Return the function's environment from the options; without options, from this process.

    Raises :class:`WrongInputError`.
    """
    if config is None and env is None:
        variables = {name: value for name, value in os.environ.items() if name.startswith("JWT_")}
        if not variables:
            raise WrongInputError(
                "There are no settings. Give them with --config FILE (TOML) or --env FILE (NAME=value lines), or as "
                "environment variables: JWT_ISSUER and JWT_AUDIENCE at least."
            )
        return Environment(variables, Path.cwd())
    variables = {} if env is None else parse_environment(read_text(env), shortened(str(env)))
    folder = (config or env or Path()).resolve().parent
    if config is not None:
        if "JWT_CONFIG" in variables:
            raise WrongInputError(f"{env} sets JWT_CONFIG, but --config {config} is given too: use one of them.")
        variables["JWT_CONFIG"] = read_text(config)
    return Environment(variables, folder)


def parse_environment(text: str, name: str = "the environment") -> dict[str, str]:
    """Read ``NAME=value`` lines, or JSON with the variables in it. ``name`` is for error messages.

    Raises :class:`WrongInputError`.
    """
    if text.lstrip().startswith("{"):
        return _from_json(text)
    variables: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise WrongInputError(f"Line {number} of {name} is not NAME=value.")
        if _PARAMETER.fullmatch(match[1]):
            variable = "_".join(re.findall(r"[A-Z][a-z]*", match[1])).upper()
            message = f"Line {number} of {name}: {match[1]} is the template's parameter; the variable is {variable}."
            raise WrongInputError(message)
        value = match[2]
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        variables[match[1]] = value[1:-1] if quoted else value
    return variables


def _from_json(text: str) -> dict[str, str]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise WrongInputError(f"The environment begins like JSON, but is not valid: {error}.") from None
    for name in ("Environment", "Variables"):
        document = document.get(name, document)
        if not isinstance(document, dict):
            raise WrongInputError(f"{name} in the environment's JSON is not an object of variables.")
    return {name: value for name, value in document.items() if isinstance(value, str)}


def read_text(path: Path) -> str:
    """Read a file. Raises :class:`WrongInputError`."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise WrongInputError(f"{shortened(str(path))} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise WrongInputError(f"{shortened(str(path))} is not text in UTF-8.") from None


def read_moment(text: str | None) -> float:
    """Read a time: Unix seconds, or ISO 8601 (UTC if it has no zone). Without one, return the current time."""
    if text is None:
        return time.time()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]+)?", text):
        return float(text)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        message = f"--at {shortened(text, 40)} is not a time: give Unix seconds, or one like 2026-11-24T08:30:00Z."
        raise WrongInputError(message) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).timestamp()


def read_subject(words: list[str]) -> str | dict[str, object]:
    """Read what is to be explained: a token, or an event (an object). Raises :class:`WrongInputError`.

    It is a file's name, ``-`` for standard input, or the token or event itself. ``Authorization:`` and ``Bearer``
    before a token are removed, also if the shell split them into several words.
    """
    text = " ".join(words).strip()
    if text == _STDIN:
        text = sys.stdin.read().strip()
    elif not text.startswith("{") and _is_file(text):
        text = read_text(Path(text)).strip()
    elif text.endswith(".json"):
        raise WrongInputError(f"There is no file {shortened(text)}.")
    if text.startswith("{"):
        return _event(text)
    scheme = _SCHEME.match(text)
    text = text[scheme.end() :] if scheme else text
    if not text:
        message = "There is nothing to explain: give a token, an event's JSON file, or - to read from standard input."
        raise WrongInputError(message)
    return text


def read_proof(text: str) -> str:
    """Read a DPoP proof, or the file that it is in. ``DPoP:`` before it is removed. Raises :class:`WrongInputError`."""
    found = read_text(Path(text)) if _is_file(text) else text
    return _PROOF_HEADER.sub("", found.strip(), count=1)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except OSError:  # a token is too long for a file's name
        return False


def _event(text: str) -> dict[str, object]:
    try:
        event = json.loads(text)
    except ValueError as error:
        raise WrongInputError(
            f"The event is not JSON: {error}. Copy the whole event, as the function gets it."
        ) from None
    if not isinstance(event, dict):
        raise WrongInputError("The event is not a JSON object.")
    if {"access_token", "id_token"} & event.keys():
        message = "This is the answer of a token endpoint: give its access_token alone, as `jq -r .access_token` does."
        raise WrongInputError(message)
    return event
