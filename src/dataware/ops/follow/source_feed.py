"""Where the changes of a source come from: its own feed, one that is switched on, or comparisons.

Switching a feed on changes the source, so it takes a person's consent. That it was this migration
stands in the record before it is used, and only such a feed is ever switched off again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dataware.core.events import event
from dataware.core.follow.feed import ChangeFeed
from dataware.core.follow.following import Following
from dataware.core.model import Marker
from dataware.core.names import plain_name
from dataware.ops.context import Context, aws_of
from dataware.ops.follow.difference import BackgroundDifference, DifferenceFeed
from dataware.ops.follow.undo_window import switch_off
from dataware.ops.migration_policy import FEED_ENABLED, UNDO_FEED, Migration

EXPORTS = "incremental exports"
"""What a feed of exports is called."""


@dataclass(frozen=True, slots=True)
class SourceFeed:
    """A feed, with what it is called; `difference` closes its gaps, None where it has none."""

    feed: ChangeFeed
    noun: str
    difference: BackgroundDifference | None


def choose_feed(
    context: Context,
    migration: Migration,
    following: Following,
    difference: BackgroundDifference,
    publish: Callable[[Mapping[str, object]], None],
) -> SourceFeed:
    """The feed of the source; one is switched on where a person allowed that.

    `publish` puts on record that it was, and returns when it is there. Raises LookupFailedError.
    """
    source = migration.order.source
    aws = aws_of(context, source)
    if migration.settings.export_to and following.make_export_feed is not None:
        bucket, _, prefix = migration.settings.export_to.partition("/")
        under = f"{prefix.strip('/')}/{plain_name(migration.kind, source.name)}"
        exports = following.make_export_feed(aws, source.name, bucket, under)
        return SourceFeed(exports, EXPORTS, difference)
    feed = following.find_feed(aws, source.name)
    if feed is None and migration.settings.enable_feed:
        feed = following.enable_feed(aws, source.name)
        publish({FEED_ENABLED: feed})
        noun = following.feed_noun
        context.emit(event("feed-enabled", feed=noun, **migration.words()))
    if feed is not None:
        return SourceFeed(following.make_feed(aws, source.name), following.feed_noun, difference)
    return SourceFeed(DifferenceFeed(difference), "", None)


def switch_feeds_off(context: Context, slug: str, sides: tuple[str, str], marker: Marker) -> None:
    """Switch off the feeds of source and target that a migration switched on, by its record.

    What somebody else switched on, and a later one, stay on. Raises LookupFailedError.
    """
    for name, part in zip(sides, (FEED_ENABLED, UNDO_FEED), strict=True):
        switch_off(context, slug, name, marker.detail.get(part))
