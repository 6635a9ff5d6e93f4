"""CloudFormation's template language, as far as ours use it: read, and worked out for given parameters.

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
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")


def read_template(path: Path) -> Template:
    """Read a template, its functions in their long form."""
    return read_document(path.read_text("utf-8"))


class DanglingError(Exception):
    """Something names a resource that there is not, or not under these parameters."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A template worked out: what there is, by logical id, and what the stack tells."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, Any]

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Give the properties of the resources of one type."""
        return {name: it["Properties"] for name, it in self.resources.items() if it["Type"] == resource_type}


def resolve(
    template: Template, parameters: Mapping[str, str] | None = None, pseudo: Mapping[str, str] | None = None
) -> Resolved:
    """Work a template out for these parameters, and its defaults for the rest.

    Raises:
        DanglingError: Something refers to what is not there.

    """
    return _Scope(template, parameters or {}, PSEUDO | dict(pseudo or {})).resolved()


def refusals(template: Template, parameters: Mapping[str, str]) -> list[str]:
    """Say what the template's rules have against these parameters."""
    scope = _Scope(template, parameters, PSEUDO)
    return [
        assertion["AssertDescription"]
        for rule in template.get("Rules", {}).values()
        if scope.holds(rule.get("RuleCondition", {"Fn::And": []}))
        for assertion in rule["Assertions"]
        if not scope.holds(assertion["Assert"])
    ]


class _Scope:
    """A template with parameters, and what is known so far."""

    def __init__(self, template: Template, parameters: Mapping[str, str], pseudo: Mapping[str, str]) -> None:
        unknown = parameters.keys() - template.get("Parameters", {}).keys()
        assert not unknown, unknown
        self._template = template
        defaults = {name: it.get("Default") for name, it in template.get("Parameters", {}).items()}
        self._parameters = dict(pseudo) | {name: str(value) for name, value in (defaults | dict(parameters)).items()}
        self._conditions: dict[str, bool] = {}
        self._there = {
            name for name, it in template.get("Resources", {}).items() if self._condition(it.get("Condition"))
        }

    def resolved(self) -> Resolved:
        resources = {}
        for name, it in self._template["Resources"].items():
            if name in self._there:
                resources[name] = self._value({key: it[key] for key in it if key not in ("Condition", "Metadata")})
        outputs = {
            name: self._value(it["Value"])
            for name, it in self._template.get("Outputs", {}).items()
            if self._condition(it.get("Condition"))
        }
        return Resolved(resources, outputs)

    def holds(self, condition: object) -> bool:
        match condition:
            case {"Fn::Equals": [left, right]}:
                return bool(self._value(left) == self._value(right))
            case {"Fn::Not": [inner]}:
                return not self.holds(inner)
            case {"Fn::And": list(inner)}:
                return all(self.holds(each) for each in inner)
            case {"Fn::Or": list(inner)}:
                return any(self.holds(each) for each in inner)
            case {"Condition": str(name)}:
                return self._condition(name)
            case _:
                message = f"no condition: {condition}"
                raise AssertionError(message)

    def _condition(self, name: str | None) -> bool:
        if name is None:
            return True
        if name not in self._conditions:
            self._conditions[name] = self.holds(self._template["Conditions"][name])
        return self._conditions[name]

    def _value(self, value: object) -> Any:  # noqa: ANN401 - whatever a template holds
        if isinstance(value, list):
            return [it for it in map(self._value, value) if it is not _NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self._called(name, argument)
        inner = {key: self._value(it) for key, it in value.items()}
        return {key: it for key, it in inner.items() if it is not _NO_VALUE}

    def _called(self, function: str, argument: Any) -> Any:  # noqa: ANN401, PLR0911 - the same; each is a way out
        match function, argument:
            case "Ref", str(name):
                return _NO_VALUE if name == "AWS::NoValue" else self._named(name)
            case "Fn::GetAtt", [str(name), str(attribute)]:
                return self._named(f"{name}.{attribute}")
            case "Fn::If", [str(name), yes, no]:
                return self._value(yes if self._condition(name) else no)
            case "Fn::Sub", text:
                text, own = text if isinstance(text, list) else (text, {})
                return self._substituted(text, {name: self._value(it) for name, it in own.items()})
            case "Fn::Join", [str(between), items]:
                return between.join(self._value(items))
            case "Fn::Split", [str(between), text]:
                return str(self._value(text)).split(between)
            case "Fn::Select", [int(index), items]:
                return self._value(items)[index]
            case "Fn::FindInMap", [first, second, third]:
                return self._template["Mappings"][self._value(first)][self._value(second)][self._value(third)]
            case _:
                message = f"not known here: {function}"
                raise AssertionError(message)

    def _substituted(self, text: str, own: Mapping[str, str]) -> str:
        def meant(match: re.Match[str]) -> str:
            literal, name = match.groups()
            return f"${{{name}}}" if literal else str(own.get(name) if name in own else self._named(name))

        return _VARIABLE.sub(meant, text)

    def _named(self, name: str) -> str:
        if name in self._parameters:
            return str(self._parameters[name])
        resource, _, _attribute = name.partition(".")
        if resource not in self._there:
            message = f"{name} is named, and not there"
            raise DanglingError(message)
        return name
