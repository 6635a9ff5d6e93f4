"""Print an explanation: result, advice, steps, claims, answer, and routes or fields."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from jwt_authorizer_devkit.explaining.redaction import redacted
from jwt_authorizer_devkit.explaining.routes import Copy
from jwt_authorizer_devkit.explaining.steps import Name, Passing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from jwt_authorizer_devkit.explaining import Explanation

_COLORS = {"allow": "green", "deny": "yellow", "reject": "red", "error": "magenta"}
_RESULTS = {"allow": "allowed", "deny": "denied", "reject": "token rejected", "error": "error"}
_MARKS = {Passing.PASSED: "[green]✓[/]", Passing.FAILED: "[red]✗[/]", Passing.NOT_REACHED: "[dim]·[/]"}
_COPIES = {Copy.SERVES: "[green]allows it[/]", Copy.REFUSES: "[yellow]403[/]", Copy.ASKS: "[dim]not used[/]"}


def show(
    explanation: Explanation, assumed: str | None, console: Console, answered: Mapping[str, str] | None = None
) -> None:
    """Print an explanation and, if it is given, what the introspection endpoint ``answered``."""
    _result(explanation, assumed, console)
    _steps(explanation, console)
    if answered is not None:
        table = _table("The introspection endpoint's answer", "member", "value, or its type")
        for member, value in answered.items():
            table.add_row(escape(member), escape(value))
        console.print(table)
    if explanation.claims:
        _claims(explanation, console)
    _answer(explanation, console)
    if explanation.routes:
        _routes(explanation, console)
    if explanation.fields:
        _fields(explanation, console)
    for warning in explanation.warnings:
        console.print(f"[yellow]![/] {escape(warning)}")


def _result(explanation: Explanation, assumed: str | None, console: Console) -> None:
    color = _COLORS[explanation.decision]
    reason = f": [bold]{explanation.reason}[/]" if explanation.reason else ""
    lines = [f"[bold {color}]{_RESULTS[explanation.decision]}[/]{reason}"]
    lines.append(f"The client sees {escape(explanation.client_sees)}.")
    if explanation.advice is not None:
        lines.append(f"[bold]→[/] {escape(explanation.advice.text)}")
    if assumed is not None:
        lines.append(f'[dim]Assumed request: {escape(assumed)}. Another one: --request "METHOD /path".[/]')
    console.print(Panel("\n".join(lines), border_style=color, box=box.ROUNDED))


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False, expand=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _steps(explanation: Explanation, console: Console) -> None:
    table = _table("Steps", "", "step", "input", "result")
    for step in explanation.steps:
        style = "dim" if step.outcome is Passing.NOT_REACHED else ""
        said = "not reached" if step.outcome is Passing.NOT_REACHED else step.said
        if step.name is Name.ANSWER and step.outcome is Passing.PASSED:
            said = explanation.client_sees
        table.add_row(_MARKS[step.outcome], step.name, escape(step.saw), escape(said), style=style)
    console.print(table)


def _claims(explanation: Explanation, console: Console) -> None:
    title = "Claims" if explanation.verified else "Claims, unverified: the signature has not been checked"
    table = _table(title, "", "claim", "is", "has to be")
    for result in explanation.claims:
        mark = "" if result.holds is None else "[green]✓[/]" if result.holds else "[red]✗[/]"
        table.add_row(
            mark,
            escape(result.claim),
            escape(result.value),
            escape(result.rule),
            style="dim" if result.holds is None else "",
        )
    console.print(table)


def _answer(explanation: Explanation, console: Console) -> None:
    if explanation.answer is None:
        console.print(f"[bold]Answer[/]\nThe function raises {escape(repr(explanation.raised))}.")
    else:
        shown = dict(explanation.answer)
        for member in ("context", "resolverContext"):
            context = shown.get(member)
            if isinstance(context, dict):
                shown[member] = {name: value for name, value in context.items() if name != "claims"}
        console.print("[bold]Answer[/] [dim](without the context's claims, which are above)[/]")
        console.print_json(redacted(json.dumps(shown, ensure_ascii=False)))
    console.print(escape(explanation.cached) + "\n")


def _routes(explanation: Explanation, console: Console) -> None:
    table = _table(
        "Routes: what this token may do, and what a cached copy of this answer does", "", "route", "token", "copy"
    )
    for result in explanation.routes:
        may = "[green]may[/]" if result.allowed else f"[yellow]{result.reason}[/]"
        if result.needs:
            may += f" (needs {escape(' '.join(result.needs))})"
        copy = _COPIES[result.copy]
        if result.allowed and result.copy is Copy.REFUSES:
            copy = "[red]403, though the token may[/]"
        table.add_row("→" if result.decided else "", escape(result.route), may, copy)
    console.print(table)


def _fields(explanation: Explanation, console: Console) -> None:
    table = _table("Fields: AppSync answers a denied one with null", "field", "token", "lacks")
    for result in explanation.fields:
        may = "[green]may[/]" if result.allowed else f"[yellow]{result.reason}[/]"
        table.add_row(escape(result.field), may, escape(", ".join(result.needs)))
    console.print(table)
