"""The entry point that ``template.yaml`` names: it builds the function once, when Lambda starts it."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.function import AuthorizerFunction
    from jwt_authorizer.issuers.ahead import Ahead


def start() -> AuthorizerFunction:
    """Build the function, with the garbage collector off.

    What start-up makes is never freed, so searching it for garbage is wasted time: a twentieth of start-up, and a part
    of every full collection afterwards (:func:`gc.freeze`).

    An error is counted, and then raised for Lambda to report.
    """
    gc.disable()
    try:
        ahead = prefetch_keys(os.environ)
        from jwt_authorizer.function import create_function  # noqa: PLC0415 - importing is most of start-up

        return create_function(os.environ, ahead=ahead)
    except Exception as error:
        sys.stdout.write(_start_failure(error))
        sys.stdout.flush()  # Lambda ends a process that did not start
        raise
    finally:
        gc.freeze()
        gc.enable()


def prefetch_keys(environment: Mapping[str, str]) -> Ahead | None:
    """Send the first request for keys, if one variable says where they are or which issuer to ask."""
    jwks, issuer = (environment.get(name, "").strip() for name in ("JWT_JWKS", "JWT_ISSUER"))
    location = jwks or issuer
    if not location.startswith("https://") or "{tenant}" in location:
        return None
    from jwt_authorizer.issuers.address import discovery_urls  # noqa: PLC0415 - only if keys come over TLS
    from jwt_authorizer.issuers.ahead import Ahead  # noqa: PLC0415 - as above

    try:
        return Ahead(jwks or discovery_urls(issuer, allow_http=False)[0])
    except ValueError:
        return None  # the settings say what is wrong


def _start_failure(error: Exception) -> str:
    """Format the line that counts a failed start.

    A function that does not start decides nothing, so no other metric shows it. This uses nothing that may be the
    cause: no dependency, and no module of ours that has one.
    """
    import time  # noqa: PLC0415 - for a start that fails

    from jwt_authorizer import NAMESPACE, __version__  # noqa: PLC0415 - the same
    from jwt_authorizer.strict_json import json_text  # noqa: PLC0415 - the same

    metric = {"Name": "StartFailures", "Unit": "Count"}
    line = {
        "_aws": {
            "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[], ["service"]], "Metrics": [metric]}],
            "Timestamp": int(time.time() * 1000),
        },
        "level": "ERROR",
        "message": f"the function does not start: {type(error).__name__}",
        "service": os.environ.get("POWERTOOLS_SERVICE_NAME") or "jwt-authorizer",
        "version": __version__,
        # Those of SettingsError. Lambda writes any other error's message and traceback after this line.
        "problems": [str(problem) for problem in getattr(error, "problems", ())],
        "StartFailures": 1,
    }
    return f"{json_text(line)}\n"


lambda_handler = start()
