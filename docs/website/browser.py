"""A page of the built site as a browser shows it: a headless Chromium, spoken to by the DevTools protocol.

Nothing is installed for it: where the machine has no Chromium, there is none, and whoever asks is told so.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from websockets.sync.client import ClientConnection, connect

if TYPE_CHECKING:
    from collections.abc import Iterator

Scheme = Literal["light", "dark"]
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# No updates, no sync, no reports: the only host that is asked is the one that the page names.
_OPTIONS = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
_PATIENCE = 20.0
"""Seconds for Chromium to start, and for each of its answers."""


def program() -> str | None:
    """Find a Chromium, or None."""
    return next((found for name in _PROGRAMS if (found := shutil.which(name))), None)


class BrowserError(Exception):
    """The browser did not do what it was told."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine, as any web server would; gives its address, without a slash at the end."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Say nothing: what was asked for is in the browser's own log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@dataclass(slots=True)
class Tab:
    """One tab: what it was told, and the address of everything that it asked for."""

    connection: ClientConnection
    asked: list[str] = field(default_factory=list)
    _number: int = 0

    def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the DevTools protocol, and wait for what it returns."""
        self._number += 1
        self.connection.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = self._next()
            if message.get("id") == self._number:
                if "error" in message:
                    told = f"{method}: {message['error']['message']}"
                    raise BrowserError(told)
                result: dict[str, Any] = message["result"]
                return result

    def show(self, url: str, *, width: int, height: int = 900, scheme: Scheme = "light") -> None:
        """Open a page in a window of this size, for a reader whose system is light or dark."""
        self.call("Network.enable")
        self.call("Page.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=url)
        while self._next().get("method") != "Page.loadEventFired":
            pass

    def evaluate(self, expression: str) -> Any:  # noqa: ANN401 - whatever the script says
        """Run a script in the page, and give what it returns, or what its promise does."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def picture(self, *, top: int = 0, height: int) -> bytes:
        """Draw the page from ``top`` on, over its whole width, as a PNG."""
        width = self.evaluate("innerWidth")
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        answer = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(answer["data"])

    def asked_elsewhere(self, address: str) -> list[str]:
        """Give what was asked for on any other host than the site's own."""
        own = urlsplit(address).netloc
        return [url for url in self.asked if urlsplit(url).netloc not in ("", own)]

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=_PATIENCE))
        if message.get("method") == "Network.requestWillBeSent":
            self.asked.append(message["params"]["request"]["url"])
        return message


@contextlib.contextmanager
def tab(chromium: str) -> Iterator[Tab]:
    """Start a browser that knows nothing yet, and give a tab of it."""
    with tempfile.TemporaryDirectory() as profile:
        options = [*_OPTIONS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")  # Chromium's own demand of those who start it as root
        browser = subprocess.Popen(  # noqa: S603 - found on the path, and our own arguments
            [chromium, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            new = Request(f"http://127.0.0.1:{_port(Path(profile), browser)}/json/new?about:blank", method="PUT")
            with urlopen(new, timeout=_PATIENCE) as answer:  # noqa: S310 - this machine's own
                url = json.load(answer)["webSocketDebuggerUrl"]
            with connect(url, max_size=None, open_timeout=_PATIENCE) as connection:
                yield Tab(connection)
        finally:
            browser.terminate()
            browser.wait(timeout=_PATIENCE)


def _port(profile: Path, browser: subprocess.Popen[bytes]) -> str:
    written = profile / "DevToolsActivePort"
    deadline = time.monotonic() + _PATIENCE
    while not written.exists() or "\n" not in written.read_text("utf-8"):
        if browser.poll() is not None or time.monotonic() > deadline:
            message = "Chromium did not start: run it by hand with --headless to see why"
            raise BrowserError(message)
        time.sleep(0.05)
    return written.read_text("utf-8").partition("\n")[0]
