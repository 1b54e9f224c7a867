"""Into what a followed migration may write: a target that is empty at first, and no one else's.

A carry replaces what stands under a key, because that is what the copy, or an earlier carry, wrote.
So a value of anybody else must not be there. Where a stack owns the target, an app may write to it
all the same: then what was written is on record by key, and anything else is kept and listed.
"""

from __future__ import annotations

from dataclasses import replace

from dataware.core.errors import InputError, RefusedError
from dataware.core.follow.following import Following
from dataware.core.kind import Kind
from dataware.core.model import Owner, Ownership
from dataware.core.plan import Plan, Planned, copies
from dataware.kinds import load
from dataware.ops.context import Context, CopySettings, aws_of
from dataware.ops.migrate import refuse_content
from dataware.ops.migration_policy import FOLLOWED, GUARDED, Migration
from dataware.ops.side_by_side import MOST_BEGUN


def require_following(kind: Kind) -> Following:
    """How a type is followed. Raises InputError for one that cannot be."""
    following = kind.require_copying().following
    if following is None:
        raise InputError(
            f"dataware cannot follow a {kind.short} yet; pause its writers and migrate it without "
            "--follow"
        )
    return following()


def check_settings(kind: Kind, settings: CopySettings) -> None:
    """Raise InputError for settings that a follow of this type cannot carry out."""
    following = require_following(kind)
    if settings.all_versions:
        raise InputError(
            "--follow carries current objects only, not older versions; run the same command "
            "without --versions all, or without --follow"
        )
    if settings.export_to and following.make_export_feed is None:
        raise InputError(
            f"a {kind.short} is followed by comparing both sides, because nothing exports its "
            "changes; run the same command without --export-to"
        )
    if settings.enable_feed and not following.feed_noun:
        raise InputError(
            f"a {kind.short} is followed by comparing both sides, which needs no stream; run the "
            "same command without --enable-stream"
        )


def following_of(migration: Migration) -> Following:
    """How the source of a migration is followed into its target."""
    following = require_following(migration.kind)
    return following.guard() if migration.guarded else following


def check_exclusive(context: Context, migration: Migration) -> Migration:
    """The migration, guarded where a stack owns the target.

    Raises RefusedError unless the target is this follow's own, made by this migration, or empty.
    """
    require_following(migration.kind)
    detail = migration.marker.detail
    if migration.create is not None:
        return migration
    if migration.same_target and detail.get(FOLLOWED):
        return replace(migration, guarded=bool(detail.get(GUARDED)))
    if migration.made_here:
        return migration
    target, short = migration.target.name, migration.kind.short
    again = "nothing was changed; name an empty one, or migrate without --follow"
    refuse_content(migration)
    owner = _owner_of(context, migration)
    if owner.ownership in (Ownership.OTHER_STACK, Ownership.THIS_STACK):
        return replace(migration, guarded=True)
    if owner.ownership is not Ownership.UNMANAGED:
        raise RefusedError(
            f"cannot follow into {short} {target}, because it belongs to somebody else, as far as "
            f"can be seen; {again}"
        )
    return migration


def _owner_of(context: Context, migration: Migration) -> Owner:
    """The stack that owns the target. Raises LookupFailedError."""
    target = migration.order.target
    aws = aws_of(context, target)
    return aws.owner_of(migration.kind.all_types, migration.target.physical_id or target.name)


def check_follow(plan: Plan, settings: CopySettings) -> None:
    """Raise InputError or RefusedError for a plan that cannot be followed; nothing is asked."""
    if not settings.follow:
        return
    followed = copies(plan)
    for planned in followed:
        check_settings(load(planned.wanted.type), settings)
    if len(followed) > MOST_BEGUN:
        raise InputError(
            f"{len(followed):,} resources would be followed at the same time, and {MOST_BEGUN} can "
            "be; choose some of them with --only"
        )
    targets = {(one.wanted.type, one.wanted.preferred) for one in followed}
    for planned in followed:
        if (planned.wanted.type, planned.decision.source) in targets:
            raise RefusedError(_describe_chain(planned))


def _describe_chain(planned: Planned) -> str:
    source, target = planned.decision.source, planned.wanted.preferred
    return (
        f"nothing was changed, because {source} is itself filled by this run: cut it over first, "
        f"and then follow it into {target}"
    )
