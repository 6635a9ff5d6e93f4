"""One deployment for all: the demo's stack. Beside it the examples, and what tests make of its package."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.stack import Stack, running_stack
from demo.tools import ROOT, Tools
from tests.e2e.asking import aws_variables
from tests.e2e.examples import Examples


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with running_stack(Tools(), lambda _: contextlib.nullcontext()) as running:
        yield running


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a release, as `make release` does; give its folder."""
    dist = tmp_path_factory.mktemp("release") / "dist"
    command = [sys.executable, "-m", "jwt_authorizer_packaging.release", "--into", str(dist)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 0, done.stderr
    return dist


@pytest.fixture(scope="session")
def examples(stack: Stack) -> Examples:
    return Examples(stack)


@pytest.fixture
def at_the_local_aws(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let AWS's SDK in this process find the local AWS."""
    for name, value in aws_variables(stack.aws).items():
        monkeypatch.setenv(name, value)
