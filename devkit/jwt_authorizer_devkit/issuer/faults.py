"""Faults of an issuer's endpoint, as a client sees them on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeVar

    from jwt_authorizer_devkit.signing import Json

    Name = TypeVar("Name", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Reply:
    """A response, and how slowly it is sent."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    """Seconds before the first byte."""
    drip_seconds: float = 0
    """Seconds before each byte of the body; 0 sends it in one piece."""
    cut: bool = False
    """Close the connection after half of the body."""


def json_reply(status: int, document: Json) -> Reply:
    """Return a JSON answer."""
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/json"})


class FaultKind(StrEnum):
    """Kinds of faults. Each says what its ``value`` means and its default."""

    STATUS = "status"
    """Answer with this status code (default 503)."""
    HANG = "hang"
    """Send nothing for this many seconds (default 60), then answer as usual."""
    DRIP = "drip"
    """Pause this many seconds (default 0.2) before each byte of the body: each read is fast, the whole body is slow."""
    CUT = "cut"
    """Close the connection in the middle of the body."""
    NOT_JSON = "not-json"
    """Answer 200 with an HTML page."""
    WRONG_ISSUER = "wrong-issuer"
    """A discovery document with another ``issuer``."""
    EMPTY_SET = "empty-set"
    """A key set without keys."""
    TOO_LARGE = "too-large"
    """Append this many bytes (default 5,000,000) of white space: still valid JSON."""
    REDIRECT = "redirect"
    """302 to this URL (default: the metadata address of cloud machines, which a client must not follow)."""


_DEFAULT_SECONDS = {FaultKind.HANG: 60.0, FaultKind.DRIP: 0.2}
_DEFAULT_SIZE = 5_000_000
_METADATA_ADDRESS = "http://169.254.169.254/latest/meta-data/"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, for the next ``times`` requests; ``None``: until it is healed."""

    kind: FaultKind
    value: str | float | None = None
    times: int | None = None


def parse_fault(text: str, times: int | None = None) -> Fault:
    """Read ``kind`` or ``kind:value``, as in ``status:500``, ``hang:10``, ``not-json``.

    Raises:
        ValueError: The kind is unknown, or the value is not a number but has to be.

    """
    name, _, value = text.partition(":")
    try:
        kind = FaultKind(name)
    except ValueError:
        raise ValueError(f"unknown fault {name!r}; known: {', '.join(FaultKind)}") from None
    fault = Fault(kind, value or None, times)
    spoil(Reply(200, b"{}"), fault)  # so that an invalid value is reported now, not at a later request
    return fault


def spoil(reply: Reply, fault: Fault) -> Reply:  # noqa: PLR0911 - one for each kind
    """Return the reply that a client gets instead of ``reply``.

    Raises:
        ValueError: The fault's value is not a number but has to be.

    """
    match fault.kind:
        case FaultKind.STATUS:
            return replace(reply, status=int(fault.value or 503), body=b"{}")
        case FaultKind.HANG:
            return replace(reply, delay_seconds=_seconds(fault))
        case FaultKind.DRIP:
            return replace(reply, drip_seconds=_seconds(fault))
        case FaultKind.CUT:
            return replace(reply, cut=True)
        case FaultKind.NOT_JSON:
            page = b"<!doctype html><title>Maintenance</title><p>We will be back soon."
            return replace(reply, body=page, headers={**reply.headers, "Content-Type": "text/html"})
        case FaultKind.WRONG_ISSUER:
            document = json.loads(reply.body) | {"issuer": "https://another-issuer.example.com"}
            return replace(reply, body=json.dumps(document).encode())
        case FaultKind.EMPTY_SET:
            return replace(reply, body=b'{"keys":[]}')
        case FaultKind.TOO_LARGE:
            return replace(reply, body=reply.body + b" " * int(fault.value or _DEFAULT_SIZE))
        case FaultKind.REDIRECT:
            return replace(
                reply, status=302, headers={**reply.headers, "Location": str(fault.value or _METADATA_ADDRESS)}
            )


def _seconds(fault: Fault) -> float:
    return _DEFAULT_SECONDS[fault.kind] if fault.value is None else float(fault.value)


def by_name(names: type[Name], name: str) -> Name:
    """Return a member by its name. Raises ``ValueError``, which lists the names."""
    try:
        return names(name)
    except ValueError:
        raise ValueError(f"unknown {names.__name__.lower()} {name!r}; known: {', '.join(names)}") from None
