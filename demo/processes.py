"""Run other programs, and stop them with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_END_SECONDS = 3


@contextlib.contextmanager
def ending_with_us(
    command: list[str], environment: Mapping[str, str], folder: Path, output: IO[str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``command`` in ``folder`` while the block runs. Then stop it and all that it started.

    It has its own session, so that it and its children are one process group, which can be killed at once. Ctrl-C at
    the terminal then reaches only this process. Without a terminal, the program cannot ask questions.
    """
    process = subprocess.Popen(  # noqa: S603 - our own arguments
        command,
        env=dict(environment),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Terminate, then kill. A group without processes does not exist any more."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        # Its children may still be running.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
