"""The template's parameters: their declarations, and their types in Terraform and the CDK."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jwt_authorizer.settings import table
from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.schema import setting_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_devkit.described import Described
    from jwt_authorizer_packaging.template import Value

    Kind = Literal["text", "boolean", "number", "switch", "list", "pairs", "json"]

ARCHITECTURE = "Architecture"
"""Excluded: a package is for one architecture, and its template accepts only that."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z0-9])")
_LIMITS: Mapping[str, Value] = {
    "switch": {"AllowedValues": ["off", "on"]},
    "whole": {"AllowedPattern": "[0-9]*"},
    "positive": {"AllowedPattern": "([1-9][0-9]*)?"},
    "arn": {"AllowedPattern": "(arn:[^*?]+)?"},
    "arns": {"AllowedPattern": r"(arn:[^*?,\s]+(,arn:[^*?,\s]+)*)?"},
}
"""Limits of the stack's own parameters, by their name in ``stack.yaml``."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, and how a value becomes the string that CloudFormation expects.

    ``name``: in lower case, words joined by underscores; a setting's own name. ``kind``: ``switch`` is a boolean that
    becomes ``on`` or ``off``, ``list`` is separated by commas, ``pairs`` is a map that becomes ``key=claim,...``.
    ``declared``: its declaration in the template.
    """

    parameter: str
    name: str
    kind: Kind
    declared: Value

    @property
    def default(self) -> Value:
        """The default, as a value of this kind. ``None``: not set."""
        value = self.declared["Default"]
        if value == "":
            return None
        return value == "on" if self.kind == "switch" else value

    @property
    def allowed(self) -> list[Value]:
        """The values that the template accepts, if it lists them."""
        return [it for it in self.declared.get("AllowedValues", ()) if it != ""]


def declared(default: str | int, limits: Value, description: str) -> Value:
    """Return the declaration of a parameter from a row of ``stack.yaml``."""
    if isinstance(limits, str):
        limits = _LIMITS[limits] if limits.isalpha() else {"AllowedPattern": limits}
    elif isinstance(limits, list):
        limits = {"AllowedValues": limits}
    kind = "Number" if isinstance(default, int) else "String"
    return {"Type": kind, "Default": default, **(limits or {}), "Description": description}


def declared_setting(it: Described) -> Value:
    """Return the declaration of a setting's parameter."""
    known = it.default in ("none", "required")
    text = it.plain if known else f"{it.plain} Default: {it.default.replace('`', '')}."
    # The only setting whose value may be a secret. Others have a secret's location.
    hidden = {"NoEcho": True} if it.setting is table.LOG_PRINCIPAL_KEY else {}
    return {"Type": "String", "Default": "", **hidden, **_setting_limits(it), "Description": text}


def _setting_limits(it: Described) -> Value:
    match setting_schema(it.setting):
        case {"enum": list(values)}:
            return {"AllowedValues": ["", *values]}
        case {"type": "boolean"}:
            return {"AllowedValues": ["", "true", "false"]}
        case {"type": "number"}:
            return {"AllowedPattern": "[0-9.]*"}
        case {"type": "integer"}:
            return _LIMITS["whole"]
        case _:
            return {}


def parameters(declared: Mapping[str, Value]) -> list[Parameter]:
    """Read the template's section ``Parameters``."""
    settings = {it.parameter: it.setting for it in described()}
    found = []
    for parameter, it in declared.items():
        setting = settings.get(parameter)
        if setting is not None:
            kind = _setting_kind(setting_schema(setting), setting.name)
            found.append(Parameter(parameter, setting.name, kind, it))
        elif parameter != ARCHITECTURE:
            found.append(Parameter(parameter, words(parameter), _own_kind(it), it))
    return found


def words(name: str) -> str:
    """Return a name of the template in lower case, its words joined by underscores."""
    return _WORD.sub("_", name).lower()


def _setting_kind(schema: Mapping[str, Value], name: str) -> Kind:
    match schema:
        case {"type": "boolean"}:
            return "boolean"
        case {"type": "number" | "integer"}:
            return "number"
        case {"type": "object"}:
            return "pairs" if name == "context_claims" else "json"
        case {"anyOf": [{"type": "array"}, *_]}:
            return "list"
        case _:
            return "text"


def _own_kind(declared: Value) -> Kind:
    limits = next((name for name, it in _LIMITS.items() if it.items() <= declared.items()), "")
    kinds: dict[str, Kind] = {"switch": "switch", "whole": "number", "positive": "number", "arns": "list"}
    return "number" if declared["Type"] == "Number" else kinds.get(limits, "text")
