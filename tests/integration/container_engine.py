"""A Docker engine for ``sam local``, where one can be had.

Plain Docker, if it runs and can get Lambda's image; else a stand-in for machines that can pull no image, where there is
one: two programs in the folder that ``TEST_CONTAINER_ENGINE`` names, or in ``../*/sam-local``. ``up`` starts an engine
that has the image, and prints ``DOCKER_HOST=…``; ``down`` ends it. The engine's socket is ``docker.sock`` in the folder
``SAM_LOCAL_STATE``.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from demo.tools import host_architecture
from tests.beside import beside

if TYPE_CHECKING:
    from collections.abc import Iterator

_STAND_IN = "TEST_CONTAINER_ENGINE"
_START_SECONDS = 500
_END_SECONDS = 20


@contextlib.contextmanager
def container_engine() -> Iterator[str | None]:
    """Give ``DOCKER_HOST`` (``None``: Docker's own default) while the block runs; skip the test where there is none."""
    if _answers():
        image = f"public.ecr.aws/lambda/python:3.13-{host_architecture()}"
        if not _works(["docker", "image", "inspect", image], 10) and not _works(["docker", "pull", image], 300):
            pytest.skip(f"Docker runs, but the image of Lambda's runtime cannot be pulled ({image})")
        yield None
        return
    stand_in = beside("sam-local", _STAND_IN)
    if stand_in is None or not all((stand_in / name).is_file() for name in ("up", "down")):
        pytest.skip(
            f"no Docker here: none answers, and {_STAND_IN} names no folder with programs that start and end one"
        )
    suits = os.geteuid() == 0 and Path("/etc/debian_version").exists() and host_architecture() == "x86_64"
    if _STAND_IN not in os.environ and not suits:
        pytest.skip(f"no Docker here: none answers, and {stand_in} needs root on Debian and x86_64")
    ours, engine = _start(stand_in)
    try:
        yield engine
    finally:
        if ours:
            _works([str(stand_in / "down")], _END_SECONDS)
            _wait_until_gone(engine)


def _start(stand_in: Path) -> tuple[bool, str]:
    """Start it and say whether it was us; one that runs already belongs to somebody."""
    usual = f"unix://{os.environ.get('SAM_LOCAL_STATE', '/var/tmp/sam-local')}/docker.sock"  # noqa: S108 - its own default
    ours = not _answers(usual)
    started = subprocess.run(  # noqa: S603 - a program of whoever has it there
        [str(stand_in / "up")], check=False, capture_output=True, text=True, timeout=_START_SECONDS
    )
    found = re.search(r"\bDOCKER_HOST=(\S+)", started.stdout)
    if started.returncode != 0 or found is None:
        pytest.skip(f"no Docker here: {stand_in / 'up'} failed: {started.stderr.strip().rpartition('\n')[2]}")
    return ours, found[1]


def _wait_until_gone(engine: str) -> None:
    deadline = time.monotonic() + _END_SECONDS
    while _answers(engine) and time.monotonic() < deadline:
        time.sleep(0.1)


def _answers(engine: str | None = None) -> bool:
    return _works(["docker", *(["--host", engine] if engine else []), "version"], 10)


def _works(command: list[str], seconds: float) -> bool:
    """Say whether a program exists, succeeds and takes no longer."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(command, check=False, capture_output=True, timeout=seconds).returncode == 0  # noqa: S603 - our own arguments
    return False
