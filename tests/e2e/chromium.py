"""A headless Chromium, driven by its own protocol (Chrome DevTools Protocol), without a package in between."""

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import urllib3
from websockets.sync.client import ClientConnection, connect

from demo.processes import ending_with_us

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_SECONDS = 60


@dataclass(slots=True)
class Page:
    """One page of the browser."""

    _socket: ClientConnection
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def run(self, script: str) -> Any:  # noqa: ANN401 - any JSON
        """Give the value of a script, once it is there if it is a promise."""
        number = next(self._numbers)
        asked = {"expression": script, "awaitPromise": True, "returnByValue": True}
        self._socket.send(json.dumps({"id": number, "method": "Runtime.evaluate", "params": asked}))
        while (told := json.loads(self._socket.recv(_SECONDS))).get("id") != number:
            pass
        assert "exceptionDetails" not in told["result"], told
        return told["result"]["result"].get("value")


def chromium() -> str | None:
    """Find a Chromium on this machine."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextlib.contextmanager
def open_page(program: str, url: str, folder: Path) -> Iterator[Page]:
    """Run a Chromium while the block runs, with a page open and its profile in ``folder``."""
    # Root, as which containers run, has no sandbox. The page is our own.
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"]
    options += ["--remote-debugging-port=0", f"--user-data-dir={folder}"]
    with (
        open(os.devnull, "w", encoding="utf-8") as output,  # noqa: PTH123 - a device
        # Debian's program is a script that starts the browser: both have to end.
        ending_with_us([program, *options, url], os.environ, folder, output) as process,
    ):
        address = _address(folder / "DevToolsActivePort", process, url)
        with connect(address, proxy=None, max_size=None) as socket:
            page = Page(socket)
            while page.run("location.href + document.readyState") != f"{url}complete":
                time.sleep(0.05)
            yield page


def _address(written: Path, process: subprocess.Popen[bytes], url: str) -> str:
    """Wait until the page is open, and give the address at which it is driven."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, IndexError, urllib3.exceptions.HTTPError):
            port = written.read_text("utf-8").split()[0]
            for target in urllib3.request("GET", f"http://127.0.0.1:{port}/json/list", timeout=5).json():
                if target["type"] == "page" and target["url"] == url:
                    return str(target["webSocketDebuggerUrl"])
        time.sleep(0.1)
    message = "Chromium did not open the page"
    raise AssertionError(message)
