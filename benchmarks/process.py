"""Run one execution environment: a process of the real runtime client, from its start to its answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.runtime_api import NOT_TRACED, RuntimeApi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE = 60.0
"""Seconds until a process is stopped."""


@dataclass(frozen=True, slots=True)
class Package:
    """A deployable package: its folder, its handler as a template names it, and its environment variables."""

    name: str
    folder: Path
    handler: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lived:
    """The figures of one process: durations in seconds, memory in bytes, and its answers."""

    to_first_answer: float
    processor: float
    peak_memory: int
    answers: tuple[bytes, ...]
    answered_at: tuple[float, ...]


def base_interpreter() -> str:
    """Return the path of the interpreter without a virtual environment's packages, as on Lambda."""
    return str(Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}")


def live(package: Package, runtime: Path, events: Sequence[bytes], trace: str = NOT_TRACED) -> Lived:
    """Start a package as Lambda does, let it answer the events, and stop it.

    ``runtime`` is the folder with the runtime client, ``trace`` the tracing header of each event. Raises
    :class:`RuntimeError` if an event was not answered.
    """
    with RuntimeApi(events, trace) as api:
        environment = {
            "PATH": os.defpath,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "PYTHONPATH": str(runtime),
            # Lambda's file system is read-only, so Python does not save bytecode.
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": package.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_LAMBDA_LOG_GROUP_NAME": "bench",
            "AWS_LAMBDA_LOG_STREAM_NAME": "bench",
            "AWS_REGION": "eu-west-1",
            "LAMBDA_TASK_ROOT": str(package.folder),
            **package.environment,
        }
        command = [base_interpreter(), "-m", "awslambdaric", package.handler]
        started = time.perf_counter()
        process = subprocess.Popen(  # noqa: S603 - our own arguments
            command, cwd=package.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        finished = _wait(api, process)
        peak_memory = _peak_memory(process.pid) if finished else 0
        process.kill()
        errors = process.stderr.read() if process.stderr is not None else b""
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0  # waited for above, which Popen can't know
        if process.stderr is not None:
            process.stderr.close()
    if len(api.answers) != len(events):
        message = f"{package.name} failed: {b' '.join(api.failures).decode()} {errors.decode()}"
        raise RuntimeError(message)
    return Lived(
        to_first_answer=api.answered_at[0] - started,
        processor=usage.ru_utime + usage.ru_stime,
        peak_memory=peak_memory,
        answers=tuple(api.answers),
        answered_at=tuple(api.answered_at),
    )


def _wait(api: RuntimeApi, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the process asks for more events, has ended, or is too slow."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if api.finished.wait(0.05):
            return True
        # Leave an ended process to wait4, which also returns its resource usage.
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            return False
    return False


def _peak_memory(pid: int) -> int:
    """Return the peak memory of a process. ``ru_maxrss`` would include the process that it was forked from."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
