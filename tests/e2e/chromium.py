"""A page in a headless Chromium, driven by its own protocol (Chrome DevTools Protocol)."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from websockets.sync.client import connect

from demo.processes import ending_with_us
from tests.integration.emulator import wait_for

type Run = Callable[[str], Any]
"""Runs a script on a page, and returns its value: once it is there, if it is a promise."""

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_SECONDS = 60


@contextlib.contextmanager
def open_page(url: str, folder: Path) -> Iterator[Run]:
    """Have a page open while the block runs, the browser's profile in ``folder``. Skips where there is no Chromium."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: on Debian, `apt-get install chromium-headless-shell`")
    # Root, as which containers run, has no sandbox. The page is our own.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"]
    options += ["--remote-debugging-port=0", f"--user-data-dir={folder}"]
    with (
        open(os.devnull, "w", encoding="utf-8") as output,  # noqa: PTH123 - a device
        # Debian's program is a script that starts the browser: both have to end.
        ending_with_us([program, *options, url], os.environ, folder, output),
        connect(_address(folder / "DevToolsActivePort", url), proxy=None, max_size=None) as socket,
    ):

        def run(script: str) -> Any:  # noqa: ANN401 - any JSON
            asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
            socket.send(json.dumps({"id": 1, "method": "Runtime.evaluate", "params": asked}))
            told = json.loads(socket.recv(_SECONDS))["result"]
            assert "exceptionDetails" not in told, told
            return told["result"].get("value")

        wait_for(lambda: bool(run("location.href + document.readyState") == f"{url}complete"), _SECONDS)
        yield run


def _address(written: Path, url: str) -> str:
    """Wait until the page is open, and return the address at which it is driven."""
    found: list[str] = []

    def opened() -> bool:
        with contextlib.suppress(OSError, IndexError, urllib3.exceptions.HTTPError):
            port = written.read_text("utf-8").split()[0]
            pages = urllib3.request("GET", f"http://127.0.0.1:{port}/json/list", timeout=5).json()
            found.extend(page["webSocketDebuggerUrl"] for page in pages if page["url"] == url)
        return bool(found)

    wait_for(opened, _SECONDS)
    return found[0]
