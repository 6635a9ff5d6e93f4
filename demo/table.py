"""The demo's results as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from demo.calls import Api
from demo.scenarios import By

if TYPE_CHECKING:
    from collections.abc import Iterable

    from demo.scenarios import Outcome

_TITLES = {
    Api.REST: "REST API",
    Api.HTTP: "HTTP API",
    Api.WEBSOCKET: "WebSocket API",
}


def results_table(outcomes: Iterable[Outcome]) -> Table:
    """Return a table with a row for each attempt and a section for each API. It fits 80 columns."""
    table = Table(title="What each caller got", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("Call", "Token", "Status", "The log says"):
        table.add_column(name, no_wrap=True, justify="right" if name == "Status" else "left")
    table.add_column("The backend saw", overflow="fold")
    previous: Api | None = None
    for outcome in outcomes:
        api = outcome.attempt.api
        if api is not previous:
            table.add_section()
            table.add_row(Text(_TITLES[api], style="bold"))
        table.add_row(
            f" {_call(outcome)}",
            outcome.attempt.token,
            _status(outcome),
            _decision(outcome),
            _seen(outcome),
        )
        previous = api
    return table


def footnotes(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return the notes for the marks in the table."""
    notes = dict.fromkeys(outcome.attempt.note for outcome in outcomes if outcome.attempt.note)
    return tuple(f"* {note}" for note in notes)


def problems(outcomes: Iterable[Outcome]) -> tuple[str, ...]:
    """Return a line for each result that is not as expected."""
    return tuple(
        f"✘ {_TITLES[outcome.attempt.api]}, {_call(outcome)}, {outcome.attempt.token}: {problem}"
        for outcome in outcomes
        for problem in outcome.problems
    )


def _call(outcome: Outcome) -> str:
    attempt = outcome.attempt
    return "connect" if attempt.api is Api.WEBSOCKET else f"{attempt.method} {attempt.path}"


def _status(outcome: Outcome) -> Text:
    text = f"{outcome.answer.status}{'*' if outcome.attempt.note else ''}"
    if outcome.problems:
        return Text(f"✘ {text}", style="bold red")
    return Text(text, style="green" if outcome.answer.told else "yellow")


def _decision(outcome: Outcome) -> str:
    if outcome.by is not By.FUNCTION:
        return f"({outcome.by})"
    return outcome.reason or "allow"


def _seen(outcome: Outcome) -> str:
    told = outcome.answer.told
    if not told:
        return ""
    return f"{told['sub']}, {len(outcome.answer.claims)} claims"
