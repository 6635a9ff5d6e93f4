"""Cold starts: whole processes from their first instruction to the first answer, and the parts of that time."""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchmarks import packages
from benchmarks.delay import ROUND_TRIPS, DelayProxy
from benchmarks.process import Lived, Package, base_interpreter, live

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from benchmarks.workload import Workload

OURS, OURS_NO_FETCH, OBVIOUS, FLOOR = "ours", "ours, keys in the settings", "obvious", "floor"
_WARM_EVENTS = 400

_FETCHING = "settings, fetching keys"
_REPEATED = {_FETCHING: "certificates"}
"""The function loads the certificates itself, so when the parts are measured they are loaded twice."""

_PROCESSOR = "__import__('time').process_time()"
_RUNTIME = ("runtime client", "import awslambdaric.bootstrap")
_EVENT = "import json, os, types; context = types.SimpleNamespace(aws_request_id='x', function_name='bench', \
memory_limit_in_mb=512, invoked_function_arn='arn', function_version='1'); event = json.loads(os.environ['EVENT'])"
PARTS: Mapping[str, tuple[tuple[str, str], ...]] = {
    FLOOR: (_RUNTIME, ("cryptography, ssl", "import app")),
    OURS: (
        _RUNTIME,
        ("cryptography, PyJWT's algorithms", "import jwt_authorizer.signatures"),
        ("our modules", "import jwt_authorizer.function"),
        ("ssl", "import ssl"),
        ("certificates", "from jwt_authorizer.issuers.https import system_context; system_context()"),
        (_FETCHING, "from jwt_authorizer.handler import lambda_handler"),
        ("first answer", f"{_EVENT}; lambda_handler(event, context)"),
    ),
    OBVIOUS: (
        _RUNTIME,
        ("PyJWT whole, cryptography", "import jwt"),
        ("Powertools Logger and Metrics", "from aws_lambda_powertools import Logger, Metrics"),
        (
            "Powertools data classes",
            "import aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event",
        ),
        ("its module", "from app import lambda_handler"),
        ("first answer, with fetching keys", f"{_EVENT}; lambda_handler(event, context)"),
    ),
}
"""The parts of each start, as statements that are timed one after another."""


@dataclass(frozen=True, slots=True)
class Starts:
    """All starts of one package, in seconds and bytes. The least counts, since noise only adds."""

    package: Package
    lives: tuple[Lived, ...]
    zipped: int

    @property
    def seconds(self) -> float:
        """The time to the first answer, as a caller waits for it."""
        return min(lived.to_first_answer for lived in self.lives)

    @property
    def usual_seconds(self) -> float:
        """The same, as the median of all."""
        return median(lived.to_first_answer for lived in self.lives)

    @property
    def processor(self) -> float:
        """Processor time, the system's included."""
        return min(lived.processor for lived in self.lives)

    @property
    def memory(self) -> int:
        """The peak memory."""
        return min(lived.peak_memory for lived in self.lives)


def all_packages(load: Workload) -> dict[str, Package]:
    """Build the packages that are compared."""
    ours = packages.ours(load)
    return {
        FLOOR: packages.floor(),
        OURS: ours,
        OURS_NO_FETCH: replace(ours, environment={**ours.environment, "JWT_JWKS": load.jwks()}),
        OBVIOUS: packages.obvious(load),
    }


def measure(built: Mapping[str, Package], runtime: Path, load: Workload, rounds: int) -> dict[str, Starts]:
    """Start each package once in each round, so that a slow moment affects all of them."""
    event = json.dumps(load.event(load.token())).encode()
    lives: dict[str, list[Lived]] = {name: [] for name in built}
    for _ in range(rounds):
        for name, package in built.items():
            lives[name].append(live(package, runtime, [event]))
    return {
        name: Starts(package, tuple(lives[name]), packages.zipped_size(package.folder))
        for name, package in built.items()
    }


