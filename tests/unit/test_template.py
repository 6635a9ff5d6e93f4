"""``template.yaml`` offers every setting that the code reads, and gives no more rights than needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from authorizer.jwks.documents import document_writer
from authorizer.refresher import TIMEOUT
from authorizer.settings.table import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

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


def refs(value: object) -> Iterator[str]:
    """Name the parameters and resources that a value depends on."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)\}", text)
        case dict():
            for inner in value.values():
                yield from refs(inner)
        case list():
            for inner in value:
                yield from refs(inner)
        case _:
            return


def conditions(value: object) -> Iterator[str]:
    """Name the conditions that a value depends on."""
    match value:
        case {"If": [str(name), *branches]}:
            yield name
            yield from conditions(branches)
        case dict():
            for inner in value.values():
                yield from conditions(inner)
        case list():
            for inner in value:
                yield from conditions(inner)
        case _:
            return


def policies(role: dict[str, Any]) -> dict[str, tuple[str | None, list[dict[str, Any]]]]:
    """Give the statements of each policy, and the condition under which the role has it."""
    found = {}
    for policy in role["Properties"]["Policies"]:
        condition, given = (policy["If"][0], policy["If"][1]) if "If" in policy else (None, policy)
        found[given["PolicyName"]] = (condition, given["PolicyDocument"]["Statement"])
    return found


def test_the_role_may_write_its_log_and_no_more(template: dict[str, Any]) -> None:
    role = template["Resources"]["AuthorizerRole"]
    assert "ManagedPolicyArns" not in role["Properties"]
    given = policies(role)
    assert [name for name, (condition, _) in given.items() if condition is None] == ["WriteItsLog"]
    joining_a_vpc = given.pop("JoinVpc")
    assert "*" not in str(given)
    # The one that can't be narrower: interfaces that are yet to be made have no names.
    assert joining_a_vpc[0] == "InVpc"
    assert {action.partition(":")[0] for action in joining_a_vpc[1][0]["Action"]} == {"ec2"}


@pytest.mark.parametrize(
    ("permission", "function"),
    [("AuthorizerPermission", "AuthorizerFunction"), ("AuthorizerAliasPermission", "AuthorizerFunction.Alias")],
)
def test_only_api_gateways_authorizers_may_call(template: dict[str, Any], permission: str, function: str) -> None:
    properties = template["Resources"][permission]["Properties"]
    assert properties["FunctionName"] == {"Ref": function}
    assert properties["Principal"] == "apigateway.amazonaws.com"
    assert properties["SourceArn"]["Sub"].endswith(":${AWS::AccountId}:${ApiId}/authorizers/*")


def test_apis_are_told_the_alias_with_snap_start_and_the_function_without(template: dict[str, Any]) -> None:
    named = {"If": ["SnapStarts", {"Ref": "AuthorizerFunction.Alias"}, {"GetAtt": "AuthorizerFunction.Arn"}]}
    outputs = template["Outputs"]
    assert outputs["FunctionArn"]["Value"] == named
    for name in ("AuthorizerUri", "RestApiAuth", "HttpApiAuth"):
        text, values = outputs[name]["Value"]["Sub"]
        assert "${Named}" in text
        assert values == {"Named": named}
    assert template["Parameters"]["SnapStart"]["Default"] == "off"
    function = template["Resources"]["AuthorizerFunction"]["Properties"]
    assert function["SnapStart"] == {"ApplyOn": {"If": ["SnapStarts", "PublishedVersions", "None"]}}
    assert template["Resources"]["AuthorizerAliasPermission"]["Condition"] == "SnapStarts"


def test_a_version_is_published_whenever_a_parameter_of_the_function_changes(template: dict[str, Any]) -> None:
    # SAM notices changes of the template, not of parameters' values: these are for CloudFormation to notice.
    function = dict(template["Resources"]["AuthorizerFunction"]["Properties"])
    description = function.pop("VersionDescription")
    assert description["If"][0] == "SnapStarts"
    assert list(refs(description["If"][1])) == ["SettingsVersion"]
    parts = [function, template["Resources"]["AuthorizerFunction"]["Metadata"]]
    parts += [template["Conditions"][name] for name in conditions(function)]
    wanted = set(refs(parts)) & set(template["Parameters"])
    content = template["Resources"]["SettingsVersion"]["Properties"]["Content"]
    listed = list(refs(content))
    assert sorted(listed) == sorted(wanted)
    # One after the other, so that a value that moves from one to the next is a change as well.
    assert content["Join"][0] == "\n"
    for name in ("SettingsApplication", "SettingsProfile", "SettingsVersion"):
        assert template["Resources"][name]["Condition"] == "SnapStarts"


