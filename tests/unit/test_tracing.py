"""What X-Ray and OpenTelemetry get to see of a call, with a real UDP listener and OpenTelemetry's own SDK."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from jwt_authorizer.issuers import calls, traces
from jwt_authorizer.issuers.calls import Call, traced
from jwt_authorizer.issuers.documents import LazyClient
from jwt_authorizer.issuers.fetched import FetchError
from jwt_authorizer.issuers.session import Response
from tests.factories import Watched, authorizer, rest_request_event, token

ROOT, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
HEADER = f"Root={ROOT};Parent={PARENT};Sampled=1;Lineage=1:fae2e8cb:0"
UNSAMPLED = HEADER.replace("Sampled=1", "Sampled=0")
URL = "https://issuer.example.com/keys"


type Received = Callable[[], list[dict[str, Any]]]


@pytest.fixture(name="received")
def _received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Received]:
    """Listen in place of X-Ray's daemon, and yield what reads all packets so far: on loopback one is there at once."""

    def received() -> list[dict[str, Any]]:
        documents: list[dict[str, Any]] = []
        with suppress(BlockingIOError):
            while True:
                head, _, document = listener.recv(65536).decode().partition("\n")
                assert json.loads(head) == {"format": "json", "version": 1}
                documents.append(json.loads(document))
        return documents

    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(0)
        monkeypatch.setenv("AWS_XRAY_DAEMON_ADDRESS", ":".join(map(str, listener.getsockname())))
        monkeypatch.setenv("_X_AMZN_TRACE_ID", HEADER)
        # This process has OpenTelemetry, which comes first where it is.
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")
        calls.unsent.clear()
        yield received
        calls.unsent.clear()


def answered(status: int) -> Callable[[], Response]:
    return lambda: Response(status, {}, b"{}")


def fail() -> Response:
    message = f"{URL}: Connection refused"
    raise FetchError(message)


@pytest.mark.parametrize(
    ("status", "flags"),
    [
        (200, {}),
        (401, {"error": True, "throttle": False}),
        (429, {"error": True, "throttle": True}),
        (503, {"fault": True}),
    ],
)
def test_a_call_is_a_subsegment_of_the_request(received: Received, status: int, flags: dict[str, bool]) -> None:
    assert traced("issuer.example.com", f"GET {URL}", answered(status)).status == status
    (document,) = received()
    assert document.pop("start_time") <= document.pop("end_time")
    assert len(bytes.fromhex(document.pop("id"))) == 8
    assert document == {
        "name": "issuer.example.com",
        "trace_id": ROOT,
        "parent_id": PARENT,
        "type": "subsegment",
        "namespace": "remote",
        "http": {"request": {"method": "GET", "url": URL}, "response": {"status": status}},
        **flags,
    }
    assert calls.unsent == []


def test_a_call_that_fails_is_a_fault_with_its_cause_and_fails_all_the_same(received: Received) -> None:
    with pytest.raises(FetchError, match="refused"):
        traced("issuer.example.com", f"GET {URL}", fail)
    (document,) = received()
    assert document["fault"] is True
    assert "response" not in document["http"]
    (exception,) = document["cause"]["exceptions"]
    del exception["id"]
    assert exception == {"type": "FetchError", "remote": True, "message": f"{URL}: Connection refused"}


