"""A template of CloudFormation, read, and resolved for given parameters.

What Lambda, IAM and the others make of it is not known here: a resource's ``Ref`` is its logical id, and an attribute
is ``Id.Attribute``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jwt_authorizer_devkit.routes.documents import read_document

type Template = dict[str, Any]

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/orders-authorizer/6f1a7c20-0000",
    "AWS::StackName": "orders-authorizer",
    "AWS::URLSuffix": "amazonaws.com",
}
_NO_VALUE = object()


def read_template(path: Path) -> Template:
    """Read a template, its functions in their long form."""
    return read_document(path.read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a stack has: resources by their logical ids, and outputs."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of one type."""
        return {name: it["Properties"] for name, it in self.resources.items() if it["Type"] == resource_type}


def resolve(
    template: Template, parameters: Mapping[str, str] | None = None, pseudo: Mapping[str, str] | None = None
) -> Resolved:
    """Resolve a template for these parameters, and its defaults for the rest.

    Raises:
        KeyError: Something names a resource that does not exist, or not under these parameters.

    """
    scope = _Scope(template, parameters or {}, pseudo or {})
    resources, outputs = (
        {name: {key: it[key] for key in it.keys() - {"Condition", "Metadata"}} for name, it in section.items()}
        for section in (scope.resources, scope.existing("Outputs"))
    )
    return Resolved(scope.value(resources), {name: scope.value(it["Value"]) for name, it in outputs.items()})


def refusals(template: Template, parameters: Mapping[str, str]) -> list[str]:
    """Return what the template's rules have against these parameters."""
    value = _Scope(template, parameters, {}).value
    return [
        assertion["AssertDescription"]
        for rule in template["Rules"].values()
        if value(rule.get("RuleCondition", True))
        for assertion in rule["Assertions"]
        if not value(assertion["Assert"])
    ]


class _Scope:
    """What a template may name."""

    def __init__(self, template: Template, parameters: Mapping[str, str], pseudo: Mapping[str, str]) -> None:
        self._template = template
        defaults = {name: it.get("Default") for name, it in template.get("Parameters", {}).items()}
        assert parameters.keys() <= defaults.keys()
        self._named = {name: str(it) for name, it in (PSEUDO | dict(pseudo) | defaults | dict(parameters)).items()}
        self.resources = self.existing("Resources")

    def existing(self, section: str) -> dict[str, Any]:
        """Return the resources or outputs whose condition holds."""
        written = self._template.get(section, {})
        return {
            name: it
            for name, it in written.items()
            if "Condition" not in it or self.value({"Condition": it["Condition"]})
        }

    def value(self, value: object) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912 - whatever a template holds; a case for each function
        match value:
            case {"Ref": "AWS::NoValue"}:
                return _NO_VALUE
            case {"Ref": str(name)}:
                return self._name(name)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._name(f"{name}.{attribute}")
            case {"Fn::Sub": [str(text), dict(own)]}:
                inner = self.value(own)
                text = re.sub(
                    r"\$\{([^}!]+)\}", lambda it: str(inner[it[1]] if it[1] in inner else self._name(it[1])), text
                )
                return text.replace("${!", "${")
            case {"Fn::Sub": text}:
                return self.value({"Fn::Sub": [text, {}]})
            case {"Fn::Join": [str(between), items]}:
                return between.join(self.value(items))
            case {"Fn::Split": [str(between), text]}:
                return self.value(text).split(between)
            case {"Fn::Select": [int(index), items]}:
                return self.value(items)[index]
            case {"Fn::FindInMap": path}:
                first, second, third = self.value(path)
                return self._template["Mappings"][first][second][third]
            case {"Fn::If": [name, yes, no]}:
                return self.value(yes if self.value({"Condition": name}) else no)
            case {"Fn::Equals": [left, right]}:
                return self.value(left) == self.value(right)
            case {"Fn::Not": [inner]}:
                return not self.value(inner)
            case {"Fn::And": inner}:
                return all(map(self.value, inner))
            case {"Fn::Or": inner}:
                return any(map(self.value, inner))
            case {"Condition": str(name), **others} if not others:
                return self.value(self._template["Conditions"][name])
            case dict():
                resolved = {key: self.value(it) for key, it in value.items()}
                return {key: it for key, it in resolved.items() if it is not _NO_VALUE}
            case list():
                return [it for it in map(self.value, value) if it is not _NO_VALUE]
            case _:
                return value

    def _name(self, name: str) -> str:
        if name not in self._named and name.partition(".")[0] not in self.resources:
            raise KeyError(name)
        return self._named.get(name, name)
