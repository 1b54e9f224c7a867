"""What has to hold before a migration begins, by what was seen when it was decided."""

from __future__ import annotations

from collections.abc import Mapping

from dataware.core.engines.unfinished_work import describe_change, is_made_by_service
from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.model import Content
from dataware.ops.context import Context
from dataware.ops.marker_names import on_record
from dataware.ops.migration_policy import Migration


def check_visible(migration: Migration) -> None:
    """What cannot be read cannot be verified, so nothing is written into it."""
    target = migration.target
    is_seen = target.content is not Content.UNKNOWN or is_made_by_service(migration.marker)
    if migration.create is None and not is_seen:
        problems = "; ".join(str(problem) for problem in target.problems) or "no answer"
        raise IncompleteError(
            f"nothing was copied to {target.name}, because it cannot be read to verify it "
            f"({problems}); grant the permissions and run the same command again"
        )


def check_record(context: Context, migration: Migration) -> None:
    """What was decided rests on the record, so it has to be the same still."""
    source, target = on_record(migration.kind, migration.order)
    before, now = migration.marker, context.markers.get(migration.kind.names.slug, target)
    if not now.alive and (change := describe_change(before, now)):
        raise RefusedError(
            f"nothing was changed, because the record of the migration from {source} into {target} "
            f"has changed since the plan ({change}): run the same command again"
        )


HELD = "held"
"""The part of the record that says that a holding stack may have the target."""


def may_be_held(migration: Migration) -> bool:
    """Whether a holding stack that an earlier run began may have the target yet."""
    marker = migration.marker
    return migration.resumes and (marker.created or marker.detail.get(HELD) is True)


def record_held(migration: Migration) -> Mapping[str, object]:
    """What the record says of that, for a next run.

    A run that is killed while it creates has not named the target, so the one after it does not
    claim to have made it; and may be killed itself before the stack has let the target go.
    """
    return {HELD: True} if may_be_held(migration) else {}
