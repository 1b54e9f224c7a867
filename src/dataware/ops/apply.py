"""The use case "apply": carry a plan out; safe to repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from dataware.core.deferred_creation import explain_waiting, name_next_step
from dataware.core.engines.unfinished_work import refuse_service_work
from dataware.core.errors import (
    ConflictError,
    DatawareError,
    IncompleteError,
    RefusedError,
    WriteDeniedError,
)
from dataware.core.events import event, needs_attention
from dataware.core.guide import read_more
from dataware.core.kind import Kind
from dataware.core.model import Action, Existence
from dataware.core.names import place_of
from dataware.core.plan import COPYING, Plan, Planned, changed_facts, copies
from dataware.kinds import load
from dataware.ops.cancel_deletions import cancel_planned, list_restored
from dataware.ops.context import Context, CopySettings
from dataware.ops.creation_group import CreationGroup
from dataware.ops.decision_events import report_decision
from dataware.ops.engine_choice import EngineDemand, table_of
from dataware.ops.engine_leftovers import sweep_leftovers
from dataware.ops.engine_steps import make_steps
from dataware.ops.follow.follow_checks import check_follow
from dataware.ops.history_check import check_history
from dataware.ops.import_by_id import adopt_by_id, refuse_without_secrets
from dataware.ops.migrate import order_of, refuse_unfollowed, with_recorded_depth
from dataware.ops.migration_policy import FOLLOWED, Migration
from dataware.ops.object_headers import check_object_headers, with_recorded_headers
from dataware.ops.plan import make_plan
from dataware.ops.run_bounds import RunBounds
from dataware.ops.run_migration import MakeRun, run_migration
from dataware.ops.run_outcome import sum_up, waits
from dataware.ops.run_summary import AdoptionMethod, RunSummary, describe_idle
from dataware.ops.side_by_side import (
    MOST_BEGUN,
    split_into_lanes,
    work_in_order,
    work_side_by_side,
)
from dataware.ops.source_profile import check_relay, find_source, report_profile, take_profile
from dataware.ops.verify import with_real_region

NAMED = 5
"""Names that the last line gives of what needs attention."""


def apply_plan(
    context: Context,
    plan: Plan,
    settings: CopySettings,
    *,
    saved: bool = False,
    sums_up: bool = True,
    adoption: AdoptionMethod = AdoptionMethod.EITHER,
) -> Plan:
    """Create, copy and verify what the plan says; answers with the plan that was carried out.

    A `saved` plan is probed again first, and the engine of the `settings` wins over its own. With
    `sums_up` the last line says what needs attention, or that nothing was to do, and by which
    `adoption` a stack takes what was made; whoever goes on afterwards sums up by himself.

    Raises Refused, with nothing changed, when a stop rule holds or a fact has changed; Incomplete
    when some resource has to be applied again.
    """
    if saved:
        plan = look_again(context, plan, settings)
    context = take_profile(context, plan)
    for text in plan.warnings:
        context.emit(event("warning", text=text))
    if plan.stops:
        for planned in plan.stops:
            report_decision(context.emit, planned)
        names = ", ".join(planned.wanted.preferred for planned in plan.stops)
        more = read_more({planned.decision.rule for planned in plan.stops})
        raise RefusedError(
            f"nothing was changed, because of {names}; see the reasons above, and {more}"
        )
    _check_settings(plan, settings)
    cancel_planned(context, plan)
    _report_waiting(context, plan)
    if sums_up:
        _apply_and_sum_up(context, plan, settings, adoption)
    else:
        _apply_each(context, plan, settings)
    return plan


def _check_settings(plan: Plan, settings: CopySettings) -> None:
    """Raise DatawareError for settings by which the plan cannot be carried out."""
    check_sources(plan, settings)
    check_relay(plan, settings)
    check_follow(plan, settings)


def _apply_and_sum_up(
    context: Context, plan: Plan, settings: CopySettings, adoption: AdoptionMethod
) -> None:
    """Carry the resources out, and say what that came to, however it ends."""
    summary = RunSummary(context.emit, context.clock.now())
    try:
        _apply_each(replace(context, emit=summary), plan, settings)
    except DatawareError:
        summary.report_unfinished(plan, context.clock.now())
        raise
    summary.report(plan, context.clock.now(), adoption)
    _report_end(context, plan)


def check_sources(plan: Plan, settings: CopySettings) -> None:
    """Raise Refused where a copy would take nothing of the data that its source holds.

    Raises InputError for settings of objects where no bucket is among the resources.
    """
    check_object_headers(settings, [load(one.wanted.type) for one in plan.resources])
    sources = [(load(one.wanted.type), one.source) for one in copies(plan)]
    check_history(sources, all_versions=settings.all_versions)


def _report_end(context: Context, plan: Plan) -> None:
    """What a person still has to look at; else, that there was nothing to do."""
    if plan.attention:
        names = [one.wanted.preferred for one in plan.resources if one.needs_attention]
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        named = f" ({', '.join(names[:NAMED])}{more})" if names else ""
        copied = "" if plan.changes else "nothing had to be changed, and "
        text = f"{copied}{needs_attention(plan.attention)}{named}: see the warnings above"
        context.emit(event("needs-attention", text=text[0].upper() + text[1:], names=names))
    elif not plan.changes:
        context.emit(event("nothing-to-copy", reason=describe_idle(plan)))


def _apply_each(context: Context, plan: Plan, settings: CopySettings) -> None:
    """Carry the resources out, as many at the same time as `settings` allow.

    A resource that fails holds up no other. What is adopted by its id comes last, when its data is
    there. Raises what `sum_up` makes of those that failed.
    """
    busy = [one for one in plan.resources if one.changes and not waits(one)]
    is_shared = len(busy) > 1
    # What is followed goes on until a person stops it, so nothing may wait for its end.
    lanes = [[one] for one in busy] if settings.follow else split_into_lanes(busy)
    at_once = min(settings.max_parallel, len(lanes))
    if at_once <= 1 and not (settings.follow and is_shared):
        outcomes = work_in_order(context, plan.resources, _Carrier(settings, reports=is_shared))
    else:
        if not context.bounds.shared:
            context = replace(context, bounds=RunBounds(at_once))
        idle = [one for one in plan.resources if one not in busy]
        outcomes = work_in_order(context, idle, _Carrier(settings, reports=is_shared))
        for begin in range(0, len(lanes), MOST_BEGUN):
            some = lanes[begin : begin + MOST_BEGUN]
            carrier = _Carrier(settings, reports=is_shared, groups=_groups(context, some))
            outcomes += work_side_by_side(context, some, carrier)
            if any(isinstance(outcome.error, ConflictError) for outcome in outcomes):
                break
    sum_up(outcomes)
    adopt_by_id(context, plan.resources)


def _groups(context: Context, lanes: Sequence[Sequence[Planned]]) -> Mapping[str, CreationGroup]:
    """The groups of what is created together, by the id of the resource.

    They are the first ones of their lanes, because a later one waits for those before it.
    """
    groups: dict[str, CreationGroup] = {}
    for filled in (True, False):
        first = [lane[0] for lane in lanes if lane[0].creates and not _is_made(lane[0])]
        some = [one for one in first if (one.decision.action in COPYING) is filled]
        group = CreationGroup(context.hold, [one.wanted for one in some], filled=filled)
        groups |= {one.wanted.id: group for one in some}
    return groups


def _is_made(planned: Planned) -> bool:
    """Whether the engine makes the target itself, which no holding stack does then."""
    kind = load(planned.wanted.type)
    card = table_of(kind).find(planned.engine) if planned.engine else None
    return card is not None and card.creator is not None and not card.loads


def _report_waiting(context: Context, plan: Plan) -> None:
    """Which copies wait for their turn."""
    waiting = [planned for planned in plan.resources if planned.decision.action in COPYING]
    if len(waiting) > 1:
        for planned in waiting:
            words = {
                "kind": load(planned.wanted.type).names.slug,
                "source": planned.decision.source,
                "name": planned.wanted.preferred,
            }
            context.emit(event("phase", phase="waiting", **words))


def look_again(context: Context, plan: Plan, settings: CopySettings) -> Plan:
    """A saved plan with the facts of now. Raises RefusedError where one of them has changed."""
    where = (context.aws.account, context.aws.region)
    if where != (plan.account, plan.region):
        raise RefusedError(
            f"the plan is for account {plan.account}, {plan.region}, but the credentials are for "
            f"{where[0]}, {where[1]}: choose the profile and region of the plan"
        )
    context = take_profile(context, plan)
    report_profile(context)
    for planned in plan.resources:
        refuse_without_secrets(planned)
    wanted = [planned.wanted for planned in plan.resources]
    saved = {one.wanted.id: one.engine for one in plan.resources if one.engine is not None}
    fresh = make_plan(
        context,
        wanted,
        report=False,
        prices=plan.prices,
        all_versions=settings.all_versions,
        engines=EngineDemand.of(settings, saved),
        restores=list_restored(plan),
    )
    pairs = zip(plan.resources, fresh.resources, strict=True)
    changes = [change for before, after in pairs for change in changed_facts(before, after)]
    if changes:
        raise RefusedError(
            f"nothing was changed, because the plan is out of date: {'; '.join(changes)}; make "
            "a new plan and review it"
        )
    return fresh


class _Carrier:
    """Carries one resource out; `reports` says that each failure is reported when it happens.

    Raises why a resource has to be applied again.
    """

    def __init__(
        self,
        settings: CopySettings,
        *,
        reports: bool,
        groups: Mapping[str, CreationGroup] = MappingProxyType({}),
    ) -> None:
        self._settings = settings
        self._reports = reports
        self._groups = groups

    def __call__(self, context: Context, planned: Planned) -> None:
        wanted = planned.wanted
        group = self._groups.get(wanted.id) or CreationGroup(
            context.hold, [wanted], filled=planned.decision.action in COPYING
        )
        if context.stop() and planned.changes:
            group.leave(wanted)
            raise IncompleteError(f"{wanted.preferred} has not begun")
        try:
            _apply(context, planned, self._settings, group)
        except DatawareError as error:
            if self._reports or isinstance(error, (IncompleteError, WriteDeniedError)):
                reason = str(error)
                kind = load(wanted.type).names.slug
                context.emit(event("incomplete", kind=kind, name=wanted.preferred, reason=reason))
            raise
        finally:
            group.leave(wanted)


def _apply(
    context: Context, planned: Planned, settings: CopySettings, group: CreationGroup
) -> None:
    kind, wanted = load(planned.wanted.type), planned.wanted
    if planned.decision.action in COPYING:
        _migrate(context, kind, planned, settings, group)
        return
    report_decision(context.emit, planned)
    there = context.in_region(planned.preferred.region or context.aws.region)
    sweep_leftovers(there, kind, wanted.preferred, planned.preferred.marker)
    if planned.creates:
        target = group.create(wanted)
        target.let_go()
        target.await_end()
        words = {"kind": kind.names.slug, "noun": kind.noun, "name": wanted.preferred}
        context.emit(event("created", **words))
    elif planned.decision.action is Action.CREATE and not planned.decision.by_id:
        _take_over(context, kind, planned)


def _take_over(context: Context, kind: Kind, planned: Planned) -> None:
    """Let a resource go that a killed run created, or leave an absent one to the deployment."""
    if planned.preferred.existence is Existence.EXISTS:
        context.hold.release(kind, planned.wanted.preferred)
    else:
        _leave_to_deployment(context, planned)


def _leave_to_deployment(context: Context, planned: Planned) -> None:
    """Tell why a missing resource is not created here."""
    why = "its stack creates it"
    if planned.wanted.unresolved:
        why = explain_waiting(planned.wanted)
    context.emit(event("deferred", name=planned.wanted.preferred, reason=why))


def _migrate(
    context: Context, kind: Kind, planned: Planned, settings: CopySettings, group: CreationGroup
) -> None:
    missing = planned.preferred.existence is not Existence.EXISTS
    if waits(planned):
        report_decision(context.emit, planned)
        _leave_to_deployment(context, planned)
        name = planned.wanted.preferred
        raise IncompleteError(
            f"{name} waits for its deployment, because {explain_waiting(planned.wanted)}; "
            f"{name_next_step(planned.wanted)}"
        )
    account, region = context.aws.account, context.aws.region
    source = find_source(context, kind, planned.decision.source or "")
    target = place_of(kind, planned.wanted.preferred, account, region)
    source = with_real_region(context, kind, source)
    if not missing:
        target = replace(target, region=planned.preferred.region or target.region)
    marker = planned.preferred.marker
    settings = with_recorded_depth(with_recorded_headers(settings, marker), marker)
    context, emit = context.in_region(target.region), context.emit
    migration = Migration(
        kind,
        order_of(source, target, settings),
        settings,
        marker,
        planned.preferred,
        create=partial(group.create, planned.wanted) if missing else None,
    )
    if not settings.follow:
        refuse_unfollowed(migration)
    steps = make_steps(context, kind, planned, settings)
    carry_out = _follow if settings.follow else run_migration
    carry_out(context, migration, lambda: report_decision(emit, planned), steps)


def _follow(
    context: Context,
    migration: Migration,
    on_locked: Callable[[], None],
    steps: MakeRun | None,
) -> None:
    """Copy, and carry what changes. Raises RefusedError for what a service has begun without."""
    from dataware.ops.follow.follow_many import follow_migration  # noqa: PLC0415 - few runs follow

    if steps is None or not migration.marker.detail.get(FOLLOWED):
        # What changed before a feed was opened is known of a restore that began with it alone.
        order = migration.order
        refuse_service_work(migration.marker, order.source.name, order.target.name)
    follow_migration(context, migration, on_locked, steps)
