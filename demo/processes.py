"""Running other programs so that none of them, nor what they start, outlives us."""

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
    """Run ``command`` in ``folder`` while the block runs; whatever ends the block ends it and all that it started.

    A session of its own makes it and its children one group, which can be ended as one. Ctrl-C at the
    terminal then reaches only us, so that things end in order. Without a terminal it can ask nothing.
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
    """Ask first, then kill. A group whose members have all ended is gone, and cannot be asked."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
        # Where it has ended, its children may not have.
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
