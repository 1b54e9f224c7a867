"""The plan or the run of a fleet as a page: the matrix first, then each target's decisions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataware.core.fleet.matrix import STOPPED, UNKNOWN, FleetMatrix, MatrixRow, TargetState
from dataware.report.approval import BAD, GOOD, NOTE, WARN, format_moment
from dataware.report.html.decisions import decisions_section
from dataware.report.html.page import ReportPage, ReportSection, render
from dataware.report.html.table import Column, ReportTable
from dataware.report.html.words import Headline, sentence
from dataware.report.summary import effort_in_words

Data = Mapping[str, Any]

ENDED_WELL = frozenset({TargetState.DONE.value, TargetState.NOTHING_TO_DO.value})


def fleet_page(data: Data, warnings: Sequence[str]) -> str:
    """The page for the payload of a `fleet` event and the warnings that came before it."""
    matrix = FleetMatrix.from_json(data["matrix"])
    sections = [ReportSection("matrix", "Targets", tables=[_matrix_table(matrix)])]
    problems = list(dict.fromkeys([*_problems(data), *warnings]))
    if problems:
        table = ReportTable(
            "warnings", "Review these", (Column("What"),), [(one,) for one in problems]
        )
        sections.insert(0, ReportSection("warned", "Warnings", tables=[table]))
    sections += _plans(data)
    facts = [("Targets", f"{len(matrix.rows):,}"), ("Made", format_moment(data["created"]))]
    return render(ReportPage("plan", "Fleet", facts, _headline(data, matrix), (), (), sections))


def _headline(data: Data, matrix: FleetMatrix) -> Headline:
    text = sentence(str(data["text"]))
    states = {row.state for row in matrix.rows}
    if data["applied"]:
        well = states <= ENDED_WELL
        title = "Every target is done" if well else "Not every target is done"
        return Headline(GOOD if well else BAD, title, text)
    if data["exit_code"]:
        return Headline(BAD, "Stopped: nothing will be changed", text)
    if data["findings"] or any("warning" in state for state in states):
        return Headline(WARN, "Look before you apply", text)
    return Headline(NOTE, "Ready to apply", f"{text} Nothing was changed yet.")


def _problems(data: Data) -> Iterator[str]:
    yield from (one["text"] for one in data["findings"])
    for name, why in data["problems"].items():
        state = "stopped" if name in data.get("refused", ()) else "unknown"
        yield f"{name} is {state}: {why}"


def _matrix_table(matrix: FleetMatrix) -> ReportTable:
    columns = (
        Column("Target", "code"),
        Column("Account"),
        Column("Region", repeats=True),
        *(Column(one, "tag", repeats=True) for one in matrix.resources),
        Column("Estimate"),
        Column("State", repeats=True),
    )
    rows = [_row(matrix, row) for row in matrix.rows]
    return ReportTable("targets", "Every target, and what is decided there", columns, rows)


def _row(matrix: FleetMatrix, row: MatrixRow) -> tuple[str, ...]:
    without = row.state if row.state in {UNKNOWN, STOPPED} else "–"
    actions = [row.actions.get(one, without) for one in matrix.resources]
    estimate = effort_in_words(row.seconds, row.usd)
    return (row.target, row.account, row.region, *actions, estimate, row.state)


def _plans(data: Data) -> Iterator[ReportSection]:
    """The decisions of each target, under ids of their own."""
    for number, (name, plan) in enumerate(data["plans"].items()):
        section = decisions_section([(one, one) for one in plan["resources"]])
        yield replace(
            section,
            id=f"{section.id}-{number}",
            title=f"Decisions in {name}",
            tables=[replace(one, id=f"{one.id}-{number}") for one in section.tables],
            folded=[(text, replace(one, id=f"{one.id}-{number}")) for text, one in section.folded],
        )
