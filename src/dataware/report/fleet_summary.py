"""The event that ends the plan or the run of a fleet: one line, and the matrix for its table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from dataware.core.events import Event, event, format_count
from dataware.core.fleet.cross_checks import FleetFinding
from dataware.core.fleet.matrix import TargetState, matrix_of
from dataware.core.fleet.plan import FleetPlan
from dataware.core.plan import Plan
from dataware.report.summary import Totals, shown_plan

UnitOf = Callable[[str], str]


def fleet_planned(
    plan: FleetPlan,
    findings: Sequence[FleetFinding],
    unit_of: UnitOf,
    plans: Mapping[str, object] | None = None,
) -> Event:
    """The end of a plan, such as "Fleet: 10 targets, 9 ready, 1 unknown.  ~3 min, $0.05".

    `plans` are what is shown of each target's, where more is known than the plan holds.
    """
    ready = sum(one.changes and not one.stops for one in plan.targets)
    counts = [
        (len(plan.unknown), "unknown"),
        (len(plan.stops), "stopped"),
        (ready, "ready"),
        (sum(one.plan is not None and not one.changes and not one.stops for one in plan.targets),
         "with nothing to do"),
    ]  # fmt: skip
    words = [f"{n:,} {word}" for n, word in counts if n]
    summary = _fleet_event(plan, findings, unit_of, None, words)
    return replace(summary, data={**summary.data, "plans": plans}) if plans else summary


def fleet_applied(plan: FleetPlan, states: Mapping[str, TargetState], unit_of: UnitOf) -> Event:
    """The end of a run, such as "Fleet: 10 targets, 8 done, 1 failed, 1 not started"."""
    ended = list(states.values())
    words = [f"{ended.count(state):,} {state}" for state in TargetState if state in ended]
    return _fleet_event(plan, (), unit_of, states, words)


def _fleet_event(
    plan: FleetPlan,
    findings: Sequence[FleetFinding],
    unit_of: UnitOf,
    states: Mapping[str, TargetState] | None,
    words: Sequence[str],
) -> Event:
    totals = Totals.of(Plan("", "", plan.created, plan.resources), unit_of)
    text = ", ".join([f"Fleet: {format_count(len(plan.targets), 'target')}", *words])
    if states is None and str(totals):
        text += f".  {totals}"
    return event(
        "fleet",
        text=text,
        created=plan.created,
        matrix=matrix_of(plan, states).to_json(),
        findings=[asdict(one) for one in findings],
        problems={one.target.name: one.problem for one in plan.targets if one.plan is None},
        refused=[one.target.name for one in plan.targets if one.is_refused],
        plans=dict(_shown_plans(plan)),
        totals=asdict(totals),
        exit_code=plan.exit_code,
        applied=states is not None,
    )


def _shown_plans(plan: FleetPlan) -> Iterator[tuple[str, object]]:
    """The plan of each target as in its file, without what the app declares."""
    for one in plan.targets:
        if one.plan is not None:
            yield one.target.name, shown_plan(one.plan)
