"""The tests' own CloudWatch is held to the examples of CloudWatch's user guide."""

from __future__ import annotations

import pytest

from tests.cloudwatch import Metric, Metrics, state, states, watched

REQUESTS = Metric("Tests", "Requests", frozenset({("service", "a")}))
ERRORS = Metric("Tests", "Errors", frozenset({("service", "a")}))
DIMENSIONS = [{"Name": "service", "Value": "a"}]


def alarm(datapoints: int, missing: str) -> dict[str, object]:
    return {
        "Namespace": "Tests",
        "MetricName": "Errors",
        "Dimensions": DIMENSIONS,
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": datapoints,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": missing,
    }


def reported(points: str) -> Metrics:
    """Report five periods: 0 is within the threshold, X beyond it, - is missing; the newest is the last."""
    metrics = Metrics()
    for index, point in enumerate(points.split()):
        if point != "-":
            metrics.add(ERRORS, index * 300 + 10, 5.0 if point == "X" else 0.0)
    return metrics


# "How alarm state is evaluated when data is missing": both tables, the columns that the template uses.
EXAMPLES = [
    (3, "0 - X - X", "OK", "OK"),
    (3, "0 - - - -", "OK", "OK"),
    (3, "- - - - -", "ALARM", "OK"),
    (3, "0 X X - X", "ALARM", "ALARM"),
    (3, "- - X - -", "ALARM", "OK"),
    (2, "0 - X - X", "ALARM", "ALARM"),
    (2, "0 0 X 0 X", "ALARM", "ALARM"),
    (2, "0 - X - -", "ALARM", "OK"),
    (2, "- - - - 0", "ALARM", "OK"),
    (2, "- - - X -", "ALARM", "OK"),
]


@pytest.mark.parametrize(("datapoints", "points", "breaching", "not_breaching"), EXAMPLES)
def test_missing_data_is_treated_as_in_the_guide(
    datapoints: int, points: str, breaching: str, not_breaching: str
) -> None:
    metrics = reported(points)
    assert state(alarm(datapoints, "breaching"), metrics, 1500) == breaching
    assert state(alarm(datapoints, "notBreaching"), metrics, 1500) == not_breaching


def test_an_alarm_is_looked_at_each_minute_over_whole_periods_up_to_then() -> None:
    # "At the end of minute 5 the alarm evaluates based on data from minutes 1 to 5, then on minutes 2 to 6."
    metrics = Metrics()
    metrics.add(ERRORS, 30, 1)
    once = alarm(1, "notBreaching") | {"EvaluationPeriods": 1}
    found = dict(states(once, metrics, 0, 600, extra=0))
    assert list(found) == [60 * minute for minute in range(1, 11)]
    assert [minute for minute, it in found.items() if it == "ALARM"] == [60, 120, 180, 240, 300]


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("GreaterThanOrEqualToThreshold", 1, "ALARM"),
        ("GreaterThanThreshold", 1, "OK"),
        ("GreaterThanThreshold", 2, "ALARM"),
        ("LessThanThreshold", 1, "OK"),
        ("LessThanThreshold", 0, "ALARM"),
    ],
)
def test_a_threshold_is_met_or_passed_as_the_operator_says(operator: str, value: float, expected: str) -> None:
    metrics = Metrics()
    metrics.add(ERRORS, 10, value)
    once = alarm(1, "notBreaching") | {"EvaluationPeriods": 1, "ComparisonOperator": operator}
    assert state(once, metrics, 300) == expected


def test_values_of_a_period_are_summed_or_the_largest_taken() -> None:
    metrics = Metrics()
    for at, value in ((0, 1), (299, 2), (300, 4)):
        metrics.add(ERRORS, at, value)
    assert metrics.series(ERRORS, "Sum", 300, 600, 3) == [None, 3, 4]
    assert metrics.series(ERRORS, "Maximum", 300, 600, 3) == [None, 2, 4]
    assert metrics.series(REQUESTS, "Sum", 300, 600, 1) == [None]


def share(expression: str) -> dict[str, object]:
    def stat(metric: Metric) -> dict[str, object]:
        named = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": DIMENSIONS}
        return {"Metric": named, "Period": 300, "Stat": "Sum"}

    return {
        "Metrics": [
            {"Id": "share", "Expression": expression, "ReturnData": True},
            {"Id": "errors", "MetricStat": stat(ERRORS), "ReturnData": False},
            {"Id": "requests", "MetricStat": stat(REQUESTS), "ReturnData": False},
        ],
        "EvaluationPeriods": 1,
        "Threshold": 50,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "breaching",
    }


