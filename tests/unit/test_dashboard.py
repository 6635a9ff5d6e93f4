"""The dashboard is one that CloudWatch takes, and shows metrics that there are."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cloudformation import read_template, resolve
from tests.cloudwatch import Metric
from tests.insights import run
from tests.unit.running import GIVEN, REFRESHER, ROOT, SHIFTING, Running, issuer_is_down, lived, stack
from tests.unit.test_runbook import log

# "Dashboard body structure and syntax" of CloudWatch's API reference, as far as it says what is required and allowed.
NUMBER, TEXT = {"type": "integer", "minimum": 0}, {"type": "string", "minLength": 1}
DRAWN = {"region": TEXT, "title": TEXT}
METRICS = {
    **DRAWN,
    "view": {"enum": ["timeSeries", "singleValue", "gauge", "bar", "pie"]},
    "stacked": {"type": "boolean"},
    "stat": TEXT,
    "period": {"type": "integer", "multipleOf": 60, "minimum": 60},
    "metrics": {"type": "array", "minItems": 1, "items": {"type": "array", "minItems": 1}},
}
LOGS = {
    **DRAWN,
    "view": {"enum": ["table", "timeSeries", "bar", "pie"]},
    "query": {"type": "string", "pattern": "^SOURCE '"},
}
STATES = {
    "title": TEXT,
    "alarms": {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 100, "uniqueItems": True},
}


def of_kind(kind: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    drawn = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return {
        "type": "object",
        "properties": {
            "type": {"const": kind},
            "x": NUMBER | {"maximum": 23},
            "y": NUMBER,
            "width": NUMBER | {"minimum": 1, "maximum": 24},
            "height": NUMBER | {"minimum": 1, "maximum": 1000},
            "properties": drawn,
        },
        "required": ["type", "x", "y", "width", "height", "properties"],
        "additionalProperties": False,
    }


SCHEMA = {
    "type": "object",
    "properties": {
        "widgets": {
            "type": "array",
            "maxItems": 500,
            "items": {
                "oneOf": [
                    of_kind("metric", METRICS, ["region", "metrics"]),
                    of_kind("log", LOGS, ["region", "query"]),
                    of_kind("alarm", STATES, ["alarms"]),
                ]
            },
        }
    },
    "required": ["widgets"],
    "additionalProperties": False,
}
KINDS = [
    {},
    {"Alarms": "off"},
    REFRESHER,
    SHIFTING,
    REFRESHER | SHIFTING,
    REFRESHER | {"Alarms": "off", "ServiceName": "orders_2.x-y"},
]


def widgets(given: dict[str, str]) -> list[dict[str, Any]]:
    template = read_template(ROOT / "template.yaml")
    (dashboard,) = resolve(template, GIVEN | given).of_type("AWS::CloudWatch::Dashboard").values()
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,255}", dashboard["DashboardName"])
    body = json.loads(dashboard["DashboardBody"])
    Draft202012Validator(SCHEMA).validate(body)
    found: list[dict[str, Any]] = body["widgets"]
    return found


@pytest.mark.parametrize("given", KINDS, ids=str)
def test_it_is_a_dashboard_whose_widgets_do_not_overlap(given: dict[str, str]) -> None:
    taken = [
        (x, y)
        for it in widgets(given)
        for x in range(it["x"], it["x"] + it["width"])
        for y in range(it["y"], it["y"] + it["height"])
    ]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


@pytest.mark.parametrize("given", KINDS, ids=str)
def test_it_shows_the_alarms_that_there_are(given: dict[str, str]) -> None:
    shown = [name for it in widgets(given) if it["type"] == "alarm" for name in it["properties"]["alarms"]]
    there = resolve(read_template(ROOT / "template.yaml"), GIVEN | given).of_type("AWS::CloudWatch::Alarm")
    assert shown == [f"{name}.Arn" for name in there]


@cache
def reported() -> set[Metric]:
    """Give the metrics that a deployment reports in the course of time."""
    running = Running(stack())
    for act in (running.cold_start, running.rejection, running.bug, running.failed_start, running.throttle):
        act()
    lived(running, 3600, issuer_is_down)
    return set(running.metrics.values)


def drawn(given: dict[str, str]) -> list[list[Any]]:
    return [metric for it in widgets(given) if it["type"] == "metric" for metric in it["properties"]["metrics"]]


def test_each_metric_on_it_is_reported() -> None:
    unseen = {"deny"}  # a decision that the life above has none of
    shown = set()
    for metric in drawn(REFRESHER):
        if isinstance(metric[0], dict):
            continue
        namespace, name, *pairs = [it for it in metric if isinstance(it, str)]
        dimensions = frozenset(zip(pairs[::2], pairs[1::2], strict=True))
        if not unseen & {value for _, value in dimensions}:
            shown.add(Metric(namespace, name, dimensions))
    concurrency = {it for it in shown if it.name == "ConcurrentExecutions"}
    assert len(concurrency) == 1  # which Lambda alone can count
    assert shown - concurrency <= reported()
    assert {it.name for it in reported() if dict(it.dimensions).keys() == {"service"}} <= {it.name for it in shown}


def lines(title: str, given: dict[str, str]) -> list[list[Any]]:
    (found,) = (it["properties"]["metrics"] for it in widgets(given) if it["properties"]["title"] == title)
    return list(found)


def test_each_decision_is_drawn_once() -> None:
    decisions = [it[it.index("decision") + 1] for it in lines("Decisions", {})]
    assert sorted(decisions) == ["allow", "deny", "error", "reject"]


def test_durations_are_the_usual_the_bad_and_the_worst() -> None:
    assert [it[-1] for it in lines("Duration, ms", {})] == [
        {"stat": "p50", "label": "p50"},
        {"stat": "p99", "label": "p99"},
        {"stat": "Maximum", "label": "longest"},
    ]


def test_failed_copies_are_those_of_the_function_that_copies() -> None:
    # On the authorizer's own Errors it would draw each 401.
    (copies,) = (it for it in lines("Keys", REFRESHER) if it[-1]["label"] == "failed copies")
    assert copies[:4] == ["AWS/Lambda", "Errors", "FunctionName", "RefresherFunction"]
    assert not [it for it in drawn(REFRESHER) if it[1:4] == ["Errors", "FunctionName", "AuthorizerFunction"]]


def test_two_regions_have_two_dashboards() -> None:
    # A dashboard belongs to an account, not to a region.
    template = read_template(ROOT / "template.yaml")
    names = {
        resolve(template, GIVEN, {"AWS::Region": region}).resources["AuthorizerDashboard"]["Properties"][
            "DashboardName"
        ]
        for region in ("eu-west-1", "us-east-1")
    }
    assert len(names) == 2


@pytest.mark.parametrize(("given", "service"), [({}, "orders-authorizer"), ({"ServiceName": "orders"}, "orders")])
def test_it_draws_one_service_everywhere(given: dict[str, str], service: str) -> None:
    named = [it[it.index("service") + 1] for it in drawn(given) if "service" in it]
    searched = re.findall(r'service="([^"]+)"', str([it for it in drawn(given) if isinstance(it[0], dict)]))
    assert len(searched) == 1
    assert set(named + searched) == {service}


def test_the_search_for_reasons_names_the_dimensions_that_they_have() -> None:
    (search,) = (it[0]["expression"] for it in drawn({}) if isinstance(it[0], dict) and "SEARCH" in it[0]["expression"])
    match = re.fullmatch(r"SEARCH\('\{([\w,]+)\} MetricName=\"(\w+)\" service=\"([\w-]+)\"', 'Sum', 60\)", search)
    assert match
    namespace, *dimensions = match[1].split(",")
    found = [
        it
        for it in reported()
        if (it.namespace, it.name) == (namespace, match[2])
        and dict(it.dimensions).keys() == set(dimensions)
        and ("service", match[3]) in it.dimensions
    ]
    assert {dict(it.dimensions)["reason"] for it in found} >= {"token_expired", "internal_error"}


def test_what_is_worked_out_is_worked_out_of_what_is_there() -> None:
    for it in widgets({}):
        named = {
            one["id"]
            for metric in it["properties"].get("metrics", ())
            for one in metric
            if isinstance(one, dict) and "id" in one
        }
        for metric in it["properties"].get("metrics", ()):
            if isinstance(metric[0], dict) and "SEARCH" not in metric[0]["expression"]:
                assert set(re.findall(r"[a-z]+", metric[0]["expression"])) <= named


def test_its_query_finds_why_requests_did_not_get_through() -> None:
    (query,) = (it["properties"]["query"] for it in widgets({}) if it["type"] == "log")
    source, _, rest = query.partition(" | ")
    assert source == "SOURCE 'AuthorizerLogs'"
    assert {row["reason"] for row in run(rest, log())} >= {"token_expired", "insufficient_scope", "keys_unavailable"}
