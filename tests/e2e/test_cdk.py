"""The CDK's construct: compiled by jsii, synthesized from Python, compared with the template, deployed."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo.calls import Api, Client
from demo.decisions import DecisionLog
from demo.deployment import aws_client
from demo.scenarios import AUDIENCE
from demo.stack import Deployed, Stack
from demo.tools import ROOT, host_architecture
from jwt_authorizer_devkit.routes.documents import read_document
from jwt_authorizer_packaging.cdk import CONSTRUCT, fill_construct
from jwt_authorizer_packaging.template import template
from tests.e2e.asking import ask
from tests.e2e.cloudformation import make_stack
from tests.e2e.node_tools import installed, node_environment

# The first test waits for a local AWS, then for jsii and the CDK: a minute, where nothing else runs.
pytestmark = pytest.mark.timeout(300)

EXAMPLE = ROOT / "examples" / "cdk"
PYTHON = ROOT / ".venvs" / "examples" / "bin" / "python"
SCRIPT = ROOT / "tests" / "e2e" / "cdk" / "refused.js"
NAME = "OrdersApis"
REFUSED = {
    '{"issuer": "x", "cachedBy": "path"}': "cachedBy must be one of token, route, nothing, and is path",
    '{"issuer": "x", "memorySize": 64}': "memorySize must be from 128 to 10240, and is 64",
    '{"issuer": "x", "apiId": "a/b"}': r"apiId must match \*|none|[a-z0-9]+, and is a/b",
    '{"issuer": "x", "architecture": "arm"}': "architecture must be arm64 or x86_64, and is arm",
}


class Synthesized:
    """What the CDK wrote: the template of a stack, the nested stack in it, and the files that get these keys."""

    def __init__(self, folder: Path, name: str) -> None:
        self.template = json.loads((folder / f"{name}.template.json").read_text("utf-8"))
        files = json.loads((folder / f"{name}.assets.json").read_text("utf-8"))["files"].values()
        self.assets = {
            place["objectKey"]: folder / it["source"]["path"] for it in files for place in it["destinations"].values()
        }
        ((self.nested, properties),) = self.resources("AWS::CloudFormation::Stack").items()
        self.parameters: dict[str, Any] = properties["Parameters"]
        key = properties["TemplateURL"]["Fn::Sub"].rpartition("/")[2]
        self.nested_template: dict[str, Any] = read_document(self.assets[key].read_text("utf-8"))

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of the resources of a type."""
        return {name: each["Properties"] for name, each in self.template["Resources"].items() if each["Type"] == kind}


