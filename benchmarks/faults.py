"""100,000 mixed requests while an issuer fails in every way and rotates its keys twice.

    python -m benchmarks.faults [--of keys|introspection] [--requests 100000] [--every 1] [--seed 1]

Then as many while the introspection endpoint fails (``introspection_faults.py``), or only one of the two.

The function is the whole one, as Lambda would start it. The issuers use TLS over real sockets. The wall clock is
simulated, so that hours pass in minutes, but requests wait in real time. The exit code is 1 if a promise was broken.
What the figures mean: ``docs/reliability.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from benchmarks import introspection_faults
from benchmarks.fault_report import print_figures, print_outcomes
from benchmarks.outages import outages, serve
from benchmarks.traffic import AUDIENCE, Administrator, Caller, Outcome, Traffic
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.signing import generate
from tests.integration.certificates import Authority
from tests.integration.hostile_server import HostileServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from jwt_authorizer.function import AuthorizerFunction

TTL, MAX_STALE, COOLDOWN = 600, 3600, 30
"""Seconds; the defaults."""
TIMEOUT = 0.5
"""Seconds. Shorter than the default, since requests wait in real time."""
OUTAGE, CALM = 90, 60
"""Simulated seconds of each failure, and of the time after it."""
EACH, UP_TO, PAST = "Each failure in turn", "One long outage, up to the stale limit", "The same, past the stale limit"
COLD, HEALED = "Cold starts in an outage", "Healed"
NOT_ALLOWED = (Outcome.REFUSED, Outcome.UNDECIDED)
NEVER = (Caller.BAD, Caller.MADE_UP, Caller.GONE)
START = 1_800_000_000.0
SLACK = 5.0
"""Seconds that a busy machine may add to a wait."""
METRICS = ("JwksFetches", "JwksFetchFailures", "JwksStaleServed")
CONFIG = """
[[issuers]]
issuer = "{}"
audience = ["{}"]
[[issuers]]
issuer = "{}"
audience = ["{}"]
"""


@dataclass
class World:
    """An issuer that fails, a clock, the callers, and the metrics of the functions that trust the issuer."""

    server: HostileServer
    authority: Authority
    traffic: Traffic
    environment: dict[str, str]
    now: float = START
    metrics: Counter[str] = field(default_factory=Counter)
    cold: list[AuthorizerFunction] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def start(self) -> AuthorizerFunction:
        """Start a function as Lambda does."""
        return create_function(self.environment, write=self._write, clock=lambda: self.now)

    def _write(self, line: str) -> None:
        if "Jwks" in line:
            self.metrics.update({name: json.loads(line).get(name, 0) for name in METRICS})

    def spend(self, function: AuthorizerFunction, seconds: float, requests: int) -> None:
        """Advance the clock, with requests at equal intervals."""
        for _ in range(requests):
            self.now += seconds / requests
            self.traffic.send(function, self.now)

    def publish(self) -> None:
        """Serve the keys that the issuer's administrator has published."""
        serve(self.server, self.traffic.failing)

    def expect(self, promise: str, held: object) -> None:
        """Record a promise that was broken."""
        if not held:
            self.broken.append(promise)


