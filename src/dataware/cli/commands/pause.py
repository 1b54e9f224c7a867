"""`dataware pause`: let a migration wait, from any terminal or machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.help import SectionedCommand
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick

if TYPE_CHECKING:
    from dataware.ops.context import Context
    from dataware.ops.run_control import RunControls


@click.command(cls=SectionedCommand, short_help="Pause a running migration, from any machine.")
@click.argument("name", shell_complete=complete_migration)
@outside_options
def pause(**arguments: Any) -> int:
    """Pause the migration into NAME, a target's name or address, until `dataware resume`.

    The run may go on anywhere: it reads this from its record within seconds. It finishes what is
    under way, then copies, carries and compares nothing, keeps its lock, and says so. The pause
    outlives the run: the next one waits, too. A follow goes on to read the stream of its source,
    which forgets changes after a day. A cut-over begins after the pause only.

    \b
    Examples:
      dataware pause Orders-prod
      dataware pause s3://spaceport-uploads-prod --region us-east-1
    """
    return run_pause(pick(AwsOptions, arguments), arguments["name"])


def run_pause(out: AwsOptions, name: str) -> int:
    """Ask for a pause in the record of the migration."""
    from dataware.ops import run_control

    return ask_for_control(
        out, lambda context, controls, by: run_control.pause(context, controls, name, by)
    )


def ask_for_control(out: AwsOptions, ask: Callable[[Context, RunControls, str], None]) -> int:
    """Ask for something in the record of a migration, as this machine."""
    from dataware.cli.context import outside
    from dataware.state.holder import this_process
    from dataware.state.run_controls import ParameterControls

    with outside(out) as context:
        ask(context, ParameterControls(context.aws, context.clock), this_process().host)
    return 0
