"""Parse the ARN of a method or route, as API Gateway writes it into its events.

Source: API Gateway developer guide, "ARN format of permissions for executing API".
"""

from __future__ import annotations

from functools import lru_cache

from jwt_authorizer.errors import invalid_event
from jwt_authorizer.records import dataclass

_ARN_PARTS = 6
_INCOMPLETE = "the ARN in the event lacks an API id, a stage or a method"


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of an API. ``prefix`` is what the ARNs of its methods, and so the resources of policies, start with."""

    prefix: str
    api_id: str
    name: str


def read_method_arn(text: object) -> tuple[Stage, str, str]:
    """Parse ``arn:PARTITION:execute-api:REGION:ACCOUNT:API/STAGE/METHOD/PATH`` into stage, method and path.

    The path is everything after the method, as sent: it may hold ``:``, ``%2F``, ``//`` or pattern characters. It has
    its leading slash. A WebSocket's ``$connect`` is the method, with no path. Raises :class:`DecisionError`
    (``invalid_event``) for anything else.
    """
    if not isinstance(text, str):
        invalid_event("the event has no ARN of the method or route asked for")
    stage_begins = text.find("/") + 1
    method_begins = text.find("/", stage_begins) + 1
    method, _, path = text[method_begins:].partition("/")
    stage = _read_stage(text[:method_begins])
    if not method:
        invalid_event(_INCOMPLETE)
    return stage, method, f"/{path}"


@lru_cache(maxsize=16)
def _read_stage(prefix: str) -> Stage:
    """Read the API's id and the stage. They are the same for all requests of a stage, so the result is cached."""
    parts = prefix.split(":", _ARN_PARTS - 1)
    if len(parts) != _ARN_PARTS or parts[0] != "arn" or parts[2] != "execute-api":
        invalid_event("the ARN in the event is not an execute-api ARN")
    _, partition, _, region, account_id, resource = parts
    api_id, _, name = resource.removesuffix("/").partition("/")
    if not (api_id and name):
        invalid_event(_INCOMPLETE)
    # All of this goes into policies as it is. The one pattern is a stage of "*", as in AWS's samples.
    fixed = f"{partition} {region} {account_id} {api_id} {'' if name == '*' else name}"
    if "*" in fixed or "?" in fixed or "${" in fixed:
        invalid_event("the ARN in the event has a pattern where its API or stage should be")
    return Stage(prefix, api_id, name)
