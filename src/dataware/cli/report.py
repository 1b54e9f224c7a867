"""`dataware report`: the record of a run as one page."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dataware.core.errors import DatawareError, IncompleteError, RefusedError, SidesDifferError
from dataware.core.events import event
from dataware.core.ports import Emit
from dataware.core.printable import escape_unprintable
from dataware.report import Format, appearance, make_renderer
from dataware.report.html import run_page
from dataware.report.html.story import story_of
from dataware.state.runs import StoredRun, find_run, kept_runs, runs_folder

DONE = 0
STANDARD_OUTPUT = Path("-")
HEADER = ("RUN", "STARTED (UTC)", "OUTCOME", "COMMAND")
OUTCOMES = {
    SidesDifferError.exit_code: "different",
    RefusedError.exit_code: "stopped",
    IncompleteError.exit_code: "incomplete",
}


def run_report(run: str | None, out: Path, *, lists: bool, plain: bool) -> int:
    """Write the page of a run, or list the runs. Raises InputError for an unknown run."""
    look = appearance(sys.stdout, os.environ)
    with make_renderer(Format.TEXT, sys.stdout, plain=plain, is_tty=False, **look) as emit:
        if lists:
            _list(emit)
        else:
            _write(emit, find_run(runs_folder(), run), out)
    return DONE


def _write(emit: Emit, run: StoredRun, out: Path) -> None:
    page = run_page(story_of(run.beginning, run.records(), alive=run.alive))
    if out == STANDARD_OUTPUT:
        print(page)
        return
    try:
        out.write_text(page, encoding="ascii")
    except OSError as error:
        raise DatawareError(
            f"the report cannot be written to {out} ({error.strerror}); choose another --out"
        ) from error
    emit(event("saved", what=f"the report of run {run.run}", path=str(out)))


def _list(emit: Emit) -> None:
    """The runs as a table, the newest first."""
    runs = kept_runs(runs_folder())
    if not runs:
        text = f"No run is on record in {runs_folder()} yet; `dataware plan` or `apply` leaves one"
        emit(event("note", text=text))
        return
    rows = [HEADER, *map(_row, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _row(run: StoredRun) -> tuple[str, ...]:
    began = run.beginning
    words = ["dataware", *map(str, [began.get("command"), *began.get("arguments", ())])]
    started = str(began.get("started", ""))[:16].replace("T", " ")
    return run.run, started, _outcome(run), escape_unprintable(" ".join(words))


def _outcome(run: StoredRun) -> str:
    """How the run ended, in words; the exit code stands beside what is no success."""
    if run.alive:
        return "running"
    last = run.last()
    if last is None or last.get("code") != "end":
        return "killed"
    code = int(last["data"]["exit_code"])
    if code == SidesDifferError.exit_code and run.beginning.get("command") == "plan":
        return f"to be looked at ({code})"
    return f"{OUTCOMES.get(code, 'failed')} ({code})" if code else "done"
