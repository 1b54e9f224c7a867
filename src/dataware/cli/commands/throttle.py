"""`dataware throttle`: hold a migration that runs at a rate, from any terminal or machine."""

from __future__ import annotations

import math
from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.commands.pause import ask_for_control
from dataware.cli.help import SectionedCommand
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick

OFF = "off"


class Rate(click.ParamType[float | None]):
    """Items or objects a second, or the word that ends the limit."""

    name = "rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float | None:
        """The rate; None for `off`."""
        if value == OFF:
            return None
        try:
            rate = float(value)
        except ValueError:
            rate = math.nan
        if not 0 < rate < math.inf:
            self.fail(
                f"{value!r} is not a rate; write items per second, such as 200, or off", param, ctx
            )
        return rate


@click.command(cls=SectionedCommand, short_help="Change the rate of a running migration.")
@click.argument("name", shell_complete=complete_migration)
@click.argument("rate", type=Rate(), metavar="RATE|off")
@outside_options
def throttle(**arguments: Any) -> int:
    """Hold the migration into NAME, a target's name or address, at RATE, wherever it runs.

    RATE is in items or objects a second and replaces --max-rate until `off`. It holds for all
    processes of the copy together, and for the changes that a follow carries. The run reads it
    from its record within seconds; the next run keeps it.

    \b
    Examples:
      dataware throttle Orders-prod 200
      dataware throttle Orders-prod off
    """
    return run_throttle(pick(AwsOptions, arguments), arguments["name"], arguments["rate"])


def run_throttle(out: AwsOptions, name: str, rate: float | None) -> int:
    """Ask for a rate in the record of the migration."""
    from dataware.ops import run_control

    return ask_for_control(
        out, lambda context, controls, by: run_control.throttle(context, controls, name, rate, by)
    )
