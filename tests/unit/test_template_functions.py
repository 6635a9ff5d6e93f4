"""The functions of ``template.yaml``: when a version of the first is published, and what the others are."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from demo.tools import host_architecture
from jwt_authorizer.refresher import TIMEOUT
from jwt_authorizer.settings.table import SETTINGS
from tests.cloudformation import resolve
from tests.unit.test_template import (
    ALIAS,
    APIS,
    COMPANY,
    ISSUER,
    OTHERS,
    READS,
    REFRESHER,
    ROOT,
    SHIFTING,
    VPC,
    function_of,
    named,
    parameter_of,
)

if TYPE_CHECKING:
    from tests.cloudformation import Resolved, Template


def another(template: Template, name: str) -> str:
    """Give a value for a parameter that is not its default."""
    parameter = template["Parameters"][name]
    allowed = [str(it) for it in parameter.get("AllowedValues", ()) if str(it) != str(parameter["Default"])]
    return allowed[-1] if allowed else "42" if parameter["Type"] == "Number" else "another"


OF_THE_FUNCTION_AS_A_WHOLE = {
    *("CodeSigningConfigArn", "DeploymentPreference", "Description", "ProvisionedConcurrencyConfig"),
    "ReservedConcurrentExecutions",
}
"""Not parts of a version. The description is there to change with its number."""


def version_of(stack: Resolved) -> dict[str, Any]:
    """Give the properties that make a version another one."""
    return {name: it for name, it in function_of(stack).items() if name not in OF_THE_FUNCTION_AS_A_WHOLE}


def test_a_version_is_published_whenever_a_parameter_of_it_changes_and_only_then(template: Template) -> None:
    # SAM notices changes of the template, not of parameters' values: these are for CloudFormation to notice.
    # Lambda, for its part, publishes no version that is like the last one, and CloudFormation calls that a failure.
    given = ISSUER | VPC | ALIAS
    before = resolve(template, given)
    changing = set()
    for name in template["Parameters"]:
        after = resolve(template, given | {name: another(template, name)})
        numbers = [it.resources["SettingsVersion"]["Properties"]["Content"] for it in (before, after)]
        changes = version_of(before) != version_of(after)
        assert (numbers[0] != numbers[1]) is changes, name
        changing |= {name} if changes else set()
    assert changing >= {parameter_of(setting.variable) for setting in SETTINGS}
    assert changing >= {"ServiceName", "Architecture", "MemorySize", "Tracing", "SnapStart", *VPC}
    # One after the other, so that a value that moves from one to the next is a change as well.
    swapped = resolve(template, given | {"JwtClientId": "a", "JwtJwks": ""})
    moved = resolve(template, given | {"JwtClientId": "", "JwtJwks": "a"})
    assert len({it.resources["SettingsVersion"]["Properties"]["Content"] for it in (swapped, moved)}) == 2


def test_the_number_makes_the_version_another_one_and_the_function_too(template: Template) -> None:
    assert "VersionDescription" not in function_of(resolve(template, ISSUER))
    for given in (ISSUER | ALIAS, ISSUER | {"SnapStart": "on"}):
        function = function_of(resolve(template, given))
        assert function["VersionDescription"] == "Settings SettingsVersion"
        assert "SettingsVersion" in function["Description"]
        # Without it SAM publishes where the code's address changes alone.
        assert function["AutoPublishAliasAllProperties"] is True


def test_the_number_is_kept_under_a_name_that_appconfig_takes(template: Template) -> None:
    # Up to 64 characters; a stack's name may have 128.
    name = "a" * 128
    stack_id = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/6f1a7c20-0000-4000-8000-00805f9b34fb"
    stack = resolve(template, ISSUER | ALIAS, {"AWS::StackName": name, "AWS::StackId": stack_id})
    kept = stack.resources["SettingsApplication"]["Properties"]
    assert kept["Name"] == stack_id.rpartition("/")[2]
    assert name in kept["Description"]


def test_each_function_is_the_same_package(template: Template) -> None:
    functions = {name: it for name, it in template["Resources"].items() if it["Type"] == "AWS::Serverless::Function"}
    assert len(functions) == len({"authorizer", "refresher", "revoker"})
    assert len({str(it["Metadata"]) for it in functions.values()}) == 1
    # What `sam build` asks of the makefile, for each.
    makefile = ROOT / "packaging" / "jwt_authorizer_packaging" / host_architecture() / "Makefile"
    command = ["make", "--dry-run", "--makefile", str(makefile), *(f"build-{name}" for name in functions)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own arguments
    assert done.stdout.count("assemble.py") == len(functions)


def test_the_refresher_runs_on_a_schedule_outside_of_any_vpc(template: Template) -> None:
    stack = resolve(template, ISSUER | OTHERS | REFRESHER)
    refresher: dict[str, Any] = stack.resources["RefresherFunction"]["Properties"]
    for name in ("CodeUri", "Runtime", "Architectures", "CodeSigningConfigArn", "KmsKeyArn"):
        assert refresher[name] == function_of(stack)[name]
    assert (refresher["Handler"], "VpcConfig" in refresher) == ("jwt_authorizer.refresher.lambda_handler", False)
    # It fetches, then writes; a function that is cut off can't say why.
    assert refresher["Timeout"] > 2 * TIMEOUT
    # Lambda would try a run that failed twice more: three errors for one.
    assert refresher["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}
    assert refresher["LoggingConfig"] == function_of(stack)["LoggingConfig"] | {"LogGroup": "RefresherLogs"}
    logs = stack.of_type("AWS::Logs::LogGroup")
    assert logs["RefresherLogs"] == logs["AuthorizerLogs"]
    assert refresher["Environment"]["Variables"] == {
        "JWT_ISSUER": ISSUER["JwtIssuer"],
        "JWT_REFRESH_SOURCE": "",
        "JWT_REFRESH_TARGET": REFRESHER["RefreshTarget"],
    }
    other = resolve(template, ISSUER | REFRESHER | {"RefreshIssuer": "https://other.example.com"})
    variables = other.resources["RefresherFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["JWT_ISSUER"] == "https://other.example.com"


# Each role has the rights that it needs, on what is named, and no others.


def test_the_role_may_write_its_log_and_read_what_is_named(template: Template) -> None:
    given = named(resolve(template, ISSUER | OTHERS | REFRESHER), "AuthorizerRole")
    del given["JoinVpc"]  # below
    assert {name: (it["Action"], it["Resource"]) for name, (it,) in given.items()} == {
        "WriteItsLog": (["logs:CreateLogStream", "logs:PutLogEvents"], "AuthorizerLogs.Arn"),
        "ReadParameters": ("ssm:GetParameter", READS["ReadableParameters"].split(",")),
        "ReadSecrets": ("secretsmanager:GetSecretValue", [READS["ReadableSecrets"]]),
        "DecryptItsEnvironment": ("kms:Decrypt", COMPANY["EnvironmentKeyArn"]),
        "RememberProofs": ("dynamodb:PutItem", "DpopReplays.Arn"),
        "ReadRevocations": ("s3:GetObject", "RevocationBucket.Arn/revoked.json"),
        "ReadObjects": ("s3:GetObject", [READS["ReadableObjects"]]),
        "DecryptWhatItReads": ("kms:Decrypt", [READS["ReadableKeys"]]),
        "ReadCopy": (["ssm:GetParameter", "s3:GetObject"], REFRESHER["RefreshTargetArn"]),
        # X-Ray knows no resources.
        "WriteTraces": (["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*"),
    }
    via = given["DecryptWhatItReads"][0]["Condition"]["StringLike"]["kms:ViaService"]
    assert via == ["ssm.eu-west-1.*", "secretsmanager.eu-west-1.*", "s3.eu-west-1.*"]
    own = given["DecryptItsEnvironment"][0]["Condition"]["StringLike"]["kms:ViaService"]
    assert own == "lambda.eu-west-1.*"


def test_lambda_may_join_the_vpc_by_the_role_and_the_function_s_own_code_may_not(template: Template) -> None:
    # "Giving Lambda functions access to resources in an Amazon VPC": what is needed, and how to deny it to the code.
    *allowed, denied = named(resolve(template, ISSUER | VPC), "AuthorizerRole")["JoinVpc"]
    arn = "arn:aws:ec2:eu-west-1:{}:*/*"
    given = {
        action: it["Resource"]
        for it in allowed
        for action in ([it["Action"]] if isinstance(it["Action"], str) else it["Action"])
    }
    assert {it["Effect"] for it in allowed} == {"Allow"}
    assert given == {
        "ec2:DescribeNetworkInterfaces": "*",
        "ec2:DescribeSubnets": "*",
        "ec2:CreateNetworkInterface": arn.format("*"),
        **dict.fromkeys(
            ["ec2:DeleteNetworkInterface", "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"],
            arn.format("123456789012"),
        ),
    }
    assert denied == {
        "Effect": "Deny",
        "Action": "ec2:*",
        "Resource": "*",
        # Not absent: a request of a function's code has it, Lambda's own has not.
        "Condition": {"Null": {"lambda:SourceFunctionArn": "false"}},
    }


def test_the_refresher_may_write_its_target(template: Template) -> None:
    given = named(resolve(template, ISSUER | OTHERS | REFRESHER), "RefresherRole")
    assert {name: (it["Action"], it["Resource"]) for name, (it,) in given.items()} == {
        "WriteItsLog": (["logs:CreateLogStream", "logs:PutLogEvents"], "RefresherLogs.Arn"),
        "DecryptItsEnvironment": ("kms:Decrypt", COMPANY["EnvironmentKeyArn"]),
        "WriteCopy": (["ssm:PutParameter", "s3:PutObject"], REFRESHER["RefreshTargetArn"]),
        "EncryptCopy": ("kms:GenerateDataKey", [READS["ReadableKeys"]]),
    }
    assert given["EncryptCopy"][0]["Condition"] == {"StringLike": {"kms:ViaService": "s3.eu-west-1.*"}}


def test_the_revoker_may_write_the_list_and_empty_caches(template: Template) -> None:
    given = named(resolve(template, ISSUER | OTHERS), "RevokerRole")
    written, listed = given.pop("WriteRevocations")
    assert (written["Action"], written["Resource"]) == (
        ["s3:GetObject", "s3:PutObject"],
        "RevocationBucket.Arn/revoked.json",
    )
    assert (listed["Action"], listed["Resource"]) == ("s3:ListBucket", "RevocationBucket.Arn")
    (emptied,) = given.pop("EmptyCaches")
    assert emptied["Action"] == "apigateway:DELETE"
    assert all(resource.endswith("/stages/*/cache/authorizers") for resource in emptied["Resource"])
    assert given.keys() == {"WriteItsLog", "DecryptItsEnvironment", "ReadParameters", "ReadObjects"}
    assert "EmptyCaches" not in named(resolve(template, ISSUER | {"Revocation": "on"}), "RevokerRole")


def test_codedeploy_may_move_this_alias_and_see_alarms(template: Template) -> None:
    given = named(resolve(template, ISSUER | SHIFTING), "DeploymentRole")
    assert {name: (it["Action"], it["Resource"]) for name, (it,) in given.items()} == {
        "MoveTheAlias": (
            ["lambda:GetAlias", "lambda:UpdateAlias", "lambda:GetProvisionedConcurrencyConfig"],
            ["AuthorizerFunction.Arn", "AuthorizerFunction.Arn:*"],
        ),
        "SeeAlarms": ("cloudwatch:DescribeAlarms", "*"),
    }


def test_each_role_is_for_one_service(template: Template) -> None:
    roles = resolve(template, ISSUER | OTHERS | REFRESHER | SHIFTING).of_type("AWS::IAM::Role")
    trusted = {
        name: [(it["Action"], it["Principal"]) for it in role["AssumeRolePolicyDocument"]["Statement"]]
        for name, role in roles.items()
    }
    function = [("sts:AssumeRole", {"Service": "lambda.amazonaws.com"})]
    assert trusted == {
        "AuthorizerRole": function,
        "RefresherRole": function,
        "RevokerRole": function,
        "DeploymentRole": [("sts:AssumeRole", {"Service": "codedeploy.amazonaws.com"})],
    }


@pytest.mark.parametrize("alias", [{}, ALIAS])
@pytest.mark.parametrize(
    ("apis", "account", "sources"),
    [
        ({}, "123456789012", ["*"]),
        (APIS, "123456789012", ["first", "second", "third"]),
        (APIS | {"ApiAccountId": "111122223333"}, "111122223333", ["first", "second", "third"]),
    ],
)
def test_only_the_authorizers_of_named_apis_may_call(
    template: Template, alias: dict[str, str], apis: dict[str, str], account: str, sources: list[str]
) -> None:
    permissions = resolve(template, ISSUER | apis | alias).of_type("AWS::Lambda::Permission")
    for function in ("AuthorizerFunction", "AuthorizerFunction.Alias") if alias else ("AuthorizerFunction",):
        assert [it for it in permissions.values() if it["FunctionName"] == function] == [
            {
                "FunctionName": function,
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": f"arn:aws:execute-api:eu-west-1:{account}:{source}/authorizers/*",
            }
            for source in sources
        ]
