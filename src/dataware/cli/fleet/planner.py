"""Plans an app for every target of a fleet, as `dataware plan` does for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from dataware.aws import Account, SystemClock
from dataware.cli.app import read_options
from dataware.cli.context import make_context
from dataware.cli.fleet.accounts import FleetAccounts
from dataware.cli.fleet.display import with_target
from dataware.cli.guarded_plan import guarded_plan
from dataware.cli.project import given_settings
from dataware.cli.settings import AppOptions, AwsOptions, GuardOptions
from dataware.core.errors import InputError
from dataware.core.events import Event, Level, event
from dataware.core.fleet.cross_checks import FleetFinding, check_fleet
from dataware.core.fleet.plan import FleetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.plan import Plan
from dataware.core.ports import Aws, Emit
from dataware.kinds import kinds_by_type, load
from dataware.ops.fleet import plan_targets
from dataware.ops.inputs.app import AppRun, load_app
from dataware.ops.inputs.assembly import MANIFEST, Stack, read_stacks
from dataware.ops.inputs.cdk_settings import PROJECT
from dataware.ops.inputs.fleet_file import FleetFile
from dataware.ops.inputs.parameters_file import read_parameters
from dataware.ops.inputs.prices import read_prices
from dataware.ops.inputs.resource_filter import choose_resources
from dataware.ops.inputs.selection import stacks_named
from dataware.ops.inputs.value_sources import ValueSources
from dataware.ops.inputs.wanted import App, StackEnvironment
from dataware.report import Format

SHOWN = frozenset(
    {"target-unknown", "targets-unknown", "target-stopped", "targets-stopped"}
    | {"target-planned", "stopped", "stopped-by-guard"}
)
"""What a person hears of each target before the matrix, unless everything is to be shown."""


class FleetPlanner:
    """Plans the targets with the options of a command."""

    def __init__(
        self,
        out: AwsOptions,
        app: AppOptions,
        guarding: GuardOptions,
        *,
        prices: Path | None,
        only: tuple[str, ...],
        stop: Callable[[], bool],
    ) -> None:
        """Read what all targets share. Raises InputError."""
        if app.app is None and Path(PROJECT).is_file():
            raise InputError(
                "the app of cdk.json is not run for every target: run `cdk synth`, and name its "
                "folder, such as cdk.out"
            )
        self._out, self._app, self._guarding = out, app, guarding
        self._prices = read_prices(prices)
        self._only, self._stop = only, stop
        self._accounts = FleetAccounts(out, stop)

    def plan(self, fleet: FleetFile, emit: Emit) -> tuple[FleetPlan, tuple[FleetFinding, ...]]:
        """The plan of all targets, with what only all of them show."""
        targets = fleet.targets
        accounts = len({one.account for one in targets})
        emit(event("fleet-looking", count=len(targets), accounts=accounts))
        shown = emit if self._shows_all() else _without_details(emit)
        plans = plan_targets(targets, lambda one: self._plan_target(one, shown), shown)
        findings = check_fleet(plans, load)
        conflicts = tuple(one.text for one in findings if one.stops)
        created = datetime.fromtimestamp(SystemClock().now(), UTC).isoformat(timespec="seconds")
        return FleetPlan(created, plans, fleet.waves, conflicts), findings

    def _shows_all(self) -> bool:
        return self._out.full or self._out.format is Format.JSON

    def _plan_target(self, target: FleetTarget, emit: Emit) -> Plan:
        """The plan of one target. Raises DatawareError where it cannot be looked into."""
        with self._accounts.open(target) as account:
            return self._plan_app(account, target, emit)

    def _plan_app(self, account: Account, target: FleetTarget, emit: Emit) -> Plan:
        app = replace(
            self._app,
            stack=self._app.stack or target.stack,
            parameter=(*_parameter_words(target), *self._app.parameter),
        )
        parameters = read_parameters(app.parameter, app.parameters_file)
        loaded, _ = choose_resources(self._load(account, app, target), self._only)
        context = make_context(
            account, with_target(emit, target.name), self._stop, strict=app.strict
        )
        return guarded_plan(context, loaded, self._guarding, self._prices, parameters=parameters)

    def _load(self, account: Account, app: AppOptions, target: FleetTarget) -> App:
        """The resources of the app in a target, with the values that hold there."""

        def open_in(environment: StackEnvironment) -> Aws:
            return account.for_region(environment.region) if environment.region else account

        def select(stacks: Sequence[Stack]) -> Sequence[Stack]:
            return _stacks_for(stacks, app, target)

        sources = ValueSources(read_parameters(app.parameter, app.parameters_file), open_in)
        return load_app(
            app.app,
            kinds=kinds_by_type(),
            options=replace(read_options(app, sources), only=self._only, is_one_of_many=True),
            stack=app.stack,
            select=select,
            run=AppRun(given_settings(app)),
            guarding=True,
        )


def _stacks_for(stacks: Sequence[Stack], app: AppOptions, target: FleetTarget) -> Sequence[Stack]:
    """The stacks of an assembly that go to a target. Raises InputError without one."""
    here = [one for one in stacks if one.environment.allows(target.account, target.region)]
    if not here:
        raise InputError(f"no stack of the app is meant for account {target.place}")
    return stacks_named(here, app.stack, exclusively=app.exclusively) if app.stack else here


def describe_left_out(app: Path | None, targets: Sequence[FleetTarget]) -> Iterator[str]:
    """The stacks of an assembly that go to none of these targets, so that nobody looks there."""
    if app is None or not (app / MANIFEST).is_file():
        return
    for stack in read_stacks(app):
        there = stack.environment
        if not any(there.allows(one.account, one.region) for one in targets):
            yield (
                f"stack {stack.id} goes to {there}, which is no target of the fleet, so it is not "
                "looked into: add that target to the file"
            )


def _parameter_words(target: FleetTarget) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for name, value in target.parameters.items())


def _without_details(emit: Emit) -> Emit:
    """`emit` for a person, who reads the matrix first; documents list warnings, too."""

    def report(happened: Event) -> None:
        if happened.code in SHOWN or happened.message.level is Level.FAILURE:
            emit(happened)

    return report
