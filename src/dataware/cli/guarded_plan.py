"""Makes the plan that `plan` and `deploy` show: the decisions, and what a deployment would lose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dataware.cli.app import wanted_here
from dataware.cli.settings import GuardOptions
from dataware.core.app_plan import AppPlan, Place, group_by_place
from dataware.core.change_set import ChangeSetUse
from dataware.core.destructive_change import RULE as GUARD_RULE
from dataware.core.estimate import Prices
from dataware.core.events import Event, event
from dataware.core.guide import read_more
from dataware.core.model import Wanted
from dataware.core.parameters import GivenParameters
from dataware.core.plan import Plan
from dataware.core.ports import Emit
from dataware.kinds import unit_of_type
from dataware.ops.adoption import find_allowed, mark_allowed_losses
from dataware.ops.announce import announce
from dataware.ops.context import Context
from dataware.ops.engine_choice import EngineDemand
from dataware.ops.guard import GuardReport, guard
from dataware.ops.inputs import App
from dataware.ops.plan import make_plan
from dataware.ops.saved_plan import SavedPlan
from dataware.report.brief import PLAN
from dataware.report.summary import app_plan_summary, plan_summary, price_notes


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """What the copies of a plan are estimated and chosen by."""

    prices: Prices
    all_versions: bool = False
    engines: EngineDemand | None = None


def guarded_plan(
    context: Context,
    app: App,
    guarding: GuardOptions,
    prices: Prices,
    *,
    parameters: GivenParameters | None = None,
    change_sets: ChangeSetUse = ChangeSetUse.NEVER,
    engines: EngineDemand | None = None,
) -> Plan:
    """The plan of an app that goes to one environment, with what a deployment would lose."""
    wanted_here(context, app)
    return guarded_app_plan(
        context,
        app,
        guarding,
        CopyTerms(prices, engines=engines),
        parameters=parameters,
        change_sets=change_sets,
    ).join()


def guarded_app_plan(
    context: Context,
    app: App,
    guarding: GuardOptions,
    terms: CopyTerms,
    *,
    deploys: bool = False,
    parameters: GivenParameters | None = None,
    change_sets: ChangeSetUse = ChangeSetUse.NEVER,
) -> AppPlan:
    """The plans of an app, with what a deployment of its stacks would lose with these parameters.

    Raises Refused where a deployment follows and not every stack can be looked into, and
    DatawareError where no credentials fit an account.
    """
    wanted = mark_allowed_losses(app.wanted, guarding.allow_loss)
    report_unplanned(context.emit, app)
    plans = _plan_places(context, wanted, terms)
    if not wanted:
        context.emit(event("note", text="no resource opts in: there is nothing but the guard"))
    used = [one.wanted for plan in plans for one in plan.resources if find_allowed(one)]
    guarded = guard(
        context,
        app,
        guarding.allow_loss,
        deploys=deploys,
        parameters=parameters,
        used=used,
        change_sets=change_sets,
    )
    return _with_guard(plans, guarded, app)


def _plan_places(context: Context, wanted: Sequence[Wanted], terms: CopyTerms) -> tuple[Plan, ...]:
    """The plan of each account and region, made there."""
    groups = group_by_place(wanted, (context.aws.account, context.aws.region))
    alone = len(groups) == 1
    return tuple(
        make_plan(
            enter_place(context, place, alone=alone),
            some,
            prices=terms.prices,
            all_versions=terms.all_versions,
            engines=terms.engines,
        )
        for place, some in groups.items()
    )


def enter_place(context: Context, place: Place, *, alone: bool) -> Context:
    """The context of an account and region; unless it is `alone`, its lines name the place.

    Raises DatawareError where no credentials fit.
    """
    there = context.in_environment(*place)
    if alone:
        return there

    def report(happened: Event) -> None:
        # The line of a look says where it is.
        named = {} if happened.code == "looking" else {"target": "/".join(place)}
        context.emit(replace(happened, data={**happened.data, **named}))

    return replace(there, emit=report)


def _with_guard(plans: tuple[Plan, ...], guarded: GuardReport, app: App) -> AppPlan:
    """The plans with what the guard says; one alone keeps the order of its warnings."""
    if len(plans) > 1:
        return AppPlan(plans, guarded.threats, (*app.unseen, *guarded.warnings))
    warnings = (*app.unseen, *plans[0].warnings, *guarded.warnings)
    return AppPlan((replace(plans[0], warnings=warnings),), guarded.threats)


def report_unplanned(emit: Emit, app: App) -> None:
    """Say what of the app is left out of the plan, and why."""
    for text in app.notes:
        emit(event("note", text=text))
    for one in app.unplanned:
        stack = f" of stack {one.stack}" if one.stack else ""
        emit(event("unplanned", id=f"{one.id}{stack}", type=one.type, reason=one.reason))


def report_plan(context: Context, plan: Plan | AppPlan) -> None:
    """The warnings of the whole plan, its table, and its sum."""
    app_plan = plan if isinstance(plan, AppPlan) else AppPlan((plan,), plan.guard)
    _report_whole_plan(context.emit, app_plan.join(), app_plan_summary(app_plan, unit_of_type))


def _summary_of(plan: Plan) -> Event:
    return plan_summary(plan, unit_of_type)


def report_saved_plan(emit: Emit, saved: SavedPlan) -> None:
    """Each decision of a saved plan, and then the whole as when it was made; asks nobody."""
    plan = saved.plan
    where = f"account {plan.account}, {plan.region}"
    emit(event("note", text=f"Plan of {plan.created} for {where}, as it was saved"))
    for planned in plan.resources:
        announce(emit, planned)
    summary = _summary_of(plan)
    _report_whole_plan(emit, plan, replace(summary, data={**summary.data, "plan": saved.shown}))


def _report_whole_plan(emit: Emit, plan: Plan, summary: Event) -> None:
    """What is said of a plan as a whole, and `summary`, which ends it."""
    for text in plan.warnings:
        emit(event("warning", text=text, about=PLAN))
    for text in price_notes(plan):
        emit(event("note", text=text))
    emit(summary)
    if rules := {one.decision.rule for one in plan.stops} | {GUARD_RULE for _ in plan.losses}:
        text = f"{read_more(rules)} explains the stop and what to do"
        emit(event("note", text=text))
