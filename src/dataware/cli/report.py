"""`dataware report`: the record of a run as one page."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dataware.core.errors import DatawareError
from dataware.core.events import event
from dataware.core.ports import Emit
from dataware.report import Format, make_renderer
from dataware.report.html import run_page
from dataware.report.html.story import story_of
from dataware.state.runs import KeptRun, find_run, kept_runs, runs_folder

DONE = 0
STANDARD_OUTPUT = Path("-")


def run_report(run: str | None, out: Path, *, lists: bool, plain: bool) -> int:
    """Write the page of a run, or list the runs. Raises BadInput for an unknown run."""
    no_color = bool(os.environ.get("NO_COLOR"))
    with make_renderer(
        Format.TEXT, sys.stdout, plain=plain, no_color=no_color, is_tty=False
    ) as emit:
        if lists:
            _list(emit)
        else:
            _write(emit, find_run(runs_folder(), run), out)
    return DONE


def _write(emit: Emit, run: KeptRun, out: Path) -> None:
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
    runs = kept_runs(runs_folder())
    for run in runs:
        emit(event("note", text=_line(run)))
    if not runs:
        emit(event("nothing-to-do", why=f"there is no record of a run in {runs_folder()}"))


def _line(run: KeptRun) -> str:
    began = run.beginning
    words = " ".join(["dataware", *map(str, [began.get("command"), *began.get("arguments", ())])])
    return f"{run.run}  {began.get('started')}  {_end(run)}  {words}"


def _end(run: KeptRun) -> str:
    if run.alive:
        return "going on"
    last = run.last()
    if last is None or last.get("code") != "end":
        return "no end"
    return f"exit {last['data']['exit_code']}"
