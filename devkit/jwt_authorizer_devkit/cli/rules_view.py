"""Print the results of checks and tests of rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

    from jwt_authorizer_devkit.routes.checking import Check
    from jwt_authorizer_devkit.routes.trying import Result

_SHOWN = 20
"""The most rows that are shown."""

_SHOWN_ROUTES = 6
"""The most routes in one row."""


def show_check(check: Check, console: Console) -> None:
    """Print the result of a check."""
    for overlap in check.overlaps:
        console.print(f"[yellow]![/] {escape(overlap)}\n")
    if check.left_out:
        table = _table("Routes that cached policies leave out: users see a 403 there until the copy expires")
        for column in ("a token", "after", "left out"):
            table.add_column(column, overflow="fold")
        for left in check.left_out[:_SHOWN]:
            table.add_row(escape(left.token), escape(left.after), escape("\n".join(_first(left.routes))))
        console.print(table)
        if len(check.left_out) > _SHOWN:
            console.print(f"{len(check.left_out) - _SHOWN} more like these: --json has all of them.\n")
    result = "[green]✓[/] nothing found" if check.fine else "[yellow]![/] found something"
    console.print(f"{result}: {check.routes} rules, cached by {check.cached_by}.")


def _first(routes: tuple[str, ...]) -> list[str]:
    more = len(routes) - _SHOWN_ROUTES
    return [*routes[:_SHOWN_ROUTES], f"and {more} more"] if more > 0 else list(routes)


def show_results(results: tuple[Result, ...], console: Console) -> None:
    """Print the table of cases, and how many are as expected."""
    table = _table("Cases")
    for column in ("", "case", "request", "expected", "result"):
        table.add_column(column, overflow="fold")
    for result in results:
        request = result.request + (f"\n  with the copy for {result.after}" if result.after else "")
        came = result.outcome + (f": {result.reason}" if result.reason else "")
        came += f"\n  needs {' '.join(result.needs)}" if result.needs else ""
        came += f"\n  by {result.route}" if result.route and not result.passed else ""
        mark = "[green]✓[/]" if result.passed else "[red]✗[/]"
        style = "" if result.passed else "bold"
        table.add_row(mark, escape(result.name), escape(request), result.expected, escape(came), style=style)
    console.print(table)
    failed = sum(not result.passed for result in results)
    console.print(f"{len(results) - failed} as expected" + (f", [bold red]{failed} not[/]" if failed else "") + ".")


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, pad_edge=False, expand=False)
