"""The generated files of the Terraform module: a typed variable for each parameter of the template, and its outputs."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.parameters import Parameter, parameters, words
from jwt_authorizer_packaging.template import ROOT, template

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from jwt_authorizer_packaging.template import Value

MODULE = "terraform"
PACKAGE = "jwt-authorizer.zip"
"""The name of the package beside the module's files."""
_HEAD = "# Written by `make generate` from the parameters and outputs of template.yaml; do not edit.\n\n"
# How a value becomes the string that CloudFormation expects. Terraform converts other kinds itself.
_TEXTS = {
    "list": 'join(",", {0})',
    "pairs": 'join(",", [for key, claim in {0} : "${{key}}=${{claim}}"])',
    "json": "jsonencode({0})",
    "switch": '{0} ? "on" : "off"',
}
_TYPES = {
    "text": "string",
    "boolean": "bool",
    "number": "number",
    "switch": "bool",
    "list": "list(string)",
    "pairs": "map(string)",
    "json": "any",
}


def terraform_files() -> Mapping[str, str]:
    """Return the content of each generated file of the module by its path in the repository."""
    stack = template()
    variables = parameters(stack["Parameters"])
    outputs = "\n".join(_output(name, it) for name, it in stack["Outputs"].items())
    return {
        f"{MODULE}/variables.tf": _HEAD + "\n".join(map(_declaration, variables)),
        f"{MODULE}/parameters.tf": _HEAD + _parameters(variables),
        f"{MODULE}/outputs.tf": _HEAD + outputs,
    }


def fill_module(folder: Path, package: Path, architecture: str) -> None:
    """Make the module's folder as in a release: Terraform's files, the template and the package."""
    folder.mkdir(parents=True)
    for file in sorted((ROOT / MODULE).glob("*.tf")):
        shutil.copyfile(file, folder / file.name)
    shutil.copyfile(package, folder / PACKAGE)
    # Terraform hides such a value itself. With NoEcho, each plan would show a change, since CloudFormation returns
    # asterisks: https://github.com/hashicorp/terraform-provider-aws/issues/29405
    template = packaged_template(f"./{PACKAGE}", architecture).replace("    NoEcho: true\n", "")
    (folder / "template.yaml").write_text(template, "utf-8")


def _declaration(variable: Parameter) -> str:
    lines = [
        f'variable "{variable.name}" {{',
        f"  description = {_text(variable.declared['Description'])}",
        f"  type        = {_TYPES[variable.kind]}",
        f"  default     = {json.dumps(variable.default)}",
    ]
    for condition, message in _conditions(variable):
        unless_null = f"var.{variable.name} == null ? true : {condition}"
        lines += ["", "  validation {", f"    condition     = {unless_null}"]
        lines += [f"    error_message = {_text(f'{variable.name} must {message}.')}", "  }"]
    if variable.declared.get("NoEcho"):
        lines.append("  sensitive   = true")
    return "\n".join([*lines, "}", ""])


def _conditions(variable: Parameter) -> list[tuple[str, str]]:
    declared, value, found = variable.declared, f"var.{variable.name}", []
    if variable.allowed and _TYPES[variable.kind] != "bool":
        listed = ", ".join(map(str, variable.allowed))
        found.append((f"contains({json.dumps(variable.allowed)}, {value})", f"be one of {listed}"))
    if "MinValue" in declared:
        found.append((f"{value} >= {declared['MinValue']}", f"be at least {declared['MinValue']}"))
    if "MaxValue" in declared:
        found.append((f"{value} <= {declared['MaxValue']}", f"be at most {declared['MaxValue']}"))
    pattern = declared.get("AllowedPattern")
    if pattern and variable.kind != "boolean":
        tested = _TEXTS[variable.kind].format(value) if variable.kind in _TEXTS else f"tostring({value})"
        whole = _text(f"^(?:{pattern})$")
        found.append((f"can(regex({whole}, {tested}))", f"match {pattern}"))
    return found


def _parameters(variables: list[Parameter]) -> str:
    lines = []
    width = max(len(variable.parameter) for variable in variables)
    for variable in variables:
        text = f"var.{variable.name}"
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
    lines = [f'output "{words(name)}" {{', f"  description = {_text(declared['Description'])}"]
    value = f'aws_cloudformation_stack.this.outputs["{name}"]'
    lines.append(f"  value       = {f'try({value}, null)' if 'Condition' in declared else value}")
    return "\n".join([*lines, "}", ""])


def _text(value: str) -> str:
    """Return a quoted string of Terraform's language, in which ``${`` and ``%{`` begin templates."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
