"""Each alarm of the template fires when what it watches goes wrong for a while, and is quiet when it does not.

The alarms are those of ``template.yaml``, worked out; the metrics are read out of lines that the real function wrote
(:mod:`tests.unit.running`), so that a name or a dimension that only one side has makes an alarm that never fires. When
CloudWatch would call it an alarm is in :mod:`tests.cloudwatch`, which is held to CloudWatch's guide by its own tests.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from jwt_authorizer.settings.table import JWKS_TTL
from tests.cloudformation import read_template, resolve
from tests.cloudwatch import Metrics, state, states, watched
from tests.factories import NOW
from tests.unit.running import (
    GIVEN,
    NEW_VERSION,
    REFRESHER,
    ROOT,
    SHIFTING,
    Act,
    Running,
    alarms,
    issuer_is_down,
    lived,
    stack,
)
from tests.unit.test_errors import UNDECIDED

if TYPE_CHECKING:
    from collections.abc import Iterator

MINUTES = 60
HOURS = 3600

# What happens every twenty seconds.


def healthy(running: Running) -> None:
    running.issuer_is_down, running.refresher, running.version = False, "works", "1"
    running.request()
    if running.now % 200 == 0:
        running.rejection()


def cold_start_while_the_issuer_is_down(running: Running) -> None:
    if not running.issuer_is_down:
        running.issuer_is_down = True
        running.cold_start()
    running.request()


def refresher(condition: str) -> Act:
    def happens(running: Running) -> None:
        running.refresher = condition
        running.request()

    return happens


def many_rejections(running: Running) -> None:
    running.request()
    for _ in range(5):
        running.rejection()


def few_rejections(running: Running) -> None:
    """Have ten refused in five minutes, on an API that has none otherwise."""
    running.request()
    if running.now % 60 in (0, 20):
        running.rejection()


def new_version_refuses_everybody(running: Running) -> None:
    for _ in range(18):
        running.elsewhere()
    running.version = NEW_VERSION
    for _ in range(2):
        running.wrong_audience()
    running.version = "1"


def nothing(_: Running) -> None:
    pass


def seldom(act: Act) -> Act:
    """Do it once in five minutes; nothing else happens."""

    def happens(running: Running) -> None:
        if running.now % 300 == 0:
            act(running)

    return happens


def among(act: Act, good: int) -> Act:
    """Do it beside so many good requests elsewhere, once a minute."""

    def happens(running: Running) -> None:
        if running.now % 60 == 0:
            for _ in range(good):
                running.elsewhere()
            act(running)

    return happens


def cold_starts(fail: int, of: int) -> Act:
    """Have so many of so many new execution environments find the issuer down, once a minute."""

    def happens(running: Running) -> None:
        if running.now % 60 == 0:
            for number in range(of):
                running.issuer_is_down = number < fail
                running.cold_start()

    return happens


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong, and what is to come of it. Times are seconds."""

    act: Act
    within: float
    """So soon after its start does the alarm fire."""
    over: float
    """So soon after its end is the alarm over."""
    lasts: float = 30 * MINUTES
    blip: float = 60
    """As long as this it is no alarm yet."""
    blip_act: Act | None = None
    also: frozenset[str] = frozenset()
    """Other alarms that it sets off, and rightly."""


