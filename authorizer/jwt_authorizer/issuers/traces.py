"""Trace calls with OpenTelemetry or X-Ray: ``docs/adr/0021-tracing.md``.

Spans are made by the API of OpenTelemetry that the process has loaded already (AWS's layer for Python, or another),
with the names and attributes of its semantic conventions for HTTP clients. Nothing of a trace is sent to the issuer.

X-Ray's daemon gets a JSON header, a line break and a document, in one UDP packet. Its SDK does the same, and takes
longer to import than all of our start-up. Source: X-Ray developer guide, "AWS X-Ray segment documents" and "Sending
segment documents to the X-Ray daemon".
"""

from __future__ import annotations

from os import urandom
from typing import TYPE_CHECKING

from jwt_authorizer import __version__
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.strict_json import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from jwt_authorizer.issuers.calls import Call

    T = TypeVar("T")

_HEADER = '{"format":"json","version":1}\n'
_LONGEST_AGE = 60.0
"""Seconds from the first call of start-up to the request that shows them. Environments kept started wait for hours."""
_FIRST_ERROR, _THROTTLED, _FIRST_FAULT = 400, 429, 500


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


def send_subsegments(calls: Sequence[Call], header: str, daemon: str) -> None:
    """Send each call as a subsegment of the request with this tracing header. Nothing is raised, or waited for.

    ``daemon`` is ``AWS_XRAY_DAEMON_ADDRESS``: ``host:port``, or ``tcp:host:port udp:host:port``.
    """
    import socket  # noqa: PLC0415 - loaded already, if a call went over the network

    fields = dict(part.split("=", 1) for part in header.split(";") if "=" in part)
    trace, parent = fields.get("Root"), fields.get("Parent")
    host, _, port = daemon.rpartition("udp:")[2].partition(" ")[0].rpartition(":")
    if trace is None or parent is None or not port.isdecimal() or not calls:
        return
    newest = max(call.ended for call in calls)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.settimeout(0)
            for call in calls:
                if call.ended > newest - _LONGEST_AGE:
                    document = _HEADER + json_text(_document(call, trace, parent))
                    sender.sendto(document.encode(), (host, int(port)))
    except (OSError, OverflowError):  # the second: no such port
        return  # a trace is worth no request


def _document(call: Call, trace: str, parent: str) -> dict[str, object]:
    document: dict[str, object] = {
        "name": call.service,
        "id": urandom(8).hex(),
        "trace_id": trace,
        "parent_id": parent,
        "type": "subsegment",
        "start_time": round(call.started, 6),
        "end_time": round(call.ended, 6),
    }
    method, _, url = call.operation.partition(" ")
    if url:
        document["namespace"] = "remote"
        http: dict[str, object] = {"request": {"method": method, "url": url}}
        if call.status:
            http["response"] = {"status": call.status}
        document["http"] = http
    else:
        document["namespace"] = "aws"
    if call.problem:
        kind, _, message = call.problem.partition(": ")
        exception = {"id": urandom(8).hex(), "type": kind, "message": printable(message, 500), "remote": True}
        document["cause"] = {"exceptions": [exception]}
    if call.problem or call.status >= _FIRST_FAULT:
        document["fault"] = True
    elif call.status >= _FIRST_ERROR:
        document["error"] = True
        document["throttle"] = call.status == _THROTTLED
    return document
