"""`dataware status`: every migration on record, once or as it goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.display import is_live
from dataware.cli.help import SectionedCommand
from dataware.cli.numbers import Number
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick

if TYPE_CHECKING:
    from dataware.ops.status import MigrationStatus


@click.command(cls=SectionedCommand, short_help="Show running and finished migrations.")
@click.argument("name", required=False, shell_complete=complete_migration)
@click.option("--watch", is_flag=True, help="Watch running migrations until they finish.")
@click.option(
    "--interval",
    metavar="SECONDS",
    type=Number(min=1),
    default=5,
    show_default=True,
    help="Refresh interval of --watch.",
)
@outside_options
def status(**arguments: Any) -> int:
    """Show every migration on record, or the one into NAME: how far it is, or how it ended.

    NAME is a target, a source, or the id of a migration or of a run, as `report --list` shows it.

    A running one is shown from any terminal or machine, because it keeps its record in the
    account. Ctrl-C ends the watching and nothing else.

    \b
    Examples:
      dataware status --profile prod
      dataware status --watch
      dataware status Spaceport-Waitlist-prod --watch --interval 10
    """
    watching, interval = arguments["watch"], arguments["interval"]
    return run_status(
        pick(AwsOptions, arguments), arguments["name"], watching=watching, interval=interval
    )


def run_status(out: AwsOptions, name: str | None, *, watching: bool, interval: float) -> int:
    """Tell of every migration on record, or watch those that run.

    Raises LookupFailedError at the end, when every record is shown, if one of them cannot be
    read.
    """
    from dataware.cli.context import outside
    from dataware.ops.status import check_seen, report_nothing, runs_on_record, with_journal
    from dataware.ops.status import status as report_status
    from dataware.state.run_names import resolve_migration
    from dataware.state.runs import runs_folder

    resolve = partial(resolve_migration, runs_folder())
    if watching:
        return _watch(out, name, interval, resolve)
    with outside(out) as context:
        if not is_live(out):
            check_seen(report_status(context, name, resolve))
            return 0
        runs = [with_journal(context, run) for run in runs_on_record(context, name, resolve)]
        if not runs:
            report_nothing(context)
    _show(runs)
    check_seen(runs)
    return 0


def _watch(
    out: AwsOptions, name: str | None, interval: float, resolve: Callable[[str], str]
) -> int:
    """Watch until nothing runs; Ctrl-C ends the watching and nothing else."""
    from dataware.cli.context import outside
    from dataware.ops.watch import Watcher

    try:
        with outside(out) as context:
            Watcher(context, partial(time.sleep, interval), name, resolve).watch()
    except KeyboardInterrupt:
        return 0
    return 0


def _show(runs: Sequence[MigrationStatus]) -> None:
    from dataware.report.runs import show_runs

    show_runs(runs, sys.stdout, color=not os.environ.get("NO_COLOR"))
