"""Shows what happens in a fleet: lines that say where, and findings and matrix at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from dataware.cli.display import is_watched
from dataware.cli.process.gc import relaxed_gc
from dataware.cli.process.signals import StopSignal
from dataware.cli.settings import AwsOptions
from dataware.core.events import Event, event
from dataware.core.fleet.cross_checks import FleetFinding, check_fleet
from dataware.core.fleet.plan import FleetPlan
from dataware.core.ports import Emit
from dataware.kinds import load, unit_of_type
from dataware.report import Renderer, appearance, make_renderer
from dataware.report.fleet_summary import fleet_planned
from dataware.report.summary import plan_summary


def with_target(emit: Emit, target: str) -> Emit:
    """`emit`, whose events say by `target` where they happened."""

    def report(happened: Event) -> None:
        emit(replace(happened, data={**happened.data, "target": target}))

    return report


@contextmanager
def fleet_display(
    out: AwsOptions, *, copies: bool = False
) -> Iterator[tuple[Renderer, StopSignal]]:
    """The display and the signals of a fleet's command.

    Lines come without live bars: a bar for each migration of each target would be no help.
    """
    look = appearance(sys.stdout, os.environ)
    if is_watched(sys.stdout, os.environ) and not look["no_color"]:
        look["force_color"] = True
    shown = make_renderer(
        out.format, sys.stdout, plain=out.plain, is_tty=False, full=out.full, **look
    )
    # The calls of many targets at once make a third more work for a collector that never rests.
    with relaxed_gc(), shown as emit, StopSignal(graceful=copies) as stop:
        yield emit, stop


def report_fleet(
    emit: Emit,
    made: FleetPlan,
    *,
    full: bool,
    findings: Sequence[FleetFinding] | None = None,
    plans: Mapping[str, object] | None = None,
) -> None:
    """What needs a person, the plan of each target if all is to be shown, and the matrix."""
    if full:
        for one in made.targets:
            if one.plan is not None:
                with_target(emit, one.target.name)(plan_summary(one.plan, unit_of_type))
    findings = check_fleet(made.targets, load) if findings is None else findings
    for finding in findings:
        code = "fleet-conflict" if finding.stops else "fleet-unequal"
        emit(event(code, text=finding.text, finding=finding.kind, targets=list(finding.targets)))
    emit(fleet_planned(made, findings, unit_of_type, plans))
