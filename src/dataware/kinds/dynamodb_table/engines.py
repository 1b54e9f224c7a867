"""The engines that carry a table within DynamoDB: restore, export and import, bulk put."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from dataware.core.engines.card import (
    GIGABYTE,
    NOT_BOUNDED,
    ON_A_MODEL,
    EngineCard,
    EngineCost,
    EngineName,
    list_actions,
    price_of,
)
from dataware.core.engines.general import (
    ASKED_BY_PROFILE,
    EXPORTED_BY_OWNER,
    LONG_SECONDS,
    NEW_TARGET,
    NOT_EXPORTED,
    NOT_FOLLOWED,
    NOT_FOLLOWED_BY_PROFILE,
    ONE_ACCOUNT,
    ONE_PARTITION,
    OWN_TARGET,
    RECOVERY,
    count_local_seconds,
)
from dataware.core.engines.map_card import MAP
from dataware.core.engines.situation import EngineSituation
from dataware.core.estimate import Prices
from dataware.core.model import Size
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.export.scopes import BULK_SCOPES, IMPORT_SCOPES
from dataware.kinds.dynamodb_table.restore_actions import RESTORE_ACTIONS

if TYPE_CHECKING:
    from dataware.core.engines.port import TargetCreator

RESTORE_SECONDS = 20 * 60
"""How long even a small restore takes; AWS promises nothing, so this is a guess."""

RESTORED_EACH_HOUR = 500
"""Gigabytes that a restore brings back in an hour; a guess, too."""

LARGE = 10
"""Gigabytes above which a restore is better than a copy by this machine."""

ASKED = "only when it is asked for"


def count_gigabytes(situation: EngineSituation) -> float:
    """The size, zero where it was not seen."""
    return situation.size.bytes / GIGABYTE if situation.size else 0.0


def _is_large(situation: EngineSituation) -> bool:
    """Whether an engine of DynamoDB is better than a copy by this machine."""
    is_long = count_local_seconds(situation) > LONG_SECONDS
    return count_gigabytes(situation) > LARGE or is_long


WHEN_LARGE = f"over {LARGE} GB, or local takes more than {LONG_SECONDS // 60} minutes"


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


def _make_restore(aws: Aws) -> TargetCreator:
    from dataware.kinds.dynamodb_table.restore import TableRestore

    return TableRestore(aws)


def _make_import(aws: Aws, reader: Aws | None = None) -> TargetCreator:
    from dataware.kinds.dynamodb_table.export.table_import import TableImport

    return TableImport(aws, reader)


def _make_bulk_put(aws: Aws) -> TargetCreator:
    from dataware.kinds.dynamodb_table.export.bulk_put import TableBulkPut

    return TableBulkPut(aws)


RESTORE = EngineCard(
    name=EngineName.RESTORE,
    pause="its restore goes on, because DynamoDB cannot pause one, and nothing else is done",
    summary="DynamoDB restores the source to a point in time, under the preferred name",
    runs_on="Amazon DynamoDB",
    needs=(NEW_TARGET, ONE_ACCOUNT, NOT_EXPORTED, RECOVERY),
    when=WHEN_LARGE,
    is_better=_is_large,
    estimate=_estimate_restore,
    limits=(
        "always makes a new table; keys and local indexes stay as they are",
        "50 restores at once in an account",
        "cannot be cancelled once it has begun",
        "also from another region of the partition, which AWS charges as transfer; a source under "
        "a key of KMS then needs a declared encryption",
        "settings are set again afterwards: tags, TTL, streams, point in time recovery, deletion "
        "protection, class, warm throughput, contributor insights and resource policies; not "
        "scaling, which the stack makes",
        "brings the source as it was a few minutes ago; what changed since is carried by key, with "
        "--follow from the stream",
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
        "Amazon DynamoDB Developer Guide, Before you begin using point-in-time recovery (across "
        "regions)",
    ),
    creator=_make_restore,
)

BULK = EngineCard(
    name=EngineName.BULK,
    pause=(
        "its export or bulk put goes on"
        ", because DynamoDB can pause neither, and nothing else is done"
    ),
    summary="DynamoDB exports the source to S3 and puts its items into a table that this run made",
    runs_on="Amazon DynamoDB and a bucket that this run makes and removes",
    needs=(OWN_TARGET, EXPORTED_BY_OWNER, NOT_FOLLOWED, RECOVERY),
    when=ASKED,
    is_better=lambda _situation: False,
    why_asked="the price of bulk put bytes is not known",
    estimate=_estimate_bulk,
    limits=(
        "only into a table that this run made, because it replaces what it finds; conditions in "
        "an input are not written",
        "no global table, and no index that is being built",
        "50,000 files of 5 GB",
        "what it could not put is named from its report, whose form was never seen on AWS: each "
        "line is searched for the key",
        "stopping the command does not stop it; `dataware forget` does, and what it has written "
        "stays",
        "brings the source as it was a few minutes ago; what changed since is carried by key",
    ),
    permissions=list_actions(BULK_SCOPES),
    scopes=BULK_SCOPES,
    proven=f"{ON_A_MODEL}: a stand-in of our own, with requests and answers as in AWS's own model",
    time=NOT_BOUNDED,
    money="a price for each GB exported; the price of bulk put bytes is not in the price table",
    formula=("not bounded", "at least S x export-gb + verification"),
    sources=(
        "Amazon DynamoDB API Reference, StartBulkPutItems",
        "Amazon DynamoDB Developer Guide, Bulk put items considerations",
    ),
    creator=_make_bulk_put,
    loads=True,
)

EXPORT_IMPORT = EngineCard(
    name=EngineName.EXPORT_IMPORT,
    pause=(
        "its export or import goes on, because DynamoDB can pause neither, and nothing else is done"
    ),
    summary="DynamoDB exports the source to S3 and imports a new table from there",
    runs_on="Amazon DynamoDB and a bucket that this run makes and removes",
    needs=(
        NEW_TARGET,
        ASKED_BY_PROFILE,
        ONE_PARTITION,
        NOT_FOLLOWED_BY_PROFILE,
        NOT_EXPORTED,
        RECOVERY,
    ),
    when=f"the source is in another region, without `--source-profile`: {WHEN_LARGE}",
    is_better=lambda it: not it.relayed and not it.same_region and _is_large(it),
    why_asked="within one region a restore costs less",
    why_asked_of_profile="the profile has to ask for an export and write it, not only to read",
    elsewhere=True,
    estimate=_estimate_import,
    limits=(
        "always makes a new table, without local indexes",
        "50,000 files, and 1 TB or 15 TB by region",
        "neither the export nor the import can be cancelled once it has begun",
        "settings are set afterwards: tags, TTL, stream, point in time recovery, deletion "
        "protection, contributor insights and the resource policy; not scaling, which the stack "
        "makes",
        "with --source-profile, that profile asks for the export, and the bucket lets its account "
        "write until it is complete; `iam-policy --side source --engine export-import` prints "
        "what it needs",
        "items that DynamoDB rejects are named from the log group /aws-dynamodb/imports, up to "
        "100,000; this machine compares and carries what is missing",
        "brings the source as it was a few minutes ago; what changed since is carried by key, with "
        "--follow from the stream",
    ),
    permissions=list_actions(IMPORT_SCOPES),
    scopes=IMPORT_SCOPES,
    proven=f"{ON_A_MODEL}: an emulator that exports and imports as AWS documents it",
    time=NOT_BOUNDED,
    money="a price for each GB exported, and for each GB of uncompressed input",
    formula=("not bounded", "at least S x (export-gb + import-gb) + verification"),
    sources=(
        "Amazon DynamoDB Developer Guide, DynamoDB data export to Amazon S3: how it works",
        "Amazon DynamoDB Developer Guide, Requesting a table export in DynamoDB",
        "Amazon DynamoDB Developer Guide, DynamoDB data import from Amazon S3: how it works",
    ),
    creator=_make_import,
    relayed_creator=_make_import,
)

TABLE_ENGINES = (EXPORT_IMPORT, RESTORE, BULK, MAP)
"""In the order in which they are tried: from another region an import, and a restore where the
import does not fit, such as with a local index."""
