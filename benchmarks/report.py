"""What was measured becomes a table with its bars, plots, and ``docs/performance.md``."""

from __future__ import annotations

import datetime as dt
import math
import os
import platform
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import plots, prices
from benchmarks.cold_start import FLOOR, OBVIOUS, OURS, OURS_NO_FETCH
from benchmarks.fleet import Assumptions, Event, Keys, Scenario, Start, Tally, simulate
from benchmarks.warm import STAGES
from benchmarks.workload import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.cold_start import Starts
    from benchmarks.prices import Measured

_FLEET_HEAD = (
    *("Environments", "Issuer", "Keys", "Start", "Fetches", "per s", "at the peak"),
    *("p50", "p99", "p99.9", "401", "500", "$ an hour"),
)
_TEMPLATE = ROOT / "benchmarks" / "performance.template.md"
_MEMORY = 512
"""MB, the template's default: what the fleet and the bill are worked out for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: ours over the other's, and how much of it there may be."""

    what: str
    ours: str
    other: str
    ratio: float
    bar: float
    aim: float

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.ratio <= self.bar

    @property
    def verdict(self) -> str:
        """Say it in a word."""
        return "aim met" if self.ratio <= self.aim else "bar met" if self.met else "**not met**"


@dataclass(frozen=True, slots=True)
class Measurements:
    """All of one run."""

    starts: Mapping[str, Starts]
    parts: Mapping[str, Sequence[tuple[str, float]]]
    warm: Mapping[str, float]
    cost: Measured
    given: Assumptions
    fleets: Sequence[tuple[Scenario, Tally]]

    @property
    def rows(self) -> list[Row]:
        """The claims."""
        ours, bare, obvious, floor = (self.starts[name] for name in (OURS, OURS_NO_FETCH, OBVIOUS, FLOOR))
        raw = self.warm["raw check"]
        start, megabytes = partial(_row, _milliseconds), partial(_row, _megabytes)
        call = partial(_row, _microseconds)
        rows = [
            start(
                "Cold start to first answer, against the obvious authorizer", ours.seconds, obvious.seconds, 0.5, 0.33
            ),
            start("The same, against the floor, which fetches no keys", ours.seconds, floor.seconds, 2.0, 1.5),
            start("The same with our keys in the settings: neither fetches", bare.seconds, floor.seconds, 2.0, 1.5),
            call("Whole handler, fresh token, against the raw check", self.warm["handler, fresh token"], raw, 4, 2.5),
            call(
                "Whole handler, repeated token, against the raw check", self.warm["handler, repeated token"], raw, 2, 1
            ),
        ]
        if "aws-jwt-verify" in self.warm:
            verification, theirs = self.warm["verification"], self.warm["aws-jwt-verify"]
            rows.append(call("Verification alone, fresh token, against aws-jwt-verify", verification, theirs, 1, 0.8))
        rows.append(megabytes("Zipped package, against the obvious one", ours.zipped, obvious.zipped, 1, 0.9))
        rows.append(megabytes("Peak memory, against the obvious one", ours.memory, obvious.memory, 1, 0.9))
        return rows


def _row(  # noqa: PLR0913, PLR0917 - a row of a table
    worded: Callable[[float], str], what: str, ours: float, other: float, bar: float, aim: float
) -> Row:
    return Row(what, worded(ours), worded(other), ours / other, bar, aim)


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.0f} ms"


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs"


def _megabytes(size: float) -> str:
    return f"{size / 1e6:.1f} MB"


def assumptions(cost: Measured, parts: Mapping[str, float]) -> Assumptions:
    """Fill in what was measured, at the memory size that the template has."""
    sized = prices.at_size(cost, _MEMORY)
    share = _MEMORY / prices.WHOLE_CPU
    fetching = sum(parts[name] for name in ("ssl", "certificates", "settings, fetching keys"))
    return Assumptions(cold_start=sized.start, processor_of_fetch=fetching / share, warm_request=sized.fresh)


def fleets(sizes: Sequence[int], given: Assumptions) -> list[tuple[Scenario, Tally]]:
    """Simulate every fleet."""
    scenarios = [Scenario(size, event, keys) for size in sizes for event in Event for keys in Keys] + [
        Scenario(size, start=Start.SNAPSHOT) for size in sizes
    ]
    return [(scenario, simulate(scenario, given)) for scenario in scenarios]


_BUSY = 1.3
"""A process that takes this many times its processor time has waited for others."""


def busy(measured: Measurements) -> str:
    """Warn, where it was so, that the machine had other things to do, which shortens nobody's time alike."""
    waits = max(starts.seconds / starts.processor for starts in measured.starts.values())
    if waits < _BUSY:
        return ""
    return (
        f"**The machine was busy**: a start took up to {waits:.1f} times its processor time. Long starts suffer more "
        "from that than short ones; the table below has the processor times.\n\n"
    )


def as_text(measured: Measurements) -> str:
    """Word the claims for a terminal."""
    lines = [
        f"{row.ratio:6.2f}  (bar {row.bar:g}, aim {row.aim:g}: {row.verdict.strip('*')})  "
        f"{row.what}: {row.ours} / {row.other}"
        for row in measured.rows
    ]
    return "\n".join([*lines, busy(measured)])


