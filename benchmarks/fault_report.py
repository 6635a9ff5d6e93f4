"""Print the result of a run with faults: a table of outcomes and a table of figures, for docs/reliability.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.traffic import Outcome

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Sequence
    from enum import StrEnum

_LONG = 0.05
"""Seconds. An answer without the network never takes as long."""


def print_outcomes[C: StrEnum](
    counts: Counter[tuple[str, C, Outcome]], phases: Iterable[str], callers: Sequence[C]
) -> None:
    """Print the outcomes of the requests, by phase and caller."""
    print("| Tokens | " + " | ".join(Outcome) + " |\n| --- | ---: | ---: | ---: |")
    for phase in phases:
        print(f"| **{phase}** | | | |")
        for caller in callers:
            row = [counts[phase, caller, outcome] for outcome in Outcome]
            if any(row):
                print(f"| {caller} | " + " | ".join(f"{number:,}" for number in row) + " |")


def print_figures(figures: dict[str, str], waits: Sequence[float], timeout: float) -> None:
    """Print the figures, and how long requests waited (seconds)."""
    sorted_waits = sorted(waits)
    waited = {
        "Worst wait": f"{sorted_waits[-1] * 1000:.0f} ms (timeout {timeout * 1000:.0f} ms)",
        f"Waits over {_LONG * 1000:.0f} ms": f"{sum(wait > _LONG for wait in waits):,}",
        "99.9 %, 99 %, median wait": ", ".join(
            f"{sorted_waits[int(len(waits) * part)] * 1000:.2f} ms" for part in (0.999, 0.99, 0.5)
        ),
    }
    print("\n| | |\n| --- | ---: |")
    for name, figure in (figures | waited).items():
        print(f"| {name} | {figure} |")
