"""Following what a plan migrates: each resource by itself, side by side, until a person stops it.

A copy takes its turn among the others (`RunBounds.slot`); what follows it takes none, because it
goes on for days. Nothing waits for the end of a follow, so what would be copied from the target of
another one is refused before anything is changed.
"""

from __future__ import annotations

from collections.abc import Callable

from dataware.core.events import event
from dataware.ops.context import Context
from dataware.ops.follow.follow_checks import check_exclusive, require_following
from dataware.ops.follow.follow_run import FollowRun
from dataware.ops.follow.remote_cutover import RemoteCutoverFollowRun
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import MakeRun, run_migration


def follow_migration(
    context: Context,
    migration: Migration,
    on_locked: Callable[[], None],
    make_run: MakeRun | None = None,
) -> None:
    """Copy, and carry what changes until a person asks to stop; as `follow` does.

    `make_run` makes the steps where a service makes the target, which looks itself whether the
    target is that one.

    Returns once both sides are switched, because somebody asked for that on another machine. Raises
    RefusedError for a target that others fill, and IncompleteError where a person stops it.
    """
    _report_blind_spots(context, migration)
    if make_run is None:
        # Exports come too late for a cut-over, so that another command has to begin one.
        make_run = FollowRun if migration.settings.export_to else RemoteCutoverFollowRun
        migration = check_exclusive(context, migration)
    run_migration(context, migration, on_locked, make_run)


def _report_blind_spots(context: Context, migration: Migration) -> None:
    """Tell what changes nobody will carry, before anything is copied."""
    spots = require_following(migration.kind).blind_spots.get(migration.settings.deep, "")
    if spots:
        name = migration.order.target.name
        context.emit(event("note", text=f"{name}: {spots}", name=name))