def test_it_is_in_a_vpc_only_with_subnets_and_groups(template: dict[str, Any]) -> None:
    vpc = {"SubnetIds": {"Split": [",", {"Ref": "VpcSubnetIds"}]}}
    vpc["SecurityGroupIds"] = {"Split": [",", {"Ref": "VpcSecurityGroupIds"}]}
    function = template["Resources"]["AuthorizerFunction"]["Properties"]
    assert function["VpcConfig"] == {"If": ["InVpc", vpc, {"Ref": "AWS::NoValue"}]}
    for name in ("VpcSubnetIds", "VpcSecurityGroupIds"):
        assert template["Parameters"][name]["Default"] == ""
        assert name in refs(template["Conditions"]["InVpc"])


def test_the_refresher_is_off_unless_asked_for(template: dict[str, Any]) -> None:
    parameters, resources = template["Parameters"], template["Resources"]
    assert {name for name in parameters if name.startswith("Refresh") and parameters[name]["Default"] != ""} == {
        "RefreshSchedule"
    }
    refresher = {name: resource for name, resource in resources.items() if name.startswith("Refresher")}
    assert set(refresher) == {"RefresherFunction", "RefresherLogs", "RefresherRole"}
    for resource in refresher.values():
        assert resource["Condition"] == "Refreshes"
    assert set(refs(template["Conditions"]["Refreshes"])) == {"RefreshTarget", "RefreshTargetArn"}


def test_the_refresher_is_the_same_package_outside_of_any_vpc(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    authorizer, refresher = resources["AuthorizerFunction"], resources["RefresherFunction"]
    assert refresher["Metadata"] == authorizer["Metadata"]
    for name in ("CodeUri", "Runtime", "Architectures"):
        assert refresher["Properties"][name] == authorizer["Properties"][name]
    assert "build-RefresherFunction" in (ROOT / "artifact" / "artifact.mk").read_text()
    assert refresher["Properties"]["Handler"] == "authorizer.refresher.lambda_handler"
    assert "VpcConfig" not in refresher["Properties"]
    # It fetches, then writes; a function that is cut off can't say why.
    assert refresher["Properties"]["Timeout"] > 2 * TIMEOUT
    assert refresher["Properties"]["Environment"]["Variables"] == {
        "JWT_ISSUER": {"If": ["NamesRefreshIssuer", {"Ref": "RefreshIssuer"}, {"Ref": "JwtIssuer"}]},
        "JWT_REFRESH_SOURCE": {"Ref": "RefreshSource"},
        "JWT_REFRESH_TARGET": {"Ref": "RefreshTarget"},
    }
    schedule = refresher["Properties"]["Events"]["Refresh"]
    assert schedule == {"Type": "Schedule", "Properties": {"Schedule": {"Ref": "RefreshSchedule"}}}


def test_the_refresher_may_write_its_target_and_the_authorizer_read_it(template: dict[str, Any]) -> None:
    resources = template["Resources"]
    written, read = policies(resources["RefresherRole"]), policies(resources["AuthorizerRole"])["ReadCopy"]
    assert set(written) == {"WriteItsLog", "WriteCopy"}
    assert "*" not in str(written)
    target = {"Ref": "RefreshTargetArn"}
    assert written["WriteCopy"][1] == [
        {"Effect": "Allow", "Action": ["ssm:PutParameter", "s3:PutObject"], "Resource": target}
    ]
    assert read == (
        "Refreshes",
        [{"Effect": "Allow", "Action": ["ssm:GetParameter", "s3:GetObject"], "Resource": target}],
    )
    for name in ("AuthorizerRole", "RefresherRole"):
        logs = policies(resources[name])["WriteItsLog"][1][0]
        assert logs["Resource"] == {"GetAtt": name.replace("Role", "Logs") + ".Arn"}


@pytest.mark.parametrize(
    ("target", "good"),
    [
        ("ssm:/jwt/keys", True),
        ("s3://bucket/jwt/keys.json", True),
        ("https://example.com/keys", False),
        ("ssm:", False),
        ("s3://bucket", False),
        ("/jwt/keys", False),
    ],
)
def test_a_target_is_refused_by_the_template_as_by_the_code(
    template: dict[str, Any], target: str, *, good: bool
) -> None:
    allowed = re.fullmatch(template["Parameters"]["RefreshTarget"]["AllowedPattern"], target) is not None
    try:
        document_writer(target, timeout=1)
        written = True
    except ValueError:
        written = False
    assert (allowed, written) == (good, good)
