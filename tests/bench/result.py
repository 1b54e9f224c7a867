"""What a benchmark found, as data: ratios first, every raw figure beside them, goals, bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.bench.measure import Run


@dataclass(frozen=True, slots=True)
class Goal:
    """Something that a benchmark is there to show; `met` is None where it could not be measured."""

    text: str
    measured: str
    met: bool | None

    @classmethod
    def at_least(cls, text: str, least: float, found: float, unit: str = " x") -> Goal:
        """A goal with a lower limit."""
        return cls(text, f"{number(found)}{unit}", found >= least)

    @classmethod
    def at_most(cls, text: str, most: float, found: float, unit: str) -> Goal:
        """A goal with an upper limit."""
        return cls(text, f"{number(found)}{unit}", found <= most)

    @classmethod
    def unknown(cls, text: str, why: str) -> Goal:
        """A goal that this run could not look at."""
        return cls(text, why, None)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture."""

    label: str
    value: float
    ours: bool = False


@dataclass(slots=True)
class Result:
    """The outcome of one benchmark; `rows` are cells of text under `columns`."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[str]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    unit: str = ""

    def to_json(self) -> dict[str, Any]:
        """The result as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Result:
        """The result that `to_json` made the values of."""
        goals = [Goal(**goal) for goal in data["goals"]]
        bars = [Bar(**bar) for bar in data["bars"]]
        return cls(**{**data, "goals": goals, "bars": bars})

    def markdown(self) -> str:
        """The outcome as a section of a page."""
        lines = table([self.columns, *self.rows]) if self.rows else []
        goals = [f"- {_sign(goal)} {goal.text}: {goal.measured}" for goal in self.goals]
        notes = [f"- {note}" for note in self.notes]
        parts = [f"## {self.title}", "", *lines, "", *goals, *([""] if goals else []), *notes]
        return "\n".join(parts).rstrip() + "\n"


RUN_COLUMNS = ("what", "seconds", "CPU s", "peak MB", "a second", "CPU µs each", "ratio")


def run_row(what: str, run: Run, count: int, ratio: str = "") -> Sequence[str]:
    """A measured command under RUN_COLUMNS; `count` is how many things it dealt with."""
    return (
        what,
        f"{run.seconds:.1f}",
        f"{run.cpu:.1f}",
        f"{run.megabytes:.0f}",
        f"{count / run.seconds:,.0f}",
        f"{run.cpu / count * 1e6:,.0f}",
        ratio,
    )


def number(value: float) -> str:
    """A number in as many digits as it deserves."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table that also reads well as text; figures stand to the right."""
    columns = range(len(rows[0]))
    widths = [max(len(row[column]) for row in rows) for column in columns]
    right = [all(_is_figure(row[column]) for row in rows[1:]) for column in columns]
    rule = ["-" * (w - 1) + ":" if r else "-" * w for w, r in zip(widths, right, strict=True)]
    lines = []
    for row in (rows[0], rule, *rows[1:]):
        cells = [
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _is_figure(cell: str) -> bool:
    return not cell or cell == "–" or cell[0].isdigit() or cell[0] in "+-"


def _sign(goal: Goal) -> str:
    return "❔" if goal.met is None else "✅" if goal.met else "❌"
