"""The log: one JSON line for each decision, which carries its metrics as well.

The line is in CloudWatch's embedded metric format (EMF): CloudWatch makes the metrics from the log, and no request
waits for a call. Nothing else is written while a request is answered. Why Powertools' Metrics and Logger do not write
it: ``docs/adr/0002-one-line-per-decision.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jwt_authorizer import NAMESPACE, __version__
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.json_text import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jwt_authorizer.authorize import Outcome
    from jwt_authorizer.errors import Reason

_LONGEST_LINE = 2000
"""Bytes of a line. It is ASCII, so these are characters too."""
_LONGEST_UNTRUSTED = 200
_LONGEST_OURS = 1000
_LONGEST_LIST = 5
_COUNT = "Count"


class DecisionLog:
    """Writes the lines, and keeps the counts that belong to the next one."""

    def __init__(self, write: Callable[[str], object], service: str) -> None:
        """Write each line with ``write``; ``service`` names the deployment, as Powertools' variable does."""
        self._write = write
        self._service = service
        self._counts: dict[str, int] = {"ColdStarts": 1}
        self._notes: list[str] = []

    def count(self, metric: str, note: str) -> None:
        """Count an event of the key cache for the next line, with a note that is safe to log."""
        self._counts[metric] = self._counts.get(metric, 0) + 1
        self._notes.append(f"{metric}: {note}")

    def write(self, outcome: Outcome, *, now: float, duration: float, invocation: str | None) -> None:
        """Write the line of one invocation.

        ``now`` is Unix time in seconds, ``duration`` is in seconds, ``invocation`` is the id that Lambda gave it.
        """
        counts, notes = self._counts, self._notes
        self._counts, self._notes = {}, []
        frame = {
            "_aws": {"CloudWatchMetrics": _directives(outcome.reason, counts), "Timestamp": int(now * 1000)},
            "level": "ERROR" if outcome.result == "error" else "INFO",
            "message": f"{outcome.result}: {outcome.reason}" if outcome.reason else outcome.result,
            "service": self._service,
            "version": __version__,
            "decision": outcome.result,
            "reason": outcome.reason,
            "Decisions": 1,
            **counts,
            "duration_ms": round(duration * 1000, 3),
        }
        text = ""
        for shorter in (1, 2, 4, 8):
            line = frame | _facts(outcome, invocation, notes, shorter)
            text = json_text({name: value for name, value in line.items() if value is not None})
            if len(text) <= _LONGEST_LINE:
                break
        self._write(f"{text}\n")


def _facts(outcome: Outcome, invocation: str | None, notes: list[str], shorter: int) -> dict[str, object]:
    """List what was found out. In a line that would be too long, texts are ``shorter`` times shorter than usual."""
    request, principal = outcome.request, outcome.principal
    return {
        "event_kind": request.kind if request else None,
        "issuer": _cut(outcome.issuer, _LONGEST_OURS, shorter),
        "kid": _cut(outcome.kid, _LONGEST_UNTRUSTED, shorter),
        "alg": _cut(outcome.alg, _LONGEST_UNTRUSTED, shorter),
        "route": _cut(_route(outcome), _LONGEST_UNTRUSTED, shorter),
        "token_cache": outcome.token_cache,
        "request_id": _cut((request.request_id if request else None) or invocation, _LONGEST_UNTRUSTED, shorter),
        "function_request_id": invocation,
        "principal": _cut(principal.id if principal else None, _LONGEST_UNTRUSTED, shorter),
        "detail": _cut(outcome.detail, _LONGEST_OURS, shorter),
        "notes": _cut_list(notes, _LONGEST_UNTRUSTED, shorter),
        "warnings": _cut_list(outcome.warnings, _LONGEST_OURS, shorter),
    }


def _route(outcome: Outcome) -> str | None:
    """Name the rule that decided, or else the route that API Gateway matched, with the method of the request."""
    if outcome.decision is not None and outcome.decision.route is not None:
        return outcome.decision.route
    request = outcome.request
    if request is None or request.route_key is None:
        return None
    has_method = " " in request.route_key or request.route_key == request.method
    return request.route_key if has_method else f"{request.method} {request.route_key}"


def _directives(reason: Reason | None, counts: Mapping[str, int]) -> list[dict[str, object]]:
    """Say which members of the line are metrics (EMF specification, 2018).

    Each is counted for the account and for this deployment: ``docs/adr/0009-metrics-by-deployment.md``.
    """
    dimensions = [["decision"], ["service"], ["service", "decision"]]
    if reason:
        dimensions += [["decision", "reason"], ["service", "decision", "reason"]]
    directives: list[dict[str, object]] = [
        {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": "Decisions", "Unit": _COUNT}]}
    ]
    if counts:
        counted = [{"Name": name, "Unit": _COUNT} for name in counts]
        directives.append({"Namespace": NAMESPACE, "Dimensions": [[], ["service"]], "Metrics": counted})
    return directives


def _cut(text: str | None, longest: int, shorter: int) -> str | None:
    """Cut a text, and replace control and direction characters, which would deceive a reader of the decoded line."""
    if text is None:
        return None
    # A character outside ASCII takes up to twelve bytes.
    return printable(text if shorter == 1 else text.encode("ascii", "replace").decode(), longest // shorter)


def _cut_list(texts: Sequence[str], longest: int, shorter: int) -> list[str | None] | None:
    if not texts:
        return None
    more = [f"and {len(texts) - _LONGEST_LIST} more"] if len(texts) > _LONGEST_LIST else []
    return [*(_cut(text, longest, shorter) for text in texts[:_LONGEST_LIST]), *more]
