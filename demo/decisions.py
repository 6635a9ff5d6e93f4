"""Read the authorizer's log lines about its decisions."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from demo.deployment import aws_client

if TYPE_CHECKING:
    from demo.local_aws import LocalAws

type Line = dict[str, object]


@dataclass(slots=True)
class DecisionLog:
    """A function's log group. Returns each decision once."""

    aws: LocalAws
    group: str
    _seen: set[str] = field(default_factory=set)

    def new(self) -> list[Line]:
        """Return the decisions since the last call, oldest first."""
        lines = []
        for event in self._events():
            # The local AWS has no eventId, but a log stream for each invocation.
            identity = f"{event['logStreamName']} {event['message']}"
            if identity in self._seen:
                continue
            self._seen.add(identity)
            line = _decision(event["message"])
            if line is not None:
                lines.append(line)
        return lines

    def text(self) -> str:
        """Return the whole log, to show after a failure."""
        return "\n".join(event["message"] for event in self._events())

    def _events(self) -> list[dict[str, str]]:
        logs = aws_client("logs", self.aws)
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=self.group)
        return [event for page in pages for event in page["events"]]


def _decision(message: str) -> Line | None:
    if not message.startswith("{"):
        return None
    try:
        line = json.loads(message)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "decision" in line else None
