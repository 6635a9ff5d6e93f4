"""The template's parameters with the types that Terraform and the CDK give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.schema import setting_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_packaging.tags import Value

    Kind = Literal["text", "boolean", "number", "switch", "list", "pairs", "json"]

ARCHITECTURE = "Architecture"
"""Not among them: a package is for one architecture, and its template accepts no other."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z0-9])")
_ARN_LIST = "(,arn:"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, and how a value becomes the text that CloudFormation expects.

    ``name``: in lower case, words joined by underscores; a setting's own name. ``kind``: ``switch`` is a boolean that
    becomes ``on`` or ``off``, ``list`` is separated by commas, ``pairs`` is a map that becomes ``key=claim,...``.
    ``declared``: what the template says about it.
    """

    parameter: str
    name: str
    kind: Kind
    declared: Value

    @property
    def allowed(self) -> list[Value]:
        """The values that the template accepts, if it lists them."""
        return [it for it in self.declared.get("AllowedValues", ()) if it != ""]


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
    if {*declared.get("AllowedValues", ())} == {"on", "off"}:
        return "switch"
    if _ARN_LIST in declared.get("AllowedPattern", ""):
        return "list"
    digits = declared.get("AllowedPattern") in ("[0-9]*", "([1-9][0-9]*)?")
    return "number" if declared["Type"] == "Number" or digits else "text"
