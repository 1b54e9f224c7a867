"""The stream of a source that is followed in the account.

The event source that reads it is made after the copy has ended, and begins at the horizon: nothing
is carried before, and nothing is missed, as a deployment lasts an hour and a record 24.
"""

from __future__ import annotations

from contextlib import suppress

from dataware.core.errors import DatawareError, InputError, RefusedError
from dataware.core.events import event
from dataware.core.follow.following import Following, FunctionFeed
from dataware.core.kind import Kind
from dataware.ops.context import Context, aws_of
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_policy import FEED_ENABLED


def require_following(kind: Kind) -> Following:
    """How a type is followed by a feed of its own. Raises InputError for one that has none."""
    make = kind.require_copying().following
    following = None if make is None else make()
    if following is None or not following.feed_noun:
        raise InputError(f"a {kind.short} has no stream that a function could follow")
    return following


def find_feed(kind: Kind) -> FunctionFeed:
    """How a function reads the feed of a type. Raises InputError where none can."""
    feed = require_following(kind).in_account
    if feed is None:
        raise InputError(f"a {kind.short} has no stream that a function could follow")
    return feed


def open_stream(outside: Context, job: MigrationJob) -> tuple[str, bool]:
    """The ARN of the source's stream, and whether it was switched on here, by consent.

    Raises RefusedError for a source without one, and LookupFailedError.
    """
    following = require_following(job.kind)
    aws, table = aws_of(outside, job.source), job.source.name
    if (stream := find_feed(job.kind).find(aws, table)) is not None:
        return stream, False
    if not job.settings.enable_feed:
        raise RefusedError(
            f"table {table} has no stream to carry its changes from: set `stream=` in its own "
            "stack and deploy that first, or pass enable_stream=True"
        )
    stream = following.enable_feed(aws, table)
    outside.emit(event("feed-enabled", feed="stream", **job.words))
    return stream, True


def close_stream(outside: Context, job: MigrationJob) -> None:
    """Switch off the stream that this migration switched on; whatever fails keeps it on."""
    with suppress(DatawareError):
        stream = outside.markers.get(*job.record).detail.get(FEED_ENABLED)
        if isinstance(stream, str):
            aws = aws_of(outside, job.source)
            require_following(job.kind).disable_feed(aws, job.source.name, stream)
