"""Another authorizer beside the demo's, with the demo's APIs; calling them, and reading what the authorizer logged."""

import time
from collections.abc import Mapping

import urllib3
from urllib3 import BaseHTTPResponse

from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import DEMO_TEMPLATE
from demo.local_aws import LocalAws
from demo.stack import Deployed, Stack
from demo.tools import ACCESS_KEY, REGION, SECRET_KEY, host_architecture
from jwt_authorizer_devkit.routes.documents import mapping
from tests.e2e.cloudformation import Made, make_stack, packaged_template


def make_authorizer(stack: Stack, name: str, parameters: Mapping[str, str]) -> Made:
    """Make an authorizer of the package that ``sam deploy`` uploaded for the demo."""
    given = {"Architecture": host_architecture(), **parameters}
    return make_stack(stack.aws, name, packaged_template(stack.aws, "demo-authorizer"), given)


def make_apis(stack: Stack, authorizer: Made, parameters: Mapping[str, str] | None = None) -> Deployed:
    """Make the demo's APIs, which ask this authorizer."""
    given = {"AuthorizerArn": authorizer.outputs["FunctionArn"], "RouteResponses": "off", **(parameters or {})}
    client = Client(stack.aws, make_stack(stack.aws, f"{authorizer.name}-apis", DEMO_TEMPLATE, given).outputs)
    return Deployed(client, DecisionLog(stack.aws, authorizer.outputs["LogGroup"]))


def ask(deployed: Deployed, api: Api, token: str, path: str = "/orders") -> tuple[int, list[object]]:
    """Return the status, and the authorizer's decisions: none where API Gateway had an answer in its cache."""
    deployed.log.new()
    started = int(time.time() * 1000)
    answer = deployed.client.call(api, "GET", path, {"Authorization": f"Bearer {token}"})
    # A line of the call before may come to the log late.
    lines = [line for line in deployed.log.new() if int(str(mapping(line["_aws"])["Timestamp"])) >= started]
    return answer.status, [line.get("reason") or line["decision"] for line in lines]


def post_form(url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> BaseHTTPResponse:
    """Send a form, as clients of OAuth do."""
    client = urllib3.PoolManager(retries=False)
    return client.request("POST", url, fields=form, encode_multipart=False, headers=headers)


def aws_variables(aws: LocalAws) -> dict[str, str]:
    """Return the environment in which AWS's SDK finds the local AWS."""
    return {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    }
