"""The Serverless Framework example, deployed to the local AWS by osls, the framework's open-source fork, and called.

The framework itself asks for a login since its version 4, so that it can't be run here; osls reads the same file.
"""

import shutil
from dataclasses import replace

import pytest

from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed, Stack
from demo.tools import REGION, ROOT, run
from tests.e2e.asking import ask, make_authorizer
from tests.e2e.node_tools import installed, node_environment

EXAMPLE = ROOT / "examples" / "serverless-framework"


@pytest.fixture(scope="module")
def deployed(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    parameters = {"JwtIssuer": stack.issuer.url, "JwtAudience": AUDIENCE, "JwtAllowHttp": "true"}
    authorizer = make_authorizer(stack, "serverless-authorizer", parameters).outputs
    folder = tmp_path_factory.mktemp("serverless")
    for name in ("serverless.yml", "handler.py"):
        shutil.copy(EXAMPLE / name, folder)
    environment = node_environment(
        folder, stack.aws, AUTHORIZER_ARN=authorizer["FunctionArn"], AWS_REGION=REGION, SLS_INTERACTIVE_SETUP_ENABLE="0"
    )
    osls = str(installed("serverless-framework") / ".bin" / "osls")
    command = ["/bin/sh", "-c", 'cd "$1" && exec "$0" deploy --stage demo', osls, str(folder)]
    run(command, environment, "osls deploy")
    listed = aws_client("cloudformation", stack.aws).describe_stack_resources(StackName="orders-demo")["StackResources"]
    # Nobody but the stack of the authorizer lets APIs call it.
    permissions = {it["LogicalResourceId"] for it in listed if it["ResourceType"] == "AWS::Lambda::Permission"}
    assert permissions == {"OrdersLambdaPermissionApiGateway", "OrdersLambdaPermissionHttpApi"}
    ids = {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in listed}
    outputs = {str(Api.REST): ids["ApiGatewayRestApi"], str(Api.HTTP): ids["HttpApi"]}
    return Deployed(Client(stack.aws, outputs), DecisionLog(stack.aws, authorizer["LogGroup"]))


# The framework gives an HTTP API one stage, whatever its own is called.
@pytest.mark.parametrize(("api", "stage", "refused"), [(Api.REST, "demo", 401), (Api.HTTP, "$default", 403)])
def test_its_apis_let_good_tokens_through_and_no_others(
    stack: Stack, deployed: Deployed, api: Api, stage: str, refused: int
) -> None:
    deployed = replace(deployed, client=replace(deployed.client, stage=stage))
    assert ask(deployed, api, stack.issuer.token(audience=AUDIENCE)) == (200, ["allow"])
    assert ask(deployed, api, stack.issuer.token(audience="other")) == (refused, ["invalid_audience"])
