"""What the function writes down: one JSON line a decision, which carries its metrics as well.

The line is in CloudWatch's embedded metric format (EMF), so that CloudWatch makes the metrics from the log
and no request waits for a call. Nothing else is written on the way of a request. Why it is not Powertools'
Metrics and Logger that write it: ``docs/adr/0002-one-line-per-decision.md``.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from authorizer import __version__
from authorizer.jwks.fetched import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from authorizer.authorize import Findings
    from authorizer.errors import Reason

NAMESPACE = "JwtAuthorizer"
_LONGEST = 200
"""Characters of a text that a stranger chose, such as a ``kid``."""
_COUNT = "Count"


class Journal:
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
        line: dict[str, object] = {
            "level": "ERROR" if decision == "error" else "INFO",
            "message": f"{decision}: {reason}" if reason else decision,
            "service": self._service,
            "version": __version__,
            "decision": decision,
            "reason": reason,
            "event_kind": request.kind if request else None,
            "issuer": findings.issuer,
            "kid": _short(findings.kid),
            "alg": _short(findings.alg),
            "route": routed or (_short(request.route_key) if request else None),
            "duration_ms": round(duration * 1000, 3),
            "token_cache": findings.token_cache,
            "request_id": (_short(request.request_id) if request else None) or function_request_id,
            "function_request_id": function_request_id,
            "principal": _short(principal.id) if principal else None,
            "detail": detail,
        }
        if self._notes:
            line["notes"] = self._notes
        if findings.warnings:
            line["warnings"] = findings.warnings
        line |= self._metrics(reason, now)
        self._counts, self._notes = {}, []
        self._write(json.dumps(line, separators=(",", ":")) + "\n")

    def _metrics(self, reason: Reason | None, now: float) -> dict[str, object]:
        """Say which members of the line are metrics (EMF specification, 2018)."""
        dimensions = [["decision"], ["decision", "reason"]] if reason else [["decision"]]
        directives: list[dict[str, object]] = [
            {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": "Decisions", "Unit": _COUNT}]}
        ]
        if self._counts:
            counted = [{"Name": name, "Unit": _COUNT} for name in self._counts]
            directives.append({"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": counted})
        aws = {"Timestamp": int(now * 1000), "CloudWatchMetrics": directives}
        return {"_aws": aws, "Decisions": 1, **self._counts}


def _short(text: str | None) -> str | None:
    """Cut a stranger's text, and leave no control or direction character for whoever reads the line decoded."""
    return None if text is None else printable(text, _LONGEST)
