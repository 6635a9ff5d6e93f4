"""The generated files of the Terraform module: a typed variable for each parameter of the template, and its outputs."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.described import described
from jwt_authorizer_devkit.schema import setting_schema
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.template import ROOT, template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jwt_authorizer_packaging.tags import Value

MODULE = "terraform"
PACKAGE = "jwt-authorizer.zip"
"""The name of the package beside the module's files."""
_HEAD = "# Written by `make generate` from the parameters and outputs of template.yaml; do not edit.\n\n"
_FIXED = "Architecture"
"""Not a variable: a module contains the package for one architecture, and its template accepts no other."""
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z0-9])")
_ARN_LIST = "(,arn:"

# How a value becomes the text that CloudFormation expects. All but these are converted by Terraform.
_TEXTS = {
    "list(string)": 'join(",", {0})',
    "map(string)": 'join(",", [for key, claim in {0} : "${{key}}=${{claim}}"])',
    "any": "jsonencode({0})",
    "switch": '{0} ? "on" : "off"',
}


@dataclass(frozen=True, slots=True)
class _Variable:
    parameter: str
    name: str
    kind: str
    declared: Value

    @property
    def reference(self) -> str:
        return f"var.{self.name}"

    @property
    def type(self) -> str:
        return "bool" if self.kind == "switch" else self.kind

    @property
    def default(self) -> str:
        value = self.declared["Default"]
        if value == "":
            return "null"
        return json.dumps(value == "on" if self.kind == "switch" else value)


def terraform_files() -> Mapping[str, str]:
    """Return the content of each generated file of the module by its path in the repository."""
    stack = template()
    variables = _variables(stack["Parameters"])
    outputs = "\n".join(_output(name, it) for name, it in stack["Outputs"].items())
    return {
        f"{MODULE}/variables.tf": _HEAD + "\n".join(map(_declaration, variables)),
        f"{MODULE}/parameters.tf": _HEAD + _parameters(variables),
        f"{MODULE}/outputs.tf": _HEAD + outputs,
    }


def fill_module(folder: Path, package: Path, architecture: str) -> None:
    """Make a folder that is the module as a release has it: Terraform's files, the template and the package."""
    folder.mkdir(parents=True)
    for file in sorted((ROOT / MODULE).glob("*.tf")):
        shutil.copyfile(file, folder / file.name)
    shutil.copyfile(package, folder / PACKAGE)
    # Terraform hides such a value itself, and would take the asterisks that CloudFormation shows for a change in each
    # plan: https://github.com/hashicorp/terraform-provider-aws/issues/29405
    template = packaged_template(f"./{PACKAGE}", architecture).replace("    NoEcho: true\n", "")
    (folder / "template.yaml").write_text(template, "utf-8")


def _variables(parameters: Mapping[str, Value]) -> list[_Variable]:
    settings = {it.parameter: it.setting for it in described()}
    found = []
    for parameter, declared in parameters.items():
        setting = settings.get(parameter)
        if setting is not None:
            kind = _setting_type(setting_schema(setting), setting.name)
            found.append(_Variable(parameter, setting.name, kind, declared))
        elif parameter != _FIXED:
            name = _WORD.sub("_", parameter).lower()
            found.append(_Variable(parameter, name, _parameter_type(declared), declared))
    return found


def _setting_type(schema: Mapping[str, Value], name: str) -> str:
    match schema:
        case {"type": "boolean"}:
            return "bool"
        case {"type": "number" | "integer"}:
            return "number"
        case {"type": "object"}:
            return "map(string)" if name == "context_claims" else "any"
        case {"anyOf": [{"type": "array"}, *_]}:
            return "list(string)"
        case _:
            return "string"


def _parameter_type(declared: Value) -> str:
    if {*declared.get("AllowedValues", ())} == {"on", "off"}:
        return "switch"
    if _ARN_LIST in declared.get("AllowedPattern", ""):
        return "list(string)"
    digits = declared.get("AllowedPattern") in ("[0-9]*", "([1-9][0-9]*)?")
    return "number" if declared["Type"] == "Number" or digits else "string"


def _declaration(variable: _Variable) -> str:
    lines = [
        f'variable "{variable.name}" {{',
        f"  description = {_text(variable.declared['Description'])}",
        f"  type        = {variable.type}",
        f"  default     = {variable.default}",
    ]
    for condition, message in _conditions(variable):
        unless_null = f"var.{variable.name} == null ? true : {condition}"
        lines += ["", "  validation {", f"    condition     = {unless_null}"]
        lines += [f"    error_message = {_text(f'{variable.name} must {message}.')}", "  }"]
    if variable.declared.get("NoEcho"):
        lines.append("  sensitive   = true")
    return "\n".join([*lines, "}", ""])


def _conditions(variable: _Variable) -> list[tuple[str, str]]:
    declared, value, found = variable.declared, variable.reference, []
    allowed = [it for it in declared.get("AllowedValues", ()) if it != ""]
    if allowed and variable.type != "bool":
        found.append((f"contains({json.dumps(allowed)}, {value})", f"be one of {', '.join(map(str, allowed))}"))
    if "MinValue" in declared:
        found.append((f"{value} >= {declared['MinValue']}", f"be at least {declared['MinValue']}"))
    if "MaxValue" in declared:
        found.append((f"{value} <= {declared['MaxValue']}", f"be at most {declared['MaxValue']}"))
    pattern = declared.get("AllowedPattern")
    if pattern and variable.kind != "bool":
        tested = _TEXTS[variable.kind].format(value) if variable.kind in _TEXTS else f"tostring({value})"
        whole = _text(f"^(?:{pattern})$")
        found.append((f"can(regex({whole}, {tested}))", f"match {pattern}"))
    return found


def _parameters(variables: list[_Variable]) -> str:
    lines = []
    width = max(len(variable.parameter) for variable in variables)
    for variable in variables:
        text = variable.reference
        if variable.kind in _TEXTS:
            text = f"{text} == null ? null : {_TEXTS[variable.kind].format(text)}"
        lines.append(f"    {variable.parameter.ljust(width)} = {text}")
    return "\n".join(
        [
            "locals {",
            "  # Null: not given, so that the template's default applies.",
            "  parameters = {",
            *lines,
            "  }",
            "}",
            "",
        ]
    )


def _output(name: str, declared: Value) -> str:
    lines = [f'output "{_WORD.sub("_", name).lower()}" {{', f"  description = {_text(declared['Description'])}"]
    value = f'aws_cloudformation_stack.this.outputs["{name}"]'
    lines.append(f"  value       = {f'try({value}, null)' if 'Condition' in declared else value}")
    return "\n".join([*lines, "}", ""])


def _text(value: str) -> str:
    """Return a quoted string of Terraform's language, in which ``${`` and ``%{`` begin templates."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
