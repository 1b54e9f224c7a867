"""Which feed a follow of a table would read, and what that feed does not show.

Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams" (records are kept for 24
hours), "Using Kinesis Data Streams to capture changes to DynamoDB", and "Incremental export" (a
window has 15 minutes at least; the last changes are in none). A feed reports items alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.follow.forecast import FeedOptions, FollowForecast
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.kinesis_feed import find_destination
from dataware.kinds.dynamodb_table.follow.stream_switch import find_stream

DAY = 86400

SETTINGS = "changes of the table itself: its indexes, time to live, tags and policies"
LAST_CHANGES = (
    "the changes of the last 20 minutes or more: those are found by comparing both sides at the "
    "cut-over"
)
UNDONE = "a value that changes and changes back between two comparisons, which differs nowhere"
OFF_AND_ON = (
    "that the Kinesis stream was switched off and on: whoever has not looked for two minutes "
    "compares both sides in full"
)

STREAM, KINESIS, EXPORTS = "stream", "Kinesis stream", "incremental exports"


def forecast_follow(aws: Aws, table: str, options: FeedOptions) -> FollowForecast:
    """How a follow of a table would hear of its changes. Raises LookupFailedError."""
    if options.export_to:
        return _forecast_exports(aws, table)
    if find_stream(aws, table):
        return FollowForecast(table, STREAM, retention_seconds=DAY, blind_spots=(SETTINGS,))
    if stream := find_destination(aws, table):
        retention, spots = _find_retention(aws, stream), (OFF_AND_ON, SETTINGS)
        return FollowForecast(table, KINESIS, retention_seconds=retention, blind_spots=spots)
    if options.enable:
        return FollowForecast(
            table, STREAM, enables=True, retention_seconds=DAY, blind_spots=(SETTINGS,)
        )
    return FollowForecast(table, consent="--enable-stream", blind_spots=(UNDONE, SETTINGS))


def _forecast_exports(aws: Aws, table: str) -> FollowForecast:
    """The same by exports, which need point-in-time recovery."""
    with aws.translate_errors(f"table {table}", "dynamodb:DescribeContinuousBackups"):
        answer: Mapping[str, Any] = aws.client("dynamodb").describe_continuous_backups(
            TableName=table
        )
    backups = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    problem = ""
    if backups.get("PointInTimeRecoveryStatus") != "ENABLED":
        problem = "point-in-time recovery is off, from which exports are made"
    spots = (LAST_CHANGES, SETTINGS)
    return FollowForecast(table, EXPORTS, blind_spots=spots, problem=problem)


def _find_retention(aws: Aws, stream: str) -> int | None:
    """For how many seconds a Kinesis stream keeps records; None if not allowed to look."""
    try:
        with aws.translate_errors(f"stream {stream}", "kinesis:DescribeStreamSummary"):
            answer = aws.client("kinesis").describe_stream_summary(StreamARN=stream)
    except LookupFailedError as error:
        if error.lacks_permission:
            return None
        raise
    return 3600 * int(answer["StreamDescriptionSummary"]["RetentionPeriodHours"])
