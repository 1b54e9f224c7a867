"""`dataware status`: every migration on record, once or as it goes on."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from functools import partial

from dataware.cli.context import is_live, outside
from dataware.cli.options import AwsOptions
from dataware.ops.context import Context
from dataware.ops.status import (
    MigrationStatus,
    check_seen,
    report_nothing,
    runs_on_record,
    status,
    with_journal,
)
from dataware.ops.watch import Watcher

DONE = 0


def run_status(out: AwsOptions, name: str | None, *, watching: bool, interval: float) -> int:
    """Tell of every migration on record, or watch those that run.

    Raises LookupFailedError at the end, when every record is told of, if one of them cannot be
    read.
    """
    if watching:
        return _watch(out, name, interval)
    with outside(out) as context:
        if not is_live(out):
            check_seen(status(context, name))
            return DONE
        runs = [with_journal(context, run) for run in runs_on_record(context, name)]
        if not runs:
            report_nothing(context)
    _show(runs)
    check_seen(runs)
    return DONE


def _watch(out: AwsOptions, name: str | None, interval: float) -> int:
    """Watch until nothing runs; Ctrl-C ends the watching and nothing else."""
    try:
        with outside(out) as context:
            _watcher(context, name, interval).watch()
    except KeyboardInterrupt:
        return DONE
    return DONE


def _watcher(context: Context, name: str | None, interval: float) -> Watcher:
    return Watcher(context, partial(time.sleep, interval), name)


def _show(runs: Sequence[MigrationStatus]) -> None:
    from dataware.report.runs import show_runs  # noqa: PLC0415 - for a terminal only

    show_runs(runs, sys.stdout, color=not os.environ.get("NO_COLOR"))
