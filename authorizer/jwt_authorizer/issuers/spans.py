"""Spans for OpenTelemetry, by the API that the process has loaded already: AWS's layer for Python, or another.

Names and attributes are those of its semantic conventions for HTTP clients. Nothing of a trace is sent to the issuer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

_FIRST_ERROR = 400


def in_span(service: str, operation: str, call: Callable[[], T]) -> T:
    """Return what ``call`` returns, within a span. What it raises is recorded there, and raised."""
    from opentelemetry import trace  # noqa: PLC0415 - not ours: only a process that is traced has it

    method, _, url = operation.partition(" ")
    attributes: dict[str, str] = {"server.address": service, "http.request.method": method, "url.full": url}
    if not url:
        attributes = {"rpc.system": "aws-api", "rpc.service": service}
    tracer = trace.get_tracer("jwt_authorizer", __version__)
    with tracer.start_as_current_span(method or service, kind=trace.SpanKind.CLIENT, attributes=attributes) as span:
        answer = call()
        status = getattr(answer, "status", 0)
        if status:
            span.set_attribute("http.response.status_code", status)
        if status >= _FIRST_ERROR:
            span.set_status(trace.StatusCode.ERROR)
        return answer
