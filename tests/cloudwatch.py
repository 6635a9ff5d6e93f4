"""CloudWatch's side of the metrics: what it reads out of log lines, and when it calls an alarm one.

As its user guide has it ("Embedded metric format specification", "Using metric math", "Evaluating an alarm",
"Configuring how CloudWatch alarms treat missing data"), as far as the template's alarms need it; whatever else is an
error here, not a guess. One part is a stand-in: what CloudWatch learns of a metric's past is its own affair, and
:func:`_band` takes the mean and the standard deviation.

Times are Unix seconds. A period ends where the alarm is looked at, which happens each minute.
"""

from __future__ import annotations

import ast
import operator
import statistics
from bisect import bisect_left, insort
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

type Dimensions = frozenset[tuple[str, str]]
type Alarm = Mapping[str, Any]
"""The properties of an ``AWS::CloudWatch::Alarm``, worked out."""
type Series = list[float | None]
"""A value for each period, the oldest first; ``None`` where there is none."""

MINUTE = 60
_STATISTICS: dict[str, Callable[[list[float]], float]] = {"Sum": sum, "Maximum": max}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "GreaterThanUpperThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}
_FILLED = {"notBreaching": False, "breaching": True}
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# "Comparison operators": a number again.
_HELD: dict[type[ast.cmpop], Callable[[float, float], float]] = {
    ast.Gt: lambda left, right: float(left > right),
}
BAND_HISTORY = 24 * 3600
"""Seconds that the stand-in for the anomaly band looks back."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is known by: one more dimension, or another value, is another metric."""

    namespace: str
    name: str
    dimensions: Dimensions


