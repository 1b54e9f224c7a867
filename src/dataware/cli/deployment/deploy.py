"""The order of a deployment: plan, apply, then `cdk deploy` with adoption."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from dataware.cli.context import outside, settings_of
from dataware.cli.deployment.adopted import list_adopted, report_remaining
from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.cli.deployment.cdk_setup import prepare_cdk
from dataware.cli.deployment.name_conflicts import explain_conflicts
from dataware.cli.deployment.plan import (
    Deployment,
    given_parameters,
    plan_deployment,
    save_decisions,
)
from dataware.cli.deployment.revert_drift import check_revert_drift, warn_of_reverted_drift
from dataware.cli.deployment.single_synth import SingleSynth
from dataware.cli.deployment.stacks import choose_stacks, report_notes
from dataware.cli.guarded_plan import report_plan
from dataware.cli.notify import Listener, notifying
from dataware.cli.question import confirm
from dataware.cli.settings import AppOptions, AwsOptions, CopyOptions, GuardOptions
from dataware.core.errors import InputError, RefusedError
from dataware.core.events import event
from dataware.core.lock_file import LockedDecisions
from dataware.core.model import Wanted
from dataware.core.outcome import judge_outcome
from dataware.core.plan import COPYING, Plan, Planned
from dataware.kinds import unit_of_type
from dataware.ops.adoption import mark_allowed_losses
from dataware.ops.announce import announce
from dataware.ops.apply import apply_plan, check_sources
from dataware.ops.context import Context
from dataware.ops.inputs import App
from dataware.ops.inputs.files import read_environments
from dataware.ops.inputs.prices import read_prices
from dataware.ops.plan import make_plan

DONE = 0


def run_deploy(
    out: AwsOptions,
    app: AppOptions,
    copy: CopyOptions,
    guarding: GuardOptions,
    *,
    prices: Path | None,
    yes: bool,
    allow_unseen: bool,
    arguments: Sequence[str],
) -> int:
    """Bring the data in place, then deploy so that the stack adopts it."""
    deployment = Deployment(settings_of(copy), read_prices(prices), guarding, yes, allow_unseen)
    with notifying("deploy", out, copy.notify) as listener:
        _deploy(out, app, deployment, arguments, listener)
    return DONE


def _deploy(
    out: AwsOptions,
    app: AppOptions,
    deployment: Deployment,
    words: Sequence[str],
    listener: Listener,
) -> None:
    before = read_environments()
    out, cdk, arguments = prepare_cdk(out, app, words, deployment.guarding)
    later: list[Wanted] = []
    with TemporaryDirectory(prefix="dataware-deploy-") as folder:
        single = SingleSynth(out, app, deployment, cdk, arguments, Path(folder) / "whole")
        chosen = single.prepare(listener)
        if chosen is not None:
            with explain_conflicts(out, chosen):
                cdk.deploy_assembly(chosen.ids, arguments, single.assembly)
        else:
            guarded = Path(folder) / "guarded"
            cdk.synth(guarded, arguments)
            chosen = choose_stacks(out, app, arguments, cdk, guarded)
            with outside(
                out, copies=True, strict=app.strict, listener=listener, brief=True
            ) as context:
                listener.at(context.aws)
                report_notes(context, chosen)
                later = _before(context, chosen.app, deployment, arguments)
            with explain_conflicts(out, chosen):
                cdk.deploy(chosen.ids, arguments, guarded)
    wanted = mark_allowed_losses(chosen.app.wanted, deployment.guarding.allow_loss)
    with outside(out, copies=True, strict=app.strict, listener=listener) as context:
        _after(context, wanted, later, deployment, before)


def _before(
    context: Context, app: App, deployment: Deployment, arguments: CdkArguments
) -> list[Wanted]:
    """Create, copy and verify; answers with what can only be filled once it is deployed."""
    plan = plan_deployment(context, app, deployment, given_parameters(arguments))
    report_plan(context, plan)
    warn_of_reverted_drift(context.emit, plan, arguments)
    if plan.stops or plan.losses:
        stopped = [planned.wanted.preferred for planned in plan.stops]
        names = ", ".join(dict.fromkeys([*stopped, *(loss.name for loss in plan.losses)]))
        raise RefusedError(f"nothing was changed, because of {names}; see the reasons above")
    check_revert_drift(plan, arguments)
    check_sources(plan, deployment.settings)
    _ask(context, plan, deployment)
    later = [planned for planned in plan.resources if _waits(planned)]
    now = tuple(planned for planned in plan.resources if planned.changes and not _waits(planned))
    if now:
        part = replace(plan, resources=now)
        apply_plan(context, part, deployment.settings, saved=True, sums_up=False)
    _lock(context, mark_allowed_losses(app.wanted, deployment.guarding.allow_loss))
    return [planned.wanted for planned in later]


def _after(
    context: Context,
    wanted: Sequence[Wanted],
    later: Sequence[Wanted],
    deployment: Deployment,
    before: LockedDecisions,
) -> None:
    """Fill what the deployment has created, and keep the decisions as they are now.

    `before` are the decisions that the lock file held at first, perhaps of a run that was stopped.
    """
    if later:
        all_versions = deployment.settings.all_versions
        plan = make_plan(context, later, report=False, all_versions=all_versions)
        apply_plan(context, plan, deployment.settings, sums_up=False)
    place = f"{context.aws.account}/{context.aws.region}"
    adopted = list_adopted(before.get(place)) | list_adopted(read_environments().get(place))
    plan = _lock(context, wanted)
    for planned in plan.resources:
        announce(context.emit, planned)
    remaining = report_remaining(context, plan, adopted)
    outcome = judge_outcome(plan.resources, unit_of_type, remaining)
    code = "warning" if outcome.troubles else "done"
    context.emit(event(code, text=outcome.text))


def _waits(planned: Planned) -> bool:
    """Whether only the stack can create the target, so that the copy follows the deployment."""
    return planned.decision.action in COPYING and bool(planned.wanted.unresolved)


def _ask(context: Context, plan: Plan, deployment: Deployment) -> None:
    if deployment.yes or not plan.changes:
        return
    if not sys.stdin.isatty():
        raise InputError(
            "confirmation is needed, but this is not a terminal; pass --yes to continue"
        )
    confirm("Apply this plan and deploy?")
    context.emit(event("note", text="Applying the plan"))


def _lock(context: Context, wanted: Sequence[Wanted]) -> Plan:
    plan = make_plan(context, wanted, report=False)
    save_decisions(context, plan)
    return plan
