"""The functions of ``template.yaml``: when a version of the first is published, and what the others are."""

import subprocess
from itertools import product
from typing import Any

import pytest

from jwt_authorizer.refresher import TIMEOUT
from jwt_authorizer_devkit.described import described
from tests.cloudformation import Resolved, Template, resolve
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
    STORES,
    VPC,
    function_of,
)


def another(template: Template, name: str) -> str:
    """Give a value for a parameter that is not its default."""
    parameter = template["Parameters"][name]
    allowed = [str(it) for it in parameter.get("AllowedValues", ()) if str(it) != str(parameter["Default"])]
    return allowed[-1] if allowed else "42" if parameter["Type"] == "Number" else "another"


NOT_OF_A_VERSION = {
    *("CodeSigningConfigArn", "DeploymentPreference", "Description", "ProvisionedConcurrencyConfig"),
    "ReservedConcurrentExecutions",
}
"""Properties of the function as a whole. The description is there to change with its number."""


def test_a_version_is_published_whenever_a_parameter_of_it_changes_and_only_then(template: Template) -> None:
    # SAM notices changes of the template, not of parameters' values: these are for CloudFormation to notice.
    # Lambda, for its part, publishes no version that is like the last one, and CloudFormation calls that a failure.
    def published(parameters: dict[str, str]) -> tuple[str, dict[str, Any]]:
        """Return the number of the settings, and what makes a version another one."""
        stack = resolve(template, ISSUER | VPC | ALIAS | parameters)
        version = {name: it for name, it in function_of(stack).items() if name not in NOT_OF_A_VERSION}
        return stack.resources["SettingsVersion"]["Properties"]["Content"], version

    number, version = published({})
    others = {name: published({name: another(template, name)}) for name in template["Parameters"]}
    changing = {name for name, it in others.items() if it[1] != version}
    assert {name for name, it in others.items() if it[0] != number} == changing
    assert changing >= {it.parameter for it in described()}
    assert changing >= {"ServiceName", "Architecture", "MemorySize", "Tracing", "SnapStart", *VPC}
    # One after the other, so that a value that moves from one to the next is a change as well.
    assert published({"JwtClientId": "a", "JwtJwks": ""})[0] != published({"JwtClientId": "", "JwtJwks": "a"})[0]


def test_the_number_makes_the_version_another_one_and_the_function_too(template: Template) -> None:
    assert "SettingsVersion" not in resolve(template, ISSUER).resources
    # AppConfig takes names of up to 64 characters; a stack's name may have 128.
    name = "a" * 128
    stack_id = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/6f1a7c20-0000-4000-8000-00805f9b34fb"
    for given in (ISSUER | ALIAS, ISSUER | {"SnapStart": "on"}):
        stack = resolve(template, given, {"AWS::StackName": name, "AWS::StackId": stack_id})
        function = function_of(stack)
        assert function["VersionDescription"] == "Settings SettingsVersion"
        assert "SettingsVersion" in function["Description"]
        # Without it SAM publishes where the code's address changes alone.
        assert function["AutoPublishAliasAllProperties"] is True
        assert stack.resources["SettingsApplication"]["Properties"]["Name"] == stack_id.rpartition("/")[2]


