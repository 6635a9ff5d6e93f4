"""``template.yaml`` gives each role the rights that it needs, on what is named, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cloudformation import read_template, resolve
from tests.unit.test_template import ALIAS, APIS, COMPANY, ISSUER, OTHERS, READS, REFRESHER, ROOT, SHIFTING, VPC, named

if TYPE_CHECKING:
    from tests.cloudformation import Template


@pytest.fixture(scope="module")
def template() -> Template:
    return read_template(ROOT / "template.yaml")


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
@pytest.mark.parametrize(("apis", "sources"), [({}, ["*"]), (APIS, ["first", "second", "third"])])
def test_only_the_authorizers_of_named_apis_may_call(
    template: Template, alias: dict[str, str], apis: dict[str, str], sources: list[str]
) -> None:
    arn = "arn:aws:execute-api:eu-west-1:123456789012:{}/authorizers/*"
    permissions = resolve(template, ISSUER | apis | alias).of_type("AWS::Lambda::Permission")
    for function in ("AuthorizerFunction", "AuthorizerFunction.Alias") if alias else ("AuthorizerFunction",):
        assert [it for it in permissions.values() if it["FunctionName"] == function] == [
            {
                "FunctionName": function,
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": arn.format(source),
            }
            for source in sources
        ]
