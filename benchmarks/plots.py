"""Plots as SVG, written by hand: bars made of parts. They need no library, and read well in light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    type Bar = tuple[str, Sequence[tuple[str, float]]]

_COLORS = (
    *("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2"),
    *("#97bbf5", "#9c6b4e", "#9498a0", "#1b4f72", "#b7d84b", "#7b241c", "#d7bde2"),
)
_WIDTH, _LEFT, _RIGHT = 860, 150, 70
_BAR, _GAP, _TOP, _LINE = 30, 16, 46, 20
_LEGEND_COLUMNS = 3


def stacked(title: str, unit: str, bars: Sequence[Bar]) -> str:
    """Draw horizontal bars, each of its parts in their order. Parts of one name have one color."""
    names = list(dict.fromkeys(name for _, parts in bars for name, _ in parts))
    color = {name: _COLORS[number % len(_COLORS)] for number, name in enumerate(names)}
    longest = max(sum(size for _, size in parts) for _, parts in bars)
    scale = (_WIDTH - _LEFT - _RIGHT) / longest
    legend_top = _TOP + len(bars) * (_BAR + _GAP) + 8
    height = legend_top + _LINE * -(-len(names) // _LEGEND_COLUMNS) + 8
    drawn = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
            f'height="{height}" role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" '
            'font-size="13">'
        ),
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24" font-size="16" font-weight="600" fill="#1f2328">{escape(title)}</text>',
    ]
    for row, (label, parts) in enumerate(bars):
        top = _TOP + row * (_BAR + _GAP)
        middle = top + _BAR / 2 + 4.5
        drawn.append(f'<text x="{_LEFT - 10}" y="{middle}" text-anchor="end" fill="#1f2328">{escape(label)}</text>')
        left = float(_LEFT)
        for name, size in parts:
            width = max(size * scale, 0.0)
            drawn.append(
                f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" fill="{color[name]}">'
                f"<title>{escape(name)}: {size:.1f} {unit}</title></rect>"
            )
            left += width
        total = sum(size for _, size in parts)
        drawn.append(f'<text x="{left + 8:.1f}" y="{middle}" fill="#1f2328">{total:.0f} {unit}</text>')
    column = (_WIDTH - 24) / _LEGEND_COLUMNS
    for number, name in enumerate(names):
        left = 12 + column * (number % _LEGEND_COLUMNS)
        top = legend_top + _LINE * (number // _LEGEND_COLUMNS)
        drawn.append(f'<rect x="{left:.0f}" y="{top}" width="12" height="12" rx="2" fill="{color[name]}"/>')
        drawn.append(f'<text x="{left + 18:.0f}" y="{top + 11}" fill="#1f2328">{escape(name)}</text>')
    return "\n".join([*drawn, "</svg>", ""])
