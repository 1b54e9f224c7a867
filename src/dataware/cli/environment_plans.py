"""Makes the plans of an app where its stacks go, all environments at once."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from dataware.core.app_plan import AppPlan, Place, UnseenEnvironment, group_by_place
from dataware.core.errors import DatawareError
from dataware.core.estimate import Prices
from dataware.core.events import Event, event
from dataware.core.fleet.cross_checks import FindingKind, check_fleet
from dataware.core.fleet.plan import TargetPlan
from dataware.core.fleet.target import FleetTarget
from dataware.core.model import Wanted
from dataware.core.plan import Plan
from dataware.core.ports import Emit
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings
from dataware.ops.engine_choice import EngineDemand
from dataware.ops.fleet import TargetAnswer, ask_targets
from dataware.ops.plan import make_plan
from dataware.ops.source_profile import check_regions

LOOKS = frozenset({"looking", "look-progress"})
"""Codes of what a person is told while it goes on."""


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """What the copies of a plan are estimated and chosen by; `follow` is how they are followed.

    A deletion of one of `restores` may be cancelled.
    """

    prices: Prices | None = None
    all_versions: bool = False
    engines: EngineDemand | None = None
    follow: CopySettings | None = None
    restores: Container[str] = ()


def plan_environments(
    context: Context,
    wanted: Sequence[Wanted],
    terms: CopyTerms,
    *,
    tolerant: bool = False,
    report: bool = True,
) -> AppPlan:
    """The plan of each account and region, made there, all of them at once.

    What is said of each stands together. Unless it is `tolerant`, and where none can be looked
    into, one that cannot raises its DatawareError. Raises InputError where the region of the
    profile of sources would stand for several.
    """
    check_regions(context, wanted)

    def plan_at(there: Context, some: Sequence[Wanted]) -> Plan:
        plan = make_plan(
            there,
            some,
            prices=terms.prices,
            all_versions=terms.all_versions,
            engines=terms.engines,
            restores=terms.restores,
            report=report,
        )
        if terms.follow is None:
            return plan
        from dataware.ops.follow.forecast import (  # noqa: PLC0415 - few plans are followed
            forecast_follows,
        )

        return forecast_follows(there, plan, terms.follow, report=report)

    groups = group_by_place(wanted, (context.aws.account, context.aws.region))
    if len(groups) == 1:
        ((place, some),) = groups.items()
        return AppPlan((plan_at(enter_place(context, place, alone=True), some),))
    answers = _plan_each(context, groups, plan_at)
    return _join_answers(answers, tolerant=tolerant)


def _plan_each(
    context: Context,
    groups: Mapping[Place, Sequence[Wanted]],
    plan_at: Callable[[Context, Sequence[Wanted]], Plan],
) -> Sequence[TargetAnswer[Plan]]:
    """What is answered in each environment, all of them asked at once."""
    targets = [FleetTarget("/".join(place), *place) for place in groups]
    events: dict[str, list[Event]] = {one.name: [] for one in targets}

    def plan_one(target: FleetTarget) -> Plan:
        place = (target.account, target.region)
        there = enter_place(context, place, alone=False)
        shown = name_events(_held_back(context.emit, events[target.name]), target.name)
        return plan_at(replace(there, emit=shown), groups[place])

    answers = ask_targets(targets, plan_one, context.emit, "environment")
    for happened in chain.from_iterable(events.values()):
        context.emit(happened)
    return answers


def _join_answers(answers: Sequence[TargetAnswer[Plan]], *, tolerant: bool) -> AppPlan:
    plans = tuple(one.value for one in answers if one.value is not None)
    errors = [one.error for one in answers if one.error is not None]
    defect = next((one for one in errors if not isinstance(one, DatawareError)), None)
    if errors and (defect or not tolerant or not plans):
        raise defect or errors[0]
    unseen = tuple(
        UnseenEnvironment(one.target.account, one.target.region, one.problem, one.exit_code)
        for one in answers
        if one.value is None
    )
    return AppPlan(plans, unseen=unseen)


def _held_back(emit: Emit, events: list[Event]) -> Emit:
    """`emit` that hears at once how a look goes on; everything else waits in `events`."""

    def report(happened: Event) -> None:
        if happened.code in LOOKS:
            emit(happened)
        else:
            events.append(happened)

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


def check_together(context: Context, app_plan: AppPlan) -> AppPlan:
    """The plan with what only all environments together show; reports it."""
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