def rotations(world: World, last: int) -> dict[int, Callable[[], None]]:
    """Rotate twice: to a key that is published before it signs, and to one that signs at once."""
    issuer = world.traffic.failing
    first, second, third = issuer.signing, generate("ES256", "key-2"), generate("RS256", "key-3")

    def sign_with_second() -> None:
        issuer.signing = second

    def publish_and_sign_with_third() -> None:
        issuer.published[third] = world.now
        issuer.signing = third

    steps = (
        lambda: issuer.published.__setitem__(second, world.now),
        sign_with_second,
        lambda: issuer.remove(first, world.now),
        publish_and_sign_with_third,
        lambda: issuer.remove(second, world.now),
    )
    return {last * (position + 1) // (len(steps) + 1): step for position, step in enumerate(steps)}


def run(world: World, requests: int, every: int) -> int:
    """Run all failures. Return their number."""
    function, ways = world.start(), list(outages(world.server, world.traffic.failing, world.authority))[::every]
    each = max(10, requests * 9 // 10 // (2 * len(ways)))
    steps = rotations(world, len(ways))
    world.traffic.phase = EACH
    for number, outage in enumerate(ways):
        with outage():
            if number % 6 == 0:
                start_cold(world)
            world.spend(function, OUTAGE, each)
        if number in steps:
            steps[number]()
        world.publish()
        world.spend(function, CALM, each)
    for started in world.cold:
        world.expect("a cold start heals", world.traffic.send(started, world.now, Caller.GOOD) is Outcome.ALLOWED)
    long_outage(world, function, max(40, requests - len(world.traffic.waits)))
    return len(ways)


def start_cold(world: World) -> None:
    """Start another function during an outage: it starts, and does not reject a good token."""
    world.traffic.phase = COLD
    started = world.start()
    outcome = world.traffic.send(started, world.now, Caller.GOOD)
    world.expect("a cold start in an outage is a 500", outcome is Outcome.UNDECIDED)
    world.cold.append(started)
    world.traffic.phase = EACH


def long_outage(world: World, function: AuthorizerFunction, requests: int) -> None:
    """Fail for longer than keys may be stale, then recover."""
    with world.server.refusing():
        world.traffic.phase = UP_TO
        world.spend(function, MAX_STALE, requests // 2)
        world.now += TTL
        world.traffic.phase = PAST
        world.spend(function, TTL, requests // 2)
    world.now += COOLDOWN + TIMEOUT + SLACK  # the cooldown counts from the end of the fetch
    world.traffic.phase = HEALED
    world.expect("it heals", world.traffic.send(function, world.now, Caller.GOOD) is Outcome.ALLOWED)


def judge(world: World) -> None:
    """Check the outcomes against the promises."""
    count = world.traffic.count
    for phase in (EACH, UP_TO, HEALED):
        world.expect("no good token is rejected", not count(Caller.GOOD, *NOT_ALLOWED, phase=phase))
    world.expect("past the limit nothing is allowed", not count(Caller.GOOD, Outcome.ALLOWED, phase=PAST))
    world.expect("past the limit nothing is rejected", not count(Caller.GOOD, Outcome.REFUSED))
    world.expect("another issuer's tokens are not affected", not count(Caller.OTHER, *NOT_ALLOWED))
    for caller in NEVER:
        world.expect(f"no token {caller} is accepted", not count(caller, Outcome.ALLOWED))
    world.expect("bad tokens need no keys", not count(Caller.BAD, Outcome.UNDECIDED, phase=EACH))
    world.expect("no more fetches than cooldown and TTL allow", world.metrics[METRICS[0]] <= most_fetches(world))
    world.expect("nobody waits longer than the timeout", max(world.traffic.waits) < TIMEOUT + SLACK)


def most_fetches(world: World) -> int:
    """Return the limit: one for each cooldown of the failing issuer and each TTL (less jitter), some for starts."""
    elapsed = world.now - START
    return int(elapsed / COOLDOWN + 2 * elapsed / (0.9 * TTL)) + 2 + 4 * len(world.cold)


def report(world: World, failures: int) -> None:
    """Print the figures for docs/reliability.md."""
    traffic = world.traffic
    print_outcomes(traffic.counts, (EACH, UP_TO, PAST, COLD), list(Caller))
    accepted = sum(traffic.count(caller, Outcome.ALLOWED) for caller in NEVER)
    figures = {
        "Requests": f"{len(traffic.waits):,}",
        "Ways to fail": f"{failures}",
        "Good tokens rejected (401 or 403)": f"{traffic.count(Caller.GOOD, Outcome.REFUSED):,}",
        "Bad tokens accepted": f"{accepted:,}",
        "Longest time that tokens of a removed key were accepted": f"{traffic.removed_for:.0f} s",
        "Simulated time": f"{(world.now - START) / 3600:.1f} h",
        "Fetches, of at most": f"{world.metrics[METRICS[0]]:,}, {most_fetches(world):,}",
        "Failed fetches": f"{world.metrics[METRICS[1]]:,}",
        "Requests served with stale keys": f"{world.metrics[METRICS[2]]:,}",
        "Cold starts in an outage": f"{len(world.cold)}",
    }
    print_figures(figures, traffic.waits, TIMEOUT)
    for promise in world.broken:
        print(f"BROKEN: {promise}")


def main(arguments: list[str]) -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=("keys", "introspection"), help="what fails (default: one, then the other)")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--every", type=int, default=1, help="4: only each fourth failure, for a short run")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    is_fine = True
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        os.environ["SSL_CERT_FILE"] = os.fspath(authority.file)  # read by OpenSSL, not by us
        if chosen.of != "introspection":
            is_fine = _fail_keys(authority, Random(chosen.seed), chosen.requests, chosen.every)  # noqa: S311 - decides an order
        if chosen.of != "keys":
            print("\n## Introspection\n")
            random = Random(chosen.seed)  # noqa: S311 - decides an order
            is_fine &= introspection_faults.run(authority, random, chosen.requests, chosen.every)
    return 0 if is_fine else 1


def _fail_keys(authority: Authority, random: Random, requests: int, every: int) -> bool:
    """Return whether each promise was kept."""
    context = authority.server_context("localhost")
    with HostileServer({}, context) as failing, HostileServer({}, context) as healthy:
        ours, others = _administrator(failing), _administrator(healthy)
        traffic = Traffic(ours, others, random, TTL, COOLDOWN)
        config = CONFIG.format(ours.issuer, AUDIENCE, others.issuer, AUDIENCE)
        world = World(failing, authority, traffic, {"JWT_CONFIG": config, "JWT_HTTP_TIMEOUT_SECONDS": str(TIMEOUT)})
        failures = run(world, requests, every)
    judge(world)
    report(world, failures)
    return not world.broken


def _administrator(server: HostileServer) -> Administrator:
    key = generate("ES256", "key-1")  # the same kid at both issuers, on purpose
    administrator = Administrator(f"https://localhost:{server.port}", key, {key: 0.0})
    serve(server, administrator)
    return administrator


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
