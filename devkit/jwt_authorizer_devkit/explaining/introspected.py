"""The introspection endpoint's answer about a token, requested as the function does (RFC 7662 section 2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer.errors import AuthorizerError
from jwt_authorizer.events import read_event
from jwt_authorizer.tokens import bearer_token
from jwt_authorizer_devkit.explaining.redaction import shortened

if TYPE_CHECKING:
    from jwt_authorizer_devkit.explaining.function import WatchedFunction

_HARMLESS = frozenset({"active", "iss", "aud", "client_id", "scope", "token_type", "exp", "iat", "nbf"})
"""Members that identify neither a person nor a session. Only the type of others is shown."""


def introspected(event: object, watched: WatchedFunction) -> dict[str, str]:
    """Introspect an event's token, and return the members of the answer with harmless values, or with types.

    If there is no answer to show, the member ``error`` says why. Raises ``ValueError`` if no issuer of the settings
    has introspection.
    """
    introspection = watched.authorizer.introspection
    if introspection is None:
        raise ValueError("no issuer of the settings has introspection: set JWT_INTROSPECTION")
    try:
        token = bearer_token(read_event(event), watched.authorizer.token_sources)
        answer = introspection.claims_of(token, watched.now)
    except AuthorizerError as error:
        return {"error": f"{error.code}: {shortened(error.detail)}"}
    return {shortened(name): _shown(name, value) for name, value in answer.items()}


def _shown(name: str, value: object) -> str:
    if name in _HARMLESS:
        return shortened(str(value))
    sized = f" of {len(value)}" if isinstance(value, str | list | dict) else ""
    return {str: "a string", bool: "true or false", list: "a list", dict: "an object"}.get(
        type(value), "a number"
    ) + sized
