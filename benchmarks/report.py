"""Write the measurements as plots and ``docs/performance.md``."""

from __future__ import annotations

import datetime as dt
import math
import os
import platform
import sysconfig
from typing import TYPE_CHECKING

from benchmarks import plots, prices, store_costs
from benchmarks.claims import Measurements, busy, megabytes, microseconds, milliseconds
from benchmarks.cold_start import FLOOR, OBVIOUS, OURS
from benchmarks.fleet import CALL, SDK, Assumptions, Event, Keys, Scenario, Start, Tally, simulate
from benchmarks.policy_times import HEAD
from benchmarks.warm import STAGES
from benchmarks.workload import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.prices import Measured

_FLEET_HEAD = (
    *("Environments", "Issuer", "Keys", "Start", "Fetches", "per s", "at the peak"),
    *("p50", "p99", "p99.9", "401", "500", "$ an hour"),
)
_TEMPLATE = ROOT / "benchmarks" / "performance.template.md"
_MEMORY = 1024
"""MB, the template's default, for the fleet and its price."""


def assumptions(cost: Measured, parts: Mapping[str, float]) -> Assumptions:
    """Return the assumptions with measured times, at the template's memory size."""
    sized = prices.at_size(cost, _MEMORY)
    share = _MEMORY / prices.WHOLE_CPU
    fetching = sum(parts[name] for name in ("ssl", "certificates", "settings, fetching keys"))
    return Assumptions(
        cold_start=sized.start,
        processor_of_fetch=fetching / share,
        warm_request=sized.fresh,
        sdk=SDK / share,
        processor_of_call=CALL / share,
    )


def fleets(sizes: Sequence[int], given: Assumptions) -> list[tuple[Scenario, Tally]]:
    """Simulate every fleet."""
    scenarios = [Scenario(size, event, keys) for size in sizes for event in Event for keys in Keys] + [
        Scenario(size, start=Start.SNAPSHOT) for size in sizes
    ]
    return [(scenario, simulate(scenario, given)) for scenario in scenarios]


def as_files(measured: Measurements) -> dict[str, str]:
    """Return the content of the files to write, by name."""
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
    warm_bars += [(name.removeprefix("handler, "), [("not split", measured.warm[name] * 1e6)]) for name in others]
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
            ["What", "Ours", "Theirs", "Ratio"],
            [[r.what, r.ours, r.other, f"{r.ratio:.2f}"] for r in measured.rows],
        ),
        far=_table(
            [
                "Round trip to the issuer",
                "Ours",
                "Obvious",
                "Ratio",
                "Ours, by discovery",
                "Connections, TLS handshakes",
            ],
            [
                [
                    milliseconds(one.round_trip),
                    *(milliseconds(seconds) for seconds in (one.ours, one.obvious)),
                    f"{one.ours / one.obvious:.2f}",
                    milliseconds(one.by_discovery),
                    f"{one.connections}, {one.handshakes}",
                ]
                for one in measured.far
            ],
        ),
        ready=_table(
            ["Routes", "Start-up", "Against none"],
            [
                [str(count), milliseconds(seconds), f"{seconds / measured.ready[0]:.2f}"]
                for count, seconds in measured.ready.items()
            ],
        ),
        routes=_table(HEAD, [one.cells() for one in measured.routes]),
        starts=_table(
            ["Package", "To the first answer: least", "median", "Processor", "Peak memory", "Zipped"],
            [
                [
                    name,
                    milliseconds(s.seconds),
                    milliseconds(s.usual_seconds),
                    milliseconds(s.processor),
                    megabytes(s.memory),
                    megabytes(s.zipped),
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
                [name, microseconds(seconds), f"{seconds / measured.warm['raw check']:.2f}"]
                for name, seconds in measured.warm.items()
            ],
        ),
        sizes=_table(
            ["Memory", "Cold start", "Request, fresh token", "Request, repeated token"],
            [
                [f"{s.memory} MB", milliseconds(s.start), f"{s.fresh * 1e3:.2f} ms", f"{s.repeated * 1e3:.2f} ms"]
                for s in (prices.at_size(measured.cost, memory) for memory in prices.SIZES)
            ],
        ),
        cost=_cost(measured.cost),
        prices_as_of=prices.PRICES_AS_OF,
        starts_share=f"{prices.STARTS:.1%}",
        memory=_MEMORY,
        fleet=_fleet(measured),
        given=_given(measured.given),
        stores=_table(store_costs.HEAD, store_costs.rows(_sizes(measured), measured.given, _MEMORY)),
        given_stores=store_costs.given_stores(measured.given),
        logs=store_costs.logs(),
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


def _sizes(measured: Measurements) -> list[int]:
    return sorted({scenario.size for scenario, _ in measured.fleets})


def _fleet(measured: Measurements) -> str:
    given = measured.given
    return _table(
        _FLEET_HEAD,
        [
            [
                f"{scenario.size:,}",
                scenario.event,
                scenario.keys,
                scenario.start,
                f"{tally.all_fetches:,}",
                f"{tally.all_fetches / given.duration:.3g}",
                f"{tally.peak:,}/s",
                *(milliseconds(tally.quantile(share)) for share in (0.5, 0.99, 0.999)),
                f"{tally.refused / tally.requests:.2%}",
                f"{tally.failed / tally.requests:.2%}",
                f"{_per_hour(tally, given):.2g}",
            ]
            for scenario, tally in measured.fleets
        ],
    )


def _per_hour(tally: Tally, given: Assumptions) -> float:
    """Return Lambda's price of a fleet in dollars. Requests are billed in whole milliseconds, with their waiting."""
    seconds = tally.requests * math.ceil(given.warm_request * 1000) / 1000 + sum(tally.waits)
    return prices.of_requests(tally.requests, seconds, _MEMORY, "arm64") * 3600 / given.duration


def _given(given: Assumptions) -> str:
    return (
        f"From the measurements above, at {_MEMORY} MB: a cold start {given.cold_start:.2f} s, of which opening TLS "
        f"and reading keys {given.processor_of_fetch:.2f} s. Assumed: {given.network_of_fetch * 1e3:.0f} ms of network "
        f"for a fetch, {given.copy_read * 1e3:.0f} ms to read a refresher's copy and {given.sdk:.2f} s to load "
        f"boto3 for it, {given.restore * 1e3:.0f} ms to "
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
    return f"{model}, {os.cpu_count()} processors, {_python()}, {platform.system()}"


def _python() -> str:
    """Return the interpreter, and whether it was built with profile-guided optimization: a fifth of our own time."""
    profiled = "with" if "--enable-optimizations" in str(sysconfig.get_config_var("CONFIG_ARGS")) else "without"
    return f"Python {platform.python_version()} configured {profiled} `--enable-optimizations`"
