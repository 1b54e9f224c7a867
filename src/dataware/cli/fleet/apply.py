"""`dataware fleet apply`: carry the plan of a fleet out, in waves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.fleet.options import FleetOptions, fleet_where_options, selection_options
from dataware.cli.help import SectionedCommand
from dataware.cli.numbers import WholeNumber
from dataware.cli.options import (
    copy_options,
    format_option,
    full_option,
    parallel_option,
    plain_options,
)
from dataware.cli.settings import AwsOptions, CopyOptions, pick

if TYPE_CHECKING:
    from dataware.core.fleet.plan import FleetPlan
    from dataware.core.fleet.selection import TargetSelection
    from dataware.core.fleet.waves import WaveSettings


@click.command(
    "fleet apply", cls=SectionedCommand, short_help="Apply a fleet's plan in waves; safe to repeat."
)
@click.argument("plan", type=FilePath(path_type=Path))
@selection_options
@click.option(
    "--canary", metavar="NAME", help="Target that is applied first and alone (default: the first)."
)
@click.option(
    "--max-concurrent",
    metavar="N",
    type=WholeNumber(min=1),
    help="Apply up to N targets at once (default: as fleet.toml says, or 5).",
)
@click.option(
    "--tolerance",
    metavar="N",
    type=WholeNumber(min=0),
    help="Begin no further wave once more than N targets have failed (default: 0).",
)
@full_option
@copy_options
@parallel_option
@fleet_where_options
@format_option
@plain_options
def apply(**arguments: Any) -> int:
    """Apply the plan that `dataware fleet plan --out` saved: a canary first, then region by region.

    Each target is looked at again first. After a stop or a failure the same command goes on: what
    is complete is not touched again.

    \b
    Examples:
      dataware fleet apply fleet.json
      dataware fleet apply fleet.json --canary test-eu --max-concurrent 10 --tolerance 1
      dataware fleet apply fleet.json --exclude prod-us
    """
    from dataware.cli.notify import notifying
    from dataware.ops.saved_fleet import read_saved_fleet

    out, copy = pick(AwsOptions, arguments), pick(CopyOptions, arguments)
    # With what the guard said: a target at which a loss is a stop is not applied.
    whole, _ = read_saved_fleet(arguments["plan"])
    plan = _choose(whole, FleetOptions.of(arguments).selection)
    with notifying("fleet apply", out, copy.notify) as listener:
        from dataware.cli.fleet.applier import FleetApplier

        FleetApplier(out, copy, listener).apply(plan, _wave_settings(plan.waves, arguments))
    return 0


def _choose(plan: FleetPlan, selection: TargetSelection) -> FleetPlan:
    """The plan of the targets that are chosen; what others were in the way of stays a conflict."""
    from dataware.core.fleet.cross_checks import check_fleet
    from dataware.core.fleet.selection import select_targets
    from dataware.core.fleet.waves import drop_absent_canary
    from dataware.kinds import load

    whole = [one.target for one in plan.targets]
    chosen = select_targets(whole, selection)
    names = {one.name for one in chosen}
    targets = tuple(one for one in plan.targets if one.target.name in names)
    conflicts = tuple(one.text for one in check_fleet(targets, load) if one.stops)
    waves = drop_absent_canary(plan.waves, whole, chosen)
    return replace(plan, targets=targets, waves=waves, conflicts=conflicts)


def _wave_settings(planned: WaveSettings, arguments: dict[str, Any]) -> WaveSettings:
    """The settings of fleet.toml, under those of the command line."""
    settings = {
        name: arguments[name]
        for name in ("canary", "max_concurrent", "tolerance")
        if arguments[name] is not None
    }
    return replace(planned, **settings)
