"""The stores' effect on a fleet's latency and price, and the price of logs, for ``docs/performance.md``."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from benchmarks import prices
from benchmarks.claims import milliseconds
from benchmarks.fleet_stores import CALLS, LIMITS, TOKENS_EACH, Store, StoreScenario, simulate
from benchmarks.log_line import own

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.fleet import Assumptions, Tally

HEAD = (
    *("Environments", "Store", "Calls per s", "at the peak", "of what it takes at once"),
    *("p50", "p99", "p99.9", "500", "$ an hour", "$ a million decisions"),
)
PER_CALL = {Store.PROOFS: prices.PER_WRITE_UNIT, Store.LIST: prices.PER_S3_GET, Store.INTROSPECTION: 0.0}
_LAMBDAS_LINES = 265
"""Bytes of START, END and REPORT as plain text, with ids of 36 characters. Counted once, in a log."""


def rows(sizes: Sequence[int], given: Assumptions, memory: int) -> list[list[str]]:
    """Simulate each store at each size, and each store's outage at the largest. ``memory`` in MB."""
    scenarios = [StoreScenario(size, store) for store in Store for size in sizes]
    scenarios += [StoreScenario(sizes[-1], store, is_out=True) for store in Store]
    return [_row(scenario, simulate(scenario, given), given, memory) for scenario in scenarios]


def _row(scenario: StoreScenario, tally: Tally, given: Assumptions, memory: int) -> list[str]:
    peak, limit = tally.peak * scenario.times, LIMITS.get(scenario.store)
    waiting = prices.of_waiting(sum(tally.waits), memory, "arm64")
    dollars = (tally.all_fetches * PER_CALL[scenario.store] + waiting) * scenario.times
    return [
        f"{scenario.size:,}",
        scenario.store + (", out of reach" if scenario.is_out else ""),
        f"{tally.all_fetches * scenario.times / given.duration:,.2f}",
        f"{peak:,.0f}/s",
        "" if limit is None else f"{peak / limit:.1%}",
        *(milliseconds(tally.quantile(share)) for share in (0.5, 0.99, 0.999)),
        f"{tally.failed / tally.requests:.1%}",
        f"{dollars * 3600 / given.duration:,.4f}",
        f"{dollars / (tally.requests * scenario.times) * 1e6:.2f}",
    ]


def given_stores(given: Assumptions) -> str:
    """Return the assumptions as a sentence."""
    times = ", ".join(
        f"{calls.usual * 1e3:.0f} ms ({calls.slow * 1e3:.0f} ms at the 99th percentile) for {store.partition(',')[0]}"
        for store, calls in CALLS.items()
    )
    return (
        f"Assumed for one call: {times}, and {given.processor_of_call * 1e3:.1f} ms of the function's processor. "
        f"{TOKENS_EACH} opaque tokens in use for each environment, which any of them may get."
    )


def logs() -> str:
    """Return a sentence about the price of logs."""
    stream = io.StringIO()
    write = own(stream)
    write()  # the first line differs: it has the cold start
    start = stream.tell()
    write()
    ours = stream.tell() - start
    of_ours, of_lambdas = (size / 1e9 * prices.PER_LOG_GB * 1e6 for size in (ours, _LAMBDAS_LINES))
    return (
        f"A decision's line has {ours} bytes, which is ${of_ours:.2f} a million decisions at ${prices.PER_LOG_GB:.2f} "
        "per GB that CloudWatch Logs takes in. START, END and REPORT, which Lambda writes, are some "
        f"{_LAMBDAS_LINES} bytes more, ${of_lambdas:.2f}."
    )