FAULTS = {
    # Neither ought ever to happen: a second minute with one is enough.
    "StartFailuresAlarm": Fault(
        Running.failed_start, 2 * MINUTES, 17 * MINUTES, blip=20, also=frozenset({"NoDecisionAlarm"})
    ),
    "InternalErrorsAlarm": Fault(Running.bug, 2 * MINUTES, 17 * MINUTES, blip=20),
    # Requests that fail: the third bad minute.
    "InvalidEventsAlarm": Fault(Running.foreign_event, 3 * MINUTES, 17 * MINUTES),
    "UnsafeCacheAlarm": Fault(Running.unsafe_cache, 3 * MINUTES, 17 * MINUTES),
    "ResponseTooLargeAlarm": Fault(Running.large_token, 3 * MINUTES, 17 * MINUTES),
    "SlowAlarm": Fault(Running.slow, 3 * MINUTES, 17 * MINUTES),
    "ThrottlesAlarm": Fault(Running.throttle, 3 * MINUTES, 17 * MINUTES),
    "KeysUnavailableAlarm": Fault(
        issuer_is_down,
        # Keys that were fetched just before serve for their TTL and the stale limit.
        75 * MINUTES,
        17 * MINUTES,
        lasts=90 * MINUTES,
        blip_act=cold_start_while_the_issuer_is_down,
        also=frozenset({"FetchesFailingAlarm", "StaleKeysAlarm"}),
    ),
    # Shares, in three windows of five minutes each.
    "NoDecisionAlarm": Fault(Running.crash, 11 * MINUTES, 17 * MINUTES),
    "FetchesFailingAlarm": Fault(
        issuer_is_down, 25 * MINUTES, 45 * MINUTES, lasts=40 * MINUTES, blip=120, also=frozenset({"StaleKeysAlarm"})
    ),
    "StaleKeysAlarm": Fault(
        issuer_is_down,
        22 * MINUTES,
        17 * MINUTES,
        lasts=40 * MINUTES,
        blip=120,
        also=frozenset({"FetchesFailingAlarm"}),
    ),
    "RejectionsAlarm": Fault(many_rejections, 16 * MINUTES, 17 * MINUTES, blip=300),
    # A tenth of the requests, in one-minute windows: CodeDeploy waits for five minutes, or more.
    "NewVersionAlarm": Fault(
        new_version_refuses_everybody, 3 * MINUTES, 5 * MINUTES, also=frozenset({"RejectionsAlarm"})
    ),
    # The second function, which runs every five minutes.
    "RefresherFailuresAlarm": Fault(refresher("fails"), 16 * MINUTES, 75 * MINUTES, blip=120),
    "RefresherSilentAlarm": Fault(refresher("is silent"), 32 * MINUTES, 6 * MINUTES, lasts=120 * MINUTES, blip=120),
}
BEFORE_THE_BLIP = 29 * MINUTES
"""Keys are fetched for the fourth time then, so that an outage is noticed at once."""
AFTER_THE_BLIP = 31 * MINUTES
AFTERWARDS = 80 * MINUTES


@dataclass(frozen=True, slots=True)
class Life:
    """What was reported, from a start over a blip and a fault to the end. Times are Unix seconds."""

    metrics: Metrics
    start: float
    fault: float
    mended: float
    end: float


@cache
def ordinary_day() -> tuple[Metrics, float]:
    """Give eight quiet hours of a night and a day of requests; a cold start now and then."""
    running = Running(stack())
    lived(running, 8 * HOURS, nothing)
    for _ in range(16):
        running.cold_start()
        lived(running, HOURS, healthy)
    return running.metrics, running.now


@cache
def life(name: str) -> Life:
    """Have a fault after an ordinary day: for a moment, then for a while."""
    fault, (past, start) = FAULTS[name], ordinary_day()
    metrics = Metrics(defaultdict(list, {metric: list(values) for metric, values in past.values.items()}))
    running = Running(stack(), start, metrics)
    lived(running, BEFORE_THE_BLIP, healthy)
    lived(running, fault.blip, fault.blip_act or fault.act)
    lived(running, BEFORE_THE_BLIP + AFTER_THE_BLIP - (running.now - start), healthy)
    began = running.now
    lived(running, fault.lasts, fault.act)
    mended = running.now
    lived(running, AFTERWARDS, healthy)
    return Life(metrics, start, began, mended, running.now)


def firing(alarm: dict[str, Any], lived: Life, extra: int = 2) -> Iterator[float]:
    """Give the minutes in which an alarm is one."""
    return (now for now, it in states(alarm, lived.metrics, lived.start, lived.end, extra) if it == "ALARM")


def test_each_alarm_has_its_fault_here() -> None:
    assert FAULTS.keys() == alarms().keys()


# CloudWatch does not say how much further back it looks where data is missing: not at all, as in its examples, or far.
@pytest.mark.parametrize("extra", [0, 2, 15])
@pytest.mark.parametrize("name", FAULTS)
def test_it_fires_when_the_fault_lasts_not_for_a_blip_and_is_over_when_it_is(name: str, extra: int) -> None:
    fault, alarm, lived = FAULTS[name], alarms()[name], life(name)
    further = extra * alarm.get("Period", 300)
    found = list(firing(alarm, lived, extra))
    assert found, "it never fired"
    assert found[0] > lived.fault, "a blip is no alarm"
    # Where missing data is bad, what is further back is good, and has to go first.
    missing = further if alarm["TreatMissingData"] == "breaching" else 0
    assert found[0] <= lived.fault + fault.within + missing
    assert found == [found[0] + 60 * index for index in range(len(found))], "it goes off and on"
    assert found[-1] >= lived.mended, "it was over before the fault was"
    assert found[-1] <= lived.mended + fault.over + further


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_sets_off_its_own_alarm_and_what_follows_from_it(name: str) -> None:
    fired = {other for other, alarm in alarms().items() if any(firing(alarm, life(name)))}
    assert fired == {name, *FAULTS[name].also}


