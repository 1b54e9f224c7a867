"""Makes the plan that `plan` and `deploy` show: the decisions, and what a deployment would lose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from dataware.cli.app import wanted_here
from dataware.cli.settings import GuardOptions
from dataware.core.app_plan import AppPlan, Place, UnseenPlace, add_losses, group_by_place
from dataware.core.change_set import ChangeSetUse
from dataware.core.destructive_change import RULE as GUARD_RULE
from dataware.core.errors import DatawareError
from dataware.core.estimate import Prices
from dataware.core.events import Event, event
from dataware.core.fleet.cross_checks import FindingKind, check_fleet
from dataware.core.fleet.plan import TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.guide import read_more
from dataware.core.model import Wanted
from dataware.core.parameters import GivenParameters
from dataware.core.plan import Plan
from dataware.core.ports import Emit
from dataware.kinds import load, unit_of_type
from dataware.ops.adoption import find_allowed, mark_allowed_losses
from dataware.ops.announce import announce
from dataware.ops.context import Context
from dataware.ops.engine_choice import EngineDemand
from dataware.ops.fleet import TargetAnswer, ask_targets
from dataware.ops.guard import GuardReport, guard
from dataware.ops.inputs import App
from dataware.ops.plan import make_plan
from dataware.report.brief import PLAN
from dataware.report.summary import app_plan_summary, price_notes

LOOKS = frozenset({"looking", "look-progress"})
"""Codes of what a person is told while it goes on."""


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """What the copies of a plan are estimated and chosen by."""

    prices: Prices | None = None
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

    Unless a deployment follows, an environment that cannot be looked into is unknown as long as
    there is another one. Raises Refused where one follows and not every stack can be looked into,
    and DatawareError where it follows and no credentials fit an account.
    """
    wanted = mark_allowed_losses(app.wanted, guarding.allow_loss)
    report_unplanned(context.emit, app)
    seen = plan_places(context, wanted, terms, tolerant=not deploys)
    plans = seen.plans
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
    return _with_guard(context, seen, guarded, app)


def plan_places(
    context: Context,
    wanted: Sequence[Wanted],
    terms: CopyTerms,
    *,
    tolerant: bool = False,
    report: bool = True,
) -> AppPlan:
    """The plan of each account and region, made there, all of them at once.

    What is told of each stands together. Unless it is `tolerant`, and where none can be looked
    into, one that cannot raises its DatawareError.
    """

    def plan_at(there: Context, some: Sequence[Wanted]) -> Plan:
        return make_plan(
            there,
            some,
            prices=terms.prices,
            all_versions=terms.all_versions,
            engines=terms.engines,
            report=report,
        )

    groups = group_by_place(wanted, (context.aws.account, context.aws.region))
    if len(groups) == 1:
        ((place, some),) = groups.items()
        return AppPlan((plan_at(enter_place(context, place, alone=True), some),))
    targets = [FleetTarget("/".join(place), *place) for place in groups]
    told: dict[str, list[Event]] = {one.name: [] for one in targets}

    def plan_one(target: FleetTarget) -> Plan:
        place = (target.account, target.region)
        there = enter_place(context, place, alone=False)
        shown = name_events(_held_back(context.emit, told[target.name]), target.name)
        return plan_at(replace(there, emit=shown), groups[place])

    answers = ask_targets(targets, plan_one, context.emit, "environment")
    for happened in chain.from_iterable(told.values()):
        context.emit(happened)
    return _join_answers(answers, tolerant=tolerant)


def _join_answers(answers: Sequence[TargetAnswer[Plan]], *, tolerant: bool) -> AppPlan:
    plans = tuple(one.value for one in answers if one.value is not None)
    errors = [one.error for one in answers if one.error is not None]
    defect = next((one for one in errors if not isinstance(one, DatawareError)), None)
    if errors and (defect or not tolerant or not plans):
        raise defect or errors[0]
    unseen = tuple(
        UnseenPlace(one.target.account, one.target.region, one.problem, one.exit_code)
        for one in answers
        if one.value is None
    )
    return AppPlan(plans, unseen=unseen)


def _held_back(emit: Emit, told: list[Event]) -> Emit:
    """`emit` that hears at once how a look goes on; everything else waits in `told`."""

    def report(happened: Event) -> None:
        if happened.code in LOOKS:
            emit(happened)
        else:
            told.append(happened)

    return report


def enter_place(context: Context, place: Place, *, alone: bool) -> Context:
    """The context of an account and region; unless it is `alone`, its lines name the place.

    Raises DatawareError where no credentials fit.
    """
    there = context.in_environment(*place)
    return there if alone else replace(there, emit=name_events(context.emit, "/".join(place)))


def name_events(emit: Emit, place: str) -> Emit:
    """`emit`, whose events say where they happened; the line of a look does so by itself."""

    def report(happened: Event) -> None:
        named = {} if happened.code == "looking" else {"target": place}
        emit(replace(happened, data={**happened.data, **named}))

    return report


def _with_guard(context: Context, seen: AppPlan, guarded: GuardReport, app: App) -> AppPlan:
    """The plans with what the guard says, and what they do to each other.

    One alone keeps the order of its warnings.
    """
    home = (context.aws.account, context.aws.region)
    places = {
        stack.key: (stack.account or home[0], stack.region or home[1]) for stack in app.stacks
    }
    losses = [(places.get(one.key, home), one) for one in guarded.threats]
    seen = replace(seen, plans=add_losses(seen.plans, losses))
    if not seen.has_several:
        (plan,) = seen.plans
        warnings = (*app.unseen, *plan.warnings, *guarded.warnings)
        return AppPlan((replace(plan, warnings=warnings),))
    return check_together(context, replace(seen, warnings=(*app.unseen, *guarded.warnings)))


def check_together(context: Context, app_plan: AppPlan) -> AppPlan:
    """The plan with what only all environments together show; tells of it."""
    targets = [
        TargetPlan(FleetTarget(name, plan.account, plan.region), plan)
        for name, plan in zip(app_plan.places, app_plan.plans, strict=True)
    ]
    findings = check_fleet(targets, load)
    for one in findings:
        if one.stops:
            words = {"finding": one.kind, "targets": list(one.targets)}
            context.emit(event("fleet-conflict", text=one.text, **words))
        elif one.kind is FindingKind.UNEQUAL:
            context.emit(event("note", text=one.text))
    doubts = [
        one.text for one in findings if one.kind is FindingKind.CHAINED_COPY and not one.stops
    ]
    return replace(
        app_plan,
        warnings=(*app_plan.warnings, *doubts),
        conflicts=tuple(one.text for one in findings if one.stops),
    )


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
            announce(there, planned)
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
    if rules := {one.decision.rule for one in plan.stops} | {GUARD_RULE for _ in plan.losses}:
        text = f"{read_more(rules)} explains the stop and what to do"
        emit(event("note", text=text))
