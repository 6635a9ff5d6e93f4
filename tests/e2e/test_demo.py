"""``python -m demo`` as a process: its exit code, and that it leaves nothing behind."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import jwt
import psutil
import pytest

from demo.__main__ import INTERRUPTED, lines_to_try
from demo.stack import Stack
from demo.tools import ROOT


def those_that_know(folder: Path) -> Iterator[psutil.Process]:
    """Find the processes whose environment or command names this folder."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(folder) in repr((process.environ(), process.cmdline())):
                yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_running(tmp_path: Path, number: signal.Signals) -> None:
    # What a user's shell may have, and must not matter: a profile that is gone, a proxy that nobody answers at.
    users = {"AWS_PROFILE": "gone", "AWS_REGION": "eu-west-1", "HTTP_PROXY": "http://127.0.0.1:9"}
    environment = {**os.environ, **users, "CI": "1", "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as demo:  # fmt: skip
        assert demo.stdout is not None
        assert any("sam build" in line for line in demo.stdout)
        time.sleep(0.5)
        assert len(list(those_that_know(tmp_path))) > 1
        demo.send_signal(number)
        output, _ = demo.communicate(timeout=30)
    assert demo.returncode == INTERRUPTED, output
    assert list(those_that_know(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_the_lines_to_try_do_what_they_promise(stack: Stack) -> None:
    script = f"set -e\n{lines_to_try(stack)}\necho TOKEN $TOKEN"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603, S607 - our own lines
    assert done.returncode == 0, done.stderr
    assert re.findall(r"HTTP/1.1 (\d+)", done.stdout) == ["200"] * 3
    assert "WebSocket: 101" in done.stdout
    claims = jwt.decode(done.stdout.split()[-1], options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 3600


def test_nothing_listens_to_other_machines(stack: Stack) -> None:
    processes = those_that_know(stack.aws.log.parent)
    connections = [connection for process in processes for connection in process.net_connections("inet")]
    listening = [connection for connection in connections if connection.status == psutil.CONN_LISTEN]
    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
