"""The CDK example: synthesized by the CDK's own command, compared with the template, deployed, and called."""

from __future__ import annotations

import json
import re
import shutil
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
from tests.e2e.asking import ask
from tests.e2e.cloudformation import make_stack
from tests.e2e.node_tools import node_environment

if TYPE_CHECKING:
    from pathlib import Path

    from demo.stack import Stack

# The first test waits for a local AWS and npm, and then for the CDK: a minute, where nothing else runs.
pytestmark = pytest.mark.timeout(300)

EXAMPLE = ROOT / "examples" / "cdk"
PYTHON = ROOT / ".venvs" / "examples" / "bin" / "python"
NAME = "OrdersApis"
PARAMETER = "arn:aws:ssm:us-east-1:123456789012:parameter/jwt/rules"
OBJECT = "arn:aws:s3:::rules/rules.toml"
MORE = {
    "snapStart": "on",
    "readableParameters": json.dumps([PARAMETER]),
    "readableObjects": json.dumps([OBJECT]),
}
TWICE = f"""
# The example as it is, then with more in its context. Together, since starting the CDK is most of the time.
import sys
import app
import aws_cdk

with_more = aws_cdk.App(outdir=sys.argv[1], post_cli_context={MORE!r})
app.Apis(with_more, {NAME!r})
with_more.synth()
"""


