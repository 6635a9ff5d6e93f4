"""The commands of the pages of examples/ deploy them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from demo.tools import ROOT, Tools, clean_environment
from tests.e2e.aws_commands import run_command
from tests.unit.pages import EXAMPLES, blocks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from demo.stack import Stack


def test_the_commands_of_a_page_deploy_its_example(stack: Stack, tmp_path: Path) -> None:
    # All pages have the same ones (tests/unit/test_examples.py); one of them is tried as it stands.
    first, described, second = commands(EXAMPLES / "rest-token" / "README.md")
    folder = checkout(tmp_path, stack.deployer.build_folder)
    sam(stack, folder, first.removeprefix("sam build && "), {})
    variable, _, command = described.partition("=")
    authorizer = run_command(stack.aws, command.removeprefix("$(").removesuffix(")"), {})
    sam(stack, folder, second, {f"${variable}": authorizer})
    query = "Stacks[0].[StackStatus, Parameters[?ParameterKey=='AuthorizerArn'].ParameterValue | [0]]"
    describe = f'aws cloudformation describe-stacks --stack-name rest-token-api --query "{query}"'
    assert run_command(stack.aws, describe, {}) == ["CREATE_COMPLETE", authorizer]


def commands(page: Path) -> list[str]:
    (block,) = [each for each in blocks("sh", page=page) if "sam build" in each.text]
    return [re.sub(r"\s+", " ", each) for each in block.text.replace("\\\n", " ").strip().splitlines()]


def checkout(folder: Path, built: Path) -> Path:
    """Lay out the repository's top as it is after `sam build`."""
    for name in ("template.yaml", "samconfig.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(EXAMPLES, folder / "examples")
    (folder / ".aws-sam").mkdir()
    (folder / ".aws-sam" / "build").symlink_to(built)
    return folder


def sam(stack: Stack, folder: Path, command: str, variables: Mapping[str, str]) -> None:
    program, *arguments = shlex.split(command)
    assert program == "sam"
    given = [re.sub(r"\$\w+", lambda found: variables[found[0]], argument) for argument in arguments]
    run = subprocess.run(  # noqa: S603 - our own arguments
        [str(Tools().sam), *given],
        cwd=folder,
        env=clean_environment(stack.deployer.folder, stack.aws.endpoint),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert run.returncode == 0, run.stdout + run.stderr
