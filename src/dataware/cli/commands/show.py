"""`dataware show`: a saved plan, in every format that `plan` has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.help import SectionedCommand
from dataware.cli.options import full_option, plain_options, plan_format_option
from dataware.cli.settings import AwsOptions, pick
from dataware.core.errors import InputError

APP_FILES = frozenset({".toml", ".yaml", ".yml"})
"""What the file of an app ends with, and that of a plan does not."""


@click.command(cls=SectionedCommand, short_help="Show a saved plan; asks AWS nothing.")
@click.argument("plan", type=FilePath(path_type=Path))
@full_option
@plan_format_option
@plain_options
def show(**arguments: Any) -> int:
    """Show a plan that `dataware plan --out` saved, or that of a fleet, as it was when it was made.

    AWS is not asked, so that no credentials are needed; `dataware apply` looks again.

    \b
    Examples:
      dataware show plan.json
      dataware show plan.json --format markdown
      dataware show plan.json --format html > plan.html
    """
    return run_show(pick(AwsOptions, arguments), arguments["plan"])


def run_show(look: AwsOptions, path: Path) -> int:
    """Show a saved plan. Raises InputError for what is none."""
    from dataware.cli.app_document import is_app_plan, read_app_plan
    from dataware.cli.display import display
    from dataware.cli.guarded_plan import report_saved_plan
    from dataware.core.app_plan import AppPlan
    from dataware.ops.inputs.fleet_plan_file import is_fleet_plan
    from dataware.ops.saved_plan import read_saved_plan

    if path.is_dir() or path.suffix in APP_FILES:
        raise InputError(
            f"{path} is not a saved plan: save one by `dataware plan {path} --out plan.json`"
        )
    if is_app_plan(path):
        whole = read_app_plan(path)
        app_plan, shown = whole.app_plan, whole.shown
    elif is_fleet_plan(path):
        return _show_fleet(look, path)
    else:
        saved = read_saved_plan(path)
        app_plan, shown = AppPlan((saved.plan,)), [saved.shown]
    with display(look) as emit:
        report_saved_plan(emit, app_plan, shown)
    return 0


def _show_fleet(look: AwsOptions, path: Path) -> int:
    """Show the saved plan of a fleet."""
    from dataware.cli.fleet.display import fleet_display, report_fleet
    from dataware.core.events import event
    from dataware.ops.saved_fleet import read_saved_fleet

    made, shown = read_saved_fleet(path)
    with fleet_display(look) as (emit, _):
        emit(event("note", text=f"Plan of a fleet of {made.created}, as it was saved"))
        report_fleet(emit, made, full=look.full, plans=shown)
    return 0
