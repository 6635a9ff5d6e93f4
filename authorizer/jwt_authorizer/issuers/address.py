"""Parse the URLs that are fetched, strictly.

A pattern instead of ``urllib.parse``: it rejects what a key source never needs (user names, fragments, white space,
control characters, names that are not ASCII), so no two readers of one URL can disagree.
"""

from __future__ import annotations

import re

from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.records import dataclass

_URL = re.compile(
    r"(?P<origin>https?://(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?)"
    r"(?::(?P<port>[0-9]{1,5}))?)"
    r"(?P<path>/[\x21\x22\x24-\x3e\x40-\x7e]*)?"
    r"(?P<query>\?[\x21\x22\x24-\x7e]*)?"
)
_LAST_PORT = 65535
PLACEHOLDER = "{tenant}"
"""What stands for the tenant in an issuer's name, and in the URL of its keys."""


@dataclass(frozen=True, slots=True)
class Address:
    """An absolute ``https://`` (or ``http://``) URL.

    ``origin`` is everything before the path, ``host`` an IPv6 address without its brackets, ``port`` the scheme's own
    if the URL has none. ``path`` begins with ``/`` or is empty, ``query`` with ``?``.
    """

    origin: str
    host: str
    port: int
    path: str
    query: str

    @property
    def secure(self) -> bool:
        """Whether it is reached over TLS."""
        return self.origin.startswith("https:")

    def __str__(self) -> str:
        """Return the URL for a log: without the query, which may hold a secret."""
        return printable(f"{self.origin}{self.path}")


def parse_address(text: str, *, allow_http: bool) -> Address:
    """Parse an absolute URL. Raises ``ValueError`` with a message that says what is wrong with it."""
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("not an absolute https:// URL (ASCII, no user name, no fragment, no white space)")
    if ",http" in text:
        raise ValueError("several URLs, where one is expected")
    secure = text.startswith("https:")
    port = int(match["port"] or (443 if secure else 80))
    if not 0 < port <= _LAST_PORT:
        raise ValueError(f"a URL with port {port}, which does not exist")
    if not secure and not allow_http:
        raise ValueError("not https:// (http:// is for local work only, with JWT_ALLOW_HTTP=true)")
    return Address(match["origin"], match["host"].strip("[]"), port, match["path"] or "", match["query"] or "")


def discovery_urls(issuer: str, *, allow_http: bool) -> tuple[str, str]:
    """Return the two URLs where an issuer's metadata may be: OpenID's (after the path) and RFC 8414's (before it).

    Raises ``ValueError`` for an issuer that is not a URL, or that has a query.
    """
    address = parse_address(issuer, allow_http=allow_http)
    if address.query:
        raise ValueError("a URL with a query, which no issuer has (OpenID Connect Discovery 1.0 section 3)")
    path = address.path.removesuffix("/")
    return (
        f"{address.origin}{path}/.well-known/openid-configuration",
        f"{address.origin}/.well-known/oauth-authorization-server{path}",
    )
