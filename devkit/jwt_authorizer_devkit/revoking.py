"""Invoke the revoker, the function of a stack that writes the revocation list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from jwt_authorizer.errors import SettingsError
from jwt_authorizer.settings import load_settings
from jwt_authorizer_devkit.aws_access import NotThereError, OutOfReachError, about_stack, out_of_reach, variables_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer_devkit.aws_access import Clients

LONGEST = 65.0
"""Seconds to wait: longer than the function's timeout."""


class RefusedError(Exception):
    """The revoker rejected the request, or the issuer is unknown: nothing was written. The message says why."""


def revoker_of(stack: str, clients: Clients) -> str:
    """Return the name of a stack's revoker. Raises :class:`NotThereError` or :class:`OutOfReachError`."""
    with about_stack(stack):
        (described,) = clients("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs: dict[str, str] = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())}
    if "RevokerName" not in outputs:
        message = f"The stack {stack} has no revoker: name the authorizer's stack, deployed with Revocation=on."
        raise NotThereError(message)
    return outputs["RevokerName"]


def only_issuer(function: str, clients: Clients) -> str:
    """Return the issuer of a revoker's settings.

    Raises :class:`RefusedError` if there are several or they can't be read here, :class:`NotThereError`, or
    :class:`OutOfReachError`.
    """
    try:
        variables = variables_of(function, clients)
    except Exception as error:
        raise _not_called(function, error) from error
    try:
        settings = load_settings(variables, Path.cwd())
    except SettingsError as error:
        raise RefusedError(f"The issuer can't be read from the settings of {function}: give --iss. ({error})") from None
    issuers = [one.issuer for one in settings.issuers]
    if len(issuers) > 1 or settings.issuers[0].tenants is not None:
        message = f"The settings of {function} name several issuers: give --iss. They are {', '.join(issuers)}"
        raise RefusedError(message)
    return issuers[0]


def revoke(function: str, request: Mapping[str, str], clients: Clients, *, dry_run: bool) -> dict[str, object]:
    """Invoke the revoker, and return what it wrote.

    ``request``: ``iss``, and one of ``sub``, ``sid``, ``jti`` and ``client_id``. Raises :class:`RefusedError`,
    :class:`NotThereError`, or :class:`OutOfReachError`; after the last, the list may or may not have been written.
    """
    event = {"revoke": dict(request)} | ({"dry_run": True} if dry_run else {})
    try:
        answer = clients("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        document = json.loads(answer["Payload"].read())
    except Exception as error:
        raise _not_called(function, error) from error
    if "FunctionError" in answer:
        said = str(document.get("errorMessage", document))
        if document.get("errorType") == "RevokeError":
            raise RefusedError(said)
        raise OutOfReachError(
            f"{function} failed, so the list may be unchanged: {said}. See its log. You can safely revoke again."
        )
    if not isinstance(document, dict) or not isinstance(document.get("written"), bool):
        raise RefusedError(f"{function} is not the revoker: the output RevokerName of the authorizer's stack names it.")
    return document


def _not_called(function: str, error: Exception) -> Exception:
    if type(error).__name__ == "ResourceNotFoundException":
        message = f"There is no function {function} in this region. The stack's output RevokerName names it."
        return NotThereError(message)
    return out_of_reach(error)