@dataclass(slots=True)
class Metrics:
    """All that was reported, in the order of time."""

    values: dict[Metric, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, metric: Metric, at: float, value: float) -> None:
        """Report one value."""
        insort(self.values[metric], (at, value))

    def read(self, line: Mapping[str, Any], at: float | None = None) -> None:
        """Read the metrics out of a log line in embedded metric format, at its own time or another."""
        told = line.get("_aws")
        if told is None:
            return
        time = told["Timestamp"] / 1000 if at is None else at
        for directive in told["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = frozenset((name, line[name]) for name in names)
                assert all(isinstance(value, str) and 0 < len(value) <= 1024 for _, value in dimensions)
                for metric in directive["Metrics"]:
                    self.add(Metric(directive["Namespace"], metric["Name"], dimensions), time, line[metric["Name"]])

    def series(self, metric: Metric, statistic: str, period: float, until: float, count: int) -> Series:
        """Give ``count`` periods' values up to a time."""
        found: list[list[float]] = [[] for _ in range(count)]
        reported = self.values.get(metric, [])
        # A period holds its start and not its end.
        first, after = (bisect_left(reported, (time,)) for time in (until - period * count, until))
        for at, value in reported[first:after]:
            found[count + int((at - until) // period)].append(value)
        return [_STATISTICS[statistic](values) if values else None for values in found]


@dataclass(frozen=True, slots=True)
class _Query:
    """What an alarm looks at: its values, and above or below what they are bad."""

    values: Series
    limits: list[float]


def state(alarm: Alarm, metrics: Metrics, now: float, extra: int = 2) -> str:
    """Say whether it is ``ALARM`` or ``OK``.

    ``extra`` is by how many periods CloudWatch looks further back than an alarm's evaluation periods, to have some
    data where the newest is missing. It does not tell how many; in its examples they are two.
    """
    wanted: int = alarm["EvaluationPeriods"]
    query = _ask(alarm, metrics, now, wanted + extra)
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    pairs = zip(query.values, query.limits, strict=True)
    real = [compare(value, limit) for value, limit in pairs if value is not None]
    # Missing data is made up for only where there is less real data than the alarm wants to see.
    seen = real[-wanted:] + [_FILLED[alarm["TreatMissingData"]]] * (wanted - len(real))
    return "ALARM" if sum(seen) >= alarm.get("DatapointsToAlarm", wanted) else "OK"


def states(alarm: Alarm, metrics: Metrics, start: float, end: float, extra: int = 2) -> Iterator[tuple[float, str]]:
    """Look at an alarm each minute, from the first full one on."""
    now = start + MINUTE
    while now <= end:
        yield now, state(alarm, metrics, now, extra)
        now += MINUTE


def watched(alarm: Alarm) -> list[Metric]:
    """Name the metrics that an alarm looks at."""
    return [_metric(it) for it in _parts(alarm)]


def _metric(stat: Mapping[str, Any]) -> Metric:
    dimensions = frozenset((it["Name"], it["Value"]) for it in stat["Dimensions"])
    return Metric(stat["Namespace"], stat["MetricName"], dimensions)


def _parts(alarm: Alarm) -> list[Mapping[str, Any]]:
    if "Metrics" not in alarm:
        return [alarm]
    return [it["MetricStat"]["Metric"] for it in alarm["Metrics"] if "MetricStat" in it]


def _ask(alarm: Alarm, metrics: Metrics, now: float, count: int) -> _Query:
    if "Metrics" not in alarm:
        values = metrics.series(_metric(alarm), alarm["Statistic"], alarm["Period"], now, count)
        return _Query(values, [float(alarm["Threshold"])] * count)
    known: dict[str, Series] = {}
    period = 0
    learned = BAND_HISTORY if "ThresholdMetricId" in alarm else 0
    for it in alarm["Metrics"]:
        if "MetricStat" in it:
            stat = it["MetricStat"]
            assert period in (0, stat["Period"]), "CloudWatch wants one period for all metrics of an alarm"
            period = stat["Period"]
            periods = max(count, learned // period)
            known[it["Id"]] = metrics.series(_metric(stat["Metric"]), stat["Stat"], period, now, periods)
    returned = {it["Id"] for it in alarm["Metrics"] if it["ReturnData"]}
    expressions = {it["Id"]: it["Expression"] for it in alarm["Metrics"] if "Expression" in it}
    band = expressions.pop(alarm.get("ThresholdMetricId"), None)
    ((name, expression),) = expressions.items()
    values = _math(expression, known)
    if band is None:
        assert returned == {name}
        return _Query(values[-count:], [float(alarm["Threshold"])] * count)
    # An anomaly band: what is watched is held against the band's upper edge.
    assert returned == {name, alarm["ThresholdMetricId"]}
    match ast.parse(band, mode="eval").body:
        case ast.Call(ast.Name("ANOMALY_DETECTION_BAND"), [ast.Name(of), ast.Constant(int() | float() as width)]):
            assert of == name
            return _Query(values[-count:], _band(values, width, count))
        case other:
            return _unknown(other)


def _band(past: Series, width: float, count: int) -> list[float]:
    """Stand in for CloudWatch's model: so many standard deviations above the mean of a day, for each period."""
    learned = [value or 0.0 for value in past[:-count]]
    upper = statistics.fmean(learned) + width * statistics.pstdev(learned)
    return [upper] * count


def _math(expression: str, known: Mapping[str, Series]) -> Series:
    """Work out arithmetic on series, and comparisons: 1 where they hold, 0 where not.

    Where one side has a value and the other has none, none counts as 0; where dividing by 0, there is no value.
    """
    count = max(map(len, known.values()))

    def value(node: ast.expr) -> Series | float:
        match node:
            case ast.Constant(int() | float() as number):
                return float(number)
            case ast.Name(name):
                return known[name]
            case ast.BinOp(left, sign, right) if type(sign) in _ARITHMETIC:
                return combined(value(left), _ARITHMETIC[type(sign)], value(right))
            case ast.Compare(left, [sign], [right]) if type(sign) in _HELD:
                return combined(value(left), _HELD[type(sign)], value(right))
            case ast.Call(ast.Name("IF"), [condition, then, ast.Constant(int() | float() as otherwise)]):
                return chosen(value(condition), value(then), float(otherwise))
            case _:
                return _unknown(node)

    def combined(left: Series | float, apply: Callable[[float, float], float], right: Series | float) -> Series:
        # A number is there at each time; but where no series has a value, there is none.
        series = [side for side in (left, right) if not isinstance(side, float)]
        one, other = ([side] * count if isinstance(side, float) else side for side in (left, right))
        results: Series = []
        for index in range(count):
            nothing = all(side[index] is None for side in series)
            divided = apply is operator.truediv and not other[index]
            results.append(None if nothing or divided else apply(one[index] or 0.0, other[index] or 0.0))
        return results

    def chosen(condition: Series | float, then: Series | float, otherwise: float) -> Series:
        # "Using IF expressions": none where the condition has none, and 0 where the chosen series has none.
        assert not isinstance(condition, float), "an IF that knows already"
        values = [then] * count if isinstance(then, float) else then
        return [
            None if it is None else (its or 0.0) if it else otherwise for it, its in zip(condition, values, strict=True)
        ]

    result = value(ast.parse(expression, mode="eval").body)
    assert not isinstance(result, float), "CloudWatch wants a series"
    return result


def _unknown(node: ast.expr) -> NoReturn:
    message = f"not known here: {ast.unparse(node)}"
    raise AssertionError(message)
