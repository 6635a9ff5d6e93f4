"""The alarms, the dashboard and the runbook's queries ask for metrics and fields that the function writes.

The lines come from the real function, one for each error code and each event of the key cache. A metric is known by its
namespace, name and dimensions: an alarm with another one would never fire.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from copy import replace
from functools import cache
from typing import Any

import pytest

from jwt_authorizer import Refuse
from jwt_authorizer.authorize import Authorizer
from jwt_authorizer.errors import DecisionError, ErrorCode, TokenError
from jwt_authorizer.function import AuthorizerFunction
from jwt_authorizer.issuers.cache import CachedKeySource
from jwt_authorizer.issuers.cached_value import Ages
from jwt_authorizer.issuers.fetched import Fetched, FetchError
from jwt_authorizer.log_line import DecisionLog
from jwt_authorizer.wiring.token_status import revocation_list
from tests.cloudformation import read_template, resolve
from tests.factories import NOW, FakeKeys, against, authorizer, parsed_keys
from tests.unit.pages import BLOCKS, DOCS, ROOT, Block
from tests.unit.test_function import APIS, FORBIDDING, GOOD, UNDECIDED, event
from tests.unit.test_template import ISSUER, REFRESHER, SHIFTING

type Line = dict[str, Any]
type Metric = tuple[str, str, frozenset[tuple[str, str]]]

STACK = resolve(read_template(ROOT / "template.yaml"), ISSUER | REFRESHER | SHIFTING | {"Revocation": "on"})
ALARMS = STACK.of_type("AWS::CloudWatch::Alarm")
SERVICE = STACK.resources["AuthorizerFunction"]["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
# "Types of metrics for Lambda functions": what Lambda counts of each function.
LAMBDA = {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"}
QUERIES = [
    block
    for block in BLOCKS
    if block.page in (DOCS / "runbook.md", DOCS / "errors.md") and re.match(r"(filter|fields|stats) ", block.text)
]
WORDS = {"filter", "fields", "stats", "sort", "limit", "by", "desc", "and", "or", "in", "like", "m"}
"""Of the language of the queries."""
WITHOUT_DECISION = UNDECIDED | {reason for reason in ErrorCode if reason.endswith("_unavailable")}


@cache
def lines() -> list[Line]:
    """Have the function decide in every way that there is, and give what it wrote."""
    written: list[str] = []

    def ask(core: Authorizer, asked: object, now: float = NOW, log: DecisionLog | None = None) -> None:
        called = AuthorizerFunction(core, log or DecisionLog(written.append, SERVICE), lambda: now)
        with suppress(Exception):
            called(asked, None)

    asked = event(APIS[2], GOOD)
    ask(authorizer(), asked)
    for reason in set(ErrorCode) - FORBIDDING.keys() - {ErrorCode.REFUSED_BY_HOOK}:
        error = (DecisionError if reason in WITHOUT_DECISION else TokenError)(reason, "why")
        ask(authorizer(FakeKeys(failure=error)), asked)
    for rules in FORBIDDING.values():
        ask(authorizer(rules=rules), asked)
    ask(authorizer(check=lambda _: Refuse("suspended")), asked)
    # Keys that were fetched, have passed their TTL, and can't be fetched again; and a list that can't be read.
    log, fetched = DecisionLog(written.append, SERVICE), [Fetched(parsed_keys())]

    def fetch() -> Any:  # noqa: ANN401 - keys once, and never a list
        if not fetched:
            message = "answered 503"
            raise FetchError(message)
        return fetched.pop()

    core = authorizer(CachedKeySource(fetch, Ages(60, 600, 30), log.count))
    for now in (NOW, NOW + 90):
        ask(core, asked, now, log)
    revocations = revocation_list(fetch, Ages(60, 600, 30), log.count)
    ask(replace(authorizer(), check_revocation=against(revocations)), asked, log=log)
    started = subprocess.run(
        [sys.executable, "-c", "import jwt_authorizer.handler"],
        env={"PYTHONPATH": str(ROOT / "authorizer"), "POWERTOOLS_SERVICE_NAME": SERVICE, "JWT_LEEWAY_SECONDS": "soon"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode != 0
    found = [json.loads(line) for line in [*written, started.stdout]]
    assert {line.get("reason") for line in found} - {None} == set(ErrorCode)
    return found


def metrics_in(written: list[Line]) -> set[Metric]:
    """Read the metrics out of lines, as the specification of the embedded metric format has it."""
    return {
        (directive["Namespace"], metric["Name"], frozenset((name, line[name]) for name in names))
        for line in written
        if "_aws" in line
        for directive in line["_aws"]["CloudWatchMetrics"]
        for names in directive["Dimensions"]
        for metric in directive["Metrics"]
        if isinstance(line[metric["Name"]], int)
    }


@cache
def reported() -> set[Metric]:
    return metrics_in(lines())


def is_reported(metric: Metric) -> bool:
    namespace, name, dimensions = metric
    if namespace != "AWS/Lambda":
        return metric in reported()
    named = dict(dimensions)
    function_name = named.pop("FunctionName")
    by_alias = {"Resource": f"{function_name}:live"}
    return (
        name in LAMBDA
        and STACK.resources[function_name]["Type"] == "AWS::Serverless::Function"
        and named in ({}, by_alias, by_alias | {"ExecutedVersion": f"{function_name}.Version.Version"})
    )


def watched(alarm: dict[str, Any]) -> Iterator[Metric]:
    """Give the metrics that an alarm looks at."""
    stats = [
        it["MetricStat"]["Metric"]
        for it in alarm.get("Metrics", [{"MetricStat": {"Metric": alarm}}])
        if "MetricStat" in it
    ]
    for it in stats:
        yield it["Namespace"], it["MetricName"], frozenset((one["Name"], one["Value"]) for one in it["Dimensions"])


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_looks_at_metrics_that_are_reported(name: str) -> None:
    metrics = list(watched(ALARMS[name]))
    assert metrics
    assert [it for it in metrics if not is_reported(it)] == []


@pytest.mark.parametrize("name", [name for name in ALARMS if "Metrics" in ALARMS[name]])
def test_metric_math_names_what_the_alarm_has(name: str) -> None:
    # "Using metric math": one period, and one result to compare, besides the band that it is compared with.
    metrics = ALARMS[name]["Metrics"]
    ids = {it["Id"] for it in metrics}
    for it in metrics:
        used = set(re.findall(r"\b[a-z]\w*", it.get("Expression", "")))
        assert used <= ids - {it["Id"]}
    assert len({it["MetricStat"]["Period"] for it in metrics if "MetricStat" in it}) == 1
    returned = {it["Id"] for it in metrics if it["ReturnData"]} - {ALARMS[name].get("ThresholdMetricId")}
    assert len(returned) == 1
    assert ALARMS[name].get("ThresholdMetricId") in {None, *ids}


def test_every_way_not_to_decide_has_its_alarm() -> None:
    reasons = {dict(dimensions).get("reason") for alarm in ALARMS.values() for _, _, dimensions in watched(alarm)}
    assert reasons - {None} == {str(reason) for reason in WITHOUT_DECISION}


def test_no_alarm_is_on_the_error_count_of_the_function() -> None:
    # It rises with each 401.
    errors = ("AWS/Lambda", "Errors", frozenset({("FunctionName", "AuthorizerFunction")}))
    assert errors not in [metric for alarm in ALARMS.values() for metric in watched(alarm)]


def test_what_is_watched_while_a_version_takes_over_fires_before_it_has_everything() -> None:
    new = ALARMS["NewVersionAlarm"]  # five minutes at the quickest
    assert new["DatapointsToAlarm"] * new["Metrics"][1]["MetricStat"]["Period"] <= 3 * 60


# The dashboard.


def widgets(**given: str) -> list[dict[str, Any]]:
    stack = resolve(read_template(ROOT / "template.yaml"), ISSUER | given)
    body = stack.of_type("AWS::CloudWatch::Dashboard")["AuthorizerDashboard"]["DashboardBody"]
    found: list[dict[str, Any]] = json.loads(body)["widgets"]
    shown = [name for it in found if it["type"] == "alarm" for name in it["properties"]["alarms"]]
    assert shown == [f"{name}.Arn" for name in stack.of_type("AWS::CloudWatch::Alarm")]
    return found


@pytest.mark.parametrize("given", [{}, {"Alarms": "off"}, REFRESHER | SHIFTING], ids=str)
def test_the_dashboard_shows_metrics_that_are_reported(given: dict[str, str]) -> None:
    for metric in [metric for it in widgets(**given) for metric in it["properties"].get("metrics", ())]:
        if isinstance(metric[0], str):
            namespace, name, *pairs = [it for it in metric if isinstance(it, str)]
            assert is_reported((namespace, name, frozenset(zip(pairs[::2], pairs[1::2], strict=True)))), metric
        elif search := re.search(r"\{([\w,]+)\} MetricName=\"(\w+)\" service=\"([^\"]+)\"", metric[0]["expression"]):
            namespace, *dimensions = search[1].split(",")
            assert ("service", search[3]) in {pair for _, _, pairs in reported() for pair in pairs}
            assert any(it[:2] == (namespace, search[2]) and dict(it[2]).keys() == set(dimensions) for it in reported())


# What the pages tell the person on call to run.


@pytest.mark.parametrize("block", QUERIES, ids=str)
def test_a_query_names_fields_that_lines_have(block: Block) -> None:
    words = re.sub(r'"[^"]*"|/(?:\\.|[^/\\])*/| as \w+', "", block.text)
    used = set(re.findall(r"(?<![@\w.])[A-Za-z_]\w*(?!\w|\()", words))
    used -= set(re.findall(r" as (\w+)", block.text)) | WORDS
    assert used <= {name for line in lines() for name in line}
    assert set(re.findall(r'reason = "(\w+)"', block.text)) <= set(ErrorCode)
