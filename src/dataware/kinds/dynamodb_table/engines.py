"""The engines that carry a table within DynamoDB: restore, export and import, bulk put."""

from __future__ import annotations

from math import ceil

from dataware.core.engines.card import (
    GIGABYTE,
    NOT_BOUNDED,
    ON_A_MODEL,
    EngineCard,
    EngineCost,
    EngineName,
    price_of,
)
from dataware.core.engines.general import (
    LONG_SECONDS,
    NEW_TARGET,
    NOT_EXPORTED,
    ONE_ACCOUNT,
    ONE_REGION,
    RECOVERY,
    STANDING_TARGET,
    count_local_seconds,
)
from dataware.core.engines.map_card import MAP
from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import Prices
from dataware.core.model import Size
from dataware.kinds.dynamodb_table.restore import TableRestore
from dataware.kinds.dynamodb_table.restore_actions import RESTORE_ACTIONS

RESTORE_SECONDS = 20 * 60
"""How long even a small restore takes; AWS promises nothing, so this is a guess."""

RESTORED_EACH_HOUR = 500
"""Gigabytes that a restore brings back in an hour; a guess, too."""

LARGE, LARGE_BULK = 10, 50
"""Gigabytes above which a restore, or a bulk put, is better than a copy by this machine."""


def count_gigabytes(situation: EngineSituation) -> float:
    """The size, zero where it was not seen."""
    return situation.size.bytes / GIGABYTE if situation.size else 0.0


def _verification(size: Size, prices: Prices) -> float:
    """Both sides are read consistently, 4 KB a unit."""
    return 2 * ceil(size.bytes / 4096) * price_of(prices, "dynamodb.read-unit")


def _estimate_restore(_situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    gigabytes = size.bytes / GIGABYTE
    seconds = ceil(RESTORE_SECONDS + gigabytes / RESTORED_EACH_HOUR * 3600)
    usd = gigabytes * price_of(prices, "dynamodb.restore-gb")
    return EngineCost(seconds, usd + _verification(size, prices))


def _estimate_import(_situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    """The input of an import is the table as JSON, which is larger than the table."""
    each = price_of(prices, "dynamodb.export-gb") + price_of(prices, "dynamodb.import-gb")
    usd = size.bytes / GIGABYTE * each + _verification(size, prices)
    return EngineCost(None, usd, at_least=True)


def _estimate_bulk(_situation: EngineSituation, size: Size, prices: Prices) -> EngineCost:
    """Without the price of bulk put bytes, which the price table does not know."""
    usd = size.bytes / GIGABYTE * price_of(prices, "dynamodb.export-gb")
    return EngineCost(None, usd + _verification(size, prices), at_least=True)


RESTORE = EngineCard(
    name=EngineName.RESTORE,
    summary="DynamoDB restores the source to a point in time, under the preferred name",
    runs_on="Amazon DynamoDB",
    needs=(NEW_TARGET, ONE_ACCOUNT, ONE_REGION, NOT_EXPORTED, RECOVERY),
    when=f"over {LARGE} GB, or local takes over {LONG_SECONDS // 60} minutes",
    is_better=lambda it: count_gigabytes(it) > LARGE or count_local_seconds(it) > LONG_SECONDS,
    estimate=_estimate_restore,
    limits=(
        "always makes a new table; keys and local indexes stay as they are",
        "50 restores at once in an account",
        "cannot be cancelled once it has begun",
        "tags, TTL, stream, point in time recovery, deletion protection, contributor insights and "
        "the resource policy are set again afterwards; scaling is the stack's to make",
        "brings the source as it was a few minutes ago; what changed since is carried by key, and "
        "with --follow from the stream, which is read from before that time on",
    ),
    permissions=RESTORE_ACTIONS,
    proven=f"{ON_A_MODEL}: an emulator that restores as AWS documents it",
    time="a guess, 20 minutes and an hour for each 500 GB: AWS promises no time",
    money="a price for each GB, and the reads of the verification",
    formula=(
        f"{RESTORE_SECONDS:,} + 3,600 x S / {RESTORED_EACH_HOUR}, a guess",
        "S x restore-gb + verification",
    ),
    sources=(
        "Amazon DynamoDB API Reference, RestoreTableToPointInTime",
        "Amazon DynamoDB Developer Guide, Point-in-time backups for DynamoDB",
    ),
    maker=TableRestore,
)

BULK = EngineCard(
    name=EngineName.BULK,
    summary="DynamoDB exports the source to S3 and puts its items into an existing table",
    runs_on="Amazon DynamoDB and a bucket",
    needs=(STANDING_TARGET, RECOVERY),
    when=f"over {LARGE_BULK} GB",
    is_better=lambda it: count_gigabytes(it) > LARGE_BULK,
    estimate=_estimate_bulk,
    limits=(
        "the table must be ACTIVE, no global table, and build no index",
        "50,000 objects of 5 GB",
        "a cancelled operation leaves what it has written",
    ),
    permissions=(
        "dynamodb:ExportTableToPointInTime",
        "dynamodb:DescribeExport",
        "dynamodb:StartBulkPutItems",
        "dynamodb:DescribeBulkOperation",
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListBucket",
    ),
    proven="not built",
    time=NOT_BOUNDED,
    money="a price for each GB exported; the price of bulk put bytes is not in the price table",
    formula=("not bounded", "at least S x export-gb + verification"),
    sources=("Amazon DynamoDB Developer Guide, Bulk put items considerations",),
    instead=(
        "export the table and run `aws dynamodb start-bulk-put-items` into the new one, then "
        "`dataware verify`"
    ),
)

EXPORT_IMPORT = EngineCard(
    name=EngineName.EXPORT_IMPORT,
    summary="DynamoDB exports the source to S3 and imports a new table from there",
    runs_on="Amazon DynamoDB and a bucket",
    needs=(NEW_TARGET, RECOVERY),
    when="only when it is asked for",
    is_better=lambda _situation: False,
    estimate=_estimate_import,
    limits=(
        "always makes a new table, without local indexes",
        "50,000 objects, and 1 TB or 15 TB by region",
        "of two items with one key either may stay",
    ),
    permissions=(
        "dynamodb:ExportTableToPointInTime",
        "dynamodb:DescribeExport",
        "dynamodb:ImportTable",
        "dynamodb:DescribeImport",
        "s3:PutObject",
        "s3:GetObject",
        "s3:ListBucket",
    ),
    proven="not built",
    time=NOT_BOUNDED,
    money="a price for each GB exported, and for each GB of uncompressed input",
    formula=("not bounded", "at least S x (export-gb + import-gb) + verification"),
    sources=(
        "Amazon DynamoDB Developer Guide, DynamoDB data export to Amazon S3: how it works",
        "Amazon DynamoDB Developer Guide, DynamoDB data import from Amazon S3: how it works",
    ),
    instead=(
        "export and import the table by `aws dynamodb export-table-to-point-in-time` and "
        "`import-table`, then `dataware verify`"
    ),
)

TABLE_ENGINES = (RESTORE, BULK, EXPORT_IMPORT, MAP)
