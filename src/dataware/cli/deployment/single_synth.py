"""Deploys an app that ran once, where nothing has to be done before the deployment.

The app is run as `cdk deploy` would run it, with the decisions that the lock file holds. What it
writes is guarded and, if the decisions of now are the same and none has to be carried out, handed
to CDK as it is. In any other case nothing was done, and the app is looked at without decisions.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dataware.cli.deployment.adopted import EarlierDifferences
from dataware.cli.deployment.bundling_app import EVERY
from dataware.cli.deployment.cdk_cli import Cdk, escape_pattern
from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.cli.deployment.plan import (
    Deployment,
    given_parameters,
    plan_deployment,
    save_decisions,
)
from dataware.cli.deployment.revert_drift import warn_of_reverted_drift
from dataware.cli.deployment.stacks import ChosenStacks, choose_stacks, report_notes, selection_of
from dataware.cli.display import display
from dataware.cli.guarded_plan import report_plan
from dataware.cli.notify import Listener
from dataware.cli.settings import AppOptions, AwsOptions
from dataware.core.app_plan import AppPlan
from dataware.core.errors import DatawareError, InputError
from dataware.core.events import Event, event
from dataware.core.locked_decisions import find_new_decisions, may_hold
from dataware.ops.apply import check_sources
from dataware.ops.context import Context
from dataware.ops.inputs.assembly import Stack, read_stacks
from dataware.ops.inputs.assembly_copy import copy_assembly, has_executable_assets
from dataware.ops.inputs.files import LOCK, read_environments
from dataware.ops.inputs.selection import select_stacks
from dataware.report.brief import RepetitionFilter


@dataclass(frozen=True, slots=True)
class SingleSynth:
    """One run of the app for one deployment; `assembly` is the folder that CDK is handed.

    `repeated` is the filter of the deployment's lines; `earlier` remembers what differs from the
    app before it.
    """

    out: AwsOptions
    app: AppOptions
    deployment: Deployment
    cdk: Cdk
    arguments: CdkArguments
    assembly: Path
    repeated: RepetitionFilter
    earlier: EarlierDifferences

    def prepare(self, listener: Listener) -> ChosenStacks | None:
        """The stacks to deploy from `assembly`, guarded and told; None if more has to be done."""
        locked = read_environments()
        expected = self._expect_stacks()
        names = None if expected is None else {stack.name for stack in expected}
        if not may_hold(locked, names):
            return None
        # As CDK itself does where the stacks are not named.
        limits = [escape_pattern(one.id) for one in expected or ()] if self._names_stacks else []
        if not self._synthesize(limits or EVERY) or read_environments() != locked:
            return None
        try:
            chosen = choose_stacks(self.out, self.app, self.arguments, self.cdk, self.assembly)
        except InputError:
            return None
        is_bundled = not limits or {*chosen.ids} <= {stack.id for stack in expected or ()}
        return chosen if is_bundled and self._guard(chosen, locked, listener) else None

    @property
    def _names_stacks(self) -> bool:
        return bool(self.arguments.stacks or self.app.stack)

    def _expect_stacks(self) -> list[Stack] | None:
        """The stacks that would be deployed of what the app wrote the last time, if any."""
        with suppress(DatawareError, OSError):
            stacks = read_stacks(self.cdk.output)
            return select_stacks(
                stacks, selection_of(stacks, self.app, self.arguments), _match_nothing
            )
        return None

    def _synthesize(self, bundled: Sequence[str]) -> bool:
        """Run the app as CDK would, and copy what it wrote; false where that does not do."""
        output = self.cdk.output
        if not self.cdk.synth_as_locked(output, self.arguments, bundled):
            with display(self.out) as emit:
                text = f"the app fails with the decisions in {LOCK}, so it is run without them"
                emit(event("note", text=text))
            return False
        try:
            copy_assembly(output, self.assembly)
            return not has_executable_assets(self.assembly)
        except (OSError, ValueError):
            return False

    def _guard(
        self,
        chosen: ChosenStacks,
        locked: dict[str, dict[str, object]],
        listener: Listener,
    ) -> bool:
        """Whether the assembly can be deployed as it is; only then anything is told."""
        events: list[Event] = []
        with chosen.credentials.outside(
            copies=True,
            strict=self.app.strict,
            listener=listener,
            brief=True,
            repeated=self.repeated,
        ) as context:
            try:
                plan = self._plan(replace(context, emit=events.append), chosen)
            except DatawareError:
                # It is found again where the reasons are told.
                if context.stop():
                    raise
                return False
            whole = plan.join()
            if plan.stops or any(any(find_new_decisions(one, locked)) for one in plan.plans):
                return False
            listener.at(context.aws)
            report_notes(context, chosen)
            for happened in events:
                context.emit(happened)
            report_plan(context, plan)
            warn_of_reverted_drift(context.emit, whole, self.arguments)
            self.earlier.look(context, plan.plans)
            save_decisions(context, plan.plans)
        return True

    def _plan(self, context: Context, chosen: ChosenStacks) -> AppPlan:
        parameters = given_parameters(self.arguments)
        plan = plan_deployment(context, chosen.app, self.deployment, parameters)
        check_sources(plan.join(), self.deployment.settings)
        return plan


def _match_nothing(_stacks: Sequence[Stack], patterns: Sequence[str]) -> list[Stack]:
    """Only CDK knows what a pattern means, and it takes its time."""
    raise InputError(f"it is not known which stacks {' '.join(patterns)} means")