@pytest.mark.parametrize("name", FAULTS)
def test_a_day_with_its_night_is_quiet(name: str) -> None:
    metrics, end = ordinary_day()
    # What is ordinary has to be learned first.
    start = NOW + 12 * HOURS if name == "RejectionsAlarm" else NOW
    assert "ALARM" not in {it for _, it in states(alarms()[name], metrics, start, end)}


def fires_within(name: str, act: Act, seconds: float, *, after: Act = healthy) -> float | None:
    """Say how soon an alarm fires once something goes on, after half an hour of something else."""
    running = Running(stack())
    lived(running, BEFORE_THE_BLIP, after)
    began = running.now
    lived(running, seconds, act)
    found = firing(alarms()[name], Life(running.metrics, NOW, began, running.now, running.now))
    return next((now - began for now in found), None)


@pytest.mark.parametrize(
    ("name", "act"),
    [
        ("StartFailuresAlarm", Running.failed_start),
        ("InternalErrorsAlarm", Running.bug),
        ("KeysUnavailableAlarm", cold_start_while_the_issuer_is_down),
        ("InvalidEventsAlarm", Running.foreign_event),
        ("UnsafeCacheAlarm", Running.unsafe_cache),
        ("ResponseTooLargeAlarm", Running.large_token),
        ("SlowAlarm", Running.slow),
        ("ThrottlesAlarm", Running.throttle),
        ("NoDecisionAlarm", Running.crash),
        ("FetchesFailingAlarm", cold_start_while_the_issuer_is_down),
        ("StaleKeysAlarm", issuer_is_down),
    ],
)
def test_one_request_in_five_minutes_is_enough(name: str, act: Act) -> None:
    took = fires_within(name, seldom(act), HOURS, after=seldom(healthy))
    assert took is not None
    # Keys are stale once their TTL is over.
    assert took <= 17 * MINUTES + (JWKS_TTL.default if name == "StaleKeysAlarm" else 0)


@pytest.mark.parametrize(
    ("name", "quiet", "loud"),
    [
        ("NoDecisionAlarm", among(Running.crash, 100), among(Running.crash, 98)),
        ("StaleKeysAlarm", among(issuer_is_down, 100), among(issuer_is_down, 98)),
        ("FetchesFailingAlarm", cold_starts(fail=9, of=20), cold_starts(fail=10, of=20)),
        ("SlowAlarm", among(Running.elsewhere, 90), among(Running.slow, 0)),
    ],
)
def test_a_threshold_is_the_one_that_its_description_names(name: str, quiet: Act, loud: Act) -> None:
    # Keys are stale once their TTL is over.
    seconds = 17 * MINUTES + (JWKS_TTL.default if name == "StaleKeysAlarm" else 0)
    assert fires_within(name, quiet, seconds) is None
    assert fires_within(name, loud, seconds) is not None


def test_three_copies_that_fail_within_an_hour_are_told_and_two_are_not() -> None:
    def every_fourth(running: Running) -> None:
        # As if the schedule were every 20 minutes: the three are 40 minutes apart.
        running.refresher = "fails" if (running.now - NOW) % 1200 == 0 else "works"
        running.request()

    def two_of_three(running: Running) -> None:
        running.refresher = "fails" if (running.now - NOW) % 3600 in (0, 300) else "works"
        running.request()

    took = fires_within("RefresherFailuresAlarm", every_fourth, HOURS)
    assert took is not None
    assert 40 * MINUTES < took <= 55 * MINUTES
    assert fires_within("RefresherFailuresAlarm", two_of_three, 3 * HOURS) is None


def test_a_few_rejections_are_no_rise_even_where_there_were_none() -> None:
    assert fires_within("RejectionsAlarm", few_rejections, HOURS, after=Running.request) is None


