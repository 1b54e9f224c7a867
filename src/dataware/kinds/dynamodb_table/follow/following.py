"""Follows a table: its stream as a feed of keys, and the carrying of their current items."""

from dataware.core.follow.following import Following
from dataware.kinds.dynamodb_table.follow.carrier import TableCarrier
from dataware.kinds.dynamodb_table.follow.expiry import find_expired
from dataware.kinds.dynamodb_table.follow.function_feed import FUNCTION_FEED
from dataware.kinds.dynamodb_table.follow.guarded_carrier import GuardedTableCarrier
from dataware.kinds.dynamodb_table.follow.recording_copier import RecordingTableCopier
from dataware.kinds.dynamodb_table.follow.stream_feed import StreamFeed
from dataware.kinds.dynamodb_table.follow.stream_switch import (
    disable_stream,
    enable_stream,
    find_stream,
)

FOLLOWING = Following(
    feed_noun="stream",
    find_feed=find_stream,
    enable_feed=enable_stream,
    disable_feed=disable_stream,
    make_feed=StreamFeed,
    make_carrier=TableCarrier,
    find_expired=find_expired,
    guarded_carrier=GuardedTableCarrier,
    guarded_copier=RecordingTableCopier,
    in_account=FUNCTION_FEED,
)

__all__ = ["FOLLOWING"]
