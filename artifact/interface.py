"""What a release promises, as data: read off the running code, so that it says what is and not what was meant.

:mod:`artifact.record` keeps it for each release, :mod:`artifact.compatibility` compares two. Names and types count, and
what example values mean; not how anything is done.
"""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artifact.assemble import ROOT
from artifact.example_settings import AUDIENCE, DOCUMENT, EXAMPLES, ISSUER, REQUESTS
from authorizer.authorize import Findings
from authorizer.errors import DecisionError, Reason
from authorizer.events import EventKind
from authorizer.jwks import cache
from authorizer.settings.table import CONFIG, SETTINGS
from devkit.explaining import ApiKind, WatchedFunction, event_for, watched_function
from devkit.mint import access_claims, mint
from devkit.signing import generate, key_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from authorizer.settings.table import Setting

type Interface = dict[str, Any]

_NOW = 1_800_000_000.0


def interface() -> Interface:
    """Describe the code as it is."""
    return {
        "settings": {setting.name: _setting(setting) for setting in SETTINGS},
        "reasons": sorted(Reason),
        "event_kinds": sorted(EventKind),
        **behaviour(DOCUMENT),
    }


def environment(names: Iterable[str]) -> dict[str, str]:
    """Give the environment that sets these settings to their examples. Names that have none are left out."""
    variables = {setting.name: setting.variable for setting in SETTINGS}
    return {variables[name]: EXAMPLES[name] for name in names if name in variables}


def meaning(setting: Setting[object, object], text: str) -> object:
    """Say what a text in an environment variable is read as, in terms of JSON. Raises ``ValueError``."""
    return plain(setting.read(text))


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    """Put a setting's value into terms of JSON: enumerations as texts, sets in order, dataclasses by their fields."""
    match value:
        case StrEnum():
            return str(value)
        case frozenset():
            return sorted(map(plain, value))
        case tuple():
            return [plain(item) for item in value]
        case None | str() | int() | float():
            return value
        case _:
            return {name: plain(getattr(value, name)) for name in type(value).__match_args__}  # type: ignore[attr-defined]  # a slotted dataclass


def _setting(setting: Setting[object, object]) -> dict[str, object]:
    example = EXAMPLES[setting.name]
    return {
        "place": str(setting.place),
        "default": plain(setting.default),
        "example": example,
        "means": meaning(setting, example),
    }


@functools.cache
def behaviour(document: str) -> Interface:
    """Run the function by a document on the example requests; describe what it answers and writes.

    Raises :class:`authorizer.errors.SettingsError` for a document that is no longer accepted.
    """
    signing = generate("ES256", "key-1")
    keys = json.dumps(key_set((signing,)))
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder)
        by_document = watched_function({CONFIG.variable: document}, now=_NOW, package_root=package, key_document=keys)
    verdicts: list[list[str]] = []
    contexts: dict[str, dict[str, dict[str, str]]] = {}
    for method, path, scope in REQUESTS:
        claims = access_claims(ISSUER, {"email": "a@example.com"}, audience=AUDIENCE, now=_NOW - 60, scope=scope)
        token = mint(signing, claims)
        for kind in ApiKind:
            event = event_for(token, by_document.settings.token_sources[0], kind, method, path)
            answer = by_document.function(event, _Invocation())
            line = json.loads(by_document.journal.lines[-1])
            of_kind = contexts.setdefault(str(kind), {})
            of_kind.setdefault(line["decision"], {}).update(_types(answer["context"]))
            if kind is ApiKind.REST:
                verdicts.append([method, path, scope, line["reason"] or line["decision"]])
    return {"verdicts": verdicts, "contexts": contexts, **_written(by_document)}


def _written(function: WatchedFunction) -> Interface:
    """Describe the log's lines and the metrics in them, from lines of every kind."""
    metrics = [value for value in vars(cache).values() if isinstance(value, str) and value.startswith("Jwks")]
    for metric in metrics:
        function.journal.count(metric, "an example")
    with contextlib.suppress(DecisionError):
        function.function({"of no kind": "that is known"}, _Invocation())
    warned = Findings(warnings=("an example",))
    function.journal.decided("allow", None, None, warned, now=_NOW, duration=0.001, function_request_id=None)
    decided, failed = [json.loads(line) for line in function.journal.lines], [json.loads(_failed_start())]
    return {"log": _fields(decided), "start_log": _fields(failed), "metrics": _metrics(decided + failed)}


def _failed_start() -> str:
    """Give the line of a function that does not start: Lambda's way, which is to import the module."""
    command = [sys.executable, "-c", "import authorizer.handler"]
    done = subprocess.run(command, check=False, cwd=ROOT, env={}, capture_output=True, text=True)  # noqa: S603 - our own arguments
    return done.stdout


def _fields(lines: list[dict[str, Any]]) -> dict[str, str]:
    """Name the types that each member of these lines has."""
    fields: dict[str, set[str]] = {}
    for line in lines:
        for name, kind in _types(line).items():
            if name != "_aws":
                fields.setdefault(name, set()).add(kind)
    return {name: " ".join(sorted(kinds)) for name, kinds in sorted(fields.items())}


def _metrics(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Describe what CloudWatch makes of these lines: units and namespaces, and the sets of dimensions."""
    found: dict[str, dict[str, Any]] = {}
    for directive in (each for line in lines for each in line["_aws"]["CloudWatchMetrics"]):
        for metric in directive["Metrics"]:
            entry = found.setdefault(metric["Name"], {"unit": metric["Unit"], "dimensions": set()})
            entry["namespace"] = directive["Namespace"]
            entry["dimensions"] |= {" ".join(names) for names in directive["Dimensions"]}
    return {name: {**entry, "dimensions": sorted(entry["dimensions"])} for name, entry in sorted(found.items())}


def _types(values: object) -> dict[str, str]:
    """Name the JSON type of each member."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    members = values if isinstance(values, dict) else {}
    return {name: names.get(type(value), "null") for name, value in members.items()}


@dataclass(frozen=True, slots=True)
class _Invocation:
    """What Lambda tells of an invocation."""

    aws_request_id: str = "00000000-0000-0000-0000-000000000000"
