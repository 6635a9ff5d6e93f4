"""Trace calls to other services, if tracing is on.

This module is always loaded. ``traces.py`` is not, and no document is built, unless the process has OpenTelemetry, or
Lambda samples the request for X-Ray.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from jwt_authorizer.records import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

_SAMPLED = "Sampled=1"
"""In the tracing header of a request that X-Ray wants."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call that ended. Times are Unix time in seconds; ``problem`` is empty if it was answered.

    ``service``: the host that was asked, or AWS's service by boto3's name. ``operation``: the method and URL, without
    its query, or nothing where boto3 sends the request. ``status``: the HTTP status, zero if there is none.
    """

    service: str
    operation: str
    started: float
    ended: float
    status: int
    problem: str


unsent: list[Call] = []
"""Calls of start-up, which has no trace of its own: the first request's takes them."""


def traced(service: str, operation: str, call: Callable[[], T]) -> T:
    """Return what ``call`` returns, and raise what it raises; trace it if the process is traced."""
    if "opentelemetry.trace" in sys.modules:  # AWS's layer and the like load it before the function
        from jwt_authorizer.issuers.traces import in_span  # noqa: PLC0415 - only if somebody traces

        return in_span(service, operation, call)
    header = os.environ.get("_X_AMZN_TRACE_ID")
    if "AWS_XRAY_DAEMON_ADDRESS" not in os.environ or not (header is None or _SAMPLED in header):
        return call()
    started, status, problem = time.time(), 0, ""
    try:
        answer = call()
        status = getattr(answer, "status", 0)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
        raise
    finally:
        unsent.append(Call(service, operation, started, time.time(), status, problem))
        if header is not None:
            send_traces(header)
    return answer


def send_traces(header: str | None) -> None:
    """Send the unsent calls to X-Ray, as a part of the request with this header; drop them if there is none."""
    calls = unsent[:]
    del unsent[: len(calls)]
    if header is not None and _SAMPLED in header:
        from jwt_authorizer.issuers.traces import send_subsegments  # noqa: PLC0415 - only if somebody traces

        send_subsegments(calls, header, os.environ["AWS_XRAY_DAEMON_ADDRESS"])
