"""Into what a followed migration may write: a target that nobody else writes to.

A carry replaces what stands under a key, because that is what the copy, or an earlier carry, wrote.
So a value of anybody else must not be there, and whoever deploys to the target must know of this.
"""

from __future__ import annotations

from dataware.core.errors import InputError, RefusedError
from dataware.core.follow.following import Following
from dataware.core.kind import Kind
from dataware.core.model import Content, Owner, Ownership
from dataware.ops.context import Context, CopySettings
from dataware.ops.migration_policy import FOLLOWED, Migration
from dataware.ops.verify import aws_of


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
    if settings.enable_feed and not following.feed_noun:
        raise InputError(
            f"a {kind.short} is followed by comparing both sides, which needs no stream; run the "
            "same command without --enable-stream"
        )


def check_exclusive(context: Context, migration: Migration) -> None:
    """Raise RefusedError unless the target is this follow's own, or empty and in no stack."""
    require_following(migration.kind)
    if migration.same_target and migration.marker.detail.get(FOLLOWED):
        return
    target, short = migration.target.name, migration.kind.short
    again = "nothing was changed; name an empty one, or migrate without --follow"
    if migration.target.content is not Content.EMPTY:
        raise RefusedError(
            f"cannot follow into {short} {target}, because it is not seen to be empty, and a "
            f"follow replaces what it finds there; {again}"
        )
    owner = _owner_of(context, migration)
    if owner.ownership is not Ownership.UNMANAGED:
        whose = f"stack {owner.stack}" if owner.stack else "somebody else, as far as can be seen"
        raise RefusedError(
            f"cannot follow into {short} {target}, because it belongs to {whose}, whose app may "
            f"write to it; {again}"
        )


def _owner_of(context: Context, migration: Migration) -> Owner:
    """The stack that owns the target. Raises LookupFailedError."""
    target = migration.order.target
    aws = aws_of(context, target)
    return aws.owner_of(migration.kind.all_types, migration.target.physical_id or target.name)
