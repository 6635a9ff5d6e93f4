"""The URLs we fetch from, taken apart strictly.

A pattern instead of ``urllib.parse``: it refuses what a key source never needs (user names, fragments,
white space, control characters, names that are not ASCII), so there is nothing for two readers of one
URL to disagree on, and it costs start-up no import.
"""

from __future__ import annotations

import re
from typing import override

from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.records import dataclass

_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[\x21\x22\x24-\x3e\x40-\x7e]*)?"
    r"(?P<query>\?[\x21\x22\x24-\x7e]*)?"
)
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Address:
    """An absolute ``https://`` (or ``http://``) URL. ``path`` begins with ``/`` or is empty, ``query`` with ``?``."""

    scheme: str
    host: str
    port: int | None
    path: str
    query: str

    @property
    def secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header wants them."""
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        """Everything before the path."""
        return f"{self.scheme}://{self.authority}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """Name (an IPv6 address without its brackets) and port to connect to."""
        default = 443 if self.secure else 80
        return self.host.strip("[]"), default if self.port is None else self.port

    @override
    def __str__(self) -> str:
        """Name it in a log: without the query, which may hold a secret."""
        return printable(f"{self.origin}{self.path}")


def parse_address(text: str, *, allow_http: bool) -> Address:
    """Read an absolute URL. Raises ``ValueError`` that says what is wrong with it."""
    match = _URL.fullmatch(text)
    if match is None:
        message = "not an absolute https:// URL (ASCII, no user name, no fragment, no white space)"
        raise ValueError(message)
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 0 < port <= _LAST_PORT:
        message = f"a URL with port {port}, which does not exist"
        raise ValueError(message)
    address = Address(match["scheme"], match["host"], port, match["path"] or "", match["query"] or "")
    if not address.secure and not allow_http:
        message = "not https:// (http:// is for local work only, with JWT_ALLOW_HTTP=true)"
        raise ValueError(message)
    return address
