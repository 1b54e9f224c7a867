"""`dataware fleet targets`: the targets of a fleet."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.fleet.options import FleetOptions, target_list_options
from dataware.cli.help import SectionedCommand
from dataware.cli.options import format_option
from dataware.cli.settings import AwsOptions, pick


@click.command(
    "fleet targets", cls=SectionedCommand, short_help="Show the targets of a fleet; look at none."
)
@target_list_options
@format_option
def targets(**arguments: Any) -> int:
    """Show the targets that the options choose, a line each, in the order of their waves.

    Only the accounts of an organization are asked for; no target is looked at.

    \b
    Examples:
      dataware fleet targets
      dataware fleet targets --tag stage=prod --in-region eu-west-1
    """
    from dataware.cli.fleet.accounts import read_targets
    from dataware.cli.fleet.display import fleet_display
    from dataware.core.events import event
    from dataware.core.fleet.waves import make_waves

    out = pick(AwsOptions, arguments)
    fleet = read_targets(out, FleetOptions.of(arguments))
    with fleet_display(out) as (emit, _):
        for number, wave in enumerate(make_waves(fleet.targets, fleet.waves), 1):
            for one in wave:
                emit(event("target", wave=number, **one.to_json(), target=one.name))
    return 0
