"""The deployed package under Lambda's own runtime client, as the runtime interface emulator drives it.

The emulator comes with SAM CLI, the runtime client (``awslambdaric``) is the one in Lambda's image. Python
sees the package and that client alone (``-S``), so what the package lacks is missing here as well.
"""

import contextlib
import importlib.metadata
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from demo.local_aws import HOST, free_port
from demo.processes import ending_with_us
from demo.tools import host_architecture

ROOT = Path(__file__).resolve().parent.parent.parent
_PATH = "/2015-03-31/functions/function/invocations"
_START_SECONDS = 20
_LOG_SECONDS = 5


def emulator_program() -> Path | None:
    """Find the emulator in SAM CLI's own venv; ``None`` where it cannot run: it is a Linux program."""
    if sys.platform != "linux":
        return None
    found = ROOT.glob(f".venvs/sam/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-{host_architecture()}")
    return next(found, None)


def link_runtime(folder: Path) -> Path:
    """Make the folder that Lambda's image has as ``/var/runtime``: the runtime client and what it needs."""
    folder.mkdir()
    for name in ("awslambdaric", "simplejson", "snapshot-restore-py"):
        distribution = importlib.metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
            (folder / top).symlink_to(str(distribution.locate_file(top)))
    return folder


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running function: one execution environment, warm after the first call."""

    address: str
    log: Path

    def invoke(self, event: object) -> Any:  # noqa: ANN401 - whatever JSON a function answers
        """Call the function and give what Lambda would answer: its result, or the error as an object."""
        ends = self.written().count("\nEND RequestId")
        answer = urllib3.request("POST", f"http://{self.address}{_PATH}", json=event, timeout=30, retries=False)
        if answer.status == 200:  # else the function did not start, so no invocation ends
            # What the function prints comes through a pipe of the emulator's, and may be later than the answer.
            wait_for(lambda: self.written().count("\nEND RequestId") > ends, _LOG_SECONDS)
        return answer.json()

    def written(self) -> str:
        """Give all that the function and its platform have written so far."""
        return "\n" + self.log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """Give the function's own lines, read back."""
        return [json.loads(line) for line in self.written().splitlines() if line.startswith('{"')]


@contextlib.contextmanager
def emulated(
    program: Path, package: Path, runtime: Path, settings: Mapping[str, str], folder: Path
) -> Iterator[Emulator]:
    """Run the function of ``package`` with these settings alone while the block runs."""
    address, api = (f"{HOST}:{free_port()}" for _ in range(2))
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": "authorizer",
        "AWS_REGION": "eu-west-1",
        "LAMBDA_TASK_ROOT": str(package),
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{package}{os.pathsep}{runtime}",
        **settings,
    }
    command = [str(program), "--runtime-interface-emulator-address", address, "--runtime-api-address", api]
    command += [sys.executable, "-S", "-m", "awslambdaric", "jwt_authorizer.handler.lambda_handler"]
    log = folder / f"emulator-{address.rpartition(':')[2]}.log"
    with log.open("w") as output, ending_with_us(command, environment, package, output) as process:
        wait_for(lambda: listens(address) or process.poll() is not None, _START_SECONDS)
        assert process.poll() is None, log.read_text()
        yield Emulator(address, log)


def listens(address: str) -> bool:
    """Say whether somebody accepts connections there."""
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
        return True
    return False


def wait_for(reached: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so; fail where it isn't in time."""
    deadline = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
