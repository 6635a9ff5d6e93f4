"""The entry point that ``template.yaml`` names. Importing it builds the function, once per execution environment."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jwt_authorizer.function import AuthorizerFunction
    from jwt_authorizer.issuers.prefetch import Prefetch


def start() -> AuthorizerFunction:
    """Build the function, with the garbage collector off.

    Objects made at start-up are never freed. Searching them for garbage would take a twentieth of start-up, and a part
    of every full collection afterwards (:func:`gc.freeze`).

    If start-up fails, write a log line with the metric ``StartFailures``, and raise the error for Lambda to report.
    """
    gc.disable()
    try:
        prefetch = prefetch_keys(os.environ)
        from jwt_authorizer.function import create_function  # noqa: PLC0415 - importing is most of start-up

        return create_function(os.environ, prefetch=prefetch)
    except Exception as error:
        sys.stdout.write(_start_failure(error))
        sys.stdout.flush()  # Lambda ends a process that did not start
        raise
    finally:
        gc.freeze()
        gc.enable()


def prefetch_keys(environment: Mapping[str, str]) -> Prefetch | None:
    """Send the first request for keys in a thread, if ``JWT_JWKS`` or ``JWT_ISSUER`` is an ``https://`` URL."""
    jwks, issuer = (environment.get(name, "").strip() for name in ("JWT_JWKS", "JWT_ISSUER"))
    location = jwks or issuer
    if not location.startswith("https://") or "{tenant}" in location:
        return None
    from jwt_authorizer.issuers.address import discovery_urls  # noqa: PLC0415 - only if keys come over TLS
    from jwt_authorizer.issuers.prefetch import Prefetch  # noqa: PLC0415 - only if keys come over TLS

    try:
        return Prefetch(jwks or discovery_urls(issuer, allow_http=False)[0])
    except ValueError:
        return None  # reading the settings reports what is wrong


def _start_failure(error: Exception) -> str:
    """Format the log line that counts a failed start.

    A function that does not start writes no other metric. This imports only modules without dependencies, since a
    dependency may be why it fails.
    """
    import time  # noqa: PLC0415 - for a start that fails

    from jwt_authorizer import NAMESPACE, __version__  # noqa: PLC0415 - for a start that fails
    from jwt_authorizer.strict_json import json_text  # noqa: PLC0415 - for a start that fails

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
        # Only SettingsError has problems. Lambda writes any other error's message and traceback after this line.
        "problems": [str(problem) for problem in getattr(error, "problems", ())],
        "StartFailures": 1,
    }
    return f"{json_text(line)}\n"


lambda_handler = start()
