"""The order of a deployment: plan, apply, then `cdk deploy` with adoption."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from dataware.cli.context import settings_of
from dataware.cli.deployment.adopted import (
    EarlierDifferences,
    list_adopted,
    place_of_plan,
    report_remaining,
)
from dataware.cli.deployment.cdk_options import CdkArguments
from dataware.cli.deployment.cdk_setup import prepare_cdk
from dataware.cli.deployment.credentials import AccountCredentials, AccountUse, read_credentials
from dataware.cli.deployment.environments import apply_each_place, check_writers
from dataware.cli.deployment.failed_deployment import WayIn, fill_after_failure, fill_what_exists
from dataware.cli.deployment.name_conflicts import explain_conflicts
from dataware.cli.deployment.plan import (
    Deployment,
    given_parameters,
    plan_deployment,
    plan_each,
    save_decisions,
)
from dataware.cli.deployment.revert_drift import check_revert_drift, warn_of_reverted_drift
from dataware.cli.deployment.single_synth import SingleSynth
from dataware.cli.deployment.stacks import ChosenStacks, choose_stacks, report_notes
from dataware.cli.environment_plans import enter_place
from dataware.cli.guarded_plan import report_plan
from dataware.cli.notify import Listener, notifying
from dataware.cli.question import confirm
from dataware.cli.settings import AppOptions, AwsOptions, CopyOptions, GuardOptions
from dataware.core.errors import InputError, RefusedError
from dataware.core.events import event
from dataware.core.lock_file import lock_key
from dataware.core.locked_decisions import find_unread_sources
from dataware.core.model import Action, Wanted
from dataware.core.outcome import LISTED, join_outcomes, judge_outcome
from dataware.core.plan import COPYING, Plan, Planned
from dataware.kinds import unit_of_type
from dataware.ops.adoption import mark_allowed_losses
from dataware.ops.apply import check_sources
from dataware.ops.cancel_deletions import cancel_planned, list_restored
from dataware.ops.context import Context
from dataware.ops.decision_events import report_decision
from dataware.ops.inputs.files import LOCK, read_environments
from dataware.ops.inputs.prices import read_prices
from dataware.report import Format
from dataware.report.brief import RepetitionFilter

DONE = 0


def run_deploy(  # noqa: PLR0913 - each is asked for by an option
    out: AwsOptions,
    app: AppOptions,
    copy: CopyOptions,
    guarding: GuardOptions,
    *,
    prices: Path | None,
    yes: bool,
    allow_unseen: bool,
    arguments: Sequence[str],
    restores: bool = False,
) -> int:
    """Bring the data in place, then deploy so that the stack adopts it."""
    folds = out.format is Format.TEXT and not out.full
    settings = settings_of(copy)
    priced = read_prices(prices)
    deployment = Deployment(
        settings, priced, guarding, yes, allow_unseen, folds=folds, restores=restores
    )
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
    earlier = EarlierDifferences(read_environments())
    read_credentials(out, app.credentials)
    out, cdk, arguments = prepare_cdk(out, app, words, deployment.guarding)
    done = Prepared()
    repeated = RepetitionFilter()
    enter = _make_way_in(app, listener, repeated)
    with TemporaryDirectory(prefix="dataware-deploy-") as folder:
        whole = Path(folder) / "whole"
        single = SingleSynth(out, app, deployment, cdk, arguments, whole, repeated, earlier)
        chosen = single.prepare(listener)
        if chosen is not None:
            with explain_conflicts(chosen), fill_after_failure(list):
                cdk.deploy_assembly(chosen.ids, arguments, single.assembly)
        else:
            guarded = Path(folder) / "guarded"
            cdk.synth(guarded, arguments)
            chosen = choose_stacks(out, app, arguments, cdk, guarded)
            with enter(chosen.credentials, brief=True) as context:
                listener.at(context.aws)
                report_notes(context, chosen)
                done = _before(context, chosen, deployment, arguments, earlier)
            fill = partial(fill_what_exists, enter, chosen, done.later, deployment.settings)
            with explain_conflicts(chosen), fill_after_failure(fill):
                cdk.deploy(chosen.ids, arguments, guarded)
    wanted = mark_allowed_losses(chosen.app.wanted, deployment.guarding.allow_loss)
    with enter(chosen.credentials) as context:
        _after(context, chosen.credentials, wanted, done, deployment, earlier)


def _make_way_in(app: AppOptions, listener: Listener, repeated: RepetitionFilter) -> WayIn:
    """What opens the accounts of credentials for this deployment."""
    return partial(
        AccountCredentials.outside,
        copies=True,
        strict=app.strict,
        listener=listener,
        repeated=repeated,
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was done before a deployment, and what is left for afterwards.

    `later` can only be filled once it is deployed; `imported` are the keys of what stacks have
    adopted by ids.
    """

    later: tuple[Wanted, ...] = ()
    imported: frozenset[str] = frozenset()


