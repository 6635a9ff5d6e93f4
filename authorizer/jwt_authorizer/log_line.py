"""The log: one JSON line for each decision, with its metrics.

The line is in CloudWatch's embedded metric format (EMF): CloudWatch makes the metrics from the log, and no request
waits for a call. Nothing else is written while a request is answered. Why Powertools' Metrics and Logger do not write
it: ``docs/adr/0002-one-line-per-decision.md``.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from jwt_authorizer import NAMESPACE, __version__
from jwt_authorizer.issuers.fetched import printable
from jwt_authorizer.settings.model import LogAllowed, LogPrincipal, LogSettings
from jwt_authorizer.strict_json import json_string, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jwt_authorizer.authorize import Outcome
    from jwt_authorizer.errors import ErrorCode

_LONGEST_LINE = 2000
"""Bytes of a line with its end. It is ASCII, so these are characters too."""
_LONGEST_LIST = 5
_DIGITS = 16
"""Of a principal's hash."""
_COUNT = "Count"
_NO_REQUEST = (None, None, None)
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
        """Count an event, such as a fetch of keys, for the next line, with a note that is safe to log."""
        self._counts[metric] = self._counts.get(metric, 0) + 1
        self._notes.append(f"{metric}: {note}")

    def write(
        self, outcome: Outcome, *, now: float, duration: float, invocation: str | None, trace: str | None = None
    ) -> None:
        """Write the line of one invocation.

        ``now`` is Unix time in seconds, ``duration`` is in seconds, ``invocation`` is the id that Lambda gave it, and
        ``trace`` its X-Ray tracing header.
        """
        counts, notes = tuple(self._counts.items()), self._notes
        self._counts, self._notes = {}, []
        request = outcome.request
        form = self._allowed if outcome.result == "allow" else LogAllowed.FULL
        start = _line_start(
            self._service,
            form,
            outcome.result,
            outcome.reason,
            counts,
            outcome.issuer,
            outcome.kid,
            outcome.alg,
            outcome.token_cache,
            None if outcome.decision is None else outcome.decision.route,
            *(_NO_REQUEST if request is None else (request.kind, request.method, request.route_key)),
        )
        own: dict[str, str] = {}  # JSON texts by name
        if request is not None and request.request_id is not None:
            own["request_id"] = json_string(printable(request.request_id))
        elif invocation is not None:
            own["request_id"] = json_string(invocation)
        if invocation is not None:
            own["function_request_id"] = json_string(invocation)
        if form is LogAllowed.FULL:
            own["duration_ms"] = f"{duration * 1000:.3f}"
            self._add_details(own, outcome, notes, trace)
        members = [f',"{name}":{text}' for name, text in own.items()]
        line = f"{start}{int(now * 1000)}}}{''.join(members)}}}"
        self._write(f"{line if len(line) < _LONGEST_LINE else _shortened(line)}\n")

    def _add_details(self, own: dict[str, str], outcome: Outcome, notes: list[str], trace: str | None) -> None:
        """Add the members that belong to one request alone."""
        if trace is not None:
            # The id to search for in X-Ray: the Root of the tracing header (X-Ray developer guide).
            own["trace_id"] = json_string(printable(trace.partition("Root=")[2].partition(";")[0] or trace))
        principal, hook = outcome.principal, outcome.hook
        if principal is not None and self._principal is not None:
            own["principal"] = json_string(self._principal(principal.id))
        if principal is not None and principal.tenant is not None:
            own["tenant"] = json_string(printable(principal.tenant))
        if outcome.detail is not None:
            own["detail"] = json_string(outcome.detail)
        if hook is not None:
            own["hook_ms"] = f"{hook.milliseconds:.3f}"
            if hook.refused is not None:
                own["hook_reason"] = json_string(hook.refused)
        if notes:
            own["notes"] = json_text(_listed(sorted(notes) if len(notes) > _LONGEST_LIST else notes))
        if outcome.warnings:
            own["warnings"] = json_text(_listed(outcome.warnings))