def test_lines_that_are_late_are_no_crash() -> None:
    # Lambda hands the log over in its own time, and CloudWatch reads metrics out of it later than it gets Lambda's own.
    running = Running(stack())
    for _ in range(60):
        lived(running, 60, healthy)
        known = Metrics(defaultdict(list))
        for metric, values in running.metrics.values.items():
            late = 4 * MINUTES if metric.namespace == "JwtAuthorizer" else 0
            known.values[metric] = [it for it in values if it[0] < running.now - late]
        for extra in (0, 2, 15):
            assert state(alarms()["NoDecisionAlarm"], known, running.now, extra) == "OK"


def test_a_cold_start_over_the_end_of_a_minute_is_no_crash() -> None:
    # Lambda counts an invocation when it is asked for, the function its decision when it has started.
    running = Running(stack())
    for _ in range(60):
        running.request()
        running.now += 59.9
        invocations = running.metrics.values[running.lambdas("Invocations")]
        invocations[-1] = (invocations[-1][0] - 0.2, 1.0)
        assert state(alarms()["NoDecisionAlarm"], running.metrics, running.now // 60 * 60) == "OK"


# What the alarms look at, and say.


def others(alarm: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give alarms that are like this one, but for one name that nothing is reported under."""

    def renamed(value: object, at: int, path: str = "") -> Any:  # noqa: ANN401 - whatever a template holds
        if isinstance(value, dict):
            return {key: renamed(it, at, key) for key, it in value.items()}
        if isinstance(value, list):
            return [renamed(it, at, path) for it in value]
        if path in ("Namespace", "MetricName", "Name", "Value"):
            count[0] += 1
            return f"{value}s" if count[0] == at else value
        return value

    count, at = [0], 1
    while True:
        count[0] = 0
        other = renamed(alarm, at)
        if count[0] < at:
            return
        yield other
        at += 1


@pytest.mark.parametrize("name", FAULTS)
def test_an_alarm_with_another_name_in_it_would_not_tell(name: str) -> None:
    alarm = alarms()[name]
    metrics = life(name).metrics.values
    assert set(watched(alarm)) <= metrics.keys()
    renamed = list(others(alarm))
    assert len(renamed) == sum(2 + 2 * len(metric.dimensions) for metric in watched(alarm))
    for other in renamed:
        assert not set(watched(other)) <= metrics.keys()


def test_every_way_not_to_decide_has_its_alarm() -> None:
    reasons = {dict(metric.dimensions).get("reason") for alarm in alarms().values() for metric in watched(alarm)}
    assert reasons - {None} == set(UNDECIDED.split())


def test_none_is_on_the_error_count_of_the_function() -> None:
    # It rises with each 401.
    errors = Running(stack()).lambdas("Errors")
    assert not [name for name, alarm in alarms().items() if errors in watched(alarm)]
    assert any(value for _, value in ordinary_day()[0].values[errors])


def test_times_fit_those_of_the_function() -> None:
    slow = alarms()["SlowAlarm"]
    assert slow["Threshold"] == 800 * stack().resources["AuthorizerFunction"]["Properties"]["Timeout"]
    failing = alarms()["FetchesFailingAlarm"]
    period = failing["Metrics"][1]["MetricStat"]["Period"]
    assert failing["DatapointsToAlarm"] * period > JWKS_TTL.default
    for alarm in alarms().values():
        periods = {it["MetricStat"]["Period"] for it in alarm.get("Metrics", ()) if "MetricStat" in it}
        assert (periods or {alarm.get("Period")}) <= {60, 300}


@pytest.mark.parametrize("name", FAULTS)
def test_its_description_says_what_to_do_first_and_where_to_read_on(name: str) -> None:
    description = alarms()[name]["AlarmDescription"]
    assert re.search(r"\. First .+\. Runbook: \S+$", description)
    assert description.endswith(f" Runbook: docs/runbook.md#{name.lower()}")
    assert len(description) <= 1024
    page = "https://wiki.example.com/runbook.html"
    elsewhere = resolve(read_template(ROOT / "template.yaml"), GIVEN | REFRESHER | SHIFTING | {"RunbookUrl": page})
    assert elsewhere.resources[name]["Properties"]["AlarmDescription"].endswith(f" Runbook: {page}#{name.lower()}")


def test_all_of_them_and_the_function_say_the_same_service() -> None:
    named = stack().resources["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
    watching = [dict(metric.dimensions).get("service") for alarm in alarms().values() for metric in watched(alarm)]
    assert set(watching) - {None} == {named}
