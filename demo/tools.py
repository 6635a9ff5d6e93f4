"""The programs that the demo runs, and the environment in which they can touch nothing of the user's."""

from __future__ import annotations

import contextlib
import os
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from demo.processes import ending_with_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"
# MiniStack takes any; these are what it gives its own functions as well.
ACCESS_KEY = "test"
SECRET_KEY = "test"

_NO_PROXY = "127.0.0.1,localhost"
_OF_AWS = ("AWS_", "BOTO_")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class DemoError(Exception):
    """Something the demo needs is missing or went wrong, told for the one who started it."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs are; each has a virtual environment of its own, since their dependencies disagree."""

    sam: Path = ROOT / ".venvs" / "sam" / "bin" / "sam"
    ministack_python: Path = ROOT / ".venvs" / "ministack" / "bin" / "python"

    def check(self) -> None:
        """Raise :class:`DemoError` where something is missing."""
        if platform.system() != "Linux":
            message = "the local AWS runs the Linux package as a process, so the demo needs Linux (WSL will do)"
            raise DemoError(message)
        host_architecture()
        for program in (self.sam, self.ministack_python):
            if not program.exists():
                message = f"{program} is missing: run `make setup`"
                raise DemoError(message)


def host_architecture() -> str:
    """Name this machine as Lambda does."""
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        message = f"Lambda has no architecture for this machine ({machine})"
        raise DemoError(message)
    return _ARCHITECTURES[machine]


def clean_environment(folder: Path, endpoint: str | None = None, **more: str) -> dict[str, str]:
    """Return an environment for a tool: none of the user's AWS settings, nor of the authorizer's.

    ``folder`` takes what the tool would write elsewhere; ``endpoint`` is where its AWS is.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith((*_OF_AWS, "JWT_", "SAM_", "__SAM"))
    }
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    kept |= {
        # SAM CLI does not clear away all that it puts there.
        "TMPDIR": str(temporary),
        "SAM_CLI_POLL_DELAY": "0.3",
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(folder / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "no-aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(folder / "sam-cli"),
        # What would carry calls for this machine elsewhere.
        "NO_PROXY": _NO_PROXY,
        "no_proxy": _NO_PROXY,
    }
    if endpoint is not None:
        kept["AWS_ENDPOINT_URL"] = endpoint
    return kept | more


@contextlib.contextmanager
def without_the_users_aws() -> Iterator[None]:
    """Take the user's AWS settings and proxies out of this process's own environment while the block runs.

    boto3 reads them for our own clients as well, and stops at a profile that is gone.
    """
    before = dict(os.environ)
    for name in before:
        if name.startswith(_OF_AWS):
            del os.environ[name]
    os.environ |= {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": _NO_PROXY,
        "no_proxy": _NO_PROXY,
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def run(command: list[str], environment: Mapping[str, str], what: str) -> None:
    """Run a tool to its end, silently unless it fails.

    Raises:
        DemoError: It failed; the message holds what it said.

    """
    with tempfile.TemporaryFile("w+") as output:
        with ending_with_us(command, environment, ROOT, output) as process:
            code = process.wait()
        if code != 0:
            output.seek(0)
            message = f"{what} failed ({' '.join(command[:2])}, exit code {code})\n{output.read()}"
            raise DemoError(message)
