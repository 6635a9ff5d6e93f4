"""Compare the authorizer's own log line with Powertools' Logger and Metrics.

    python -m benchmarks.log_line

The figures and the conclusion: ``docs/adr/0002-one-line-per-decision.md``. Both write the same facts to the same kind
of stream. Times are processor times. The ratio is compared, since it is similar on other machines.
"""

from __future__ import annotations

import io
import logging
import statistics
import subprocess
import sys
import time
import timeit
from contextlib import redirect_stdout
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from jwt_authorizer import NAMESPACE
from jwt_authorizer.authorize import Outcome
from jwt_authorizer.errors import ErrorCode
from jwt_authorizer.log_line import DecisionLog

if TYPE_CHECKING:
    from collections.abc import Callable

REPEATS, CALLS = 9, 2000
_STARTS = 15
_FACTS = {
    "version": "0.1.0",
    "decision": "deny",
    "reason": "insufficient_scope",
    "event_kind": "rest_request",
    "issuer": "https://issuer.example.com",
    "kid": "2026-01",
    "alg": "RS256",
    "route": "GET /orders/{id}",
    "duration_ms": 0.3,
    "token_cache": "hit",
    "request_id": "d0b8b0a4-5f2c-4b4e-9f59-2f4c3d0a8f10",
    "function_request_id": "6f1ab1a3-5f3f-4d5a-8d3a-0d8d0c1f7f6e",
    "principal": "user-1",
    "detail": None,
}


def own(stream: io.StringIO) -> Callable[[], None]:
    """Return a function that writes one decision with the authorizer's log."""
    log = DecisionLog(stream.write, "jwt-authorizer")
    issuer = "https://issuer.example.com"
    outcome = Outcome("deny", ErrorCode.INSUFFICIENT_SCOPE, issuer=issuer, alg="RS256", kid="2026-01")

    def write() -> None:
        log.write(outcome, now=1795487147.5, duration=0.0003, invocation="6f1ab1a3-5f3f-4d5a-8d3a-0d8d0c1f7f6e")

    return write


def powertools(stream: io.StringIO) -> Callable[[], None]:
    """Return a function that writes the same with Powertools, as its documentation shows."""
    logger = Logger(service="jwt-authorizer", logger_handler=logging.StreamHandler(stream))
    metrics = Metrics(namespace=NAMESPACE, service="jwt-authorizer")

    def write() -> None:
        logger.info("deny: insufficient_scope", extra=_FACTS)
        metrics.add_dimension("decision", "deny")
        metrics.add_dimension("reason", "insufficient_scope")
        metrics.add_metric("Decisions", MetricUnit.Count, 1)
        metrics.flush_metrics()

    return write


def microseconds(write: Callable[[], None]) -> float:
    """Return the processor time of one call, the best of three runs."""
    return min(timeit.repeat(write, timer=time.process_time, number=CALLS, repeat=3)) / CALLS * 1e6


def import_milliseconds(statement: str) -> float:
    """Return the processor time of an import in a new interpreter, the best of several starts."""
    code = f"import time; start = time.process_time(); {statement}; print((time.process_time() - start) * 1000)"
    command = [sys.executable, "-c", code]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(_STARTS)]  # noqa: S603 - our own arguments
    return min(float(run) for run in runs)


def main() -> None:
    """Print the comparison."""
    stream = io.StringIO()
    sizes, times = [], []
    with redirect_stdout(stream):  # where Powertools' Metrics print
        writers = own(stream), powertools(stream)
        for write in writers:
            write()  # the first one differs: it counts the cold start
            start = stream.tell()
            write()
            sizes.append(stream.tell() - start)
        for _ in range(REPEATS):
            times.append([microseconds(write) for write in writers])
            stream.seek(0)
            stream.truncate()
    ratio = statistics.median(theirs / ours for ours, theirs in times)
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"a decision: own line {ours:.0f} µs, Powertools {theirs:.0f} µs, ratio {ratio:.1f}")
    print(f"bytes a decision: own line {sizes[0]}, Powertools {sizes[1]}")
    ours = import_milliseconds("import jwt_authorizer.function")
    both = import_milliseconds("import jwt_authorizer.function; from aws_lambda_powertools import Logger, Metrics")
    print(f"import: authorizer {ours:.0f} ms, with Logger and Metrics {both:.0f} ms, ratio {both / ours:.2f}")


if __name__ == "__main__":
    main()
