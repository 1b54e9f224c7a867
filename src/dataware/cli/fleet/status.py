"""`dataware fleet status`: every migration on record, in every target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dataware.cli.fleet.options import FleetOptions, target_list_options
from dataware.cli.help import SectionedCommand
from dataware.cli.options import format_option
from dataware.cli.settings import AwsOptions, pick

if TYPE_CHECKING:
    from dataware.core.events import Event
    from dataware.core.fleet.target import FleetTarget


@click.command(
    "fleet status", cls=SectionedCommand, short_help="Show the migrations of every target."
)
@target_list_options
@format_option
def status(**arguments: Any) -> int:
    """Show every migration on record in the targets: how far it is, or how it ended.

    \b
    Examples:
      dataware fleet status
      dataware fleet status --tag stage=prod
    """
    from dataware.cli.context import make_context
    from dataware.cli.fleet.accounts import FleetAccounts, read_targets
    from dataware.cli.fleet.display import fleet_display, with_target
    from dataware.core.fleet.waves import worst_exit_code
    from dataware.ops.fleet import ask_targets
    from dataware.ops.status import status as report_status

    out = pick(AwsOptions, arguments)
    fleet = read_targets(out, FleetOptions.of(arguments))
    with fleet_display(out) as (emit, stop):
        accounts = FleetAccounts(out, stop)

        def look(target: FleetTarget) -> list[Event]:
            events: list[Event] = []
            with accounts.open(target) as account:
                report = with_target(events.append, target.name)
                report_status(make_context(account, report, stop, strict=False))
            return events

        answers = ask_targets(fleet.targets, look, emit)
        for one in answers:
            # Those of one target stand together, whichever was the first to answer.
            for happened in one.value or ():
                emit(happened)
    return worst_exit_code(one.exit_code for one in answers)
