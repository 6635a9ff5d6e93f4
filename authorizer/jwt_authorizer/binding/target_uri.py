"""The URL of a request as its client sees it, compared with a proof's ``htu`` (RFC 9449 section 4.3, check 9).

URLs are compared after the normalization of RFC 3986 sections 6.2.2 and 6.2.3, without query and fragment. What the
request's own URL is comes from API Gateway or from ``JWT_DPOP_URLS``: the client can send any
``X-Forwarded-Host``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jwt_authorizer.errors import invalid_event
from jwt_authorizer.events import EventKind
from jwt_authorizer.records import request_dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.events import Request

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[^?#]*)?(?:[?#].*)?",
    re.DOTALL,
)
_DEFAULT_PORTS = {"https": 443, "http": 80}
# A path that normalization leaves alone: nothing escaped, nothing that has to be, no dot segment.
_NORMAL_PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]*)+")
_TO_NORMALIZE = re.compile(r"%[0-9A-Fa-f]{2}|[^A-Za-z0-9._~!$&'()*+,;=:@/-]")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")


@request_dataclass(frozen=True, slots=True)
class TargetUri:
    """A URL without query and fragment. ``origin`` is normalized, ``path`` is as written and starts with a slash."""

    origin: str
    path: str


def parse_uri(text: str) -> TargetUri:
    """Parse an absolute URL with a host.

    Returns it without query and fragment. Raises :class:`ValueError` if it is not such a URL, or has a user name.
    """
    match = _URL.fullmatch(text)
    if match is None:
        raise ValueError("is not an absolute URL such as https://api.example.com/orders")
    scheme, host, port = match["scheme"].lower(), match["host"].lower(), match["port"]
    if port and int(port) != _DEFAULT_PORTS.get(scheme):
        host = f"{host}:{int(port)}"
    return TargetUri(f"{scheme}://{host}", match["path"] or "/")


def request_uris(request: Request, public_urls: tuple[TargetUri, ...]) -> tuple[TargetUri, ...]:
    """Return the URLs that the request's client may have called, most often one.

    With ``public_urls`` (``JWT_DPOP_URLS``): each of them with the route's path. Otherwise the URL in the
    event's ``requestContext``. Raises :class:`DecisionError` (``invalid_event``) if the event does not say it.
    """
    is_websocket = request.kind is EventKind.WEBSOCKET
    if public_urls:
        # The API's root is called with and without a slash.
        route_paths = ("",) if is_websocket else ("", "/") if request.path == "/" else (request.path,)
        return tuple(
            TargetUri(url.origin, f"{url.path.rstrip('/')}{route_path}" or "/")
            for url in public_urls
            for route_path in route_paths
        )
    context = request.event.get("requestContext")
    about: Mapping[str, object] = context if isinstance(context, dict) else {}
    domain = about.get("domainName")
    path = request.event.get("rawPath") if request.kind is EventKind.HTTP_API_V2 else about.get("path")
    if is_websocket:
        path = "/"  # such an event has none
    if not isinstance(domain, str) or not isinstance(path, str) or not path.startswith("/"):
        invalid_event(
            "the event does not say which URL was called (requestContext.domainName and the path), so a DPoP proof "
            "can't be compared with it: set JWT_DPOP_URLS to the API's public URLs"
        )
    domain, stage = domain.lower(), request.stage
    origin = f"https://{domain}"
    if domain.startswith(f"{stage.api_id}.execute-api."):
        return (TargetUri(origin, f"/{stage.name}" if is_websocket else path),)
    if request.kind.is_http_api and f"{path}/".startswith(f"/{stage.name}/"):
        # On a custom domain an HTTP API's path has the stage all the same. The client wrote it only if the API
        # mapping key happens to be equal.
        return (TargetUri(origin, path.removeprefix(f"/{stage.name}") or "/"), TargetUri(origin, path))
    return (TargetUri(origin, path),)


def is_same_uri(htu: TargetUri, called: TargetUri, kind: EventKind) -> bool:
    """Return whether a proof's ``htu`` is the URL that was called."""
    return origin_called(htu, kind) == called.origin and _is_same_path(htu.path, called.path, kind)


def origin_called(htu: TargetUri, kind: EventKind) -> str:
    """Return the origin of a proof's ``htu`` as API Gateway writes it: a WebSocket's scheme is ``https``."""
    if kind is EventKind.WEBSOCKET and htu.origin.startswith("wss://"):
        return "https" + htu.origin.removeprefix("wss").removesuffix(":443")
    return htu.origin


def _is_same_path(written: str, called: str, kind: EventKind) -> bool:
    if normalized_path(written) == normalized_path(called):
        return True
    # HTTP APIs decode the path before they pass it on, REST APIs do not.
    return kind.is_http_api and _decoded(written) == called


def normalized_path(path: str) -> str:
    """Normalize a path (RFC 3986 section 6.2.2).

    Escapes are upper case, what need not be escaped is not, what has to be is, and dot segments are gone.
    """
    if _NORMAL_PATH.fullmatch(path):
        return path
    return _without_dot_segments(_TO_NORMALIZE.sub(_normalize_character, path))


def _normalize_character(match: re.Match[str]) -> str:
    text = match.group()
    if len(text) > 1:  # an escape
        character = chr(int(text[1:], 16))
        return character if _UNRESERVED.fullmatch(character) else text.upper()
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _without_dot_segments(path: str) -> str:
    """Remove ``.`` and ``..`` (RFC 3986 section 5.2.4) from a path that starts with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _decoded(path: str) -> str:
    """Decode each escape once, as HTTP APIs do."""
    return _ESCAPED.sub(lambda match: bytes.fromhex(match.group().replace("%", "")).decode("utf-8", "replace"), path)
