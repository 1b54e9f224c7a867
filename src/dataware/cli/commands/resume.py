"""`dataware resume`: end the pause of a migration."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.commands.pause import ask_for_control
from dataware.cli.help import SectionedCommand
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick


@click.command(cls=SectionedCommand, short_help="Let a paused migration go on.")
@click.argument("name", shell_complete=complete_migration)
@outside_options
def resume(**arguments: Any) -> int:
    """End the pause of the migration into NAME, a target's name or address.

    A run that waits goes on within seconds, from where it was. Where none is alive, run the command
    of the migration again.

    \b
    Examples:
      dataware resume Orders-prod
      dataware resume s3://spaceport-uploads-prod --region us-east-1
    """
    return run_resume(pick(AwsOptions, arguments), arguments["name"])


def run_resume(out: AwsOptions, name: str) -> int:
    """End the pause in the record of the migration."""
    from dataware.ops import run_control

    return ask_for_control(
        out, lambda context, controls, by: run_control.resume(context, controls, name, by)
    )