def _before(
    context: Context,
    chosen: ChosenStacks,
    deployment: Deployment,
    arguments: CdkArguments,
    earlier: EarlierDifferences,
) -> Prepared:
    """Create, copy, verify, and adopt by ids."""
    app_plan = plan_deployment(context, chosen.app, deployment, given_parameters(arguments))
    plan = app_plan.join()
    report_plan(context, app_plan)
    warn_of_reverted_drift(context.emit, plan, arguments)
    if app_plan.stops:
        stopped = [planned.wanted.preferred for planned in plan.stops]
        lost = (loss.name for loss in plan.losses)
        names = ", ".join(dict.fromkeys([*stopped, *lost, *app_plan.conflicts]))
        raise RefusedError(f"nothing was changed, because of {names}; see the reasons above")
    _check_locked_sources(app_plan.plans)
    check_revert_drift(plan, arguments)
    check_sources(plan, deployment.settings)
    writing = [part for one in app_plan.plans if (part := _part_to_apply(one)).resources]
    check_writers(context, chosen.credentials, writing)
    _ask(context, plan, deployment)
    earlier.look(context, app_plan.plans)
    writer = chosen.credentials.equip(context, AccountUse.WRITE)
    for one in filter(list_restored, app_plan.plans):
        # Also of what only the deployment fills: the lock file says what is decided from now on.
        cancel_planned(writer.in_environment(one.account, one.region), one)
    apply_each_place(writer, writing, deployment.settings)
    wanted = mark_allowed_losses(chosen.app.wanted, deployment.guarding.allow_loss)
    save_decisions(context, plan_each(context, wanted))
    later = tuple(planned.wanted for planned in plan.resources if _waits(planned))
    imported = (one.wanted for one in plan.resources if one.decision.by_id)
    return Prepared(later, frozenset(lock_key(one.type, one.preferred) for one in imported))


def _after(
    context: Context,
    credentials: AccountCredentials,
    wanted: Sequence[Wanted],
    done: Prepared,
    deployment: Deployment,
    earlier: EarlierDifferences,
) -> None:
    """Fill what the deployment has created, and keep the decisions as they are now.

    The decisions that the lock file held at first may be of a run that was stopped.
    """
    if done.later:
        writer = credentials.equip(context, AccountUse.WRITE)
        some = plan_each(context, done.later, all_versions=deployment.settings.all_versions)
        apply_each_place(writer, some, deployment.settings, saved=False)
    locked = read_environments()
    plans = plan_each(context, wanted)
    save_decisions(context, plans)
    folds = deployment.folds and sum(len(plan.resources) for plan in plans) > LISTED
    outcomes = {}
    for plan in plans:
        place = place_of_plan(plan)
        there = enter_place(context, (plan.account, plan.region), alone=len(plans) == 1)
        for planned in plan.resources:
            if not folds or planned.decision.action is not Action.KEEP or planned.needs_attention:
                report_decision(there.emit, planned)
        adopted = earlier.list_adopted(place) | list_adopted(locked.get(place)) | done.imported
        remaining = report_remaining(there, plan, adopted, earlier)
        outcomes[place] = judge_outcome(plan.resources, unit_of_type, remaining)
    troubled = any(one.troubles for one in outcomes.values())
    context.emit(event("warning" if troubled else "done", text=join_outcomes(outcomes)))


def _check_locked_sources(plans: Sequence[Plan]) -> None:
    """Raise RefusedError where the lock file says that other data is to be copied."""
    locked = read_environments()
    for plan in plans:
        for name, source in find_unread_sources(plan, locked):
            raise RefusedError(
                f"nothing was changed, because {LOCK} fills {name} from {source}, which was not "
                "looked at: pass --source-profile, or run `dataware plan --lock` again"
            )


def _part_to_apply(plan: Plan) -> Plan:
    """What of a plan is carried out before the deployment."""
    now = (one for one in plan.resources if one.changes and not _waits(one))
    return replace(plan, resources=tuple(now))


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