@dataclass(frozen=True, slots=True)
class Far:
    """Seconds to the first answer with an issuer ``round_trip`` seconds away, by the key set's URL and by discovery.

    ``connections`` and ``handshakes`` are those of one start by discovery, which fetches two documents.
    """

    round_trip: float
    ours: float
    obvious: float
    by_discovery: float
    connections: int
    handshakes: int


def far(built: Mapping[str, Package], runtime: Path, load: Workload, rounds: int) -> list[Far]:
    """Start ours and the obvious authorizer in turn, at each distance."""
    near = load.provider.origin
    target = urlsplit(near).port or 443
    found = []
    for round_trip in ROUND_TRIPS:
        with DelayProxy(target, round_trip) as proxy:
            load.provider.origin = near.replace(f":{target}", f":{proxy.port}")
            event = json.dumps(load.event(load.token())).encode()
            here = {"JWT_ISSUER": load.issuer}
            far_away = {
                "ours": _with(built[OURS], {**here, "JWT_JWKS": load.provider.jwks_url}),
                "obvious": _with(built[OBVIOUS], {**here, "JWKS_URL": load.provider.jwks_url}),
                "by_discovery": _with(built[OURS], {**here, "JWT_JWKS": ""}),
            }
            live(far_away["by_discovery"], runtime, [event])
            counted = proxy.connections, proxy.handshakes
            least = dict.fromkeys(far_away, float("inf"))
            for _ in range(rounds):
                for name, package in far_away.items():
                    least[name] = min(least[name], live(package, runtime, [event]).to_first_answer)
        found.append(Far(round_trip, **least, connections=counted[0], handshakes=counted[1]))
    load.provider.origin = near
    return found


def _with(package: Package, environment: Mapping[str, str]) -> Package:
    return replace(package, environment={**package.environment, **environment})


@dataclass(frozen=True, slots=True)
class PerRequest:
    """Processor seconds of one warm request, the runtime client's share included."""

    repeated: float
    fresh: float


def per_request(package: Package, runtime: Path, load: Workload, rounds: int) -> PerRequest:
    """Return the processor time of a warm request: that of many requests minus that of one, divided by their number."""
    events = [json.dumps(load.event(load.token(number))).encode() for number in range(_WARM_EVENTS + 1)]
    few, fresh, repeated = events[:1], events, events[:1] * (_WARM_EVENTS + 1)
    costs: dict[str, list[float]] = {"few": [], "fresh": [], "repeated": []}
    for _ in range(rounds):
        for name, asked in (("few", few), ("fresh", fresh), ("repeated", repeated)):
            costs[name].append(live(package, runtime, asked).processor)
    least = {name: min(seconds) for name, seconds in costs.items()}
    return PerRequest(*((least[name] - least["few"]) / _WARM_EVENTS for name in ("repeated", "fresh")))


def parts(package: Package, runtime: Path, load: Workload, rounds: int) -> list[tuple[str, float]]:
    """Return the parts of a start in processor seconds: the least of all rounds for each part."""
    named = PARTS[package.name]
    script = [f"at = [{_PROCESSOR}]"]
    for _, statement in named:
        script += [statement, f"at.append({_PROCESSOR})"]
    script += ["import json, sys; print(json.dumps(at), file=sys.stderr)"]
    environment = {
        "PYTHONPATH": f"{package.folder}:{runtime}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "EVENT": json.dumps(load.event(load.token())),
        **package.environment,
    }
    times: list[list[float]] = []
    for _ in range(rounds):
        ended = subprocess.run(  # noqa: S603 - our own arguments
            [base_interpreter(), "-c", "\n".join(script)],
            env=environment,
            cwd=package.folder,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        marks = [0.0, *json.loads(ended.stderr.splitlines()[-1])]
        times.append([after - before for before, after in itertools.pairwise(marks)])
    least = dict(zip(["interpreter", *(label for label, _ in named)], _least(times), strict=True))
    for label, again in _REPEATED.items():
        if label in least:
            least[label] -= least[again]
    return list(least.items())


def _least(times: Sequence[Sequence[float]]) -> list[float]:
    return [min(column) for column in zip(*times, strict=True)]
