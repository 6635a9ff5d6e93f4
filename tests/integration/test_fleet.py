"""The model of a fleet against the function itself, where a fleet is small enough to be real."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from copy import replace

import pytest

from benchmarks.fleet import Assumptions, Event, Scenario, requests, simulate
from jwt_authorizer.errors import DecisionError
from jwt_authorizer.function import create_function
from jwt_authorizer_devkit.issuer.provider import Provider
from jwt_authorizer_devkit.issuer.server import IssuerServer
from tests.factories import AUDIENCE, rest_request_event

SIZE = 15
SEEDS = range(6)
GIVEN = replace(Assumptions(), life=1e9)
"""Nobody is replaced: then the number of environments is the same on both sides."""
BEGINNING = time.time()


def lived(event: Event, seed: int) -> tuple[int, int, int]:
    """Let real functions live through the half hour, by a clock of ours; give fetches, refusals and failures."""
    chance = random.Random(seed)  # noqa: S311 - a simulation
    server = IssuerServer(Provider(algorithms=("ES256",))).start()
    try:
        return _lived(event, server, chance)
    finally:
        server.stop()


def _lived(event: Event, server: IssuerServer, chance: random.Random) -> tuple[int, int, int]:
    provider = server.provider
    moments: list[tuple[float, int]] = []
    for number in range(SIZE):
        born = chance.uniform(0, GIVEN.burst)
        moments += [(at, number) for at in requests(born, GIVEN.duration, GIVEN, chance)]
    now = BEGINNING

    def clock() -> float:
        return now

    lines: list[str] = []
    environment = {
        "JWT_ISSUER": provider.url,
        "JWT_AUDIENCE": AUDIENCE,
        "JWT_JWKS": provider.jwks_url,
        "JWT_ALLOW_HTTP": "true",
    }
    functions = {}
    tokens = {"old": provider.token(audience=AUDIENCE, lifetime=7200)}
    out = rotated = False
    refused = failed = 0
    for at, number in sorted(moments):
        now = BEGINNING + at
        since = at - GIVEN.event_at
        if event is Event.ROTATION and since >= 0 and not rotated:
            provider.rotate()
            rotated = True
            tokens["new"] = provider.token(audience=AUDIENCE, lifetime=7200)
        if event is Event.OUTAGE and out is not (0 <= since < GIVEN.outage):
            out = not out
            (server.stop if out else server.start)()
        if number not in functions:
            functions[number] = create_function(environment, write=lines.append, clock=clock)
        kid = "new" if rotated and chance.random() < since / GIVEN.token_life else "old"
        try:
            functions[number](rest_request_event(tokens[kid]), None)
        except DecisionError:
            failed += 1
        except Exception:  # noqa: BLE001 - "Unauthorized" has no type of its own
            refused += 1
    counts = [json.loads(line).get("JwksFetches", 0) for line in lines]
    return sum(counts), refused, failed


@pytest.mark.parametrize("event", list(Event))
def test_the_model_counts_what_real_functions_do(event: Event) -> None:
    modelled = [simulate(Scenario(SIZE, event), GIVEN, seed=seed) for seed in SEEDS]
    real = [lived(event, seed) for seed in SEEDS]
    assert all(tally.environments == SIZE for tally in modelled)
    # Requests and jitter fall differently on both sides: three standard deviations of what is left of that.
    assert sum(fetches for fetches, _, _ in real) == pytest.approx(sum(t.all_fetches for t in modelled), rel=0.12)
    assert {(refused, failed) for _, refused, failed in real} == {(t.refused, t.failed) for t in modelled} == {(0, 0)}


def test_what_happens_shows_in_the_counts() -> None:
    quiet, rotation, outage = (simulate(Scenario(SIZE, event), GIVEN, seed=2).all_fetches for event in Event)
    assert quiet < rotation < quiet + SIZE
    assert outage > quiet + SIZE


# The long run of ``benchmarks/faults.py``, short: its promises hold, and its report says so.


@pytest.mark.timeout(120)
def test_no_good_token_is_turned_away_and_no_bad_one_let_in_while_an_issuer_fails_in_every_way() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.faults", "--requests", "3000", "--seed", "2"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "| Good tokens refused (401 or 403) | 0 |" in run.stdout
    assert "| Bad tokens let in | 0 |" in run.stdout
