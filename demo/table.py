"""The demo's results for a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from demo.calls import Api

if TYPE_CHECKING:
    from collections.abc import Iterable

    from demo.scenarios import Outcome

_TITLES = {
    Api.REST: "REST API",
    Api.REST_TOKEN: "REST API, TOKEN",
    Api.HTTP: "HTTP API",
    Api.WEBSOCKET: "WebSocket API",
}


def results_table(outcomes: Iterable[Outcome]) -> Table:
    """Lay out one row for each attempt, a section for each API."""
    table = Table(title="What each caller got", title_justify="left", expand=False)
    table.add_column("API")
    table.add_column("Call", no_wrap=True)
    table.add_column("Token", no_wrap=True)
    table.add_column("Status", justify="right", no_wrap=True)
    table.add_column("Decided by", no_wrap=True)
    table.add_column("Reason in the log", no_wrap=True)
    table.add_column("What the backend saw")
    previous: Api | None = None
    for outcome in outcomes:
        api = outcome.attempt.api
        if previous not in (None, api):
            table.add_section()
        table.add_row(
            _TITLES[api] if api is not previous else "",
            _call(outcome),
            outcome.attempt.token,
            _status(outcome),
            outcome.by.value,
            outcome.reason or "",
            _seen(outcome),
        )
        previous = api
    return table


def footnotes(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Explain the marks of the table."""
    notes = dict.fromkeys(outcome.attempt.note for outcome in outcomes if outcome.attempt.note)
    return tuple(f"* {note}" for note in notes)


def _call(outcome: Outcome) -> str:
    attempt = outcome.attempt
    return "connect" if attempt.api is Api.WEBSOCKET else f"{attempt.method} {attempt.path}"


def _status(outcome: Outcome) -> Text:
    text = f"{outcome.answer.status}{'*' if outcome.attempt.note else ''}"
    if outcome.problems:
        return Text(f"✘ {text}", style="bold red")
    return Text(text, style="green" if outcome.answer.told else "yellow")


def _seen(outcome: Outcome) -> str:
    if outcome.problems:
        return "; ".join(outcome.problems)
    told = outcome.answer.told
    if not told:
        return ""
    return f"sub={told['sub']} email={told['email']} scope={told['scope']} and {len(outcome.answer.claims)} claims"
