"""``template.yaml`` offers every setting that the code reads, and gives no more rights than needed."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from jwt_authorizer_devkit.described import described
from tests.cloudformation import Resolved, Template, refusals, resolve

ROOT = Path(__file__).resolve().parents[2]

# What each of these turns on. All of them at once is a stack like any other.
ISSUER = {"JwtIssuer": "https://issuer.example.com", "JwtAudience": "https://api.example.com"}
VPC = {"VpcSubnetIds": "subnet-1,subnet-2", "VpcSecurityGroupIds": "sg-1"}
REFRESHER = {"RefreshTarget": "s3://bucket/keys", "RefreshTargetArn": "arn:aws:s3:::bucket/keys"}
ALIAS = {"GradualDeployment": "AllAtOnce"}
SHIFTING = {"GradualDeployment": "Canary10Percent10Minutes"}
READS = {
    "ReadableParameters": "arn:aws:ssm:eu-west-1:1:parameter/a,arn:aws:ssm:eu-west-1:1:parameter/b",
    "ReadableSecrets": "arn:aws:secretsmanager:eu-west-1:1:secret:a-6RandM",
    "ReadableObjects": "arn:aws:s3:::bucket/a",
    "ReadableKeys": "arn:aws:kms:eu-west-1:1:key/1",
}
APIS = {"ApiId": "first", "ApiId2": "second", "ApiId3": "third"}
TOPIC = {"AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:pager"}
COMPANY = {
    "PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
    "RolePath": "/services/",
    "CodeSigningConfigArn": "arn:aws:lambda:eu-west-1:123456789012:code-signing-config:csc-1",
    "EnvironmentKeyArn": "arn:aws:kms:eu-west-1:1:key/3",
    "LogKeyArn": "arn:aws:kms:eu-west-1:1:key/2",
    "SystemLogLevel": "WARN",
}
STORES = {
    "DpopReplayTable": "on",
    "Revocation": "on",
    "RevocationApis": "rest:a1b2/prod",
    "RevocationClientIds": "web-app",
}
OTHERS = STORES | READS | TOPIC | VPC | COMPANY | {"Tracing": "on", "ReservedConcurrency": "50"}


def function_of(stack: Resolved) -> dict[str, Any]:
    properties: dict[str, Any] = stack.resources["AuthorizerFunction"]["Properties"]
    return properties


# Parameters.


@pytest.mark.parametrize("name", ["AuthorizerFunction", "RevokerFunction"])
def test_each_setting_is_a_parameter_and_a_variable(template: Template, name: str) -> None:
    # Without a condition: SAM CLI leaves a value that it can't resolve, such as one with AWS::NoValue, empty.
    variables = template["Resources"][name]["Properties"]["Environment"]["Variables"]
    for it in described():
        if it.setting.variable not in ("JWT_DPOP_REPLAY", "JWT_REVOKED"):
            assert variables[it.setting.variable] == {"Ref": it.parameter}
    # Lambda's environment holds 4 KB, names included. Most of it has to be left for the values.
    assert sum(map(len, variables)) < 1500


def test_a_key_that_may_be_given_as_it_is_is_shown_to_nobody_who_looks_at_the_stack(template: Template) -> None:
    assert {name for name, it in template["Parameters"].items() if it.get("NoEcho")} == {"JwtLogPrincipalKey"}


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        (ISSUER, None),
        (ISSUER | OTHERS | REFRESHER | SHIFTING | APIS, None),
        ({}, "Set JwtIssuer (and JwtAudience or JwtClientId), or JwtConfig."),
        (ISSUER | {"VpcSubnetIds": "subnet-1"}, "VpcSubnetIds and VpcSecurityGroupIds go together."),
        (ISSUER | {"RefreshTarget": "ssm:/a"}, "RefreshTarget needs RefreshTargetArn."),
        ({"JwtConfig": "file:rules.toml", **REFRESHER}, "RefreshTarget needs RefreshIssuer, or JwtIssuer."),
        (ISSUER | SHIFTING | {"Alarms": "off"}, "GradualDeployment needs Alarms, which roll a bad version back."),
        (ISSUER | ALIAS | {"Alarms": "off"}, None),
        (ISSUER | {"ApiId2": "second"}, "ApiId2 and ApiId3 add to the one API that ApiId names."),
        (ISSUER | {"ApiId": "none", "ApiId3": "third"}, "ApiId2 and ApiId3 add to the one API that ApiId names."),
        (ISSUER | APIS | {"ApiAccountId": "111122223333"}, None),
        (
            ISSUER | {"ApiAccountId": "111122223333"},
            "ApiAccountId needs ApiId. Not every API of another account should call the function.",
        ),
        (ISSUER | {"ProvisionedConcurrency": "5", "GradualDeployment": "AllAtOnce"}, None),
        (
            ISSUER | {"ProvisionedConcurrency": "5", "SnapStart": "on"},
            "Lambda has no ProvisionedConcurrency with SnapStart. Choose one of them.",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    template: Template, parameters: dict[str, str], problem: str | None
) -> None:
    assert refusals(template, parameters) == ([] if problem is None else [problem])


ARN = "arn:aws:ssm:eu-west-1:1:parameter/a"
LISTS = READS.keys()
ARNS = LISTS | {"RefreshTargetArn", "AlarmTopicArn"} | {name for name in COMPANY if name.endswith("Arn")}


@pytest.mark.parametrize(
    ("names", "good", "bad"),
    [
        # What may be read, written or decrypted is named, one by one.
        (ARNS, ["", ARN], ["a", f"{ARN}*", f"{ARN}?"]),
        # What is split at commas alone would have a space in it.
        (LISTS, [f"{ARN},{ARN}"], [f"{ARN}, {ARN}", f"{ARN},", f"{ARN},b"]),
        # As the code takes it: test_issuers_sources.py.
        (
            {"RefreshTarget"},
            ["ssm:/jwt/keys", "s3://bucket/jwt/keys.json"],
            ["https://example.com/keys", "ssm:", "s3://bucket", "/jwt/keys"],
        ),
        # It stands in JSON and in a search, in quotes.
        ({"ServiceName"}, ["orders_2.x-y"], ['orders"', "orders staging", "a" * 256]),
        ({"ReservedConcurrency"}, ["0"], ["-1", "1.5", "many"]),
        ({"ProvisionedConcurrency"}, ["12"], ["0"]),
        ({"ApiId"}, ["none", "*"], []),
        ({"ApiId", "ApiId2", "ApiId3"}, ["a1b2"], ["a*"]),
        ({"ApiId2", "ApiId3"}, [], ["*"]),
        ({"ApiAccountId"}, ["123456789012"], ["1234"]),
        ({"RolePath"}, ["/", "/a/b/"], ["/a", "a/"]),
    ],
)
def test_a_value_of_another_form_is_refused(
    template: Template, names: set[str], good: list[str], bad: list[str]
) -> None:
    for name in names:
        pattern = re.compile(template["Parameters"][name]["AllowedPattern"])
        assert {value for value in good + bad if pattern.fullmatch(value)} == set(good), name


# The function, and what APIs are told.


@pytest.mark.parametrize(
    ("given", "arn"),
    [
        ({}, "AuthorizerFunction.Arn"),
        (ALIAS, "AuthorizerFunction.Alias"),
        ({"SnapStart": "on"}, "AuthorizerFunction.Alias"),
        ({"ProvisionedConcurrency": "5"}, "AuthorizerFunction.Alias"),
    ],
    ids=str,
)
def test_outputs_hold_the_lines_to_paste(template: Template, given: dict[str, str], arn: str) -> None:
    outputs = resolve(template, ISSUER | given).outputs
    assert outputs["FunctionArn"] == arn
    assert outputs["AuthorizerUri"].endswith(f":lambda:path/2015-03-31/functions/{arn}/invocations")
    rest, http = (
        yaml.safe_load(outputs[name])["Auth"]["Authorizers"]["Jwt"] for name in ("RestApiAuth", "HttpApiAuth")
    )
    header = {"Headers": ["Authorization"]}
    assert rest == {"FunctionArn": arn, "FunctionPayloadType": "REQUEST", "Identity": header}
    assert http == {
        "FunctionArn": arn,
        "AuthorizerPayloadFormatVersion": "2.0",
        "EnableSimpleResponses": True,
        "Identity": {**header, "Context": ["routeKey"]},
    }


@pytest.mark.parametrize(
    ("partition", "host"),
    [
        ("aws", "console.aws.amazon.com"),
        ("aws-cn", "console.amazonaws.cn"),
        ("aws-us-gov", "console.amazonaws-us-gov.com"),
        ("aws-iso", None),
    ],
)
def test_the_dashboard_is_where_the_partition_s_console_is(
    template: Template, partition: str, host: str | None
) -> None:
    outputs = resolve(template, ISSUER, {"AWS::Partition": partition}).outputs
    assert ("DashboardUrl" in outputs) is (host is not None)
    assert outputs.get("DashboardUrl", "").startswith(f"https://{host}/cloudwatch/" if host else "")
    assert "DashboardUrl" not in resolve(template, ISSUER | {"Dashboard": "off"}).outputs


def test_log_lines_and_metrics_bear_the_stack_s_name_or_another(template: Template) -> None:
    for given, service in ((ISSUER, "orders-authorizer"), (ISSUER | {"ServiceName": "orders"}, "orders")):
        stack = resolve(template, given)
        assert function_of(stack)["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == service
        assert stack.outputs["Service"] == service


def test_what_is_off_unless_asked_for_leaves_no_trace(template: Template) -> None:
    stacks = [resolve(template, ISSUER), resolve(template, ISSUER | OTHERS | {"ProvisionedConcurrency": "5"})]
    off, on = map(function_of, stacks)
    only_on = {
        "VpcConfig": {"SubnetIds": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]},
        "ReservedConcurrentExecutions": "50",
        "ProvisionedConcurrencyConfig": {"ProvisionedConcurrentExecutions": "5"},
        "CodeSigningConfigArn": COMPANY["CodeSigningConfigArn"],
        "KmsKeyArn": COMPANY["EnvironmentKeyArn"],
    }
    assert {name: on[name] for name in on.keys() - off.keys() & only_on.keys()} == only_on
    assert (off["Tracing"], on["Tracing"]) == ("PassThrough", "Active")
    logs = [stack.resources["AuthorizerLogs"]["Properties"] for stack in stacks]
    assert logs == [{"RetentionInDays": "30"}, {"RetentionInDays": "30", "KmsKeyId": OTHERS["LogKeyArn"]}]
    # Lambda takes a level of its own lines only together with JSON.
    assert off["LoggingConfig"] == {"LogGroup": "AuthorizerLogs"}
    assert on["LoggingConfig"] == {"LogGroup": "AuthorizerLogs", "LogFormat": "JSON", "SystemLogLevel": "WARN"}
    # Used proofs are forgotten in time.
    table = stacks[1].resources["DpopReplays"]["Properties"]
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_alarms_notify_the_topic_but_for_the_one_that_is_codedeploy_s(template: Template) -> None:
    given = ISSUER | REFRESHER | SHIFTING | STORES
    topic = [TOPIC["AlarmTopicArn"]]
    alarms = resolve(template, given | TOPIC).of_type("AWS::CloudWatch::Alarm")
    notifying = {name for name, it in alarms.items() if it.get("AlarmActions") == it.get("OKActions") == topic}
    assert alarms.keys() - notifying == {"NewVersionAlarm"}
    silent = resolve(template, given).of_type("AWS::CloudWatch::Alarm")
    assert not any("AlarmActions" in it or "OKActions" in it for it in silent.values())
    assert not resolve(template, ISSUER | {"Alarms": "off"}).of_type("AWS::CloudWatch::Alarm")


def test_every_role_has_the_company_s_boundary_and_path(template: Template) -> None:
    for given, boundary, path in ((ISSUER, None, "/"), (OTHERS, COMPANY["PermissionsBoundary"], COMPANY["RolePath"])):
        roles = resolve(template, ISSUER | REFRESHER | SHIFTING | given).of_type("AWS::IAM::Role")
        assert len(roles) == len({"authorizer", "refresher", "deployment"}) + ("Revocation" in given)
        for role in roles.values():
            assert (role.get("PermissionsBoundary"), role["Path"]) == (boundary, path)
