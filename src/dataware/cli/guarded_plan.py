"""Makes the plan that `plan` and `deploy` show: the decisions, and what a deployment would lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataware.cli.app import wanted_here
from dataware.cli.environment_plans import CopyTerms, check_together, name_events, plan_environments
from dataware.cli.settings import GuardOptions
from dataware.core.app_plan import AppPlan, add_losses
from dataware.core.change_set import ChangeSetUse
from dataware.core.estimate import Prices
from dataware.core.events import Event, event
from dataware.core.guide import read_more
from dataware.core.parameters import GivenParameters
from dataware.core.plan import Plan
from dataware.core.ports import Emit
from dataware.kinds import unit_of_type
from dataware.ops.adoption import check_allowed_losses, find_allowed, mark_allowed_losses
from dataware.ops.context import Context
from dataware.ops.decision_events import report_decision
from dataware.ops.declared_references import find_declared_references
from dataware.ops.engine_choice import EngineDemand
from dataware.ops.guard import GuardReport, guard
from dataware.ops.inputs.wanted import App
from dataware.report.brief import PLAN
from dataware.report.summary import app_plan_summary, price_notes


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

    Unless a deployment follows, an environment that cannot be looked into is unknown as long as
    there is another one. Raises Refused where one follows and not every stack can be looked into,
    and DatawareError where it follows and no credentials fit an account.
    """
    wanted = mark_allowed_losses(app.wanted, guarding.allow_loss)
    report_unplanned(context.emit, app)
    app_plan = plan_environments(context, wanted, terms, tolerant=not deploys)
    plans = app_plan.plans
    if not wanted:
        opted = "nothing that opts in is created" if app.notes else "no resource opts in"
        context.emit(event("note", text=f"{opted}: there is nothing but the guard"))
    resources = [one for plan in plans for one in plan.resources]
    check_allowed_losses(resources, guarding.allow_loss)
    used = [one.wanted for one in resources if find_allowed(one)]
    home = (context.aws.account, context.aws.region)
    guarded = guard(
        context,
        app,
        guarding.allow_loss,
        deploys=deploys,
        parameters=parameters,
        used=used,
        refused=[*find_declared_references(resources, app.stacks, home)],
        change_sets=change_sets,
    )
    return _with_guard(context, app_plan, guarded, app)


def _with_guard(context: Context, app_plan: AppPlan, guarded: GuardReport, app: App) -> AppPlan:
    """The plans with what the guard says, and what they do to each other.

    One alone keeps the order of its warnings.
    """
    home = (context.aws.account, context.aws.region)
    places = {
        stack.key: (stack.account or home[0], stack.region or home[1]) for stack in app.stacks
    }
    losses = [(places.get(one.key, home), one) for one in guarded.threats]
    app_plan = replace(app_plan, plans=add_losses(app_plan.plans, losses))
    if not app_plan.has_several:
        (plan,) = app_plan.plans
        warnings = (*app.unseen, *plan.warnings, *guarded.warnings)
        return AppPlan((replace(plan, warnings=warnings),))
    return check_together(context, replace(app_plan, warnings=(*app.unseen, *guarded.warnings)))


def report_unplanned(emit: Emit, app: App) -> None:
    """Say what of the app is left out of the plan, and why."""
    for text in app.notes:
        emit(event("note", text=text))
    for one in app.unplanned:
        stack = f" of stack {one.stack}" if one.stack else ""
        emit(event("unplanned", id=f"{one.id}{stack}", type=one.type, reason=one.reason))


def report_plan(context: Context, plan: Plan | AppPlan) -> None:
    """The warnings of the whole plan, its table, and its sum."""
    app_plan = plan if isinstance(plan, AppPlan) else AppPlan((plan,))
    _report_whole_plan(context.emit, app_plan.join(), app_plan_summary(app_plan, unit_of_type))


def report_saved_plan(emit: Emit, app_plan: AppPlan, shown: Sequence[Mapping[str, Any]]) -> None:
    """Each decision of a saved plan, and then the whole as when it was made; asks nobody.

    `shown` is what is shown of the plan of each environment.
    """
    first = app_plan.plans[0]
    where = f"account {first.account}, {first.region}"
    if app_plan.has_several:
        where = f"{len(app_plan.plans) + len(app_plan.unseen)} environments"
    emit(event("note", text=f"Plan of {first.created} for {where}, as it was saved"))
    for name, plan in zip(app_plan.places, app_plan.plans, strict=True):
        there = name_events(emit, name) if app_plan.has_several else emit
        for planned in plan.resources:
            report_decision(there, planned)
    for text in app_plan.conflicts:
        emit(event("fleet-conflict", text=text))
    summary = app_plan_summary(app_plan, unit_of_type, shown)
    _report_whole_plan(emit, app_plan.join(), summary)


def _report_whole_plan(emit: Emit, plan: Plan, summary: Event) -> None:
    """What is said of a plan as a whole, and `summary`, which ends it."""
    for text in plan.warnings:
        emit(event("warning", text=text, about=PLAN))
    for text in price_notes(plan):
        emit(event("note", text=text))
    emit(summary)
    if rules := {one.decision.rule for one in plan.stops} | {one.rule for one in plan.losses}:
        text = f"{read_more(rules)} explains the stop and what to do"
        emit(event("note", text=text))
