"""Stacked bar charts as SVG, without a library. They are readable on a phone and on a dark page."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    type Bar = tuple[str, Sequence[tuple[str, float]]]

# Each has a contrast of at least 3:1 with white and with the dark card.
_COLORS = (
    *("#4c8dd6", "#b97f10", "#e0604c", "#2f9e8f", "#5a9a3a", "#d0679d", "#9a6fd0"),
    *("#5f86b3", "#a0785a", "#858b94", "#2b93b0", "#84902f", "#c2643f", "#a97fc4"),
)
_WIDTH, _SIDE = 440, 14
"""The width of a phone's page: a wider picture would be scaled down there, with its text."""
_BAR, _ROW, _TOP, _LINE, _LETTER = 22, 58, 44, 22, 7.6
_STYLE = """
  svg { color-scheme: light dark }
  text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1f2328; font-size: 14px }
  .card { fill: #ffffff; stroke: #d0d7de }
  .part { stroke: #ffffff; stroke-width: 0.5px }
  .title { font-size: 16px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .card { fill: #161b22; stroke: #3d444d }
    .part { stroke: #161b22 }
  }
"""


def stacked(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars of parts, in order. Parts with the same name have the same color."""
    names = list(dict.fromkeys(name for _, parts in bars for name, _ in parts))
    color = {name: _COLORS[number % len(_COLORS)] for number, name in enumerate(names)}
    longest = max(sum(size for _, size in parts) for _, parts in bars)
    scale = (_WIDTH - 2 * _SIDE) / longest
    drawn = [f'<text class="title" x="{_SIDE}" y="28">{escape(title)}</text>']
    for row, (label, parts) in enumerate(bars):
        top, left = _TOP + row * _ROW, float(_SIDE)
        total = f"{sum(size for _, size in parts):.0f} {unit}"
        drawn.append(f'<text x="{_SIDE}" y="{top + 14}">{escape(label)}</text>')
        drawn.append(f'<text x="{_WIDTH - _SIDE}" y="{top + 14}" text-anchor="end">{total}</text>')
        for name, size in parts:
            width = max(size * scale, 0.0)
            position = f'x="{left:.1f}" y="{top + 22}" width="{width:.1f}" height="{_BAR}"'
            tooltip = f"<title>{escape(name)}: {size:.1f} {unit}</title>"
            drawn.append(f'<rect class="part" {position} fill="{color[name]}">{tooltip}</rect>')
            left += width
    legend, bottom = _legend(color, _TOP + len(bars) * _ROW + 6)
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {bottom}" width="{_WIDTH}" '
                f'height="{bottom}" role="img" aria-label="{escape(title)}">'
            ),
            f"<style>{_STYLE}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{_WIDTH - 1}" height="{bottom - 1}" rx="8"/>',
            *drawn,
            *legend,
            "</svg>",
            "",
        ]
    )


def _legend(color: dict[str, str], top: int) -> tuple[list[str], int]:
    """Return the legend, as many names in a line as fit, and its lower end."""
    drawn: list[str] = []
    left = float(_SIDE)
    for name, its in color.items():
        width = 18 + _LETTER * len(name)
        if left > _SIDE and left + width > _WIDTH - _SIDE:
            left, top = float(_SIDE), top + _LINE
        drawn.append(f'<rect x="{left:.0f}" y="{top}" width="12" height="12" rx="2" fill="{its}"/>')
        drawn.append(f'<text x="{left + 18:.0f}" y="{top + 11}">{escape(name)}</text>')
        left += width + 14
    return drawn, top + _LINE + 4