@dataclass(frozen=True)
class Synthesized:
    folder: Path
    settings: dict[str, object]

    @cached_property
    def template(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / f"{NAME}.template.json").read_text("utf-8"))
        return found

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Give the properties of the resources of a type."""
        return {name: each["Properties"] for name, each in self.template["Resources"].items() if each["Type"] == kind}

    def resource(self, name: str) -> dict[str, Any]:
        """Give the properties of one resource."""
        found: dict[str, Any] = self.template["Resources"][name]["Properties"]
        return found

    @property
    def function(self) -> tuple[str, dict[str, Any]]:
        functions = self.resources("AWS::Lambda::Function").items()
        ((name, properties),) = [
            (name, each) for name, each in functions if each["Handler"].startswith("jwt_authorizer.")
        ]
        return name, properties

    @property
    def rights(self) -> list[tuple[Any, Any]]:
        """Give the actions of the function's role, each with what it may do them to."""
        _, function = self.function
        role = function["Role"]["Fn::GetAtt"][0]
        assert "ManagedPolicyArns" not in self.resource(role)
        return [
            (statement["Action"], statement["Resource"])
            for policy in self.resources("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def callers(self, function: dict[str, Any]) -> set[str]:
        """Give the APIs whose authorizers may call a function, or an alias, that the template names so."""
        allowed = set()
        for permission in self.resources("AWS::Lambda::Permission").values():
            if permission["FunctionName"] == function:
                assert permission["Principal"] == "apigateway.amazonaws.com"
                *_, colon, api, words, authorizer = permission["SourceArn"]["Fn::Join"][1]
                assert (colon, words) == (":", "/authorizers/")
                assert authorizer["Ref"] in self.template["Resources"]
                allowed.add(api["Ref"])
        return allowed


@pytest.fixture(scope="module")
def package(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Zip what `sam build` made, as the zip of a release is made."""
    built = stack.deployer.build_folder / "AuthorizerFunction"
    return shutil.make_archive(str(tmp_path_factory.mktemp("package") / "authorizer"), "zip", built)


@pytest.fixture(scope="module")
def synthesized(stack: Stack, cdk: Path, package: str, tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    folder = tmp_path_factory.mktemp("synthesized")
    settings: dict[str, object] = {
        "issuer": stack.issuer.url,
        "audience": [AUDIENCE],
        "required_claims": {"tenant": ["acme", "example"]},
        "allow_http": True,
    }
    context = {"package": package, "architecture": host_architecture(), "settings": json.dumps(settings)}
    (folder / "twice.py").write_text(TWICE)
    command = [str(cdk), "synth", "--quiet", "--no-notices", "--output", str(folder / "out")]
    command += ["--app", f"{PYTHON} {folder}/twice.py {folder}/with_more"]
    for name, value in context.items():
        command += ["--context", f"{name}={value}"]
    environment = node_environment(folder, PYTHONPATH=str(EXAMPLE))
    done = subprocess.run(command, cwd=EXAMPLE, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stderr
    return Synthesized(folder / "out", settings)


@pytest.fixture(scope="module")
def with_more(synthesized: Synthesized) -> Synthesized:
    return Synthesized(synthesized.folder.parent / "with_more", synthesized.settings)


def test_the_role_may_write_its_log_and_no_more(synthesized: Synthesized) -> None:
    (log,) = synthesized.resources("AWS::Logs::LogGroup")
    assert synthesized.rights == [(["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [log, "Arn"]})]


def test_only_the_authorizers_of_these_apis_may_call(synthesized: Synthesized) -> None:
    name, _ = synthesized.function
    apis = {*synthesized.resources("AWS::ApiGateway::RestApi"), *synthesized.resources("AWS::ApiGatewayV2::Api")}
    assert synthesized.callers({"Fn::GetAtt": [name, "Arn"]}) == apis


def test_the_role_may_read_what_it_is_given_and_no_more(with_more: Synthesized) -> None:
    (log,) = with_more.resources("AWS::Logs::LogGroup")
    assert with_more.rights == [
        (["logs:CreateLogStream", "logs:PutLogEvents"], {"Fn::GetAtt": [log, "Arn"]}),
        ("ssm:GetParameter", PARAMETER),
        ("s3:GetObject", OBJECT),
    ]


def test_with_snap_start_apis_call_the_alias_of_a_version_and_may_call_nothing_else(with_more: Synthesized) -> None:
    name, function = with_more.function
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    ((alias, described),) = with_more.resources("AWS::Lambda::Alias").items()
    version, attribute = described["FunctionVersion"]["Fn::GetAtt"]
    assert (described["Name"], attribute) == ("live", "Version")
    assert with_more.resource(version)["FunctionName"] == {"Ref": name}
    apis = {*with_more.resources("AWS::ApiGateway::RestApi"), *with_more.resources("AWS::ApiGatewayV2::Api")}
    assert with_more.callers({"Ref": alias}) == apis
    assert with_more.callers({"Fn::GetAtt": [name, "Arn"]}) == set()
    rest = with_more.resources("AWS::ApiGateway::Authorizer").values()
    authorizers = [*rest, *with_more.resources("AWS::ApiGatewayV2::Authorizer").values()]
    assert len(authorizers) == len(apis)
    for authorizer in authorizers:
        assert {"Ref": alias} in uri_parts(authorizer["AuthorizerUri"])


def uri_parts(uri: dict[str, Any]) -> list[Any]:
    parts: list[Any] = uri["Fn::Join"][1]
    return parts


@pytest.fixture(scope="module")
def deployed(stack: Stack, synthesized: Synthesized) -> Deployed:
    """Deploy the template as it was synthesized; its assets go where `cdk deploy` would put them."""
    assets = json.loads((synthesized.folder / f"{NAME}.assets.json").read_text("utf-8"))["files"]
    s3 = aws_client("s3", stack.aws)
    for asset in assets.values():
        for place in asset["destinations"].values():
            bucket = re.sub(r"\$\{AWS::AccountId\}", "000000000000", place["bucketName"])
            bucket = re.sub(r"\$\{AWS::Region\}", "us-east-1", bucket)
            s3.create_bucket(Bucket=bucket)
            s3.upload_file(str(synthesized.folder / asset["source"]["path"]), bucket, place["objectKey"])
    aws_client("ssm", stack.aws).put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    # What the local AWS refuses to make. It sends a WebSocket's answers without it.
    resources = synthesized.template["Resources"].items()
    known = {name: each for name, each in resources if each["Type"] != "AWS::ApiGatewayV2::RouteResponse"}
    template = json.dumps({**synthesized.template, "Resources": known})
    outputs = make_stack(stack.aws, NAME, template, {}).outputs
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
