"""`dataware watch`: name whoever writes to the old side of a cut-over."""

from __future__ import annotations

from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.commands.cutover import Duration
from dataware.cli.help import SectionedCommand
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick


@click.command(cls=SectionedCommand, short_help="Report writes to the old side.")
@click.argument("name", shell_complete=complete_migration)
@click.option("--for", "seconds", type=Duration(), help="How long to watch. Default: until Ctrl-C.")
@click.option(
    "--source", metavar="ADDRESS", help="The old side, where it is in another account or region."
)
@outside_options
def watch(**arguments: Any) -> int:
    """Report writes to the source after the switch to NAME.

    Continues where the cut-over, or the last watch, ended: on the same machine no write since the
    switch is missed. Ends by itself once the cut-over can no longer be undone. Nothing is written
    to either side.

    \b
    Examples:
      dataware watch Orders-prod
      dataware watch Orders-prod --for 12h
    """
    return run_watch(
        pick(AwsOptions, arguments), arguments["name"], arguments["seconds"], arguments["source"]
    )


def run_watch(out: AwsOptions, name: str, seconds: float | None, source: str | None) -> int:
    """Find the cut-over, and watch its source."""
    from dataware.cli.context import go_on_after_stop, outside
    from dataware.cli.pair import places_on_record
    from dataware.ops.follow.after_switch import find_switched
    from dataware.ops.follow.after_switch import watch as watch_source

    with outside(out, copies=True) as stopping:
        context = go_on_after_stop(stopping, out)
        undoable = find_switched(context, name)
        places = places_on_record(context, undoable.kind, undoable.source, undoable.target, source)
        watch_source(context, undoable, places, seconds)
    return 0
