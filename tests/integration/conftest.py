"""The deployed package, put together once, and the emulator that runs it."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from demo.tools import host_architecture
from tests.integration.certificates import Authority
from tests.integration.emulator import ROOT, Emulator, emulated, emulator_program, link_runtime


class Run(Protocol):
    """Starts the deployed function with these settings; the test's end stops it."""

    def __call__(self, **settings: str) -> Emulator:
        """Give the running function."""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Put together for this machine what `sam build` puts together."""
    folder = tmp_path_factory.mktemp("package")
    command = [sys.executable, "packaging/jwt_authorizer_packaging/assemble.py", "--into", str(folder)]
    command += ["--architecture", host_architecture()]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 - our own arguments
    return folder


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_runtime(tmp_path_factory.mktemp("lambda") / "runtime")


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    program = emulator_program()
    if program is None:
        pytest.skip("no runtime interface emulator: it is a Linux program that comes with SAM CLI (make setup)")
    package, runtime = request.getfixturevalue("package"), request.getfixturevalue("runtime")
    with contextlib.ExitStack() as running:

        def start(**settings: str) -> Emulator:
            return running.enter_context(emulated(program, package, runtime, settings, tmp_path))

        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))
