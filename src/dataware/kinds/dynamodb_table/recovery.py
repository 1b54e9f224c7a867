"""The time up to which a table can be restored or exported.

Source: Amazon DynamoDB API Reference, DescribeContinuousBackups and TableDescription.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError, RefusedError
from dataware.core.ports import Aws

WITHOUT_KEY = frozenset({"INACCESSIBLE_ENCRYPTION_CREDENTIALS", "ARCHIVING", "ARCHIVED"})
"""Statuses of a table whose key of KMS cannot be used, and of one that was so for a week."""


def find_latest_time(aws: Aws, name: str, done: str) -> int:
    """The latest second as of which a table can be had.

    Raises RefusedError without point in time recovery, saying that nothing was `done`, and
    LookupFailedError.
    """
    with aws.translate_errors(f"table {name}", "dynamodb:DescribeContinuousBackups"):
        answer = aws.client("dynamodb").describe_continuous_backups(TableName=name)
    recovery = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription") or {}
    latest = recovery.get("LatestRestorableDateTime")
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED" or latest is None:
        raise RefusedError(
            f"nothing was {done}, because point in time recovery of {name} is off: switch it on, "
            "or run again with --engine local"
        )
    return int(latest.timestamp())


def find_table(aws: Aws, name: str) -> Mapping[str, Any] | None:
    """What DescribeTable says of a table; None without one. Raises LookupFailedError."""
    try:
        with aws.translate_errors(f"table {name}", "dynamodb:DescribeTable"):
            return dict(aws.client("dynamodb").describe_table(TableName=name)["Table"])
    except NotFoundError:
        return None


def check_usable(table: Mapping[str, Any], name: str) -> None:
    """Raise LookupFailedError for a table that only its key of KMS brings back.

    Who waits for it to become active waits for ever.
    """
    status = table["TableStatus"]
    if status in WITHOUT_KEY:
        raise LookupFailedError(
            f"table {name} is {status}, because DynamoDB cannot use its key of KMS: enable that key"
        )


def require_table(aws: Aws, name: str, done: str) -> Mapping[str, Any]:
    """What DescribeTable says of a table. Raises LookupFailedError also where it is gone."""
    table = find_table(aws, name)
    if table is None:
        raise LookupFailedError(f"table {name} is gone; nothing was {done}")
    return table