def test_each_function_is_the_same_package(template: Template) -> None:
    functions = {name: it for name, it in template["Resources"].items() if it["Type"] == "AWS::Serverless::Function"}
    assert len(functions) == len({"authorizer", "refresher", "revoker"})
    assert len({str(it["Metadata"]) for it in functions.values()}) == 1
    # What `sam build` asks of the makefile, for each.
    for architecture in template["Parameters"]["Architecture"]["AllowedValues"]:
        makefile = ROOT / "packaging" / "jwt_authorizer_packaging" / architecture / "Makefile"
        command = ["make", "--dry-run", "--makefile", str(makefile), *(f"build-{name}" for name in functions)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own arguments
        assert done.stdout.count(f"--architecture {architecture} ") == len(functions)


def test_the_refresher_runs_outside_of_any_vpc_with_time_to_say_why_it_fails(template: Template) -> None:
    stack = resolve(template, ISSUER | OTHERS | REFRESHER)
    refresher, authorizer = stack.resources["RefresherFunction"]["Properties"], function_of(stack)
    same = ["CodeUri", "Runtime", "Architectures", "CodeSigningConfigArn", "KmsKeyArn"]
    assert {name: refresher[name] for name in same} == {name: authorizer[name] for name in same}
    assert "VpcConfig" not in refresher
    # It fetches, then writes; a function that is cut off can't say why.
    assert refresher["Timeout"] > 2 * TIMEOUT
    # Lambda would try a run that failed twice more: three errors for one.
    assert refresher["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}
    assert refresher["LoggingConfig"] == authorizer["LoggingConfig"] | {"LogGroup": "RefresherLogs"}
    logs = stack.of_type("AWS::Logs::LogGroup")
    assert logs["RefresherLogs"] == logs["AuthorizerLogs"]
    other = resolve(template, ISSUER | REFRESHER | {"RefreshIssuer": "https://other.example.com"})
    variables = other.resources["RefresherFunction"]["Properties"]["Environment"]["Variables"]
    assert variables["JWT_ISSUER"] == "https://other.example.com"


# Each role has the rights that it needs, on what is named, and no others.


def rights(stack: Resolved) -> set[str]:
    """Return a line for each right: whose, the action, the resource, and for keys the service that may use them."""
    found = set()
    for role, properties in stack.of_type("AWS::IAM::Role").items():
        assert "ManagedPolicyArns" not in properties
        for statement in [it for policy in properties["Policies"] for it in policy["PolicyDocument"]["Statement"]]:
            condition = statement.get("Condition", {"StringLike": {"kms:ViaService": [""]}})
            if statement["Effect"] == "Deny":
                found.add(f"Nobody {statement['Action']} {statement['Resource']} {condition}")
                continue
            parts = [statement["Action"], statement["Resource"], condition["StringLike"]["kms:ViaService"]]
            lists = [[part] if isinstance(part, str) else part for part in parts]
            found |= {" ".join([role.removesuffix("Role"), *each]).strip() for each in product(*lists)}
    return found


RIGHTS = [
    (
        {},
        """
        Authorizer logs:CreateLogStream AuthorizerLogs.Arn
        Authorizer logs:PutLogEvents AuthorizerLogs.Arn
        """,
    ),
    (
        READS,
        """
        Authorizer ssm:GetParameter arn:aws:ssm:eu-west-1:1:parameter/a
        Authorizer ssm:GetParameter arn:aws:ssm:eu-west-1:1:parameter/b
        Authorizer secretsmanager:GetSecretValue arn:aws:secretsmanager:eu-west-1:1:secret:a-6RandM
        Authorizer s3:GetObject arn:aws:s3:::bucket/a
        Authorizer kms:Decrypt arn:aws:kms:eu-west-1:1:key/1 ssm.eu-west-1.*
        Authorizer kms:Decrypt arn:aws:kms:eu-west-1:1:key/1 secretsmanager.eu-west-1.*
        Authorizer kms:Decrypt arn:aws:kms:eu-west-1:1:key/1 s3.eu-west-1.*
        """,
    ),
    (
        {"EnvironmentKeyArn": COMPANY["EnvironmentKeyArn"]},
        "Authorizer kms:Decrypt arn:aws:kms:eu-west-1:1:key/3 lambda.eu-west-1.*",
    ),
    (
        {"Tracing": "on"},  # X-Ray knows no resources
        """
        Authorizer xray:PutTraceSegments *
        Authorizer xray:PutTelemetryRecords *
        """,
    ),
    ({"DpopReplayTable": "on"}, "Authorizer dynamodb:PutItem DpopReplays.Arn"),
    (
        # "Giving Lambda functions access to resources in an Amazon VPC". What Lambda may do there, the function's own
        # code may not: a request of it has the key that the condition asks for, Lambda's own has not.
        VPC,
        """
        Nobody ec2:* * {'Null': {'lambda:SourceFunctionArn': 'false'}}
        Authorizer ec2:DescribeNetworkInterfaces *
        Authorizer ec2:DescribeSubnets *
        Authorizer ec2:CreateNetworkInterface arn:aws:ec2:eu-west-1:*:*/*
        Authorizer ec2:DeleteNetworkInterface arn:aws:ec2:eu-west-1:123456789012:*/*
        Authorizer ec2:AssignPrivateIpAddresses arn:aws:ec2:eu-west-1:123456789012:*/*
        Authorizer ec2:UnassignPrivateIpAddresses arn:aws:ec2:eu-west-1:123456789012:*/*
        """,
    ),
    (
        REFRESHER,
        """
        Authorizer ssm:GetParameter arn:aws:s3:::bucket/keys
        Authorizer s3:GetObject arn:aws:s3:::bucket/keys
        Refresher logs:CreateLogStream RefresherLogs.Arn
        Refresher logs:PutLogEvents RefresherLogs.Arn
        Refresher ssm:PutParameter arn:aws:s3:::bucket/keys
        Refresher s3:PutObject arn:aws:s3:::bucket/keys
        """,
    ),
    (
        {"Revocation": "on"},
        """
        Authorizer s3:GetObject RevocationBucket.Arn/revoked.json
        Revoker logs:CreateLogStream RevokerLogs.Arn
        Revoker logs:PutLogEvents RevokerLogs.Arn
        Revoker s3:GetObject RevocationBucket.Arn/revoked.json
        Revoker s3:PutObject RevocationBucket.Arn/revoked.json
        Revoker s3:ListBucket RevocationBucket.Arn
        """,
    ),
    (
        SHIFTING,
        """
        Deployment lambda:GetAlias AuthorizerFunction.Arn
        Deployment lambda:GetAlias AuthorizerFunction.Arn:*
        Deployment lambda:UpdateAlias AuthorizerFunction.Arn
        Deployment lambda:UpdateAlias AuthorizerFunction.Arn:*
        Deployment lambda:GetProvisionedConcurrencyConfig AuthorizerFunction.Arn
        Deployment lambda:GetProvisionedConcurrencyConfig AuthorizerFunction.Arn:*
        Deployment cloudwatch:DescribeAlarms *
        """,
    ),
    (
        READS | REFRESHER | STORES | {"EnvironmentKeyArn": COMPANY["EnvironmentKeyArn"]},
        """
        Refresher kms:Decrypt arn:aws:kms:eu-west-1:1:key/3 lambda.eu-west-1.*
        Refresher kms:GenerateDataKey arn:aws:kms:eu-west-1:1:key/1 s3.eu-west-1.*
        Revoker kms:Decrypt arn:aws:kms:eu-west-1:1:key/3 lambda.eu-west-1.*
        Revoker ssm:GetParameter arn:aws:ssm:eu-west-1:1:parameter/a
        Revoker ssm:GetParameter arn:aws:ssm:eu-west-1:1:parameter/b
        Revoker s3:GetObject arn:aws:s3:::bucket/a
        Revoker apigateway:DELETE arn:aws:apigateway:eu-west-1::/restapis/*/stages/*/cache/authorizers
        Revoker apigateway:DELETE arn:aws:apigateway:eu-west-1::/apis/*/stages/*/cache/authorizers
        """,
    ),
]
"""Options, and the rights that come with them, beside those of each option alone."""


@pytest.mark.parametrize(("options", "lines"), RIGHTS, ids=[" ".join(it) or "no option" for it, _ in RIGHTS])
def test_an_option_brings_the_rights_that_it_needs_and_no_others(
    template: Template, options: dict[str, str], lines: str
) -> None:
    alone = [rights(resolve(template, ISSUER | it)) for it, _ in RIGHTS if it.items() < options.items()]
    brought = rights(resolve(template, ISSUER | options)) - set().union(*alone)
    assert brought == {line.strip() for line in lines.strip().splitlines()}


def test_each_role_is_for_one_service(template: Template) -> None:
    roles = resolve(template, ISSUER | OTHERS | REFRESHER | SHIFTING).of_type("AWS::IAM::Role")
    services = dict.fromkeys(("AuthorizerRole", "RefresherRole", "RevokerRole"), "lambda") | {
        "DeploymentRole": "codedeploy"
    }
    assert {name: role["AssumeRolePolicyDocument"]["Statement"] for name, role in roles.items()} == {
        name: [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": f"{service}.amazonaws.com"}}]
        for name, service in services.items()
    }


@pytest.mark.parametrize("alias", [{}, ALIAS])
@pytest.mark.parametrize(
    ("apis", "account", "sources"),
    [
        ({}, "123456789012", ["*"]),
        ({"ApiId": "none"}, "123456789012", []),
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