def test_calls_of_the_aws_sdk_are_named_after_the_service(received: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = object()
    monkeypatch.setattr("jwt_authorizer.issuers.documents.boto3_client", lambda _service, _timeout: client)
    ssm = LazyClient("ssm", 1.0)
    assert ssm.call(lambda it: it is client, "/keys") is True
    with pytest.raises(FetchError, match="ssm /keys: ZeroDivisionError"):
        ssm.call(lambda _: 1 / 0, "/keys")
    documents = [(one["namespace"], one["name"], "fault" in one) for one in received()]
    assert documents == [("aws", "ssm", False), ("aws", "ssm", True)]


@pytest.mark.parametrize(("header", "sent"), [(HEADER, 1), (UNSAMPLED, 0), ("", 0)])
def test_the_first_request_takes_the_calls_of_start_up_or_they_are_forgotten_if_it_is_not_sampled(
    received: Received, monkeypatch: pytest.MonkeyPatch, header: str, sent: int
) -> None:
    monkeypatch.delenv("_X_AMZN_TRACE_ID")
    traced("issuer.example.com", f"GET {URL}", answered(200))
    function = Watched(authorizer())
    for of_request, expected in ((header, sent), (HEADER, 0)):
        assert received() == []
        monkeypatch.setenv("_X_AMZN_TRACE_ID", of_request)
        function(rest_request_event(token()))
        assert [document["parent_id"] for document in received()] == [PARENT] * expected


@pytest.mark.parametrize(
    ("header", "address", "sent"),
    [
        (HEADER, "tcp:127.0.0.1:9 udp:{0}", 1),
        (HEADER, "udp:{0} tcp:127.0.0.1:9", 1),
        ("Parent=53995c3f42cd8ad8;Sampled=1", "{0}", 0),
        ("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "{0}", 0),
        (HEADER, "nowhere", 0),
        (HEADER, "127.0.0.1:99999", 0),
        (HEADER, "::1.invalid:2000", 0),
    ],
)
def test_a_call_is_sent_to_the_daemon_s_address_of_either_form_or_left_out_and_costs_no_request(
    received: Received, header: str, address: str, sent: int
) -> None:
    # Of calls of a start long ago and of this request's, only these are the request's.
    of_start, of_request = (Call("a", f"GET {URL}", ended - 1, ended, 200, "") for ended in (1000.0, 5000.0))
    traces.send_subsegments([of_start, of_request], header, address.format(os.environ["AWS_XRAY_DAEMON_ADDRESS"]))
    assert [document["end_time"] for document in received()] == [5000.0] * sent


@pytest.mark.parametrize("header", [UNSAMPLED, "Root=1-2-3"])
def test_without_sampling_nothing_is_kept(received: Received, monkeypatch: pytest.MonkeyPatch, header: str) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    traced("issuer.example.com", f"GET {URL}", answered(200))
    assert calls.unsent == []
    assert received() == []


OFF = {"AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:9", "_X_AMZN_TRACE_ID": UNSAMPLED}


@pytest.mark.parametrize("environment", [{}, {"_X_AMZN_TRACE_ID": HEADER}, OFF])
def test_when_it_is_off_nothing_is_loaded(environment: dict[str, str]) -> None:
    script = """
import sys
from jwt_authorizer.issuers.calls import traced, unsent
before = set(sys.modules)
assert traced("a", "GET https://a/", lambda: 1) == 1
print(sorted(set(sys.modules) - before), unsent)
"""
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (ended.stdout, ended.stderr) == ("[] []\n", "")


# OpenTelemetry.


@pytest.fixture(name="spans")
def _spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    provider, spans = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    monkeypatch.setattr(otel, "get_tracer", provider.get_tracer)
    return spans


HTTP_CALL = {"server.address": "issuer.example.com", "http.request.method": "GET", "url.full": URL}
AWS_CALL = {"rpc.system": "aws-api", "rpc.service": "ssm"}


@pytest.mark.parametrize(
    ("operation", "status", "outcome", "attributes"),
    [
        (f"GET {URL}", 200, StatusCode.UNSET, HTTP_CALL | {"http.response.status_code": 200}),
        (f"GET {URL}", 404, StatusCode.ERROR, HTTP_CALL | {"http.response.status_code": 404}),
        ("", 0, StatusCode.UNSET, AWS_CALL),
    ],
)
def test_a_call_is_a_span_where_opentelemetry_is(
    spans: InMemorySpanExporter, operation: str, status: int, outcome: StatusCode, attributes: dict[str, object]
) -> None:
    service = "issuer.example.com" if operation else "ssm"
    with otel.get_tracer("test").start_as_current_span("request") as request:
        assert traced(service, operation, answered(status)).status == status
    span = spans.get_finished_spans()[0]
    assert (span.name, span.kind) == ("GET" if operation else "ssm", SpanKind.CLIENT)
    assert (span.status.status_code, span.attributes) == (outcome, attributes)
    assert span.parent == request.get_span_context()


def test_a_span_records_what_was_raised(spans: InMemorySpanExporter) -> None:
    with pytest.raises(FetchError):
        traced("issuer.example.com", f"GET {URL}", fail)
    (span,) = spans.get_finished_spans()
    assert (span.status.status_code, [event.name for event in span.events]) == (StatusCode.ERROR, ["exception"])
