"""`dataware fleet plan`: look into every target at once, and decide."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.fleet.options import (
    FleetOptions,
    fleet_option,
    fleet_where_options,
    selection_options,
)
from dataware.cli.help import SectionedCommand
from dataware.cli.options import (
    app_options,
    every_option,
    full_option,
    guard_options,
    only_option,
    plain_options,
    plan_format_option,
    prices_option,
)
from dataware.cli.settings import AppOptions, AwsOptions, GuardOptions, pick

if TYPE_CHECKING:
    from dataware.core.ports import Emit


@click.command(
    "fleet plan", cls=SectionedCommand, short_help="Show what would happen in every target."
)
@app_options
@every_option
@only_option
@guard_options
@fleet_option
@selection_options
@click.option(
    "--out", metavar="FILE", type=FilePath(path_type=Path), help="Save the fleet's plan as JSON."
)
@full_option
@prices_option
@fleet_where_options
@plan_format_option
@plain_options
def plan(**arguments: Any) -> int:
    """Look into every target at once and decide; changes nothing.

    APP is a cloud assembly folder (cdk.out), a CloudFormation template, or a dataware.toml. Of an
    assembly each target gets the stacks of its account and region. A target that cannot be looked
    into is unknown, and the others are planned all the same.

    \b
    Examples:
      dataware fleet plan template.yaml --out fleet.json
      dataware fleet plan cdk.out --tag stage=prod --exclude prod-us
      dataware fleet plan template.yaml --format html > fleet.html
    """
    return _plan(pick(AwsOptions, arguments), arguments)


def _plan(out: AwsOptions, arguments: dict[str, Any]) -> int:
    """Look, decide, show, save."""
    from dataware.cli.fleet.accounts import read_targets
    from dataware.cli.fleet.display import fleet_display, report_fleet
    from dataware.cli.fleet.planner import FleetPlanner, describe_left_out
    from dataware.core.events import event
    from dataware.ops.inputs.files import check_writable
    from dataware.ops.inputs.fleet_plan_file import save_fleet_plan

    if saved := arguments["out"]:
        check_writable(saved)
    options = FleetOptions.of(arguments)
    fleet = read_targets(out, options)
    app, guarding = pick(AppOptions, arguments), pick(GuardOptions, arguments)
    with fleet_display(out) as (emit, stop):
        planner = FleetPlanner(
            out, app, guarding, prices=arguments["prices"], only=arguments["only"], stop=stop
        )
        # Whoever chooses some of the targets knows that the others are left out.
        for text in describe_left_out(app.app, fleet.targets) if options.names_all else ():
            emit(event("warning", text=text))
        made, findings = planner.plan(fleet, emit)
        report_fleet(emit, made, full=out.full, findings=findings)
        if all(one.plan and not one.plan.resources for one in made.targets):
            text = "nothing is planned in any target: no resource opts in, and no pattern fits one"
            emit(event("warning", text=text))
        if not out.full and any(one.plan and one.plan.attention for one in made.targets):
            emit(event("note", text="pass --all to read the warnings of each target"))
        if saved:
            save_fleet_plan(made, saved)
            emit(event("saved", what="the fleet's plan", path=str(saved)))
        if made.changes and not made.exit_code:
            _report_next_step(emit, saved)
    return made.exit_code


def _report_next_step(emit: Emit, saved: Path | None) -> None:
    from shlex import quote

    from dataware.core.events import event

    if saved is None:
        emit(
            event("note", text="save the plan with --out FILE, and `dataware fleet apply` takes it")
        )
    else:
        emit(event("next", command=f"dataware fleet apply {quote(str(saved))}"))
