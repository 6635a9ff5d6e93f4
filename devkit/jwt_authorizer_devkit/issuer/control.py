"""Control the local issuer over HTTP, with curl or from tests in another process.

::

    GET    /-/state            the keys, and the number of fetches by endpoint so far
    POST   /-/rotate           {"alg": "ES256"}
    POST   /-/remove           {"kid": "RS256-1"}
    POST   /-/misbehave        {"endpoint": "jwks", "fault": "status:503", "times": 2}
    POST   /-/heal             {}
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jwt_authorizer_devkit.issuer.faults import json_reply, parse_fault

if TYPE_CHECKING:
    from jwt_authorizer_devkit.issuer.faults import Reply
    from jwt_authorizer_devkit.issuer.provider import Provider
    from jwt_authorizer_devkit.signing import Json

CONTROL = "/-/"
"""The path of the controls, outside every issuer's path."""


def answer_control(provider: Provider, method: str, path: str, content_type: str | None, body: bytes) -> Reply:
    """Carry out a command, and answer with the new state."""
    if method == "GET" and path == CONTROL + "state":
        return json_reply(200, state(provider))
    # A page in the developer's browser can send a form to this port. It can send JSON only after a preflight request,
    # which is not answered here.
    if method == "POST" and content_type != "application/json":
        return json_reply(415, {"error": "send Content-Type: application/json"})
    try:
        wanted = json.loads(body or b"{}")
        match method, path.removeprefix(CONTROL):
            case "POST", "rotate":
                provider.rotate(wanted.get("alg"))
            case "POST", "remove":
                provider.remove_key(wanted["kid"])
            case "POST", "misbehave":
                provider.misbehave(wanted["endpoint"], parse_fault(wanted["fault"], wanted.get("times")))
            case "POST", "heal":
                provider.heal()
            case _:
                return json_reply(404, {"error": "unknown command; use state, rotate, remove, misbehave or heal"})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return json_reply(400, {"error": f"{type(error).__name__}: {error}"})
    return json_reply(200, state(provider))


def state(provider: Provider) -> Json:
    """Return the published keys, and the number of requests by endpoint."""
    return {
        "issuer": provider.url,
        "keys": [{"kid": key.kid, "alg": key.alg} for key in provider.keys],
        "fetches": dict(provider.fetches),
    }
