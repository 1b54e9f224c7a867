"""`dataware undo`: go back from a cut-over, with what was written since."""

from __future__ import annotations

import sys
from typing import Any

import click

from dataware.cli.commands.completion import complete_migration
from dataware.cli.commands.cutover import check_hooks, freeze_options
from dataware.cli.help import SectionedCommand
from dataware.cli.options import max_rate_option, outside_options
from dataware.cli.settings import AwsOptions, UndoOptions, pick
from dataware.core.errors import InputError


@click.command(cls=SectionedCommand, short_help="Go back from a cut-over.")
@click.argument("name", shell_complete=complete_migration)
@freeze_options("NAME")
@click.option(
    "--on-conflict",
    type=click.Choice(["keep", "replace"]),
    help="What both sides wrote since: keep the old side's, or replace it. Default: list and stop.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask before the old side is written to.")
@click.option(
    "--source", metavar="ADDRESS", help="The old side, where it is in another account or region."
)
@max_rate_option("Carry at most N items per second.")
@outside_options
def undo(**arguments: Any) -> int:
    """Go back to the source of a cut-over to NAME, with what was written to NAME since.

    Shows what follows, asks, and carries the changes back while NAME is in use. Then --freeze stops
    the writers of NAME, and the rest is carried and compared. Now the old side holds the data:
    point the writers there. This writes to the old side. What both sides wrote is never guessed.
    If anything fails before that, --thaw restarts the writers of NAME.

    \b
    Examples:
      dataware undo Orders-prod --dry-run
      dataware undo Orders-prod --freeze ./stop-app.sh --thaw ./start-app.sh
      dataware undo Orders-prod --frozen --on-conflict keep --yes
    """
    return run_undo(pick(AwsOptions, arguments), arguments["name"], pick(UndoOptions, arguments))


def run_undo(out: AwsOptions, name: str, options: UndoOptions) -> int:
    """Show, ask, and go back. Raises RefusedError if the answer is no."""
    from dataware.cli.context import go_on_after_stop, outside
    from dataware.cli.pair import places_on_record
    from dataware.cli.process.freeze_hooks import FileGate, ShellHooks
    from dataware.cli.question import confirm
    from dataware.ops.context import CopySettings
    from dataware.ops.follow.cutover_run import CutoverSettings
    from dataware.ops.follow.reached_goal import find_undone, report_undone
    from dataware.ops.follow.undo import find_undoable, report_undo, undo
    from dataware.ops.follow.undo_run import UndoConflict

    if not options.dry_run:
        check_hooks(options.freeze, options.thaw, options.freeze_limit, frozen=options.frozen)
    with outside(out, copies=True) as stopping:
        context = go_on_after_stop(stopping, out)
        if (undone := find_undone(context, name)) is not None:
            sides = undone.kind, undone.source, undone.target
            report_undone(context, undone, places_on_record(context, *sides, options.source)[0])
            return 0
        undoable = find_undoable(context, name)
        places = places_on_record(
            context, undoable.kind, undoable.source, undoable.target, options.source
        )
        report_undo(context, undoable, places)
        if options.dry_run:
            return 0
        if not options.yes:
            if not sys.stdin.isatty():
                raise InputError("this is not a terminal: pass --yes to continue")
            confirm(f"Carry back from {undoable.target} to {undoable.source}?")
        hooks = ShellHooks(options.freeze, options.thaw, options.freeze_limit)
        cutover = CutoverSettings(
            hooks, FileGate(None, None), options.freeze_limit, 0.0, by_hand=options.frozen
        )
        decided = UndoConflict(options.on_conflict) if options.on_conflict else None
        settings = CopySettings(follow=True, max_rate=options.max_rate)
        undo(context, undoable, places, cutover, settings, decided)
    return 0
