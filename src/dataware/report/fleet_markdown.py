"""The plan of a fleet as Markdown: the matrix, and what needs a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataware.core.fleet.matrix import FleetMatrix, MatrixRow
from dataware.report.markdown import clip_text, code, fitting, prose

ROOM = 40_000
"""Bytes of the matrix; a comment on GitHub has at most 65,536 characters."""

REST = 16_000
"""Bytes of everything that needs a person."""

Json = Mapping[str, Any]


def fleet_markdown(data: Json, warnings: Sequence[str]) -> str:
    """The document for the payload of a `fleet` event and the warnings that came before it."""
    parts = [f"## {prose(data['text'])}", *_matrix(FleetMatrix.from_json(data["matrix"]))]
    findings = {one["text"] for one in data["findings"]}
    rest = [text for text in dict.fromkeys(warnings) if text not in findings]
    problems = [*_problems(data), *(f"- ⚠️ {prose(text)}" for text in rest)]
    lines, omitted = fitting(problems, str, REST)
    if problems:
        parts += ["\n".join([*lines, *([f"- … and {omitted:,} more"] if omitted else [])])]
    return "\n\n".join(parts) + "\n"


def _problems(data: Json) -> Iterator[str]:
    for finding in data["findings"]:
        yield f"- {'❌' if finding['stops'] else '⚠️'} {prose(finding['text'])}"
    for target, problem in data["problems"].items():
        state = "stopped" if target in data.get("refused", ()) else "unknown"
        yield f"- ❌ {code(target)} is {state}: {prose(problem)}"
    for target, plan in data["plans"].items():
        for one in plan["resources"]:
            if one["action"] == "stop":
                name, why = code(one["preferred"]["name"]), prose(one["reason"])
                yield f"- ❌ {code(target)}, {name} (rule {one['rule']}): {why}"


def _matrix(matrix: FleetMatrix) -> Iterator[str]:
    heads = ["target", "account", "region", *map(_cell, matrix.resources), "state"]

    def line(row: MatrixRow) -> str:
        actions = [row.actions.get(one, "–") for one in matrix.resources]
        return _line([code(row.target), row.account, row.region, *actions, row.state])

    rows, omitted = fitting(matrix.rows, line, ROOM)
    yield "\n".join([_line(heads), _line(["---"] * len(heads)), *rows])
    if omitted:
        yield f"… and {omitted:,} more targets, which the saved plan has"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return code(clip_text(text))
