"""The authorizer's own lines about its decisions, read from the log that it wrote them to."""

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
    """Gives each decision once."""

    aws: LocalAws
    group: str
    _seen: set[str] = field(default_factory=set)

    def new(self) -> list[Line]:
        """Return the decisions since the last call, oldest first."""
        lines = []
        for event in self._events():
            # The local AWS gives no eventId, but each invocation a stream of its own.
            identity = f"{event['logStreamName']} {event['message']}"
            if identity in self._seen:
                continue
            self._seen.add(identity)
            line = _decision(event["message"])
            if line is not None:
                lines.append(line)
        return lines

    def text(self) -> str:
        """Return the whole log, for when something went wrong."""
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
