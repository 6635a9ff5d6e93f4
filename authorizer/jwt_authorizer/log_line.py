"""The log: one JSON line for each decision, which carries its metrics as well.

The line is in CloudWatch's embedded metric format (EMF): CloudWatch makes the metrics from the log, and no request
waits for a call. Nothing else is written while a request is answered. Why Powertools' Metrics and Logger do not write
it: ``docs/adr/0002-one-line-per-decision.md``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jwt_authorizer import NAMESPACE, __version__
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.json_text import json_text
from jwt_authorizer.settings.model import LogAllowed, LogPrincipal, LogSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.authorize import Outcome
    from jwt_authorizer.errors import Reason

_LONGEST_LINE = 2000
"""Bytes of a line. It is ASCII, so these are characters too."""
_LONGEST_LIST = 5
_DIGITS = 16
"""Of a principal's hash."""
_COUNT = "Count"
_METRIC_MEMBERS = frozenset({"service", "decision", "Decisions", "request_id", "function_request_id"})
"""What a line for metrics alone keeps: the metrics, their dimensions, and the ids that lead to other logs."""
_LOG_EVERYTHING = LogSettings()


class DecisionLog:
    """Writes the lines, and keeps the counts that belong to the next one."""

    def __init__(self, write: Callable[[str], object], service: str, settings: LogSettings = _LOG_EVERYTHING) -> None:
        """Write each line with ``write``; ``service`` names the deployment, as Powertools' variable does."""
        self._write = write
        self._service = service
        self._allowed = settings.allowed
        self._principal = _name_of_principal(settings)
        self._counts: dict[str, int] = {"ColdStarts": 1}
        self._notes: list[str] = []

    def count(self, metric: str, note: str) -> None:
        """Count an event of the key cache for the next line, with a note that is safe to log."""
        self._counts[metric] = self._counts.get(metric, 0) + 1
        self._notes.append(f"{metric}: {note}")

    def write(
        self, outcome: Outcome, *, now: float, duration: float, invocation: str | None, trace: str | None = None
    ) -> None:
        """Write the line of one invocation.

        ``now`` is Unix time in seconds, ``duration`` is in seconds, ``invocation`` is the id that Lambda gave it, and
        ``trace`` its X-Ray tracing header.
        """
        counts, notes = self._counts, self._notes
        self._counts, self._notes = {}, []
        request, principal, reason = outcome.request, outcome.principal, outcome.reason
        line: dict[str, object] = {
            "level": "ERROR" if outcome.result == "error" else "INFO",
            "message": f"{outcome.result}: {reason}" if reason else outcome.result,
            "service": self._service,
            "version": __version__,
            "decision": outcome.result,
            "reason": reason,
            "event_kind": request.kind if request else None,
            "issuer": outcome.issuer,
            "kid": _untrusted(outcome.kid),
            "alg": _untrusted(outcome.alg),
            "route": _route(outcome),
            "duration_ms": round(duration * 1000, 3),
            "token_cache": outcome.token_cache,
            "request_id": (_untrusted(request.request_id) if request else None) or invocation,
            "function_request_id": invocation,
            "trace_id": _trace_id(trace),
            "principal": self._principal(principal.id) if principal else None,
            "tenant": _untrusted(principal.tenant) if principal else None,
            "detail": outcome.detail,
            "notes": _listed(notes),
            "warnings": _listed(outcome.warnings),
            "Decisions": 1,
            **counts,
        }
        brief = outcome.result == "allow" and self._allowed is LogAllowed.METRIC
        kept = _METRIC_MEMBERS | counts.keys() if brief else line.keys()
        line = {name: value for name, value in line.items() if value is not None and name in kept}
        text = f"{_metrics(reason, tuple(counts))}{int(now * 1000)}}},{json_text(line)[1:]}"
        for longest in (200, 100, 50, 25):
            if len(text) <= _LONGEST_LINE:
                break
            shortened = {name: _shortened(value, longest) for name, value in line.items()}
            text = f"{_metrics(reason, tuple(counts))}{int(now * 1000)}}},{json_text(shortened)[1:]}"
        self._write(f"{text}\n")


@lru_cache(maxsize=64)
def _metrics(reason: Reason | None, counts: tuple[str, ...]) -> str:
    """Return the start of a line, up to its time: which members are metrics (EMF specification, 2018).

    Each is counted for the account and for this deployment: ``docs/adr/0009-metrics-by-deployment.md``. It is kept,
    since it is the same for all lines of one reason: ``docs/adr/0008-hot-path.md``.
    """
    dimensions = [["decision"], ["service"], ["service", "decision"]]
    if reason:
        dimensions += [["decision", "reason"], ["service", "decision", "reason"]]
    directives: list[object] = [
        {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": "Decisions", "Unit": _COUNT}]}
    ]
    if counts:
        counted = [{"Name": name, "Unit": _COUNT} for name in counts]
        directives.append({"Namespace": NAMESPACE, "Dimensions": [[], ["service"]], "Metrics": counted})
    return f'{{"_aws":{{"CloudWatchMetrics":{json_text(directives)},"Timestamp":'


def _route(outcome: Outcome) -> str | None:
    """Name the rule that decided, or else the route that API Gateway matched, with the method of the request."""
    if outcome.decision is not None and outcome.decision.route is not None:
        return outcome.decision.route
    request = outcome.request
    if request is None or request.route_key is None:
        return None
    has_method = " " in request.route_key or request.route_key == request.method
    return _untrusted(request.route_key if has_method else f"{request.method} {request.route_key}")


def _trace_id(header: str | None) -> str | None:
    """Return the id to search for in X-Ray: the ``Root`` of the tracing header (X-Ray developer guide)."""
    return None if header is None else _untrusted(header.partition("Root=")[2].partition(";")[0] or header)


def _name_of_principal(settings: LogSettings) -> Callable[[str], str | None]:
    """Return what turns a principal's id into what the log calls it."""
    if settings.principal is LogPrincipal.NONE:
        return lambda _: None
    if settings.principal is LogPrincipal.PLAIN:
        return _untrusted
    from hmac import digest  # noqa: PLC0415 - only for this setting

    key = settings.principal_key
    return lambda name: digest(key, name.encode("utf-8", "surrogatepass"), "sha256").hex()[:_DIGITS]


def _untrusted(text: str | None) -> str | None:
    """Cut a text from outside, and replace control and direction characters, which would deceive a reader."""
    return None if text is None else printable(text)


def _listed(texts: Sequence[str]) -> list[str] | None:
    """List the first of some texts, and how many more there are. ``None``, which is left out, if there are none."""
    if not texts:
        return None
    more = [f"and {len(texts) - _LONGEST_LIST} more"] if len(texts) > _LONGEST_LIST else []
    return [*texts[:_LONGEST_LIST], *more]


def _shortened(value: object, longest: int) -> object:
    """Cut all texts of a line that would be too long. A character outside ASCII would take up to twelve bytes."""
    if isinstance(value, str):
        return printable(value.encode("ascii", "replace").decode(), longest)
    return [_shortened(item, longest) for item in value] if isinstance(value, list) else value
