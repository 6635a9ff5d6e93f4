"""A bad version is taken back before it has all requests, whatever the value of ``GradualDeployment``.

CodeDeploy is not here. What it does is in its user guide ("Deployment configurations on an AWS Lambda compute
platform", and about alarms "Monitoring deployments with CloudWatch alarms"); when an alarm is one, in
:mod:`tests.cloudwatch`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.cloudformation import read_template
from tests.cloudwatch import states
from tests.unit.running import CACHED_BY_TOKEN_ALONE, NEW_VERSION, ROOT, Running, alarms, stack

if TYPE_CHECKING:
    from tests.unit.running import Act

MINUTE = 60
BEFORE = 10
"""Minutes in which the version before answers alone."""
VALUES = [
    value
    for value in read_template(ROOT / "template.yaml")["Parameters"]["GradualDeployment"]["AllowedValues"]
    if value not in ("off", "AllAtOnce")
]


def tenths(value: str, minute: int) -> int:
    """Say how many tenths of the requests a new version gets in a minute."""
    match = re.fullmatch(r"(Canary|Linear)10Percent(?:Every)?(\d+)Minutes?", value)
    assert match
    step = int(match[2])
    return min(10, 1 + (minute // step if match[1] == "Linear" else 9 * (minute >= step)))


def shifted(value: str) -> int:
    """Say after how many minutes it gets all of them: from then on nothing is taken back."""
    return next(minute for minute in range(1000) if tenths(value, minute) == 10)


def fired(act: Act, value: str, minutes: int, *, requests: int = 60, old: Act = Running.elsewhere) -> dict[str, int]:
    """Say after how many minutes each of the alarms fires that CodeDeploy looks at.

    ``act`` is what each request to the new version comes to, ``old`` what each to the one before.
    """
    running = Running(stack())
    for minute in range(-BEFORE, minutes):
        new = requests * tenths(value, minute) // 10 if minute >= 0 else 0
        for number in range(requests):
            running.version = NEW_VERSION if number < new else "1"
            (act if number < new else old)(running)
        running.now += MINUTE
    start = running.now - minutes * MINUTE
    looked_at = stack().resources["AuthorizerFunction"]["Properties"]["DeploymentPreference"]["Alarms"]
    found = {}
    for name in looked_at:
        when = [now for now, it in states(alarms()[name], running.metrics, start, running.now) if it == "ALARM"]
        if when:
            found[name] = int(when[0] - start) // MINUTE
    return found


def cold_start_without_keys(running: Running) -> None:
    running.issuer_is_down = True
    running.cold_start()


def some(bad: int, of: int, act: Act) -> Act:
    """Do it so many times of so many; otherwise answer."""
    count = 0

    def happens(running: Running) -> None:
        nonlocal count
        count += 1
        (act if count % of < bad else Running.elsewhere)(running)

    return happens


# Each alarm that CodeDeploy looks at, and a version that is that bad.
BAD = {
    "NewVersionAlarm": Running.crash,
    "StartFailuresAlarm": Running.failed_start,
    "InternalErrorsAlarm": Running.bug,
    "KeysUnavailableAlarm": cold_start_without_keys,
    "UnsafeCacheAlarm": Running.unsafe_cache,
    "SlowAlarm": Running.slow,
}
# Only some requests of the new version: for these a canary has to wait for longer.
PARTLY_BAD = {"NoDecisionAlarm": some(1, 6, Running.crash)}


def test_codedeploy_looks_at_the_alarms_that_are_tried_here() -> None:
    properties = stack().resources["AuthorizerFunction"]["Properties"]
    assert sorted(properties["DeploymentPreference"]["Alarms"]) == sorted(BAD | PARTLY_BAD)


def test_how_a_version_takes_over_is_read_off_the_value() -> None:
    assert [tenths("Canary10Percent5Minutes", minute) for minute in (0, 4, 5)] == [1, 1, 10]
    assert [tenths("Linear10PercentEvery2Minutes", minute) for minute in (0, 1, 2, 17, 18)] == [1, 1, 2, 9, 10]
    assert min(map(shifted, VALUES)) == 5


@pytest.mark.parametrize("value", ["Canary10Percent5Minutes", "Linear10PercentEvery1Minute"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_version_is_taken_back_before_it_gets_everything(name: str, value: str) -> None:
    # The two quickest: the others begin as the one or the other does, and take longer.
    took = fired(BAD[name], value, 5)
    assert took[name] <= 3
    # CloudWatch has Lambda's own metrics a minute or two late.
    assert all(took[name] + 1 < shifted(it) for it in VALUES)


@pytest.mark.parametrize("act", [Running.wrong_audience, Running.rejection, Running.crash, Running.failed_start])
def test_a_version_that_answers_with_errors_is_one_whatever_they_are(act: Act) -> None:
    assert fired(act, "Canary10Percent10Minutes", 5)["NewVersionAlarm"] == 3


def test_its_errors_count_from_a_quarter_above_those_of_all() -> None:
    # Ten requests a minute to the new version: three of them are 27 points above all, two are 18.
    worse, better = (some(bad, 10, Running.rejection) for bad in (3, 2))
    assert fired(worse, "Canary10Percent10Minutes", 5, requests=100) == {"NewVersionAlarm": 3}
    assert fired(better, "Canary10Percent10Minutes", 10, requests=100) == {}


def test_a_version_that_crashes_at_times_takes_a_quarter_of_an_hour() -> None:
    took = fired(PARTLY_BAD["NoDecisionAlarm"], "Canary10Percent30Minutes", 15)
    assert took == {"NoDecisionAlarm": 14}


def test_whoever_sends_bad_tokens_stops_no_deployment() -> None:
    # They reach both versions.
    bad = some(1, 2, Running.rejection)
    assert fired(bad, "Canary10Percent15Minutes", 15, old=bad) == {}
    assert fired(Running.rejection, "Linear10PercentEvery1Minute", 9, old=Running.rejection) == {}


def test_a_version_that_has_everything_stops_no_deployment_that_would_mend_it() -> None:
    running = Running(stack())
    for _ in range(15):
        running.version = NEW_VERSION
        for _ in range(60):
            running.wrong_audience()
        running.now += MINUTE
    alarm = alarms()["NewVersionAlarm"]
    assert "ALARM" not in {it for _, it in states(alarm, running.metrics, running.now - 15 * MINUTE, running.now)}


def test_what_is_documented_as_unseen_is_unseen() -> None:
    # A tenth of few requests; and refusing by an answer is no error to Lambda.
    assert fired(Running.wrong_audience, "Canary10Percent15Minutes", 15, requests=50) == {}

    def denied(running: Running) -> None:
        running.wrong_audience(CACHED_BY_TOKEN_ALONE)

    assert fired(denied, "Canary10Percent15Minutes", 15) == {}
