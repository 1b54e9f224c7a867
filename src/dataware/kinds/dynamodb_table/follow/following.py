"""Follows a table: its stream as a feed of keys, and the carrying of their current items."""

from dataware.core.follow.feed import ChangeFeed
from dataware.core.follow.following import Following
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.carrier import TableCarrier
from dataware.kinds.dynamodb_table.follow.expiry import find_expired
from dataware.kinds.dynamodb_table.follow.export_feed import ExportFeed
from dataware.kinds.dynamodb_table.follow.forecast import forecast_follow
from dataware.kinds.dynamodb_table.follow.function_feed import FUNCTION_FEED
from dataware.kinds.dynamodb_table.follow.guarded_carrier import GuardedTableCarrier
from dataware.kinds.dynamodb_table.follow.kinesis_feed import KinesisFeed, find_destination
from dataware.kinds.dynamodb_table.follow.recording_copier import RecordingTableCopier
from dataware.kinds.dynamodb_table.follow.stream_feed import StreamFeed
from dataware.kinds.dynamodb_table.follow.stream_switch import (
    disable_stream,
    enable_stream,
    find_stream,
)


def find_feed(aws: Aws, table: str) -> str | None:
    """The ARN of the stream of a table, or of the Kinesis stream that gets its changes."""
    return find_stream(aws, table) or find_destination(aws, table)


def make_feed(aws: Aws, table: str) -> ChangeFeed:
    """The feed of the stream that `find_feed` finds."""
    return StreamFeed(aws, table) if find_stream(aws, table) else KinesisFeed(aws, table)


FOLLOWING = Following(
    feed_noun="stream",
    find_feed=find_feed,
    enable_feed=enable_stream,
    disable_feed=disable_stream,
    make_feed=make_feed,
    make_carrier=TableCarrier,
    find_expired=find_expired,
    forecast=forecast_follow,
    guarded_carrier=GuardedTableCarrier,
    guarded_copier=RecordingTableCopier,
    in_account=FUNCTION_FEED,
    make_export_feed=ExportFeed,
)

__all__ = ["FOLLOWING"]
