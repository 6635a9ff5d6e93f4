"""A picture of the stack's dashboard, drawn from the template's own definition with sample data.

Widgets, titles, labels and colors are the template's, so the picture changes with it. The numbers are made up: an hour
with a deployment, a failed fetch and a client that sends expired tokens. Widgets are in one column, for phones.
"""

from __future__ import annotations

import json
import math
import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDTH, _PLOT, _STEPS = 440, 96, 60
_LINE = 19
_OTHER_COLORS = ("#4c8dd6", "#9a6fd0", "#2f9e8f", "#b0852b", "#d0679d")
_SAMPLES: Mapping[str, tuple[float, float, float]] = {
    # By label: the usual value, how much it varies, and the height of its peak.
    "allow": (60, 16, 0),
    "deny": (5, 2, 0),
    "reject": (4, 2, 24),
    "error": (0, 0, 2),
    "token_expired": (3, 1, 22),
    "insufficient_scope": (5, 2, 0),
    "invalid_audience": (1, 1, 0),
    "fetches": (1, 1, 3),
    "failed fetches": (0, 0, 1),
    "requests on stale keys": (0, 0, 2),
    "p50": (1, 0.3, 0),
    "p99": (9, 3, 60),
    "longest": (24, 12, 90),
    "cold starts": (1, 1, 9),
    "failed starts": (0, 0, 0),
    "concurrency": (6, 2, 6),
    "throttled": (0, 0, 0),
}
_REASONS = ("token_expired", "insufficient_scope", "invalid_audience")
"""The sample results of the search for reasons."""
_ROWS = (
    ("1,204", "token_expired", "exp was 312 s ago"),
    ("288", "insufficient_scope", "orders:write is missing"),
    ("61", "invalid_audience", "aud is another API's"),
)
_STYLE = """
  svg { color-scheme: light dark }
  text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328; font-size: 13px }
  .card { fill: #ffffff; stroke: #d0d7de }
  .title { font-size: 15px; font-weight: 600 }
  .axis { stroke: #d0d7de }
  .ok { fill: #dafbe1; stroke: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .card { fill: #161b22; stroke: #3d444d }
    .axis { stroke: #3d444d }
    .ok { fill: #0f2d1a; stroke: #3fb950 }
  }
"""


class Line(NamedTuple):
    """One line, or layer, of a chart."""

    label: str
    color: str
    values: Sequence[float]


def picture(body: str) -> str:
    """Draw the dashboard with this ``DashboardBody``, an argument of ``Fn::Sub`` with ``${…}`` in it."""
    drawn: list[str] = []
    top = 0
    for widget in _widgets(body):
        parts, height = _drawn(widget, top)
        drawn += parts
        top += height + 8
    alt = "The dashboard: " + ", ".join(str(widget["title"]) for widget in _widgets(body))
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}" '
                'role="img" aria-labelledby="title">'
            ),
            f'<title id="title">{escape(alt)}</title>',
            f"<style>{_STYLE}</style>",
            *drawn,
            "</svg>",
            "",
        ]
    )


def _widgets(body: str) -> list[dict[str, object]]:
    """Return the widgets: first the alarms, which depend on a condition, then the others."""
    always = json.loads(re.sub(r"\$\{If\w+\}", "", body))["widgets"]
    return [{"type": "alarm", "title": "Alarms"}, *({"type": it["type"], **it["properties"]} for it in always)]


def _drawn(widget: Mapping[str, object], top: int) -> tuple[list[str], int]:
    lines = _lines(widget)
    if widget["type"] == "metric":
        content, height = _chart(lines, top + 36, stacked=bool(widget.get("stacked")))
    elif widget["type"] == "log":
        content, height = _table(top + 36)
    else:
        content, height = _alarms(top + 36)
    card = f'<rect class="card" x="0.5" y="{top + 0.5}" width="{_WIDTH - 1}" height="{height + 46}" rx="8"/>'
    title = f'<text class="title" x="14" y="{top + 24}">{escape(str(widget["title"]))}</text>'
    return [card, title, *content], height + 47