def run(*command: str | Path, folder: Path, python_path: str = "") -> str:
    environment = node_environment(
        folder,
        JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION="1",
        # Kept for the next run, like the bytecode of the CDK: it takes half a minute to make both.
        JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(ROOT / ".build" / "jsii"),
        PYTHONDONTWRITEBYTECODE="",
        PYTHONPATH=python_path,
    )
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def construct(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the construct, with what `sam build` made as its package."""
    folder = tmp_path_factory.mktemp("cdk") / CONSTRUCT
    built = stack.deployer.build_folder / "AuthorizerFunction"
    package = Path(shutil.make_archive(str(folder.parent / "package"), "zip", built))
    fill_construct(folder, {host_architecture(): package})
    (folder / "node_modules").symlink_to(installed(CONSTRUCT))
    run("node_modules/.bin/jsii", folder=folder)
    return folder


def test_what_the_template_would_refuse_fails_at_synthesis(construct: Path) -> None:
    shutil.copy(SCRIPT, construct)
    wrong = (json.dumps({"architecture": host_architecture(), **json.loads(text)}) for text in REFUSED)
    assert json.loads(run("node", SCRIPT.name, *wrong, folder=construct)) == list(REFUSED.values())


@pytest.fixture(scope="module")
def synthesized(stack: Stack, construct: Path) -> Synthesized:
    """Make the package for Python, and have the CDK's own command run the example with it."""
    run("node_modules/.bin/jsii-pacmak", "--code-only", "--targets", "python", folder=construct)
    properties = {
        "architecture": host_architecture(),
        "issuer": stack.issuer.url,
        "audience": [AUDIENCE, "another"],
        "required_claims": {"tenant": ["acme", "example"]},
        "context_claims": {"company": "tenant"},
        "leeway_seconds": 5,
        "allow_http": True,
        "alarms": False,  # the local AWS has none that calculate
    }
    folder = construct.parent / "example"
    shutil.copytree(EXAMPLE, folder)
    settings = json.loads((folder / "cdk.json").read_text("utf-8"))
    settings["context"]["authorizer"] = properties
    (folder / "cdk.json").write_text(json.dumps(settings | {"app": f"{PYTHON} app.py"}))
    python_path = str(construct / "dist" / "python" / "src")
    run(installed("cdk") / ".bin" / "cdk", "synth", "--quiet", "--no-notices", folder=folder, python_path=python_path)
    return Synthesized(folder / "cdk.out", NAME)


def test_the_nested_stack_is_the_template_that_sam_and_terraform_deploy(synthesized: Synthesized) -> None:
    ours, theirs = synthesized.nested_template, template()
    for resource in theirs["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource.pop("Metadata")
            resource["Properties"]["CodeUri"] = {"Bucket": {"Ref": "PackageBucket"}, "Key": {"Ref": "PackageKey"}}
    for section in ("Transform", "Conditions", "Mappings", "Outputs", "Resources", "Rules"):
        assert ours[section] == theirs[section]
    assert ours["Parameters"].keys() == theirs["Parameters"].keys() | {"PackageBucket", "PackageKey"}


def test_properties_become_the_templates_parameters(stack: Stack, synthesized: Synthesized) -> None:
    package = {name: synthesized.parameters[name] for name in ("PackageBucket", "PackageKey")}
    assert package["PackageKey"] in synthesized.assets
    assert synthesized.parameters == package | {
        "ApiId": "none",
        "ServiceName": NAME,
        "JwtIssuer": stack.issuer.url,
        "JwtAudience": f"{AUDIENCE},another",
        "JwtRequiredClaims": '{"tenant":["acme","example"]}',
        "JwtContextClaims": "company=tenant",
        "JwtLeewaySeconds": "5",
        "JwtAllowHttp": "true",
        "Alarms": "off",
    }


def test_only_the_authorizers_of_these_apis_may_call(synthesized: Synthesized) -> None:
    function = {"Fn::GetAtt": [synthesized.nested, "Outputs.FunctionArn"]}
    permissions = synthesized.resources("AWS::Lambda::Permission").values()
    allowed = set()
    for permission in [it for it in permissions if it["FunctionName"] == function]:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        *_, colon, api, words, authorizer = permission["SourceArn"]["Fn::Join"][1]
        assert (colon, words) == (":", "/authorizers/")
        assert authorizer["Ref"] in synthesized.template["Resources"]
        allowed.add(api["Ref"])
    apis = [synthesized.resources(kind) for kind in ("AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api")]
    assert allowed == {name for kind in apis for name in kind}


@pytest.fixture(scope="module")
def deployed(stack: Stack, synthesized: Synthesized) -> Deployed:
    """Deploy the template as it was synthesized; its assets go where `cdk deploy` would put them."""
    s3 = aws_client("s3", stack.aws)
    bucket = "cdk-hnb659fds-assets-000000000000-us-east-1"
    s3.create_bucket(Bucket=bucket)
    for key, path in synthesized.assets.items():
        s3.upload_file(str(path), bucket, key)
    # The local AWS runs no transform within a nested stack, so that is made first, and its outputs are put in.
    name = synthesized.nested
    given = {key: it if isinstance(it, str) else bucket for key, it in synthesized.parameters.items()}
    authorizer = make_stack(stack.aws, f"{NAME}-authorizer", json.dumps(synthesized.nested_template), given)
    resources = {
        key: it
        for key, it in synthesized.template["Resources"].items()
        # What the local AWS refuses to make. It sends a WebSocket's answers without it.
        if key != name and it["Type"] != "AWS::ApiGatewayV2::RouteResponse"
    }
    text = json.dumps({**synthesized.template, "Resources": resources})
    for key, value in authorizer.outputs.items():
        text = text.replace(json.dumps({"Fn::GetAtt": [name, f"Outputs.{key}"]}), json.dumps(value))
    aws_client("ssm", stack.aws).put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    outputs = make_stack(stack.aws, NAME, text, {}).outputs
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
