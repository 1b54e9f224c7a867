"""What a benchmark found: tables for people, with every raw result beside its ratio."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from tests.bench.measure import Run

COLUMNS = ("what", "seconds", "CPU s", "peak MB", "a second", "CPU µs each", "ratio")
_PACKAGES = ("dataware", "boto3", "botocore", "urllib3")


@dataclass(frozen=True, slots=True)
class Row:
    """One measured command; `count` is how many items, objects or names it dealt with."""

    what: str
    run: Run
    count: int
    ratio: str = ""

    def cells(self) -> tuple[str, ...]:
        """The row as it is shown."""
        run = self.run
        return (
            self.what,
            f"{run.seconds:.1f}",
            f"{run.cpu:.1f}",
            f"{run.megabytes:.0f}",
            f"{self.count / run.seconds:,.0f}",
            f"{run.cpu / self.count * 1e6:,.0f}",
            self.ratio,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that a benchmark is there to show, and whether it held in this run."""

    text: str
    holds: bool


@dataclass(slots=True)
class Result:
    """The outcome of one benchmark."""

    title: str
    rows: list[Row] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def markdown(self) -> str:
        """The outcome as a section of a page."""
        table = _table([COLUMNS, *(row.cells() for row in self.rows)])
        claims = [f"- {'✅' if claim.holds else '❌'} {claim.text}" for claim in self.claims]
        notes = [f"- {note}" for note in self.notes]
        return "\n".join([f"## {self.title}", "", *table, "", *claims, *notes, ""])


def surroundings() -> str:
    """Where a run was made, because absolute figures mean nothing without it."""
    found = [f"Python {platform.python_version()}"]
    for package in _PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"{package} missing")
    return f"{', '.join(found)}; {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table that also reads well as text."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = []
    for row in (rows[0], rule, *rows[1:]):
        first, *rest = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
