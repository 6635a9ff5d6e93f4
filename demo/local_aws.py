"""Run MiniStack, a local AWS, on a free port of the loopback interface, and stop it with all that it started."""

from __future__ import annotations

import contextlib
import socket
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from demo.processes import ending_with_us
from demo.tools import DemoError, Tools, clean_environment

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
_START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LocalAws:
    """A running MiniStack."""

    port: int
    log: Path

    @property
    def endpoint(self) -> str:
        """Its URL."""
        return f"http://{HOST}:{self.port}"


@contextlib.contextmanager
def local_aws(tools: Tools, folder: Path) -> Iterator[LocalAws]:
    """Run a local AWS while the block runs. Its files are in ``folder``.

    Raises:
        DemoError: It did not start.

    """
    aws = LocalAws(free_port(), folder / "ministack.log")
    environment = clean_environment(
        folder,
        BIND_HOST=HOST,
        GATEWAY_PORT=str(aws.port),
        LOG_LEVEL="WARNING",
        # Keys of user pools. By default they are in a folder that all users of this machine share.
        STATE_DIR=str(folder / "ministack-state"),
        # The IoT broker would listen on every interface, whatever BIND_HOST is.
        IOT_MTLS_ENABLED="0",
    )
    with (
        aws.log.open("w") as log,
        ending_with_us([str(tools.ministack_python), "-m", "ministack"], environment, folder, output=log) as process,
    ):
        _wait_until_up(process, aws)
        yield aws


def free_port() -> int:
    """Return a free port. MiniStack cannot choose one itself."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_until_up(process: subprocess.Popen[bytes], aws: LocalAws) -> None:
    deadline = time.monotonic() + _START_SECONDS
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, urllib.error.URLError):
            opener.open(f"{aws.endpoint}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.1)
    message = f"the local AWS did not start. Its output:\n{aws.log.read_text()[-4000:]}"
    raise DemoError(message)