def as_files(measured: Measurements) -> dict[str, str]:
    """Give the files to write, by name."""
    start_bars = [
        (name, [(label, seconds * 1e3) for label, seconds in measured.parts[name]]) for name in (FLOOR, OURS, OBVIOUS)
    ]
    fresh = [(stage, measured.warm[stage] * 1e6) for stage in STAGES]
    stages = sum(seconds for _, seconds in fresh)
    whole = measured.warm["handler, fresh token"] * 1e6
    others = (
        "raw check",
        "handler, repeated token",
        "PyJWT, ready key",
        "PyJWT, PyJWKClient",
        "joserfc",
        "obvious handler",
    )
    warm_bars: list[plots.Bar] = [("ours, fresh", [*fresh, ("the rest", max(whole - stages, 0.0))])]
    warm_bars += [(name.removeprefix("handler, "), [("not taken apart", measured.warm[name] * 1e6)]) for name in others]
    return {
        "performance.md": _page(measured),
        "start-up.svg": plots.stacked("A cold start by part", "ms", start_bars),
        "warm-path.svg": plots.stacked("A warm request by stage", "µs", warm_bars),
    }


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def _page(measured: Measurements) -> str:
    return _TEMPLATE.read_text("utf-8").format(
        date=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=_machine(),
        busy=busy(measured),
        rounds=len(measured.starts[OURS].lives),
        claims=_table(
            ["What", "Ours", "Theirs", "Ratio", "Bar", "Aim", ""],
            [[r.what, r.ours, r.other, f"{r.ratio:.2f}", f"{r.bar:g}", f"{r.aim:g}", r.verdict] for r in measured.rows],
        ),
        starts=_table(
            ["Package", "To the first answer: least", "median", "Processor", "Peak memory", "Zipped"],
            [
                [
                    name,
                    _milliseconds(s.seconds),
                    _milliseconds(s.usual_seconds),
                    _milliseconds(s.processor),
                    _megabytes(s.memory),
                    _megabytes(s.zipped),
                ]
                for name, s in measured.starts.items()
            ],
        ),
        parts="\n\n".join(
            f"**{name}**: " + ", ".join(f"{label} {seconds * 1e3:.1f}" for label, seconds in parts) + " ms"
            for name, parts in measured.parts.items()
        ),
        warm=_table(
            ["What", "Per call", "Times the raw check"],
            [
                [name, _microseconds(seconds), f"{seconds / measured.warm['raw check']:.2f}"]
                for name, seconds in measured.warm.items()
            ],
        ),
        sizes=_table(
            ["Memory", "Cold start", "Request, fresh token", "Request, repeated token"],
            [
                [f"{s.memory} MB", _milliseconds(s.start), f"{s.fresh * 1e3:.2f} ms", f"{s.repeated * 1e3:.2f} ms"]
                for s in (prices.at_size(measured.cost, memory) for memory in prices.SIZES)
            ],
        ),
        cost=_cost(measured.cost),
        prices_as_of=prices.PRICES_AS_OF,
        starts_share=f"{prices.STARTS:.1%}",
        memory=_MEMORY,
        fleet=_fleet(measured),
        given=_given(measured.given),
    )


def _cost(cost: Measured) -> str:
    head = ["Memory", "Architecture", *(f"{n} request{'s' * (n > 1)} a token" for n in prices.REPEATS)]
    head[2] = "no cache (or 1 request a token)"
    return _table(
        head,
        [
            [f"{memory} MB", architecture]
            + [f"${prices.per_million(cost, memory, repeats, architecture):.3f}" for repeats in prices.REPEATS]
            for memory in (128, 256, 512, 1024, 1769)
            for architecture in prices.PER_GB_SECOND
        ],
    )


def _fleet(measured: Measurements) -> str:
    given = measured.given
    return _table(
        [
            "Environments",
            "Issuer",
            "Keys",
            "Start",
            "Fetches",
            "per s",
            "at the peak",
            "p50",
            "p99",
            "p99.9",
            "401",
            "500",
        ],
        [
            [
                f"{scenario.size:,}",
                scenario.event,
                scenario.keys,
                scenario.start,
                f"{tally.all_fetches:,}",
                f"{tally.all_fetches / given.duration:.3g}",
                f"{tally.peak:,}/s",
                *(_milliseconds(tally.quantile(share)) for share in (0.5, 0.99, 0.999)),
                f"{tally.refused / tally.requests:.2%}",
                f"{tally.failed / tally.requests:.2%}",
                f"{_per_hour(tally, given):.2g}",
            ]
            for scenario, tally in measured.fleets
        ],
    )


def _per_hour(tally: Tally, given: Assumptions) -> float:
    """Give Lambda's price of a fleet, in dollars; each request takes a whole millisecond, and waiting is billed."""
    seconds = tally.requests * math.ceil(given.warm_request * 1000) / 1000 + sum(tally.waits)
    return prices.of_requests(tally.requests, seconds, _MEMORY, "arm64") * 3600 / given.duration


def _given(given: Assumptions) -> str:
    return (
        f"From the measurements above, at {_MEMORY} MB: a cold start {given.cold_start:.2f} s, of which opening TLS "
        f"and reading keys {given.processor_of_fetch:.2f} s. Assumed: {given.network_of_fetch * 1e3:.0f} ms of network "
        f"for a fetch, {given.copy_read * 1e3:.0f} ms to read a refresher's copy, {given.restore * 1e3:.0f} ms to "
        f"restore a snapshot, {given.timeout:.0f} s for an issuer out of reach, one request per environment every "
        f"{given.gap:.0f} s that API Gateway's cache does not answer, a life of {given.life / 3600:.0f} h, all starts "
        f"within {given.burst:.0f} s. Rotation: from {given.event_at:.0f} s on tokens are signed with a key that was "
        f"not published before, in use by all after {given.token_life:.0f} s. Outage: {given.outage:.0f} s from then "
        f"on. The refresher runs every {given.refresh_every:.0f} s."
    )


def _machine() -> str:
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a line at a time
            model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, Python {platform.python_version()}, {platform.system()}"
