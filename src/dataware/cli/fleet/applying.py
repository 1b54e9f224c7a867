"""Applies the plan of a fleet, each target as `dataware apply` does it with a saved plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click

from dataware.aws import Account
from dataware.cli.context import make_context, open_account, settings_of
from dataware.cli.errors import explain_error
from dataware.cli.fleet.accounts import fleet_display, open_target, target_options, with_target
from dataware.cli.notify import Listener
from dataware.cli.process.cpu_count import cores
from dataware.cli.process.gc import relaxed_gc
from dataware.cli.process.malloc import limit_malloc_arenas
from dataware.cli.process.workers import ProcessWorkers
from dataware.cli.run_log import RunLog
from dataware.cli.settings import AwsOptions, CopyOptions
from dataware.core.events import Event
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.fleet.waves import WaveSettings, make_waves
from dataware.core.ports import Aws, Emit
from dataware.kinds import unit_of_type
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.fleet import apply_in_waves, check_applicable
from dataware.report.fleet_summary import fleet_applied


class FleetApplier:
    """Applies the targets with the options of a command."""

    def __init__(self, out: AwsOptions, copy: CopyOptions, listener: Listener) -> None:
        self._out, self._copy, self._listener = out, copy, listener

    def apply(self, plan: FleetPlan, waves: WaveSettings) -> int:
        """Apply wave by wave, and show the matrix; answers with the exit code of all.

        Raises RefusedError, with nothing changed, where the plan may not be applied.
        """
        check_applicable(plan)
        limit_malloc_arenas()
        command = click.get_current_context()
        most = max(map(len, make_waves([one.target for one in plan.targets], waves)))
        settings = _shared_settings(settings_of(self._copy), most)
        with relaxed_gc(), fleet_display(self._out, copies=True) as (emit, stop):

            def apply_target(one: TargetPlan) -> None:
                self._apply_target(one, settings, emit, stop, command)

            run = apply_in_waves(plan, waves, apply_target, emit, stop)
            emit(fleet_applied(plan, run.states, unit_of_type))
        return run.exit_code

    def _apply_target(
        self,
        one: TargetPlan,
        settings: CopySettings,
        emit: Emit,
        stop: Callable[[], bool],
        command: click.Context,
    ) -> None:
        """Apply one target, which leaves a record of its own as a command does."""
        if one.plan is None:
            return
        named = with_target(emit, one.target.name)
        record = RunLog(command, named)
        try:
            account = open_target(self._out, one.target, stop)
            told = _with_record(named, self._listener, record, account)
            context = self._context(one, account, told, stop)
            apply_plan(replace(context, command_run=record.run), one.plan, settings, saved=True)
        except BaseException as error:
            reason, code = explain_error(error)
            record.end(code, reason)
            raise
        record.end(0, None)

    def _context(
        self, one: TargetPlan, account: Account, emit: Emit, stop: Callable[[], bool]
    ) -> Context:
        context = make_context(account, emit, stop, strict=False)
        if account.asks_for_code:
            # The code for another process cannot be typed.
            return context
        options = target_options(self._out, one.target)
        return replace(context, workers=ProcessWorkers(options, partial(open_account, options)))


def _with_record(emit: Emit, listener: Emit, record: RunLog, aws: Aws) -> Emit:
    def report(happened: Event) -> None:
        listener(happened)
        emit(happened)
        record.take(happened, aws)

    return report


def _shared_settings(settings: CopySettings, targets: int) -> CopySettings:
    """The settings of one target, where as many go on at once: they share memory and processors."""
    if targets == 1:
        return settings
    return replace(
        settings,
        processes=settings.processes or max(1, cores() // targets),
        bytes_in_flight=max(8 * 1024**2, settings.bytes_in_flight // targets),
    )
