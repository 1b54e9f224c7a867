"""The use case "apply --rehearse": every migration of a plan into a scratch resource of its own.

Each is made as its target would be: like the one that stands there, or as the app declares it. All
are made, filled, compared and removed as many at a time as `apply` would, so that what it took is
what the real run takes, but for the removal. Nothing of the plan itself is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dataware.calc.measures import duration
from dataware.core.deferred_creation import explain_waiting
from dataware.core.errors import InputError, RefusedError
from dataware.core.estimate import Prices
from dataware.core.events import event, format_count
from dataware.core.model import Existence
from dataware.core.names import place_of
from dataware.core.plan import Plan, Planned, copies
from dataware.core.rehearsal import require_rehearsal
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings
from dataware.ops.decision_events import report_decision
from dataware.ops.migrate import order_of
from dataware.ops.migration_policy import Migration
from dataware.ops.rehearse import rehearse_migration
from dataware.ops.run_bounds import RunBounds
from dataware.ops.run_outcome import Outcome, sum_up, waits
from dataware.ops.side_by_side import MOST_BEGUN, Work, work_in_order, work_side_by_side
from dataware.ops.source_profile import refuse_rehearsal
from dataware.ops.verify import with_real_region

Forget = Callable[[str, str], None]


def rehearse_plan(
    context: Context,
    plan: Plan,
    settings: CopySettings,
    prices: Prices,
    make_forget: Callable[[Context], Forget],
) -> None:
    """Rehearse every migration of a plan, and say what all of them took together.

    `make_forget` gives what deletes the record of a kind and a target in a context. Raises
    RefusedError where a stop rule holds, InputError for a migration that cannot be rehearsed, both
    before anything is made, and what `sum_up` makes of those that failed.
    """
    copied = list(copies(plan))
    _check_plan(context, plan)
    refuse_rehearsal(plan)
    for planned in copied:
        _check_planned(planned)
    if not copied:
        context.emit(event("nothing-to-do", reason="the plan migrates nothing"))
        return
    began = context.clock.now()

    def work(there: Context, planned: Planned) -> None:
        _rehearse(there, planned, settings, prices, make_forget)

    at_once = min(settings.max_parallel, len(copied))
    sum_up(_work_on(context, copied, work, at_once))
    seconds = max(1, round(context.clock.now() - began))
    text = (
        f"Rehearsed {format_count(len(copied), 'migration')} in {duration(seconds)}, up to "
        f"{at_once} at a time: the real run takes about as long"
    )
    context.emit(event("done", text=text, count=len(copied), seconds=seconds, at_once=at_once))


def _work_on(
    context: Context, copied: Sequence[Planned], work: Work, at_once: int
) -> list[Outcome]:
    """What became of each, up to `at_once` at a time, as `apply` does it."""
    if at_once <= 1:
        return work_in_order(context, copied, work)
    if not context.bounds.shared:
        context = replace(context, bounds=RunBounds(at_once))
    outcomes = []
    for begin in range(0, len(copied), MOST_BEGUN):
        lanes = [[one] for one in copied[begin : begin + MOST_BEGUN]]
        outcomes += work_side_by_side(context, lanes, work)
    return outcomes


def _check_plan(context: Context, plan: Plan) -> None:
    for planned in plan.stops:
        report_decision(context.emit, planned)
    if plan.stops:
        names = ", ".join(planned.wanted.preferred for planned in plan.stops)
        raise RefusedError(f"nothing was rehearsed, because the plan stops at {names}; see above")


def _check_planned(planned: Planned) -> None:
    """Raise InputError for a migration of which no rehearsal would tell the truth."""
    wanted, kind = planned.wanted, load(planned.wanted.type)
    name, other = wanted.preferred, "leave it out with --only"
    make = kind.require_copying().rehearsal
    if make is None:
        raise InputError(f"the migration of {kind.short} {name} cannot be rehearsed; {other}")
    require_rehearsal(make(), kind.short)
    if planned.preferred.existence is Existence.EXISTS:
        return
    if waits(planned):
        raise InputError(
            f"{name} cannot be rehearsed, because {explain_waiting(wanted)}; deploy it first, or "
            f"{other}"
        )
    if wanted.type != kind.cfn_type:
        raise InputError(
            f"{name} cannot be rehearsed before it exists, because a scratch {kind.short} is not "
            f"one of type {wanted.type}; {other}"
        )


def _rehearse(
    context: Context,
    planned: Planned,
    settings: CopySettings,
    prices: Prices,
    make_forget: Callable[[Context], Forget],
) -> None:
    kind, wanted = load(planned.wanted.type), planned.wanted
    account, region = context.aws.account, context.aws.region
    source = place_of(kind, planned.decision.source or "", account, region)
    source = with_real_region(context, kind, source)
    target = place_of(kind, wanted.preferred, account, region)
    properties: Mapping[str, Any] | None = wanted.properties
    if planned.preferred.existence is Existence.EXISTS:
        target = replace(target, region=planned.preferred.region or target.region)
        properties = None
    settings = replace(settings, on_conflict=None)
    there = context.in_region(target.region)
    real = Migration(
        kind,
        order_of(source, target, settings),
        settings,
        planned.preferred.marker,
        planned.preferred,
    )
    rehearse_migration(there, real, properties, prices, make_forget(there))