def _lines(widget: Mapping[str, object]) -> list[Line]:
    metrics = widget.get("metrics")
    found: list[tuple[str, str | None]] = []
    for metric in metrics if isinstance(metrics, list) else ():
        about = metric[-1] if isinstance(metric[-1], dict) else {}
        if "SEARCH" in about.get("expression", ""):
            found += [(reason, None) for reason in _REASONS]
        elif about.get("visible", True):
            label = about.get("label") or next(part for part in reversed(metric) if isinstance(part, str))
            found.append((label, about.get("color")))
    others = iter(_OTHER_COLORS)
    return [Line(label, color or next(others), _sample(label, number)) for number, (label, color) in enumerate(found)]


def _sample(label: str, number: int) -> list[float]:
    """Make up a line for this label. Raises ``KeyError`` without a sample, so that new metrics get one."""
    usual, moves, peak = _SAMPLES[label]
    return [
        max(0.0, usual + moves * math.sin(step / 9 + number) * math.cos(step / 4.3 + 2 * number))
        + peak * math.exp(-(((step - 40) / 2.5) ** 2))
        for step in range(_STEPS)
    ]


def _chart(lines: Sequence[Line], top: int, *, stacked: bool) -> tuple[list[str], int]:
    floor = [0.0] * _STEPS
    sums = [sum(values) for values in zip(*(line.values for line in lines), strict=True)]
    highest = max(sums if stacked else [max(line.values) for line in lines]) or 1.0
    wide, bottom = _WIDTH - 28, top + _PLOT

    def points(values: Sequence[float]) -> list[str]:
        return [
            f"{14 + wide * at / (_STEPS - 1):.1f},{bottom - _PLOT * it / highest:.1f}" for at, it in enumerate(values)
        ]

    drawn = [f'<path class="axis" d="M14 {bottom}H{14 + wide}"/>']
    for line in lines:
        if stacked:
            ceiling = [below + value for below, value in zip(floor, line.values, strict=True)]
            outline = " ".join(points(ceiling) + points(floor)[::-1])
            drawn.append(f'<polygon points="{outline}" fill="{line.color}"/>')
            floor = ceiling
        else:
            path = " ".join(points(line.values))
            drawn.append(f'<polyline points="{path}" fill="none" stroke="{line.color}" stroke-width="2"/>')
    for number, line in enumerate(lines):
        left, below = 14 + wide / 2 * (number % 2), bottom + 10 + _LINE * (number // 2)
        drawn.append(f'<rect x="{left:.0f}" y="{below}" width="12" height="12" rx="2" fill="{line.color}"/>')
        drawn.append(f'<text x="{left + 18:.0f}" y="{below + 11}">{escape(line.label)}</text>')
    return drawn, _PLOT + 4 + _LINE * -(-len(lines) // 2)


def _table(top: int) -> tuple[list[str], int]:
    rows = [("requests", "reason", "detail"), *_ROWS]
    drawn = [
        f'<text x="{left}" y="{top + 14 + _LINE * number}">{escape(cell)}</text>'
        for number, row in enumerate(rows)
        for left, cell in zip((14, 90, 240), row, strict=True)
    ]
    return drawn, _LINE * len(rows)


def _alarms(top: int) -> tuple[list[str], int]:
    names = ("StartFailures", "NoDecision", "KeysUnavailable", "StaleKeys", "Rejections", "Slow")
    drawn = []
    for number, name in enumerate(names):
        left, above = 14 + 138 * (number % 3), top + 30 * (number // 3)
        drawn.append(f'<rect class="ok" x="{left}" y="{above}" width="132" height="24" rx="4"/>')
        drawn.append(f'<text x="{left + 66}" y="{above + 17}" text-anchor="middle">{name}</text>')
    return drawn, 56
