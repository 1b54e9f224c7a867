"""`dataware show`: a saved plan, in every format that `plan` has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dataware.cli.file_path import FilePath
from dataware.cli.help import SectionedCommand
from dataware.cli.options import full_option, plain_options, plan_format_option
from dataware.cli.settings import AwsOptions, pick


@click.command(cls=SectionedCommand, short_help="Show a saved plan; asks AWS nothing.")
@click.argument("plan", type=FilePath(path_type=Path))
@full_option
@plan_format_option
@plain_options
def show(**given: Any) -> int:
    """Show a plan that `dataware plan --out` saved, as it was when it was made.

    AWS is not asked, so that no credentials are needed; `dataware apply` looks again.

    \b
    Examples:
      dataware show plan.json
      dataware show plan.json --format markdown
      dataware show plan.json --format html > plan.html
    """
    return run_show(pick(AwsOptions, given), given["plan"])


def run_show(look: AwsOptions, path: Path) -> int:
    """Show a saved plan. Raises InputError for what is none."""
    from dataware.cli.display import display
    from dataware.cli.guarded_plan import report_saved_plan
    from dataware.ops.saved_plan import read_saved_plan

    saved = read_saved_plan(path)
    with display(look) as emit:
        report_saved_plan(emit, saved)
    return 0
