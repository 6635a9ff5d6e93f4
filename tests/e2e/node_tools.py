"""Commands for Node that examples are deployed with, installed from an example's lock file into a folder of a test."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.tools import ROOT, clean_environment, run

if TYPE_CHECKING:
    from demo.local_aws import LocalAws

COMMANDS = {"cdk": ROOT / "examples" / "cdk", "osls": ROOT / "examples" / "serverless-framework"}
"""The commands, and the examples whose lock files pin them."""


def node_environment(folder: Path, aws: LocalAws | None = None, **more: str) -> dict[str, str]:
    """Give an environment in which such a command writes nothing outside of ``folder``, and tells nobody of its use."""
    return clean_environment(
        folder,
        aws.endpoint if aws else None,
        HOME=str(folder),
        NPM_CONFIG_USERCONFIG=str(Path.home() / ".npmrc"),  # where npm is told of an index
        NODE_NO_WARNINGS="1",
        CDK_DISABLE_CLI_TELEMETRY="true",
        JSII_RUNTIME_PACKAGE_CACHE_ROOT=str(folder / "jsii"),
        SLS_TELEMETRY_DISABLED="1",
        **more,
    )


def install(command: str, folder: Path) -> Path:
    """Install a command; give its path. Skips where there is no Node."""
    install_locked(COMMANDS[command], folder)
    return folder / "node_modules" / ".bin" / command


def install_locked(project: Path, folder: Path) -> None:
    """Install what a project's lock file names, into another folder. Skips where there is no Node."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip(f"no Node on this machine: {project.name} is for it")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(project / name, folder)
    ci = [npm, "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder)]
    run(ci, node_environment(folder), f"npm ci for {project.name}")