@pytest.mark.parametrize(
    ("expression", "errors", "requests", "expected"),
    [
        ("100 * errors / requests", 1, 2, "ALARM"),
        ("100 * errors / requests", 1, 3, "OK"),
        # "Missing values in a time series are treated as 0."
        ("100 * errors / requests", None, 2, "OK"),
        ("100 * (requests - errors) / requests", None, 2, "ALARM"),
        ("requests + errors", None, 50, "ALARM"),
        # "If the value of a data point causes a function to attempt to divide by zero, the data point is dropped."
        ("100 * errors / requests", 1, None, "ALARM"),
        ("100 * errors / requests", 0, 0, "ALARM"),
        # Without any value there is none: here that counts as bad.
        ("100 * errors / requests", None, None, "ALARM"),
        ("0 * (requests - errors)", None, None, "ALARM"),
        ("0 * (requests - errors)", None, 1, "OK"),
    ],
)
def test_arithmetic_is_as_in_the_guide(
    expression: str, errors: float | None, requests: float | None, expected: str
) -> None:
    metrics = Metrics()
    for metric, value in ((ERRORS, errors), (REQUESTS, requests)):
        if value is not None:
            metrics.add(metric, 10, value)
    assert state(share(expression), metrics, 300, extra=0) == expected
    assert watched(share(expression)) == [ERRORS, REQUESTS]


# "Using IF expressions", the table of IF(metric1, metric2, scalar3): metric1, metric2, and what comes of them.
@pytest.mark.parametrize(("requests", "errors", "result"), [(1, 30, 30), (1, None, 0), (0, 0, 5), (None, 30, None)])
def test_a_condition_chooses_as_in_the_guide(
    requests: float | None, errors: float | None, result: float | None
) -> None:
    metrics = Metrics()
    for metric, value in ((ERRORS, errors), (REQUESTS, requests)):
        if value is not None:
            metrics.add(metric, 10, value)
    alarm = share("IF(requests, errors, 5)")
    for threshold in (0, 5, 30, 31):
        expected = result is None or result >= threshold
        assert state(alarm | {"Threshold": threshold}, metrics, 300, extra=0) == ("ALARM" if expected else "OK")


# The same page: a comparison is 1 or 0.
@pytest.mark.parametrize(("errors", "result"), [(11, 11), (10, 0), (0, 0), (None, None)])
def test_a_comparison_chooses_as_in_the_guide(errors: float | None, result: float | None) -> None:
    metrics = Metrics()
    if errors is not None:
        metrics.add(ERRORS, 10, errors)
    alarm = share("IF(errors > 10, errors, 0)")
    for threshold in (0, 1, 11, 12):
        expected = result is None or result >= threshold
        assert state(alarm | {"Threshold": threshold}, metrics, 300, extra=0) == ("ALARM" if expected else "OK")


@pytest.mark.parametrize(("rise", "expected"), [(23, "OK"), (25, "ALARM")])
def test_a_band_is_that_of_the_expression_and_not_of_what_it_is_made_of(rise: float, expected: str) -> None:
    metrics = Metrics()
    # 6 and 16 by turns, which are taken for 0 and 16.
    for number in range(288):
        metrics.add(ERRORS, number * 300, 16 if number % 2 else 6)
    metrics.add(ERRORS, 288 * 300, rise)
    banded = share("IF(errors > 10, errors, 0)")
    queries: list[dict[str, object]] = [it for it in banded["Metrics"] if it["Id"] != "requests"]  # type: ignore[attr-defined]  # a list
    band = {"Id": "expected", "Expression": "ANOMALY_DETECTION_BAND(share, 2)", "ReturnData": True}
    alarm = banded | {
        "Metrics": [band, *queries],
        "ThresholdMetricId": "expected",
        "ComparisonOperator": "GreaterThanUpperThreshold",
    }
    # Of 0 and 16 the mean and the deviation are 8: the edge is at 24, where that of 6 and 16 would be at 21.
    assert state(alarm, metrics, 289 * 300, extra=0) == expected


@pytest.mark.parametrize("expression", ["FILL(errors, 0)", "errors ** 2", "errors if requests else 1"])
def test_what_it_does_not_know_is_an_error(expression: str) -> None:
    with pytest.raises(AssertionError):
        state(share(expression), Metrics(), 300)
    with pytest.raises(KeyError):
        state(alarm(3, "ignore"), Metrics(), 300)


def test_metrics_are_read_out_of_a_line_with_the_dimensions_that_it_has() -> None:
    metrics = Metrics()
    line = {
        "_aws": {
            "Timestamp": 1_000_000,
            "CloudWatchMetrics": [
                {"Namespace": "Tests", "Dimensions": [[], ["service"]], "Metrics": [{"Name": "Errors"}]}
            ],
        },
        "service": "a",
        "Errors": 3,
    }
    metrics.read(line)
    metrics.read(line, at=2000)
    metrics.read({"message": "no metrics"})
    assert metrics.values == {
        Metric("Tests", "Errors", frozenset()): [(1000, 3), (2000, 3)],
        ERRORS: [(1000, 3), (2000, 3)],
    }
