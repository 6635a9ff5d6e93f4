"""The template of the stack: ``stack.yaml``, and what the table of settings and the runbook add to it."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer.settings import table
from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.routes.documents import read_document
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
    stack = tags.worked_out(read_document((ROOT / "packaging" / "stack.yaml").read_text("utf-8")))
    groups: dict[str, list[str]] = {}
    for it in described():
        groups.setdefault(it.section, []).append(it.parameter)
    for title, parameters in stack["Parameters"].items():
        groups.setdefault(title, []).extend(parameters)
    shown = [{"Label": {"default": title}, "Parameters": names} for title, names in groups.items()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    stack["Metadata"]["AWS::ServerlessRepo::Application"]["SemanticVersion"] = project["version"]
    stack["Metadata"] |= {"AWS::CloudFormation::Interface": {"ParameterGroups": shown}}
    own = {name: _own(*row) for group in stack["Parameters"].values() for name, row in group.items()}
    stack["Parameters"] = {it.parameter: _parameter(it) for it in described()} | own
    stack["Resources"] = _resources(stack["Resources"])
    for name, row in stack["Outputs"].items():
        stack["Outputs"][name] = dict(zip(("Description", "Value", "Condition"), row, strict=False))
    stack["Rules"] = {name: _rule(stack, *row) for name, row in stack["Rules"].items()}
    named = re.findall(r'"(Has\w+)"', json.dumps([stack["Resources"], stack["Outputs"]]))
    stack["Conditions"] = {name: _condition(stack, name) for name in named}
    return stack


def _resources(written: dict[str, Value]) -> dict[str, Value]:
    resources: dict[str, Value] = {}
    for name, it in written.items():
        function = it.get("Fn::Function")
        resources |= tags.with_log_and_role(name, function) if function else {name: it}
    settings = {it.setting.variable: {"Ref": it.parameter} for it in described()}
    # The revoker checks logout tokens with the authorizer's own settings. Empty where one is not set: `sam local` can't
    # resolve a condition that leaves one out, and would lose the setting.
    for function in ("AuthorizerFunction", "RevokerFunction"):
        environment = resources[function]["Properties"]["Environment"]
        environment["Variables"] = settings | environment["Variables"]
    content = resources["SettingsVersion"]["Properties"]["Content"]["Fn::Join"][1]
    content[:] = [*settings.values(), *({"Ref": name} for name in content)]
    alarms = {name: it for name, it in resources.items() if it["Type"] == "AWS::CloudWatch::Alarm"}
    runbook = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    entries = dict(re.findall(r"^### (\w+Alarm)\n\n(.+?)\n\n", runbook, re.MULTILINE | re.DOTALL))
    for name, it in alarms.items():
        text = " ".join(entries[name].split())
        it["Properties"]["AlarmDescription"] = {"Fn::Sub": f"{text} Runbook: ${{RunbookUrl}}#{name.lower()}"}
    _, in_dashboard = resources["AuthorizerDashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    in_dashboard["IfAlarms"] = tags.alarm_states({name: it["Condition"] for name, it in alarms.items()})
    return resources


def _rule(stack: Value, where: Value, wanted: Value, text: str) -> Value:
    # A rule can't refer to the template's conditions.
    assertion = {"Assert": _condition(stack, wanted), "AssertDescription": text}
    return {**({"RuleCondition": _condition(stack, where)} if where else {}), "Assertions": [assertion]}


def _condition(stack: Value, it: Value) -> Value:
    """Return a condition. If it is a name, that is one of ``stack.yaml``'s, or says itself what is set."""
    if isinstance(it, dict):
        return {
            name: inner if name == "Fn::Equals" else [_condition(stack, part) for part in inner]
            for name, inner in it.items()
        }
    if it in stack["Conditions"]:
        return _condition(stack, stack["Conditions"][it])
    first, *others = it.removeprefix("Has").split("And")
    if others:
        return {"Fn::And": [_condition(stack, f"Has{name}") for name in (first, *others)]}
    nothing = "off" if "off" in stack["Parameters"][first].get("AllowedValues", ()) else ""
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": first}, nothing]}]}


def _parameter(it: Described) -> Value:
    known = it.default in ("none", "required")
    text = it.plain if known else f"{it.plain} Default: {it.default.replace('`', '')}."
    # The one setting that may be a secret itself, rather than say where one is.
    hidden = {"NoEcho": True} if it.setting is table.LOG_PRINCIPAL_KEY else {}
    return {"Type": "String", "Default": "", **hidden, **_limits(it), "Description": text}


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


def _own(default: str | int, limits: Value, description: str) -> Value:
    if not isinstance(limits, dict):
        limits = {"AllowedPattern" if isinstance(limits, str) else "AllowedValues": limits} if limits else {}
    kind = "Number" if isinstance(default, int) else "String"
    return {"Type": kind, "Default": default, **limits, "Description": description}
