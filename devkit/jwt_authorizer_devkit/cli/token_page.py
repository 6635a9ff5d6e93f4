"""A web page that makes tokens of the local issuer.

It has its own port, next to the issuer's, so that clients of the issuer never see it.
"""

from __future__ import annotations

import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self, cast
from urllib.parse import parse_qs

from jwt_authorizer_devkit.mint import Defect

if TYPE_CHECKING:
    from jwt_authorizer_devkit.issuer import Provider

_LARGEST_FORM = 100_000
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "label{display:grid;grid-template-columns:9rem 1fr;margin:.4rem 0}input,select,textarea{font:inherit}"
    "textarea{width:100%;font-family:ui-monospace,monospace;font-size:13px}.wrong{color:#a00}"
)


class TokenPage:
    """Serves the page on the loopback address while its block runs."""

    def __init__(self, provider: Provider, port: int) -> None:
        """Set the provider and the port; port 0 takes a free one."""
        self._provider = provider
        self._port = port
        self._running: tuple[_Server, threading.Thread] | None = None

    @property
    def url(self) -> str:
        """The page's URL, once started."""
        return f"http://127.0.0.1:{self._port}/"

    def __enter__(self) -> Self:
        """Listen. Raises ``OSError`` if the port is in use."""
        server = _Server(("127.0.0.1", self._port), self._provider)
        self._port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        self._running = (server, thread)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        if self._running is not None:
            server, thread = self._running
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], provider: Provider) -> None:
        self.provider = provider
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._send(_page(self._provider, {}, ""))

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_FORM)
        parsed = parse_qs(self.rfile.read(length).decode("utf-8", "replace"))
        form = {name: values[-1] for name, values in parsed.items()}
        self._send(_page(self._provider, form, _token(self._provider, form)))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is http.server's
        """Do not log requests."""

    @property
    def _provider(self) -> Provider:
        return cast("_Server", self.server).provider

    def _send(self, page: str) -> None:
        host = (self.headers.get("Host") or "").partition(":")[0]
        # DNS rebinding: another site's name that resolves to this address must not read tokens.
        status = 200 if host in ("127.0.0.1", "localhost") else 403
        body = page.encode() if status == 200 else b""  # noqa: PLR2004 - the status above
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _token(provider: Provider, form: dict[str, str]) -> str:
    """Return the HTML of the requested token, or of an error."""
    try:
        claims = json.loads(form.get("claims") or "{}")
        if not isinstance(claims, dict):
            return _wrong("The claims have to be a JSON object.")
        token = provider.token(
            claims,
            audience=form.get("audience") or None,
            subject=form.get("subject") or "user-1",
            scope=form.get("scope") or None,
            lifetime=float(form.get("lifetime") or 300),
            defect=form.get("defect") or None,
            key=form.get("key") or None,
        )
    except (ValueError, KeyError) as error:
        return _wrong(f"The token cannot be made: {error}")
    command = f"jwt-authorizer explain {token[:8]}…"
    return (
        f'<h2>Token</h2><textarea rows="8" readonly>{html.escape(token)}</textarea>'
        f"<p>Send it after <code>Authorization: Bearer</code>, or pass it to <code>{html.escape(command)}</code></p>"
    )


def _wrong(message: str) -> str:
    return f'<p class="wrong">{html.escape(message)}</p>'


def _page(provider: Provider, form: dict[str, str], result: str) -> str:
    fields = [
        _field("subject", form.get("subject", "user-1")),
        _field("audience", form.get("audience", "https://api.example.com")),
        _field("scope", form.get("scope", "orders:read")),
        _field("lifetime", form.get("lifetime", "300")),
        _field("claims", form.get("claims", "{}")),
        _choice("key", [str(key.kid) for key in provider.keys], form.get("key", "")),
        _choice("defect", ["", *Defect], form.get("defect", "")),
    ]
    return (
        f'<!doctype html><html lang="en"><title>Tokens of {html.escape(provider.url)}</title><style>{_STYLE}</style>'
        f"<h1>Tokens of {html.escape(provider.url)}</h1><form method=post>{''.join(fields)}"
        f"<button>Make a token</button></form>{result}</html>"
    )


def _field(name: str, value: str) -> str:
    return f'<label>{name}<input name="{name}" value="{html.escape(value)}"></label>'


def _choice(name: str, options: list[str], chosen: str) -> str:
    written = "".join(
        f"<option{' selected' if option == chosen else ''}>{html.escape(option)}</option>" for option in options
    )
    return f'<label>{name}<select name="{name}">{written}</select></label>'
