"""Readers of settings that say where something is, or choose one of a few words; as those of :mod:`.values`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.issuers import secret_reader
from jwt_authorizer.settings.values import text

if TYPE_CHECKING:
    from collections.abc import Callable


def one_of(*names: str) -> Callable[[object], str]:
    """Make a reader of one of these words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value.strip() not in names:
            raise ValueError(f"expected one of {', '.join(names)}")
        return value.strip()

    return read


def introspection(value: object) -> str:
    """Read where the introspection endpoint is: ``discovery``, or its URL."""
    found = text(value)
    if found != "discovery" and not found.startswith(("https://", "http://")):
        raise ValueError("expected discovery, or the https:// URL of the introspection endpoint")
    return found


def secret_location(value: object) -> str:
    """Read where a secret is. The message never repeats the value, which may be the secret itself."""
    found = text(value)
    if not found.startswith(("ssm:", "secretsmanager:")):
        raise ValueError("expected ssm:/name or secretsmanager:NAME: where the secret is, not the secret itself")
    secret_reader(found, timeout=1)
    return found
