"""``make bench``: install the peers, measure, and write ``docs/performance.md`` with its plots."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import claims, cold_start, fleet, packages, report, start_up
from benchmarks.cold_start import FLOOR, OBVIOUS, OURS
from benchmarks.policy_times import COUNTS, time_routes
from benchmarks.prices import Measured
from benchmarks.workload import ROOT, workload

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.workload import Workload

_TOKENS = 200
_NODE = packages.BUILD / "node"


@dataclass(frozen=True, slots=True)
class _Rounds:
    """The number of rounds of each measurement."""

    starts: int
    far: int
    parts: int
    requests: int
    warm: int
    fleet: tuple[int, ...]


_FULL = _Rounds(starts=25, far=5, parts=12, requests=3, warm=7, fleet=fleet.SIZES)
_QUICK = _Rounds(starts=3, far=1, parts=2, requests=1, warm=2, fleet=fleet.SIZES[:2])


def main(arguments: list[str] | None = None) -> int:
    """Measure and write. Return 1 if a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that everything runs")
    parser.add_argument("--into", type=Path, default=ROOT / "docs", help="the folder to write to (default: docs)")
    options = parser.parse_args(arguments)
    rounds = _QUICK if options.quick else _FULL
    with tempfile.TemporaryDirectory() as folder, workload(Path(folder)) as load:
        measured = _measure(load, rounds)
    print(claims.as_text(measured))
    options.into.mkdir(parents=True, exist_ok=True)
    for name, text in report.as_files(measured).items():
        (options.into / name).write_text(text, "utf-8")
        say(f"wrote {options.into / name}")
    return 0 if all(row.met for row in measured.rows) else 1


def _measure(load: Workload, rounds: _Rounds) -> claims.Measurements:
    say("building the packages")
    runtime = packages.runtime()
    built = cold_start.all_packages(load)
    node = _node_peers()
    say(f"starting each of {len(built)} packages {rounds.starts} times")
    starts = cold_start.measure(built, runtime, load, rounds.starts)
    say("starting with the issuer far away")
    far = cold_start.far(built, runtime, load, rounds.far)
    say("starting with 0, 100 and 300 routes")
    ready = start_up.measure(built[OURS], runtime, load, rounds.starts)
    say("policies for up to 1,000 routes")
    routes = [time_routes(count, absent=absent) for absent in (False, True) for count in COUNTS]
    say("measuring the parts of a start")
    parts = {name: cold_start.parts(built[name], runtime, load, rounds.parts) for name in (FLOOR, OURS, OBVIOUS)}
    say("measuring the processor time of a request")
    requests = cold_start.per_request(built[OURS], runtime, load, rounds.requests)
    say(f"the warm path, {rounds.warm} rounds")
    warm = _warm(load, rounds.warm, node=node)
    say(f"a fleet of up to {rounds.fleet[-1]:,}")
    cost = Measured(starts[OURS].processor, requests.fresh, requests.repeated)
    given = report.assumptions(cost, dict(parts[OURS]))
    fleets = report.fleets(rounds.fleet, given)
    return claims.Measurements(starts, parts, far, ready, routes, warm, cost, given, fleets)


def _node_peers() -> bool:
    """Install the peers in Node. Return whether that worked."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        say("no Node here: aws-jwt-verify and jose are left out")
        return False
    shutil.rmtree(_NODE, ignore_errors=True)
    shutil.copytree(ROOT / "benchmarks" / "node", _NODE, ignore=shutil.ignore_patterns("node_modules"))
    done = subprocess.run([npm, "ci", "--silent"], cwd=_NODE, check=False)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        say("npm failed: aws-jwt-verify and jose are left out")
    return done.returncode == 0


def _warm(load: Workload, rounds: int, *, node: bool) -> dict[str, float]:
    """Alternate rounds in Python and in Node. Return the least time of each name."""
    material = json.dumps(
        {
            "issuer": load.issuer,
            "jwks_url": load.provider.jwks_url,
            "jwks": load.jwks(),
            "certificates": str(load.certificates),
            "tokens": [load.token(number) for number in range(_TOKENS)],
        }
    )
    times: dict[str, float] = {}
    for _ in range(rounds):
        _keep_least(times, _run([sys.executable, "-m", "benchmarks.warm"], ROOT, material))
        if node:
            _keep_least(times, _run(["node", "verify.mjs"], _NODE, material))
    return times


def _keep_least(times: dict[str, float], found: Mapping[str, float]) -> None:
    times.update({name: min(seconds, times.get(name, seconds)) for name, seconds in found.items()})


def _run(command: Sequence[str], folder: Path, material: str) -> dict[str, float]:
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, cwd=folder, input=material, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def say(text: str) -> None:
    """Print the progress."""
    print(f"bench: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
