"""The programs that the demo runs, and an environment in which they cannot use the user's AWS account or files."""

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
# MiniStack accepts any; its own functions get these as well.
ACCESS_KEY = "test"
SECRET_KEY = "test"

_NO_PROXY = "127.0.0.1,localhost"
_OF_AWS = ("AWS_", "BOTO_")
_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


class DemoError(Exception):
    """Something that the demo needs is missing or failed. The message is for the user."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The programs. Each has its own virtual environment, since their dependencies conflict."""

    sam: Path = ROOT / ".venvs" / "sam" / "bin" / "sam"
    ministack_python: Path = ROOT / ".venvs" / "ministack" / "bin" / "python"

    def check(self) -> None:
        """Raise :class:`DemoError` if something is missing."""
        if platform.system() != "Linux":
            message = "the local AWS runs the Linux package as a process, so the demo needs Linux (or WSL)"
            raise DemoError(message)
        host_architecture()
        for program in (self.sam, self.ministack_python):
            if not program.exists():
                message = f"{program} is missing: run `make setup`"
                raise DemoError(message)


def host_architecture() -> str:
    """Return Lambda's name for this machine's architecture."""
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        message = f"Lambda has no architecture for this machine ({machine})"
        raise DemoError(message)
    return _ARCHITECTURES[machine]


def clean_environment(folder: Path, endpoint: str | None = None, **more: str) -> dict[str, str]:
    """Return an environment for a tool, without the user's settings of AWS and of the authorizer.

    ``folder`` is for files that the tool would write elsewhere; ``endpoint`` is the URL of the local AWS.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith((*_OF_AWS, "JWT_", "SAM_", "__SAM"))
    }
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    kept |= {
        # SAM CLI leaves files there.
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
        # A proxy must not get requests to this machine.
        "NO_PROXY": _NO_PROXY,
        "no_proxy": _NO_PROXY,
    }
    if endpoint is not None:
        kept["AWS_ENDPOINT_URL"] = endpoint
    return kept | more


@contextlib.contextmanager
def without_the_users_aws() -> Iterator[None]:
    """Remove the user's AWS settings and proxies from this process's environment while the block runs.

    boto3 reads them for our own clients as well, and fails if a profile does not exist.
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
    """Run a tool, without output unless it fails.

    Raises:
        DemoError: It failed. The message has its output.

    """
    with tempfile.TemporaryFile("w+") as output:
        with ending_with_us(command, environment, ROOT, output) as process:
            code = process.wait()
        if code != 0:
            output.seek(0)
            message = f"{what} failed ({' '.join(command[:2])}, exit code {code})\n{output.read()}"
            raise DemoError(message)