@lru_cache(maxsize=64)
def _line_start(  # noqa: PLR0913, PLR0917 - the members of a line, named
    service: str,
    form: LogAllowed,
    result: str,
    reason: ErrorCode | None,
    counts: tuple[tuple[str, int], ...],
    issuer: str | None,
    kid: str | None,
    alg: str | None,
    token_cache: str | None,
    rule: str | None,
    event_kind: str | None,
    method: str | None,
    route_key: str | None,
) -> str:
    """Return the start of a line, up to its time, which it shares with many other lines.

    It ends after ``"_aws":{…,"Timestamp":``; the time, ``}`` and the members of one request follow. It is cached, since
    formatting it takes most of a line's time: ``docs/adr/0008-hot-path.md``. A token's header is no longer than a token
    may be, so the cache is bounded.
    """
    line: dict[str, object] = {
        "decision": result,
        "reason": reason,
        "service": service,
        "Decisions": 1,
        **dict(counts),
    }
    if form is LogAllowed.FULL:
        line |= {
            "level": "ERROR" if result == "error" else "INFO",
            "message": f"{result}: {reason}" if reason else result,
            "version": __version__,
            "event_kind": event_kind,
            "issuer": issuer,
            "kid": None if kid is None else printable(kid),
            "alg": None if alg is None else printable(alg),
            "route": _route(rule, method, route_key),
            "token_cache": token_cache,
        }
    line = {name: value for name, value in line.items() if value is not None}
    metrics = {"CloudWatchMetrics": _directives(reason, [name for name, _ in counts]), "Timestamp": 0}
    return json_text(line | {"_aws": metrics}).removesuffix("0}}")


def _directives(reason: ErrorCode | None, counted: Sequence[str]) -> list[dict[str, object]]:
    """Return which members of the line are metrics (EMF specification, 2018).

    Each is counted for the account and for this deployment: ``docs/adr/0009-metrics-by-deployment.md``.
    """
    dimensions = [["decision"], ["service"], ["service", "decision"]]
    if reason:
        dimensions += [["decision", "reason"], ["service", "decision", "reason"]]
    directives: list[dict[str, object]] = [
        {"Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": [{"Name": "Decisions", "Unit": _COUNT}]}
    ]
    if counted:
        metrics = [{"Name": name, "Unit": _COUNT} for name in counted]
        directives.append({"Namespace": NAMESPACE, "Dimensions": [[], ["service"]], "Metrics": metrics})
    return directives


def _route(rule: str | None, method: str | None, route_key: str | None) -> str | None:
    """Return the rule that decided, or else the route that API Gateway matched, with the method of the request."""
    if rule is not None or route_key is None:
        return rule
    return printable(route_key if " " in route_key or route_key == method else f"{method} {route_key}")


def _name_of_principal(settings: LogSettings) -> Callable[[str], str] | None:
    """Return the function that copies or hashes a principal's id for the log; ``None`` if the log does not name it."""
    if settings.principal is LogPrincipal.NONE:
        return None
    if settings.principal is LogPrincipal.PLAIN:
        return printable
    from hmac import digest  # noqa: PLC0415 - only for this setting

    key = settings.principal_key
    return lambda name: digest(key, name.encode("utf-8", "surrogatepass"), "sha256").hex()[:_DIGITS]


def _listed(texts: Sequence[str]) -> list[str]:
    """Return the first five, and how many more there are."""
    more = [f"and {len(texts) - _LONGEST_LIST} more"] if len(texts) > _LONGEST_LIST else []
    return [*texts[:_LONGEST_LIST], *more]


def _shortened(line: str) -> str:
    """Cut all strings of a line that is too long, as little as is enough."""
    members: dict[str, object] = json.loads(line)
    for longest in (200, 100, 50, 25):
        line = json_text({name: _cut(value, longest) for name, value in members.items()})
        if len(line) < _LONGEST_LINE:
            break
    return line


def _cut(value: object, longest: int) -> object:
    if isinstance(value, str):
        # A character outside ASCII would take up to twelve bytes.
        return printable(value.encode("ascii", "replace").decode(), longest)
    return [_cut(item, longest) for item in value] if isinstance(value, list) else value
