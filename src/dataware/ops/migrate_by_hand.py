"""The use case "migrate": one copy by hand, between two places that exist."""

from __future__ import annotations

from dataclasses import replace

from dataware.core.events import event
from dataware.core.model import Location
from dataware.ops.context import Context, CopySettings
from dataware.ops.engine_steps import make_pair_steps
from dataware.ops.migrate import (
    check_source,
    prepare_migration,
    refuse_after_switch,
    report_target,
)
from dataware.ops.run_migration import run_migration
from dataware.ops.run_summary import RunSummary
from dataware.verify.verdict import Verdict


def migrate(
    context: Context, type_name: str, source: Location, target: Location, settings: CopySettings
) -> Verdict:
    """Copy `source` into `target`, verify it, and record it.

    Raises InputError when a side does not exist, a named part of the source holds nothing or the
    schemas differ, Refused for a bucket of
    another account and for an unfinished migration from elsewhere, and what `carry` raises.
    """
    migration = prepare_migration(context, type_name, source, target, settings)
    refuse_after_switch(migration)
    check_source(context, migration)
    words = {
        "kind": migration.kind.names.slug,
        "source": source.name,
        "name": target.name,
    }
    if (why := migration.why_nothing_to_copy()) is not None:
        context.emit(event("nothing-to-do", reason=why, **words))
        return Verdict()
    report_target(context, migration)
    code = "resuming" if migration.resumes else "copying"
    summary = RunSummary(context.emit, context.clock.now())
    summed = replace(context, emit=summary)
    steps = make_pair_steps(settings)
    verdict = run_migration(summed, migration, lambda: summary(event(code, **words)), steps)
    summary.report_pair(source.name, target.name, context.clock.now())
    return verdict
