"""The picture of the benchmarks: plain bars in SVG, readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from tests.bench.result import Bar, Result, number

_WIDTH, _LABELS, _FIGURES = 760, 210, 90
_BAR, _GAP, _TITLE, _SPACE = 16, 6, 30, 22
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #57606a }
.title { font-weight: 600; fill: #24292f }
.ours { fill: #0969da }
.other { fill: #afb8c1 }
@media (prefers-color-scheme: dark) {
  text { fill: #9da7b1 }
  .title { fill: #e6edf3 }
  .ours { fill: #58a6ff }
  .other { fill: #6e7681 }
}
"""


def picture(results: Sequence[Result]) -> str:
    """One group of bars for each result; the longest bar of a group fills the width."""
    parts, y = [], 0
    for result in results:
        parts.append(_text(0, y + 16, f"{result.title} ({result.unit})", "title"))
        y += _TITLE
        most = max(bar.value for bar in result.bars)
        for bar in sorted(result.bars, key=lambda one: -one.value):
            parts += _bar(bar, y, most)
            y += _BAR + _GAP
        y += _SPACE
    size = f'width="{_WIDTH}" height="{y}" viewBox="0 0 {_WIDTH} {y}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    names = "Bars: how much a second each tool copies or lists"
    style = f"<style>{_STYLE}</style>"
    return "\n".join([head, f"<title>{names}</title>", style, *parts, "</svg>"]) + "\n"


def _bar(bar: Bar, y: int, most: float) -> Iterator[str]:
    width = max(1.0, (_WIDTH - _LABELS - _FIGURES) * bar.value / most)
    middle = y + _BAR - 4
    yield _text(_LABELS - 8, middle, bar.label, "label", anchor="end")
    sort = "ours" if bar.ours else "other"
    where = f'x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"'
    yield f'<rect class="{sort}" {where}/>'
    yield _text(_LABELS + width + 6, middle, number(bar.value), "figure")


def _text(x: float, y: float, text: str, sort: str, anchor: str = "start") -> str:
    where = f'x="{x:.1f}" y="{y}" text-anchor="{anchor}"'
    return f'<text class="{sort}" {where}>{escape(text)}</text>'
