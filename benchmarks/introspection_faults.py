"""Send opaque tokens while the introspection endpoint fails in every way, as the keys' issuer does in ``faults.py``.

The issuer, its endpoint and Parameter Store are servers on this machine. The keys are in the settings, so that failures
of the endpoint must not affect JWTs.
"""

from __future__ import annotations

import json
import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

from benchmarks.fault_report import print_figures, print_outcomes
from benchmarks.introspection_traffic import (
    AFTER,
    CACHE,
    CALM,
    COOLDOWN,
    COOLING,
    METRICS,
    NEVER,
    SLACK,
    START,
    TIMEOUT,
    Caller,
    World,
)
from benchmarks.outages import introspection_outages
from benchmarks.traffic import Outcome
from jwt_authorizer.issuers.documents import boto3_client
from tests.integration.hostile_server import HostileServer, answer

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from random import Random

    from tests.integration.certificates import Authority

OUTAGE = 90
"""Simulated seconds of each failure."""
IN_OUTAGE = "Each failure in turn"
ROTATED, WRONG = "The secret is rotated", "The secret is wrong, or cannot be read"


def run(authority: Authority, random: Random, requests: int, every: int) -> bool:
    """Run all failures, print the figures, and return whether all promises were kept."""
    with HostileServer({}, authority.server_context("localhost")) as server, HostileServer({}) as store:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")
        os.environ |= dict.fromkeys(names, "eu-west-1") | {"AWS_ENDPOINT_URL_SSM": f"http://127.0.0.1:{store.port}"}
        boto3_client("ssm", TIMEOUT)  # importing boto3 would take most of the first request's time
        world = World(server, store, random)
        ways = _live(world, authority, requests, every)
    _judge(world)
    _report(world, ways)
    return not world.broken


def _live(world: World, authority: Authority, requests: int, every: int) -> int:
    good = json.dumps({"active": True} | world.claims())
    ways = list(introspection_outages(world.server, world.metadata, good.encode(), authority))[::every]
    each = max(10, requests * 3 // (7 * (len(ways) + 3)))
    world.spend(AFTER, CALM, each)
    for is_cold, outage in ways:
        with outage():
            if is_cold:  # discovery happens only once
                world.start()
            world.spend(IN_OUTAGE, OUTAGE, each)
        world.heal(each)
    _change_secrets(world, each)
    return len(ways) + 2


def _change_secrets(world: World, each: int) -> None:
    """Rotate the secret at both ends, then at the issuer only, then make it unreadable."""
    world.secret = "secret-2"
    world.store_secret(world.secret)
    world.spend(ROTATED, OUTAGE, each)
    unreadable = answer(b'{"__type": "AccessDeniedException"}', status="400 Bad Request")
    wrong: AbstractContextManager[object] = nullcontext()
    for number, outage in enumerate((wrong, world.store.behaving("/", unreadable))):
        world.secret = f"secret-{number + 3}"
        with outage:
            world.spend(WRONG, OUTAGE, each)
        world.store_secret(world.secret)
        world.heal(each)


def _judge(world: World) -> None:
    """Check the outcomes against the promises."""
    count, rejected, undecided = world.count, Outcome.REFUSED, Outcome.UNDECIDED
    failing = (IN_OUTAGE, WRONG)
    world.expect("no active token is rejected", not count(Caller.ACTIVE, rejected))
    world.expect("no remembered token is rejected", not count(Caller.REMEMBERED, rejected, undecided))
    world.expect("nothing is accepted without introspection", not count(Caller.ACTIVE, Outcome.ALLOWED, phases=failing))
    world.expect("it heals", not count(Caller.ACTIVE, undecided, phases=(AFTER,)))
    world.expect("a rotated secret is read again", not count(Caller.ACTIVE, undecided, phases=(ROTATED,)))
    world.expect("JWTs are not affected", not count(Caller.JWT, rejected, undecided))
    world.expect("bad JWTs need no endpoint", not count(Caller.BAD_JWT, undecided))
    for caller in NEVER:
        world.expect(f"no token {caller} is accepted", not count(caller, Outcome.ALLOWED))
    world.expect("an ended token stops within the cache's time", world.ended_for < CACHE)
    world.expect("a failure starts a cooldown", world.metrics[METRICS[1]] <= _most_failures(world))
    world.expect("nobody waits longer than the timeout", max(world.waits) < TIMEOUT + SLACK)


def _most_failures(world: World) -> int:
    return int((world.now - START) / COOLDOWN) + world.starts


def _report(world: World, ways: int) -> None:
    print_outcomes(world.counts, (AFTER, IN_OUTAGE, COOLING, ROTATED, WRONG), list(Caller))
    accepted = sum(world.count(caller, Outcome.ALLOWED) for caller in NEVER)
    figures = {
        "Requests": f"{len(world.waits):,}",
        "Ways to fail": f"{ways}",
        "Active tokens rejected (401 or 403)": f"{world.count(Caller.ACTIVE, Outcome.REFUSED):,}",
        "Inactive or bad tokens accepted": f"{accepted:,}",
        "Longest time that a token revoked at the issuer was accepted": f"{world.ended_for:.0f} s",
        "Simulated time": f"{(world.now - START) / 3600:.1f} h",
        "Introspection requests": f"{world.metrics[METRICS[0]]:,}",
        "Failed requests, of at most": f"{world.metrics[METRICS[1]]:,}, {_most_failures(world):,}",
        "Cold starts in an outage": f"{world.starts - 1}",
    }
    print_figures(figures, world.waits, TIMEOUT)
    for promise in world.broken:
        print(f"BROKEN: {promise}")
