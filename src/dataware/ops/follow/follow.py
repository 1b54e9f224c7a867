"""The use case "migrate --follow": copy one table, then carry every change of it."""

from __future__ import annotations

from dataclasses import replace

from dataware.core.events import event
from dataware.core.model import Location
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow.follow_checks import check_settings
from dataware.ops.follow.follow_many import follow_migration
from dataware.ops.follow.reached_goal import report_in_use
from dataware.ops.migrate import check_source, is_switched, prepare_migration, report_target
from dataware.ops.run_summary import RunSummary


def follow(
    context: Context, type_name: str, source: Location, target: Location, settings: CopySettings
) -> None:
    """Copy `source` into `target`, and carry what changes until a person asks to stop.

    Returns once both sides are switched, because somebody asked for that on another machine, and
    at once where they are switched already.

    Raises what `migrate` raises, RefusedError for a target that others may write to, InputError for
    a type that is not followed, and IncompleteError at the end.
    """
    migration = prepare_migration(context, type_name, source, target, settings)
    if is_switched(migration):
        report_in_use(context, migration)
        return
    check_settings(migration.kind, settings)
    check_source(context, migration)
    words = {"kind": migration.kind.names.slug, "source": source.name, "name": target.name}
    report_target(context, migration)
    code = "resuming" if migration.resumes else "copying"
    summary = RunSummary(context.emit, context.clock.now())
    summed = replace(context, emit=summary)
    follow_migration(summed, migration, lambda: summary(event(code, **words)))
