"""The Serverless Framework example, deployed to the local AWS by osls, the framework's open-source fork, and called.

The framework itself asks for a login since its version 4, so that it can't be run here; osls reads the same file.
"""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import Outputs, aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed, Stack
from demo.tools import REGION, ROOT, run
from tests.e2e.asking import ask, make_authorizer
from tests.e2e.node_tools import node_environment

EXAMPLE = ROOT / "examples" / "serverless-framework"
NAME = "orders-demo"


@pytest.fixture(scope="module")
def authorizer(stack: Stack) -> Outputs:
    parameters = {"JwtIssuer": stack.issuer.url, "JwtAudience": AUDIENCE, "JwtAllowHttp": "true"}
    return make_authorizer(stack, "serverless-authorizer", parameters).outputs


@pytest.fixture(scope="module")
def deployed(stack: Stack, authorizer: Outputs, osls: Path, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    folder = tmp_path_factory.mktemp("serverless")
    for name in ("serverless.yml", "handler.py"):
        shutil.copy(EXAMPLE / name, folder)
    environment = node_environment(
        folder, stack.aws, AUTHORIZER_ARN=authorizer["FunctionArn"], AWS_REGION=REGION, SLS_INTERACTIVE_SETUP_ENABLE="0"
    )
    run(
        ["/bin/sh", "-c", 'cd "$1" && exec "$0" deploy --stage demo', str(osls), str(folder)],
        environment,
        "osls deploy",
    )
    listed = aws_client("cloudformation", stack.aws).describe_stack_resources(StackName=NAME)["StackResources"]
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}
    outputs = {str(Api.REST): ids["ApiGatewayRestApi"], str(Api.HTTP): ids["HttpApi"]}
    return Deployed(Client(stack.aws, outputs), DecisionLog(stack.aws, authorizer["LogGroup"]))


def test_its_rest_api_lets_good_tokens_through_and_no_others(stack: Stack, deployed: Deployed) -> None:
    assert ask(deployed, Api.REST, stack.issuer.token(audience=AUDIENCE)) == (200, ["allow"])
    assert ask(deployed, Api.REST, stack.issuer.token(audience="other")) == (401, ["invalid_audience"])


@pytest.mark.usefixtures("deployed")
def test_only_the_stack_of_the_authorizer_lets_apis_call_it(stack: Stack) -> None:
    listed = aws_client("cloudformation", stack.aws).list_stack_resources(StackName=NAME)["StackResourceSummaries"]
    permissions = [each["LogicalResourceId"] for each in listed if each["ResourceType"] == "AWS::Lambda::Permission"]
    assert sorted(permissions) == ["OrdersLambdaPermissionApiGateway", "OrdersLambdaPermissionHttpApi"]


def test_its_http_api_lets_good_tokens_through_and_no_others(stack: Stack, deployed: Deployed) -> None:
    # The framework gives an HTTP API one stage, whatever its own is called.
    deployed = replace(deployed, client=replace(deployed.client, stage="$default"))
    assert ask(deployed, Api.HTTP, stack.issuer.token(audience=AUDIENCE)) == (200, ["allow"])
    assert ask(deployed, Api.HTTP, stack.issuer.token(audience="other")) == (403, ["invalid_audience"])
