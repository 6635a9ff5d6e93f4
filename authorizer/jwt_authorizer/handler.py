"""The entry point that ``template.yaml`` names: everything is put together once, when Lambda starts it."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jwt_authorizer.function import AuthorizerFunction


def start() -> AuthorizerFunction:
    """Put the function together, with the garbage collector out of the way.

    What start-up makes stays, so looking through it for what may go is time lost: during start-up, a
    twentieth of it, and in every full collection afterwards (:func:`gc.freeze`).

    Whatever stops it goes on to Lambda, once it has been counted.
    """
    gc.disable()
    try:
        from jwt_authorizer.function import create_function  # noqa: PLC0415 - importing is most of start-up

        return create_function(os.environ)
    except Exception as error:
        sys.stdout.write(_start_failure(error))
        sys.stdout.flush()  # Lambda ends a process that did not start
        raise
    finally:
        gc.freeze()
        gc.enable()


def _start_failure(error: Exception) -> str:
    """Word the line that counts it: a function that does not start decides nothing, so no other metric shows it.

    It needs nothing that may be what is broken: no dependency, and none of our modules that have one.
    """
    import time  # noqa: PLC0415 - for a start that fails

    from jwt_authorizer import NAMESPACE, __version__  # noqa: PLC0415 - the same
    from jwt_authorizer.json_text import json_text  # noqa: PLC0415 - the same

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
        # Those of SettingsError. Any other error's message and place are in what Lambda writes after this line.
        "problems": [str(problem) for problem in getattr(error, "problems", ())],
        "StartFailures": 1,
    }
    return f"{json_text(line)}\n"


lambda_handler = start()
