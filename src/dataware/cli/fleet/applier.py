"""Applies the plan of a fleet, each target as `dataware apply` does it with a saved plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click

from dataware.aws import Account
from dataware.cli.context import make_context, open_account, settings_of
from dataware.cli.errors import explain_error
from dataware.cli.fleet.accounts import FleetAccounts, target_options
from dataware.cli.fleet.display import fleet_display, with_target
from dataware.cli.notify import Listener
from dataware.cli.process.cpu_count import cores
from dataware.cli.process.malloc import limit_malloc_arenas
from dataware.cli.process.workers import ProcessWorkers
from dataware.cli.run_log import RunLog
from dataware.cli.settings import AwsOptions, CopyOptions
from dataware.core.events import Event
from dataware.core.fleet.plan import FleetPlan, TargetPlan
from dataware.core.fleet.target import FleetTarget
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

    def apply(self, plan: FleetPlan, waves: WaveSettings) -> None:
        """Apply wave by wave, and show the matrix.

        Raises RefusedError, with nothing changed, where the plan may not be applied, and at the end
        an error with the exit code of all where a target is not done.
        """
        check_applicable(plan)
        limit_malloc_arenas()
        command = click.get_current_context()
        most = max(map(len, make_waves([one.target for one in plan.targets], waves)))
        settings = _shared_settings(settings_of(self._copy), most)
        with fleet_display(self._out, copies=True) as (emit, stop):
            applier = _TargetApplier(self._out, settings, emit, stop, self._listener, command)
            run = apply_in_waves(plan, waves, applier, emit, stop)
            emit(fleet_applied(plan, run.states, unit_of_type))
        if run.error is not None:
            raise run.error


class _TargetApplier:
    """Applies one target after another, or several at once."""

    def __init__(
        self,
        out: AwsOptions,
        settings: CopySettings,
        emit: Emit,
        stop: Callable[[], bool],
        listener: Listener,
        command: click.Context,
    ) -> None:
        self._out, self._settings, self._emit, self._stop = out, settings, emit, stop
        self._listener, self._command = listener, command
        self._accounts = FleetAccounts(out, stop)

    def __call__(self, one: TargetPlan) -> None:
        """Apply a target, which leaves a record of its own as a command does."""
        if one.plan is None:
            return
        named = with_target(self._emit, one.target.name)
        record = RunLog(self._command, named)
        try:
            with self._accounts.open(one.target) as account:
                context = self._make_context(one.target, account, named, record)
                apply_plan(context, one.plan, self._settings, saved=True)
        except BaseException as error:
            reason, code = explain_error(error)
            record.end(code, reason)
            raise
        record.end(0, None)

    def _make_context(
        self, target: FleetTarget, account: Account, emit: Emit, record: RunLog
    ) -> Context:
        report = _with_record(emit, self._listener, record, account)
        context = make_context(account, report, self._stop, strict=False)
        context = replace(context, command_run=record.run)
        if account.asks_for_code:
            # The code for another process cannot be typed.
            return context
        options = target_options(self._out, target)
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
