"""The CDK example: synthesised by the CDK's own command, compared with the template, deployed, and called."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed
from demo.tools import ROOT, host_architecture
from devkit.routes.documents import read_document
from tests.e2e.asking import ask
from tests.e2e.cloudformation import make_stack
from tests.e2e.node_tools import COMMANDS, node_environment

if TYPE_CHECKING:
    from pathlib import Path

    from demo.stack import Stack

EXAMPLE = COMMANDS["cdk"]
PYTHON = ROOT / ".venvs" / "cdk" / "bin" / "python"
NAME = "OrdersApis"


@dataclass(frozen=True)
class Synthesised:
    folder: Path
    settings: dict[str, object]

    @cached_property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{NAME}.template.json").read_text("utf-8"))
        return found

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Give the properties of the resources of a type."""
        return {name: each["Properties"] for name, each in self.template["Resources"].items() if each["Type"] == kind}

    @property
    def function(self) -> tuple[str, dict[str, Any]]:
        functions = self.resources("AWS::Lambda::Function").items()
        ((name, properties),) = [(name, each) for name, each in functions if each["Handler"].startswith("authorizer.")]
        return name, properties


@pytest.fixture(scope="module")
def synthesised(stack: Stack, release: Path, cdk: Path, tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    folder = tmp_path_factory.mktemp("synthesised")
    (package,) = release.glob(f"*-{host_architecture()}.zip")
    settings: dict[str, object] = {
        "issuer": stack.issuer.url,
        "audience": [AUDIENCE],
        "required_claims": {"tenant": ["acme", "example"]},
        "allow_http": True,
    }
    context = {"package": package, "architecture": host_architecture(), "settings": json.dumps(settings)}
    command = [str(cdk), "synth", "--quiet", "--no-notices", "--output", str(folder / "out")]
    command += ["--app", f"{PYTHON} app.py"]
    for name, value in context.items():
        command += ["--context", f"{name}={value}"]
    environment = node_environment(folder)
    done = subprocess.run(command, cwd=EXAMPLE, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stderr
    return Synthesised(folder / "out", settings)


def test_settings_become_the_variables_that_the_function_reads(synthesised: Synthesised) -> None:
    _, function = synthesised.function
    assert function["Environment"]["Variables"] == {
        "JWT_ISSUER": synthesised.settings["issuer"],
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_REQUIRED_CLAIMS": '{"tenant": ["acme", "example"]}',
        "JWT_ALLOW_HTTP": "true",
    }


def test_the_function_is_that_of_the_template(synthesised: Synthesised) -> None:
    template: dict[str, Any] = read_document((ROOT / "template.yaml").read_text("utf-8"))
    ours, (_, function) = template["Resources"]["AuthorizerFunction"]["Properties"], synthesised.function
    for name in ("Handler", "Runtime", "Timeout"):
        assert function[name] == ours[name]
    assert function["MemorySize"] == template["Parameters"]["MemorySize"]["Default"]
    (log,) = synthesised.resources("AWS::Logs::LogGroup").values()
    assert log["RetentionInDays"] == template["Parameters"]["LogRetentionDays"]["Default"]


def test_the_role_may_write_its_log_and_no_more(synthesised: Synthesised) -> None:
    _, function = synthesised.function
    role = function["Role"]["Fn::GetAtt"][0]
    assert "ManagedPolicyArns" not in synthesised.resources("AWS::IAM::Role")[role]
    (log,) = synthesised.resources("AWS::Logs::LogGroup")
    given = [
        (statement["Action"], statement["Resource"])
        for policy in synthesised.resources("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert given == [(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [log, "Arn"]})]


def test_only_the_authorizers_of_these_apis_may_call(synthesised: Synthesised) -> None:
    name, _ = synthesised.function
    apis = {*synthesised.resources("AWS::ApiGateway::RestApi"), *synthesised.resources("AWS::ApiGatewayV2::Api")}
    allowed = set()
    for permission in synthesised.resources("AWS::Lambda::Permission").values():
        if permission["FunctionName"] == {"Fn::GetAtt": [name, "Arn"]}:
            assert permission["Principal"] == "apigateway.amazonaws.com"
            *_, colon, api, words, authorizer = permission["SourceArn"]["Fn::Join"][1]
            assert (colon, words) == (":", "/authorizers/")
            assert authorizer["Ref"] in synthesised.template["Resources"]
            allowed.add(api["Ref"])
    assert allowed == apis


@pytest.fixture(scope="module")
def deployed(stack: Stack, synthesised: Synthesised) -> Deployed:
    """Deploy the template as it was synthesised; its assets go where `cdk deploy` would put them."""
    assets = json.loads((synthesised.folder / f"{NAME}.assets.json").read_text("utf-8"))["files"]
    s3 = aws_client("s3", stack.aws)
    for asset in assets.values():
        for place in asset["destinations"].values():
            bucket = re.sub(r"\$\{AWS::AccountId\}", "000000000000", place["bucketName"])
            bucket = re.sub(r"\$\{AWS::Region\}", "us-east-1", bucket)
            s3.create_bucket(Bucket=bucket)
            s3.upload_file(str(synthesised.folder / asset["source"]["path"]), bucket, place["objectKey"])
    aws_client("ssm", stack.aws).put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    outputs = make_stack(stack.aws, NAME, json.dumps(synthesised.template), {}).outputs
    return Deployed(Client(stack.aws, outputs), DecisionLog(stack.aws, outputs["LogGroup"]))


@pytest.mark.parametrize("api", [Api.REST, Api.HTTP])
def test_its_apis_let_good_tokens_through_and_no_others(stack: Stack, deployed: Deployed, api: Api) -> None:
    good = stack.issuer.token({"tenant": "acme"}, audience=AUDIENCE)
    assert ask(deployed, api, good) == (200, ["allow"])
    other = stack.issuer.token({"tenant": "other"}, audience=AUDIENCE)
    assert ask(deployed, api, other) == (401 if api is Api.REST else 403, ["invalid_claim"])


def test_its_websocket_api_connects_with_a_good_token(stack: Stack, deployed: Deployed) -> None:
    token = stack.issuer.token({"tenant": "acme"}, audience=AUDIENCE)
    answer = deployed.client.talk({"Authorization": f"Bearer {token}"})
    assert answer.status == 101
    assert json.loads(answer.body)["sub"] == "user-1"
