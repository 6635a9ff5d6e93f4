"""The claims, as ratios with a bar that must be met and an aim that should be met."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from benchmarks.cold_start import FLOOR, OBVIOUS, OURS, OURS_NO_FETCH
from benchmarks.start_up import BARS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.cold_start import Far, Starts
    from benchmarks.fleet import Assumptions, Scenario, Tally
    from benchmarks.policy_times import RouteTimes
    from benchmarks.prices import Measured

_BUSY = 1.3
"""If a process takes this many times its processor time, it has waited for others."""


@dataclass(frozen=True, slots=True)
class Row:
    """One claim: the ratio of our figure to the other's, and its limits."""

    what: str
    ours: str
    other: str
    ratio: float
    bar: float
    aim: float

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.ratio <= self.bar

    @property
    def limits_met(self) -> str:
        """Which limits are met."""
        return "aim met" if self.ratio <= self.aim else "bar met" if self.met else "**not met**"


@dataclass(frozen=True, slots=True)
class Measurements:
    """All measurements of one run."""

    starts: Mapping[str, Starts]
    parts: Mapping[str, Sequence[tuple[str, float]]]
    far: Sequence[Far]
    ready: Mapping[int, float]
    routes: Sequence[RouteTimes]
    warm: Mapping[str, float]
    cost: Measured
    given: Assumptions
    fleets: Sequence[tuple[Scenario, Tally]]

    @property
    def rows(self) -> list[Row]:
        """The claims."""
        ours, bare, obvious, floor = (self.starts[name] for name in (OURS, OURS_NO_FETCH, OBVIOUS, FLOOR))
        raw = self.warm["raw check"]
        start, call, size = (partial(_row, unit) for unit in (milliseconds, microseconds, megabytes))
        fresh, repeated = self.warm["handler, fresh token"], self.warm["handler, repeated token"]
        rows = [
            start(
                "Cold start to first answer, against the obvious authorizer", ours.seconds, obvious.seconds, 0.26, 0.22
            ),
            start("The same, against the floor, which fetches no keys", ours.seconds, floor.seconds, 1.5, 1.3),
            start("The same with our keys in the settings: neither fetches", bare.seconds, floor.seconds, 1.5, 1.3),
            *(
                start(f"Start-up with {count} routes, against none", self.ready[count], self.ready[0], bar, aim)
                for count, (bar, aim) in BARS.items()
            ),
            _row("{:g}".format, "TLS handshakes of a cold start by discovery", self.far[0].handshakes, 1, 1, 1),
            *self._policy_rows(),
            call("Whole handler, fresh token, against the raw check", fresh, raw, 3.5, 2.5),
            call("Whole handler, repeated token, against the raw check", repeated, raw, 1, 0.7),
            call(
                "What DPoP adds to a repeated token, in raw ES256 checks",
                self.warm["handler, bound token"] - repeated,
                self.warm["raw ES256 check"],
                3.5,
                2.5,
            ),
        ]
        if "aws-jwt-verify" in self.warm:
            verification, theirs = self.warm["verification"], self.warm["aws-jwt-verify"]
            # Node compiles code at run time. ADR 8 explains the difference.
            rows.append(call("Verification alone, fresh token, against aws-jwt-verify", verification, theirs, 1.15, 1))
        rows.append(size("Zipped package, against the obvious one", ours.zipped, obvious.zipped, 0.96, 0.9))
        rows.append(size("Peak memory, against the obvious one", ours.memory, obvious.memory, 1, 0.9))
        return rows

    def _policy_rows(self) -> list[Row]:
        """Return the claims about policies if unlisted routes are denied, which is the default."""
        denied = {one.count: one for one in self.routes if not one.absent}
        small, middle, large = (denied[count] for count in (100, 300, 1000))
        return [
            _row(
                microseconds,
                "First policy for new rights, 300 routes, in raw checks",
                middle.first,
                middle.check,
                1200,
                500,
            ),
            _row(milliseconds, "First policy, 1,000 routes against 100", large.first, small.first, 12, 10),
            _row(
                microseconds,
                "What 300 routes add to a repeated token, in raw checks",
                middle.again,
                middle.check,
                1,
                0.5,
            ),
        ]


def _row(  # noqa: PLR0913, PLR0917 - a row of a table
    unit: Callable[[float], str], what: str, ours: float, other: float, bar: float, aim: float
) -> Row:
    return Row(what, unit(ours), unit(other), ours / other, bar, aim)


def milliseconds(seconds: float) -> str:
    """Format a duration in seconds as milliseconds."""
    return f"{seconds * 1e3:.0f} ms"


def microseconds(seconds: float) -> str:
    """Format a duration in seconds as microseconds."""
    return f"{seconds * 1e6:.1f} µs"


def megabytes(size: float) -> str:
    """Format a size in bytes as megabytes."""
    return f"{size / 1e6:.1f} MB"


def busy(measured: Measurements) -> str:
    """Return a warning if the machine was busy, which lengthens some times more than others."""
    waits = max(starts.seconds / starts.processor for starts in measured.starts.values())
    if waits < _BUSY:
        return ""
    return (
        f"**The machine was busy**: a start took up to {waits:.1f} times its processor time. Long starts suffer more "
        "from that than short ones; the table below has the processor times.\n\n"
    )


def as_text(measured: Measurements) -> str:
    """Format the claims for a terminal."""
    lines = [
        f"{row.ratio:6.2f}  (bar {row.bar:g}, aim {row.aim:g}: {row.limits_met.strip('*')})  "
        f"{row.what}: {row.ours} / {row.other}"
        for row in measured.rows
    ]
    return "\n".join([*lines, busy(measured)])
