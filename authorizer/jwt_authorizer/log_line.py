"""What the function writes down: one JSON line a decision, which carries its metrics as well.

The line is in CloudWatch's embedded metric format (EMF), so that CloudWatch makes the metrics from the log
and no request waits for a call. Nothing else is written on the way of a request. Why it is not Powertools'
Metrics and Logger that write it: ``docs/adr/0002-one-line-per-decision.md``.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jwt_authorizer import NAMESPACE, __version__
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.json_text import json_text, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.authorize import Findings
    from jwt_authorizer.errors import Reason

_LONGEST = 200
"""Characters of a text that a stranger chose, such as a ``kid``."""
_COUNT = "Count"

type _Frame = tuple[str, str]
"""The text of a line before its time, and from there to where a request's own members begin."""


class Journal:
    """Writes the lines, and keeps the counts that belong to the next one."""

    def __init__(self, write: Callable[[str], object], service: str) -> None:
        """Write each line with ``write``; ``service`` names the deployment, as Powertools' variable does."""
        self._write = write
        self._service = service
        self._frames: dict[tuple[str, Reason | None], _Frame] = {}
        self._counts: dict[str, int] = {"ColdStarts": 1}
        self._notes: list[str] = []

    def count(self, metric: str, note: str) -> None:
        """Count an event of the key cache for the next line, with a note that is safe to log."""
        self._counts[metric] = self._counts.get(metric, 0) + 1
        self._notes.append(f"{metric}: {note}")

    def decided(  # noqa: PLR0913 - the parts of a line, named
        self,
        decision: str,
        reason: Reason | None,
        detail: str | None,
        findings: Findings,
        *,
        now: float,
        duration: float,
        function_request_id: str | None,
    ) -> None:
        """Write the line of one invocation. ``now`` is Unix seconds, ``duration`` seconds."""
        request, principal = findings.request, findings.principal
        routed = findings.decision.route if findings.decision is not None else None
        known = None if self._counts else self._frames.get((decision, reason))
        before, after = known or self._frame(decision, reason)
        usual = _usual(
            request.kind if request else None,
            findings.issuer,
            findings.kid,
            findings.alg,
            routed,
            request.route_key if request else None,
            findings.token_cache,
        )
        more = ""
        if self._notes:
            more += f',"notes":{json_text(self._notes)}'
        if findings.warnings:
            more += f',"warnings":{json_text(findings.warnings)}'
        self._counts, self._notes = {}, []
        lambda_id = _quoted(function_request_id)
        request_id = _told(request.request_id) if request and request.request_id else lambda_id
        self._write(
            f'{before}{int(now * 1000)}{after}{usual},"duration_ms":{duration * 1000:.3f},"request_id":{request_id},'
            f'"function_request_id":{lambda_id},"principal":{_told(principal.id if principal else None)},'
            f'"detail":{_quoted(detail)}{more}}}\n'
        )

    def _frame(self, decision: str, reason: Reason | None) -> _Frame:
        """Word what is the same in each line of this decision and reason; keep it, unless there are counts in it."""
        line = {
            "_aws": {"CloudWatchMetrics": self._directives(reason), "Timestamp": 0},
            "level": "ERROR" if decision == "error" else "INFO",
            "message": f"{decision}: {reason}" if reason else decision,
            "service": self._service,
            "version": __version__,
            "decision": decision,
            "reason": reason,
            "Decisions": 1,
            **self._counts,
        }
        before, timestamp, after = json_text(line)[:-1].partition('"Timestamp":')
        frame = (before + timestamp, after[1:] + ",")
        if not self._counts:
            self._frames[decision, reason] = frame
        return frame

    def _directives(self, reason: Reason | None) -> list[dict[str, object]]:
        """Say which members of the line are metrics (EMF specification, 2018).

        Each is counted for the account and for this deployment: ``docs/adr/0009-metrics-by-deployment.md``.
        """
        dimensions = [["decision"], ["service"], ["service", "decision"]]
        if reason:
            dimensions += [["decision", "reason"], ["service", "decision", "reason"]]
        directives: list[dict[str, object]] = [
            {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": "Decisions", "Unit": _COUNT}]}
        ]
        if self._counts:
            counted = [{"Name": name, "Unit": _COUNT} for name in self._counts]
            directives.append({"Namespace": NAMESPACE, "Dimensions": [[], ["service"]], "Metrics": counted})
        return directives


@lru_cache(maxsize=32)
def _usual(  # noqa: PLR0913, PLR0917 - the members of a line, named
    event_kind: str | None,
    issuer: str | None,
    kid: str | None,
    alg: str | None,
    rule: str | None,
    api_route: str | None,
    token_cache: str | None,
) -> str:
    """Word what most requests have in common. No header is longer than a token may be, so what is kept is bounded."""
    members = {
        "event_kind": event_kind,
        "issuer": issuer,
        "kid": _short(kid),
        "alg": _short(alg),
        "route": rule or _short(api_route),
        "token_cache": token_cache,
    }
    return json_text(members)[1:-1]


def _quoted(text: str | None) -> str:
    return "null" if text is None else quoted(text)


def _told(text: str | None) -> str:
    return "null" if text is None else quoted(printable(text, _LONGEST))


def _short(text: str | None) -> str | None:
    """Cut a stranger's text, and leave no control or direction character for whoever reads the line decoded."""
    return None if text is None else printable(text, _LONGEST)
