"""`dataware close`: end the watch of a cut-over, and the time in which it can be undone."""

from __future__ import annotations

import sys
from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.help import SectionedCommand
from dataware.cli.options import outside_options
from dataware.cli.settings import AwsOptions, pick
from dataware.core.errors import InputError


@click.command(cls=SectionedCommand, short_help="Close a cut-over: no more undo.")
@click.argument("name", shell_complete=complete_migration)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option(
    "--source", metavar="ADDRESS", help="The old side, where it is in another account or region."
)
@outside_options
def close(**arguments: Any) -> int:
    """Close the cut-over to NAME: end its watch; it can no longer be undone.

    Asks, reads the changes of the old side once more, and records "closed". If the old side was
    written to, the keys are listed; run the same command again to close. A stream that
    --enable-stream switched on is switched off. No data is touched.

    \b
    Examples:
      dataware close Orders-prod
      dataware close Orders-prod --yes
    """
    return run_close(
        pick(AwsOptions, arguments),
        arguments["name"],
        arguments["source"],
        yes=bool(arguments["yes"]),
    )


def run_close(out: AwsOptions, name: str, source: str | None, *, yes: bool) -> int:
    """Find the cut-over, ask, and close it. Raises RefusedError if the answer is no."""
    from dataware.cli.context import outside
    from dataware.cli.pair import places_on_record
    from dataware.cli.question import confirm
    from dataware.core.follow.cutover import CutoverState
    from dataware.ops.follow.after_switch import close as close_undo_window
    from dataware.ops.follow.after_switch import find_switched

    with outside(out) as context:
        undoable = find_switched(context, name)
        is_closed = undoable.record.state is CutoverState.CLOSED
        if not yes and not is_closed:
            if not sys.stdin.isatty():
                raise InputError("this is not a terminal: pass --yes to continue")
            confirm(f"Close the cut-over to {undoable.target}? It cannot be undone after that.")
        places = places_on_record(context, undoable.kind, undoable.source, undoable.target, source)
        close_undo_window(context, undoable, places)
    return 0
