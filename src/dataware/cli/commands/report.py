"""`dataware report`: the record of a run as one page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.commands.completion import complete_run
from dataware.cli.file_path import FilePath
from dataware.cli.help import SectionedCommand
from dataware.cli.options import plain_options
from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    RefusedError,
    SidesDifferError,
)
from dataware.core.events import event
from dataware.core.printable import escape_unprintable
from dataware.report import Format, appearance, make_renderer

if TYPE_CHECKING:
    from dataware.core.ports import Emit
    from dataware.state.runs import StoredRun

STANDARD_OUTPUT = Path("-")
GENERATOR, HEAD_BYTES = b'<meta name="generator" content="dataware', 4096
"""What tells a page of dataware, and how far into a file that is looked for."""

HEADER = ("RUN", "STARTED (UTC)", "OUTCOME", "MIGRATION", "COMMAND")
OUTCOMES = {
    SidesDifferError.exit_code: "different",
    RefusedError.exit_code: "stopped",
    IncompleteError.exit_code: "incomplete",
}


@click.command(cls=SectionedCommand, short_help="Write the report of a run, as one page.")
@click.argument("run", required=False, metavar="[RUN]", shell_complete=complete_run)
@click.option(
    "--out",
    metavar="FILE",
    type=FilePath(path_type=Path, dir_okay=False, allow_dash=True),
    default="report.html",
    show_default=True,
    help="Where to write the page; - for standard output.",
)
@click.option("--open", "opens", is_flag=True, help="Open the page in the browser.")
@click.option("--list", "lists", is_flag=True, help="List the recorded runs instead.")
@plain_options
def report(**arguments: Any) -> int:
    """Make one HTML file of a run: its decisions, migrations, verification and warnings.

    RUN is a run id, a unique prefix of one, or the file of a record (default: the latest run).
    The page needs no network, and holds names and keys but no values.

    \b
    Examples:
      dataware report
      dataware report --open
      dataware report --list
      dataware report 20261124-1801 --out migration.html
      dataware report --out - > migration.html
    """
    out, opens = arguments["out"], arguments["opens"]
    if arguments["lists"] and (arguments["run"] or opens):
        raise InputError("--list shows every recorded run, so it takes neither RUN nor --open")
    if opens and out == STANDARD_OUTPUT:
        raise InputError("--open needs a file: name one with --out, or leave out --out -")
    return run_report(
        arguments["run"], out, lists=arguments["lists"], opens=opens, plain=arguments["plain"]
    )


def run_report(run: str | None, out: Path, *, lists: bool, plain: bool, opens: bool = False) -> int:
    """Write the page of a run, or list the runs. Raises InputError for an unknown run."""
    from dataware.state.runs import find_run, runs_folder

    look = appearance(sys.stdout, os.environ)
    with make_renderer(Format.TEXT, sys.stdout, plain=plain, is_tty=False, **look) as emit:
        if lists:
            _list(emit)
        else:
            _write(emit, find_run(runs_folder(), run), out)
            if opens:
                _open(emit, out)
    return 0


def _open(emit: Emit, out: Path) -> None:
    """Show the page; a machine without a browser is told where the page is."""
    import webbrowser

    if not _has_display() or not webbrowser.open(out.resolve().as_uri()):
        emit(event("note", text=f"No browser to open here; the page is {out.resolve()}"))


def _has_display() -> bool:
    """Whether a browser has a screen: without one, a browser in this terminal would take it."""
    variables = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    return sys.platform in {"darwin", "win32"} or any(map(os.environ.get, variables))


def _write(emit: Emit, run: StoredRun, out: Path) -> None:
    from dataware.report.html import run_page
    from dataware.report.html.story import story_of

    page = run_page(story_of(run.beginning, run.records(), alive=run.alive))
    if out == STANDARD_OUTPUT:
        print(page)
        return
    try:
        replaced = _check_replaceable(out)
        out.write_text(page, encoding="ascii")
    except OSError as error:
        raise DatawareError(
            f"the report cannot be written to {out} ({error.strerror}); choose another --out"
        ) from error
    older = ", in place of an older page," if replaced else ""
    emit(event("saved", what=f"the report of run {run.run}{older}", path=str(out)))


def _check_replaceable(out: Path) -> bool:
    """Whether a page of dataware is there already. Raises InputError for a file of another sort."""
    if not out.is_file():
        return False
    with out.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head and GENERATOR not in head:
        raise InputError(
            f"{out} exists and is not a page of dataware, so it is not overwritten: name another "
            "file with --out"
        )
    return bool(head)


def _list(emit: Emit) -> None:
    """The runs as a table, the newest first."""
    from dataware.state.runs import kept_runs, runs_folder

    runs = kept_runs(runs_folder())
    if not runs:
        text = f"No run is recorded in {runs_folder()} yet; `dataware plan` or `apply` leaves one"
        emit(event("note", text=text))
        return
    rows = [HEADER, *map(_row, runs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _row(run: StoredRun) -> tuple[str, ...]:
    from dataware.state.run_names import migrations_of

    began = run.beginning
    words = ["dataware", *map(str, [began.get("command"), *began.get("arguments", ())])]
    started = str(began.get("started", ""))[:16].replace("T", " ")
    migrations = ", ".join(migrations_of(run)) or "-"
    return run.run, started, _outcome(run), migrations, escape_unprintable(" ".join(words))


def _outcome(run: StoredRun) -> str:
    """How the run ended, in words; the exit code stands beside what is no success."""
    if run.alive:
        return "running"
    last = run.last()
    if last is None or last.get("code") != "end":
        return "killed"
    code = int(last["data"]["exit_code"])
    if code == SidesDifferError.exit_code and run.beginning.get("command") == "plan":
        return f"needs attention ({code})"
    return f"{OUTCOMES.get(code, 'failed')} ({code})" if code else "done"
