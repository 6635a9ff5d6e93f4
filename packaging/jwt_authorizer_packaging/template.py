"""The template of the stack: ``stack.yaml``, and what the table of settings adds to it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.schema import setting_schema
from jwt_authorizer_packaging import tags

if TYPE_CHECKING:
    from jwt_authorizer_devkit.described import Described
    from jwt_authorizer_packaging.tags import Value

ROOT = Path(__file__).resolve().parents[2]
HEAD = """\
# Written by `make generate`; do not edit. The source is packaging/stack.yaml, which also has the reasons, and for the
# settings authorizer/jwt_authorizer/settings/table.py. Each Jwt… parameter is the environment variable JWT_…. Empty
# means not set: the defaults are in the code only.
"""


def template() -> Value:
    """Return the template, functions of CloudFormation in their long form."""
    stack = tags.read((ROOT / "packaging" / "stack.yaml").read_text("utf-8"))
    groups: dict[str, list[str]] = {}
    for it in described():
        groups.setdefault(it.section, []).append(it.parameter)
    for title, parameters in stack["Parameters"].items():
        groups.setdefault(title, []).extend(parameters)
    shown = [{"Label": {"default": title}, "Parameters": names} for title, names in groups.items()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stack["Metadata"]["AWS::ServerlessRepo::Application"]["SemanticVersion"] = project["version"]
    stack["Metadata"] |= {"AWS::CloudFormation::Interface": {"ParameterGroups": shown}}
    own = {name: _own(it) for group in stack["Parameters"].values() for name, it in group.items()}
    stack["Parameters"] = {it.parameter: _parameter(it) for it in described()} | own
    outputs = {
        name: zip(("Description", "Value", "Condition"), it, strict=False) for name, it in stack["Outputs"].items()
    }
    stack["Outputs"] = {name: dict(it) for name, it in outputs.items()}
    resources = stack["Resources"]
    variables = resources["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    # Empty where it is not set: `sam local` can't resolve a condition that leaves one out, and would lose the setting.
    settings = {it.setting.variable: _ref(it) for it in described()}
    for name in settings.keys() & variables.keys():
        variables[name]["Fn::If"][2] = settings[name]
    resources["AuthorizerFunction"]["Properties"]["Environment"]["Variables"] = settings | variables
    # The revoker checks logout tokens with the authorizer's own settings.
    of_revoker = resources["RevokerFunction"]["Properties"]["Environment"]
    of_revoker["Variables"] = settings | of_revoker["Variables"]
    of_version = resources["SettingsVersion"]["Properties"]["Content"]["Fn::Join"][1]
    of_version[:0] = [_ref(it) for it in described()]
    alarms = {name: it for name, it in resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    for name, it in alarms.items():
        told = f"{it['Properties']['AlarmDescription']} Runbook: ${{RunbookUrl}}#{name.lower()}"
        it["Properties"]["AlarmDescription"] = {"Fn::Sub": told}
    _, in_dashboard = resources["AuthorizerDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    in_dashboard["AlarmStates"] = tags.alarm_states({name: it["Condition"] for name, it in alarms.items()})
    return stack


def _parameter(it: Described) -> Value:
    known = it.default in ("none", "required")
    text = it.plain if known else f"{it.plain} Default: {it.default.replace('`', '')}."
    return {"Type": "String", "Default": "", **_limits(it), "Description": text}


def _limits(it: Described) -> Value:
    match setting_schema(it.setting):
        case {"enum": list(values)}:
            return {"AllowedValues": ["", *values]}
        case {"type": "boolean"}:
            return {"AllowedValues": ["", "true", "false"]}
        case {"type": "number"}:
            return {"AllowedPattern": "[0-9.]*"}
        case {"type": "integer"}:
            return {"AllowedPattern": "[0-9]*"}
        case _:
            return {}


def _own(parameter: tuple[str | int, Value, str]) -> Value:
    default, limits, description = parameter
    if not isinstance(limits, dict):
        limits = {"AllowedPattern" if isinstance(limits, str) else "AllowedValues": limits} if limits else {}
    kind = "Number" if isinstance(default, int) else "String"
    return {"Type": kind, "Default": default, **limits, "Description": description}


def _ref(it: Described) -> Value:
    return {"Ref": it.parameter}
