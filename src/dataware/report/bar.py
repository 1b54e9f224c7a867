"""The text of the live bar: one line that always fits the width it is given.

What matters less is dropped first on a narrow terminal; the name is shortened last.
"""

from __future__ import annotations

from collections.abc import Mapping

SHORTEST_BAR = 10
LONGEST_BAR = 40
SHORTEST_NAME = 8


def bar_line(data: Mapping[str, object], width: int) -> str:
    """The bar for the payload of a `progress` event: name, bar, done/total, rate, time left."""
    name, parts = str(data.get("name", "")), _parts(data)
    while len(parts) > 1 and _length(name, parts) + SHORTEST_BAR + 1 > width:
        parts.pop()
    room = width - _length(name, parts) - 1
    if room >= SHORTEST_BAR:
        return " ".join([name, _bar(data, min(room, LONGEST_BAR)), "  ".join(parts)])
    space = width - len(parts[0]) - 1
    if space < SHORTEST_NAME:
        return parts[0][:width]
    return f"{_shortened(name, space)} {parts[0]}"


def _parts(data: Mapping[str, object]) -> list[str]:
    """What the bar says in words, the most important first."""
    done, total = _number(data, "done"), _number(data, "total")
    parts = [f"{done:,}/{total:,}" if total else f"{done:,}", f"{_figure(data.get('rate', 0))}/s"]
    if data.get("eta"):
        parts.append(f"{data['eta']} left")
    if slow := str(data.get("slow") or "").strip(" ,;"):
        parts.append(slow)
    elif throttled := _number(data, "throttled"):
        parts.append(f"throttled {throttled:,} times")
    if retries := _number(data, "retries"):
        parts.append(f"{retries:,} retries")
    return parts


def _figure(value: object) -> str:
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _number(data: Mapping[str, object], field: str) -> int:
    value = data.get(field, 0)
    return int(value) if isinstance(value, int | float) else 0


def _length(name: str, parts: list[str]) -> int:
    return len(name) + 1 + len("  ".join(parts))


def _bar(data: Mapping[str, object], length: int) -> str:
    done, total = _number(data, "done"), _number(data, "total")
    full = min(length, length * done // total) if total else 0
    return "━" * full + "─" * (length - full)


def _shortened(name: str, space: int) -> str:
    return name if len(name) <= space else name[: space - 1] + "…"
