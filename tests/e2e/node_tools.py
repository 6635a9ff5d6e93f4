"""What of Node the tests run: commands that examples are deployed with, an issuer, clients. `make` installs it."""

import contextlib
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.local_aws import LocalAws
from demo.tools import ROOT, clean_environment

_SECONDS_TO_START = 45


def node_environment(folder: Path, aws: LocalAws | None = None, **more: str) -> dict[str, str]:
    """Give an environment in which such a command writes nothing outside of ``folder``, and tells nobody of its use."""
    return clean_environment(
        folder,
        aws.endpoint if aws else None,
        HOME=str(folder),
        NODE_NO_WARNINGS="1",
        CDK_DISABLE_CLI_TELEMETRY="true",
        SLS_TELEMETRY_DISABLED="1",
        **more,
    )


def installed(name: str) -> Path:
    """Give the folder of the packages that a lock file in a folder of this name pins. Skips where there is no Node."""
    packages = ROOT / ".venvs" / "node" / name / "node_modules"
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip(f"no Node on this machine: {name} is for it")
    if not packages.is_dir():
        pytest.fail(f"{packages} is missing: run `make .venvs/node/.made`, which installs it")
    return packages


def script(source: Path, folder: Path, packages: str) -> list[str]:
    """Put a script beside its packages in a folder of the test; give the command that runs it."""
    (folder / "node_modules").symlink_to(installed(packages))
    shutil.copy(source, folder)
    return [str(shutil.which("node")), str(folder / source.name)]


@contextlib.contextmanager
def announced(command: list[str], environment: dict[str, str]) -> Iterator[str]:
    """Run a server while the context lasts; give the first line that it prints: its URL.

    One that prints nothing in time is started once more: on a busy machine Node was once silent for two minutes.
    """
    with tempfile.TemporaryFile("w+") as errors:
        for _ in range(2):
            with subprocess.Popen(  # noqa: S603 - our own arguments
                command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            ) as process:
                try:
                    assert process.stdout is not None
                    said, _, _ = select.select([process.stdout], [], [], _SECONDS_TO_START)
                    if said and (line := process.stdout.readline().strip()):
                        yield line
                        return
                finally:
                    process.kill()
        errors.seek(0)
        pytest.fail(f"{command[1]} printed no line in {_SECONDS_TO_START} s, twice; it said: {errors.read()}")
