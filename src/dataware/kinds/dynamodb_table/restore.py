"""Restores a table to a point in time under another name.

Sources: Amazon DynamoDB API Reference, RestoreTableToPointInTime, DescribeContinuousBackups,
RestoreSummary; Developer Guide, "Point-in-time backups for DynamoDB", and "Before you begin using
point-in-time recovery" (a table is restored across regions of one partition; the request names the
source by its ARN, and goes to the region of the new table).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dataware.core.engines.port import (
    CreationProgress,
    CreatorWords,
    FailedItem,
    Preparation,
    Record,
    WorkFigures,
)
from dataware.core.errors import RefusedError, ServiceError
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.recovery import (
    check_usable,
    find_latest_time,
    find_table,
    require_table,
)
from dataware.kinds.dynamodb_table.repair import repair_table
from dataware.kinds.dynamodb_table.uncertain_request import raise_request_error

PERMISSION = "dynamodb:RestoreTableToPointInTime"
DONE = "restored"

TIME, TIMES, SOURCE = "restore_time", "restore_times", "source_arn"

NOT_SET = ("ImportSourceSpecification",)
"""Properties that only the creation of a table by its stack would set."""

TAKEN = frozenset({"TableAlreadyExistsException", "TableInUseException"})
REFUSALS = frozenset(
    {
        "InvalidRestoreTimeException",
        "PointInTimeRecoveryUnavailableException",
        "ResourceNotFoundException",
        "TableNotFoundException",
    }
)

_UNLIKE = (
    "it declares the {kind} {name}, which {source} does not have, and a restore brings back only "
    "what the source has"
)


class TableRestore:
    """The TargetCreator port over RestoreTableToPointInTime."""

    words = CreatorWords(
        noun="restore",
        done=DONE,
        begins="restoring",
        resumes="resuming-restore",
        progress="restore-progress",
        ends="restored",
        stays="and cannot be cancelled",
    )

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    @property
    def _api(self) -> Any:
        return self._aws.client("dynamodb")

    def find_problem(self, source: Location, properties: Mapping[str, Any]) -> str:
        """An index or a form that a restore does not bring back; raises LookupFailedError."""
        if "Replicas" in properties:
            return "it declares a global table, and a restore makes a table of one region"
        if unset := [name for name in NOT_SET if properties.get(name)]:
            return (
                f"it declares {unset[0]}, which a restore does not bring and dataware does not set"
            )
        table = find_table(self._aws.for_region(source.region), source.name)
        if table is None:
            return f"{source.name} is gone"
        if source.region != self._aws.region and _lacks_key(table, properties):
            return (
                f"{source.name} is encrypted under a key of {source.region}, and no "
                "SSESpecification that is enabled is declared"
            )
        return next(_differences(source.name, table, properties), "")

    def find_request(
        self, source: Location, target: Location, since: float, before: Record
    ) -> Record | None:
        """The latest time to which the source can be restored, once that is not before `since`."""
        del target
        there = self._aws.for_region(source.region)
        time = find_latest_time(there, source.name, DONE)
        if time < int(since):
            return None
        table = require_table(there, source.name, DONE)
        earlier = before.get(TIMES, [])
        return {TIME: time, TIMES: sorted({*earlier, time}), SOURCE: table["TableArn"]}

    def prepare(self, record: Record, source: Location) -> Preparation:
        """Nothing comes before a restore."""
        del source
        return Preparation(record)

    def begin(
        self, record: Record, source: Location, target: Location, properties: Mapping[str, Any]
    ) -> Record:
        """Ask for the restore; whatever stands under the name already, `look` judges.

        Raises IncompleteError where the answer was lost, because the restore may have begun.
        """
        del source
        time = datetime.fromtimestamp(record[TIME], UTC)
        try:
            with self._aws.translate_errors(f"table {target.name}", PERMISSION):
                self._api.restore_table_to_point_in_time(
                    SourceTableArn=record[SOURCE],
                    TargetTableName=target.name,
                    RestoreDateTime=time,
                    **dict(_overrides(properties)),
                )
        except ServiceError as error:
            if error.code not in TAKEN:
                raise_request_error(error, f"restore of {target.name}", REFUSALS)
        return record

    def look(self, record: Record, target: Location) -> CreationProgress:
        """What DescribeTable says of the new table; raises RefusedError for somebody else's.

        Raises LookupFailedError, also where nobody can use the table any more.
        """
        table = find_table(self._aws, target.name)
        if table is None:
            return CreationProgress(exists=False, done=False)
        summary = table.get("RestoreSummary") or {}
        when = summary.get("RestoreDateTime")
        is_ours = when is not None and int(when.timestamp()) in record.get(TIMES, [])
        if not is_ours or summary.get("SourceTableArn") != record[SOURCE]:
            raise RefusedError(
                f"nothing was changed, because {target.name} exists and is not what this migration "
                "restored: rename or delete it, and run the same command again"
            )
        check_usable(table, target.name)
        status = str(table["TableStatus"])
        busy = summary.get("RestoreInProgress") or status != "ACTIVE"
        return CreationProgress(exists=True, done=not busy, figures=WorkFigures(status))

    def read_failures(self, record: Record, target: Location) -> Iterator[FailedItem]:
        """A restore brings everything."""
        del record, target
        return iter(())

    def repair(self, target: Location, properties: Mapping[str, Any]) -> Sequence[str]:
        """Tags, TTL, stream and all else that a restore leaves behind."""
        return repair_table(self._aws, target.name, properties)

    def cancel(self, record: Record) -> bool:
        """A restore cannot be ended."""
        del record
        return True

    def list_parts(self, record: Record) -> Sequence[str]:
        """A restore leaves nothing but the table."""
        del record
        return ()

    def clean(self, record: Record) -> None:
        """Nothing to remove."""

    def describe(self, record: Record) -> str:
        """The time to which the source was restored."""
        return datetime.fromtimestamp(record[TIME], UTC).isoformat(timespec="seconds")


def _lacks_key(table: Mapping[str, Any], properties: Mapping[str, Any]) -> bool:
    """Whether a restore would ask for the key of the source, which only its own region has."""
    return bool(table.get("SSEDescription")) and not _is_encrypted(properties)


def _is_encrypted(properties: Mapping[str, Any]) -> bool:
    """Whether an encryption is declared that a restore can be given; none can be taken away."""
    encryption = properties.get("SSESpecification") or {}
    return str(encryption.get("SSEEnabled")).lower() == "true"


def _differences(
    source: str, table: Mapping[str, Any], properties: Mapping[str, Any]
) -> Iterator[str]:
    """What is declared of keys and indexes and cannot come out of a restore of this table."""
    local = _schemas(table.get("LocalSecondaryIndexes"))
    if _schemas(properties.get("LocalSecondaryIndexes")) != local:
        yield "its local indexes differ from the declared ones, and a restore keeps them"
    there = _schemas(table.get("GlobalSecondaryIndexes"))
    for name, schema in _schemas(properties.get("GlobalSecondaryIndexes")).items():
        if there.get(name) != schema:
            yield _UNLIKE.format(kind="index", name=name, source=source)


def _schemas(indexes: Any) -> dict[str, Any]:
    """What identifies the indexes: keys and projection, by name."""
    return {
        one["IndexName"]: (
            [(key["AttributeName"], key["KeyType"]) for key in one["KeySchema"]],
            (one.get("Projection") or {}).get("ProjectionType"),
            sorted((one.get("Projection") or {}).get("NonKeyAttributes") or ()),
        )
        for one in indexes or ()
    }


def _index_capacity(index: Mapping[str, Any], *, on_demand: bool) -> Iterator[tuple[str, Any]]:
    """What is declared of the throughput of a global index."""
    if not on_demand and (units := index.get("ProvisionedThroughput")):
        yield "ProvisionedThroughput", _units(units)
    if on_demand and (limits := index.get("OnDemandThroughput")):
        yield "OnDemandThroughput", _units(limits)


def _overrides(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is declared and may be given with the request; else it is as in the source."""
    on_demand = properties.get("BillingMode") == "PAY_PER_REQUEST"
    yield "BillingModeOverride", "PAY_PER_REQUEST" if on_demand else "PROVISIONED"
    if not on_demand and (units := properties.get("ProvisionedThroughput")):
        yield "ProvisionedThroughputOverride", _units(units)
    if on_demand and (limits := properties.get("OnDemandThroughput")):
        yield "OnDemandThroughputOverride", _units(limits)
    yield (
        "GlobalSecondaryIndexOverride",
        [
            {
                "IndexName": one["IndexName"],
                "KeySchema": one["KeySchema"],
                "Projection": one["Projection"],
                **dict(_index_capacity(one, on_demand=on_demand)),
            }
            for one in properties.get("GlobalSecondaryIndexes") or ()
        ],
    )
    if _is_encrypted(properties):
        encryption, names = properties["SSESpecification"], ("SSEType", "KMSMasterKeyId")
        named = {name: encryption[name] for name in names if name in encryption}
        yield "SSESpecificationOverride", {"Enabled": True, **named}


def _units(declared: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(units) for name, units in declared.items()}
