"""``template.yaml`` offers every setting that the code reads, and gives no more rights than needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from authorizer.settings.table import SETTINGS

ROOT = Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """Reads CloudFormation's tags as ``{tag: value}``."""


def read_tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, object]:
    match node:
        case yaml.ScalarNode():
            return {suffix: loader.construct_scalar(node)}
        case yaml.SequenceNode():
            return {suffix: loader.construct_sequence(node, deep=True)}
        case _:
            assert isinstance(node, yaml.MappingNode)
            return {suffix: loader.construct_mapping(node, deep=True)}


Loader.add_multi_constructor("!", read_tag)


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    loaded = yaml.load((ROOT / "template.yaml").read_text(), Loader)  # noqa: S506 - a SafeLoader with tags
    return dict(loaded)


def parameter_of(variable: str) -> str:
    return "".join(part.capitalize() for part in variable.split("_"))


def test_each_setting_is_a_parameter_that_is_not_set_by_default(template: dict[str, Any]) -> None:
    variables = template["Resources"]["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]
    assert list(variables) == [setting.variable for setting in SETTINGS]
    for variable, value in variables.items():
        assert value == {"Ref": parameter_of(variable)}
        assert template["Parameters"][parameter_of(variable)]["Default"] == ""


def test_each_parameter_is_in_a_group_once(template: dict[str, Any]) -> None:
    groups = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(template["Parameters"])


def test_both_architectures_can_be_built(template: dict[str, Any]) -> None:
    assert template["Parameters"]["Architecture"]["Default"] == "arm64"
    for architecture in template["Parameters"]["Architecture"]["AllowedValues"]:
        makefile = (ROOT / "artifact" / architecture / "Makefile").read_text()
        assert f"ARCHITECTURE := {architecture}\n" in makefile


def test_the_role_may_write_its_log_and_no_more(template: dict[str, Any]) -> None:
    role = template["Resources"]["AuthorizerRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    always = [policy for policy in role["Policies"] if "If" not in policy]
    assert [policy["PolicyName"] for policy in always] == ["WriteItsLog"]
    for policy in role["Policies"]:
        document = (policy["If"][1] if "If" in policy else policy)["PolicyDocument"]
        for statement in document["Statement"]:
            assert "*" not in str(statement)


def test_only_api_gateways_authorizers_may_call(template: dict[str, Any]) -> None:
    permission = template["Resources"]["AuthorizerPermission"]["Properties"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Sub"].endswith(":${AWS::AccountId}:${ApiId}/authorizers/*")
