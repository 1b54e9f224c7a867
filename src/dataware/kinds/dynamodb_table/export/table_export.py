"""An export of a table as of a point in time, into a bucket that lives no longer than the work.

Sources: Amazon DynamoDB API Reference, ExportTableToPointInTime and DescribeExport (a client token
makes the request idempotent for 8 hours); Developer Guide, "DynamoDB data export to Amazon S3: how
it works" (the bucket may lie in another region) and "Requesting a table export in DynamoDB" (or in
another account, whose bucket has a policy that lets the caller write); Amazon S3 User Guide, "What
is Amazon S3?" (a new policy of a bucket holds everywhere only after a while).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dataware.core.engines.port import Preparation, Record, WorkFigures
from dataware.core.engines.work_bucket import EXPORT_WRITES, WorkBucket
from dataware.core.errors import NotFoundError, ServiceError
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.export.manifest import (
    MOST_FILES,
    check_files,
    find_files_key,
    read_data_prefix,
)
from dataware.kinds.dynamodb_table.export.scopes import BUCKET_PREFIX
from dataware.kinds.dynamodb_table.recovery import find_latest_time, require_table

BUCKET, TOKEN, ATTEMPT, TIME = "bucket", "token", "attempt", "export_time"
SOURCE, EXPORT, DATA, FILES, ITEMS = "source_arn", "export", "data", "files", "items"
FAILED, DENIED = "failed", "denied"

"""How the name of every such bucket begins; the account follows."""

DONE = "exported"
PREPARES = ("exporting", "export-progress", "exported")
"""The event codes of an export that comes before something else."""

RUNNING = frozenset({"IN_PROGRESS", "CANCELLING"})
"""What a job that reads an export is called while it goes on."""

REFUSALS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidExportTimeException",
        "PointInTimeRecoveryUnavailableException",
        "TableNotFoundException",
        "ValidationException",
    }
)
"""Answers after which no export has begun, and none would by the same request."""


DENIALS = frozenset({"AccessDenied", "AccessDeniedException"})
MOST_DENIALS = 8
"""How often an export may be denied before the new policy of its bucket is no reason any more, for
half a minute."""


class TableExport:
    """The export of one table, by what a record keeps of it.

    `aws` is that of the target, and `reader` that of the source, where its credentials are others.
    """

    def __init__(self, aws: Aws, reader: Aws | None = None) -> None:
        self._aws = aws
        self._reader = reader or aws

    def find_request(
        self, source: Location, target: Location, since: float, before: Record
    ) -> Record | None:
        """What to ask for: what an earlier run has asked for, unless that failed.

        None while the source cannot be exported as of `since`. Raises RefusedError without point
        in time recovery, and LookupFailedError.
        """
        if before.get(TOKEN) and not before.get(FAILED):
            return dict(before)
        there = self._reader.for_region(source.region)
        time = find_latest_time(there, source.name, DONE)
        if time < int(since):
            return None
        arn = str(require_table(there, source.name, DONE)["TableArn"])
        attempt = int(before.get(ATTEMPT, 0)) + 1
        work = f"{arn} {target.region} {target.name}"
        return {
            BUCKET: f"{BUCKET_PREFIX}{self._aws.account}-{_digest(work)[:12]}",
            TOKEN: _digest(f"{work} {time} {attempt}")[:32],
            ATTEMPT: attempt,
            TIME: time,
            SOURCE: arn,
        }

    def prepare(self, record: Record, source: Location) -> Preparation:
        """Ask for the export, or look how far it is; with its data files once it is complete.

        Raises LookupFailedError.
        """
        if DATA in record:
            return self._check_data(record)
        there = self._reader.for_region(source.region)
        if EXPORT not in record:
            return self._ask(there, record)
        try:
            with there.translate_errors("the export", "dynamodb:DescribeExport"):
                answer = there.client("dynamodb").describe_export(ExportArn=record[EXPORT])
        except NotFoundError:
            problem = "AWS does not know it any more"
            return Preparation(record, ready=False, problem=problem, unknown=True)
        description = answer["ExportDescription"]
        if description["ExportStatus"] == "FAILED":
            why = (
                f"{description.get('FailureCode', 'no code')}: "
                f"{description.get('FailureMessage', 'no reason')}"
            )
            return Preparation(record, ready=False, problem=why)
        if description["ExportStatus"] != "COMPLETED":
            figures = WorkFigures(f"export {description['ExportStatus']}")
            return Preparation(record, ready=False, figures=figures)
        if self._is_of_another_account:
            # Nothing may come in any more once it is looked at.
            WorkBucket(self._aws, record[BUCKET]).end_export()
        return self._read_manifest(record, description["ExportManifest"])

    @property
    def _is_of_another_account(self) -> bool:
        return self._reader is not self._aws and self._reader.account != self._aws.account

    def list_parts(self, record: Record) -> Sequence[str]:
        """The bucket of the export."""
        return (f"the bucket {record[BUCKET]}",) if BUCKET in record else ()

    def clean(self, record: Record) -> None:
        """Remove the bucket with all that is in it; harmless if there is none."""
        if BUCKET in record:
            WorkBucket(self._aws, record[BUCKET]).remove()

    def _ask(self, there: Aws, record: Record) -> Preparation:
        """Have the bucket, and the export into it: its ARN, the same for the same token.

        What AWS refuses leads to nothing, so that another engine may carry the migration.
        """
        bucket = WorkBucket(self._aws, record[BUCKET])
        try:
            bucket.make()
            if self._is_of_another_account:
                bucket.allow_export(self._reader.account, record[TOKEN])
        except ServiceError as error:
            return _refuse(record, error)
        try:
            with there.translate_errors("the export", "dynamodb:ExportTableToPointInTime"):
                answer = there.client("dynamodb").export_table_to_point_in_time(
                    TableArn=record[SOURCE],
                    S3Bucket=record[BUCKET],
                    S3BucketOwner=self._aws.account,
                    S3Prefix=record[TOKEN],
                    ExportTime=datetime.fromtimestamp(record[TIME], UTC),
                    ExportFormat="DYNAMODB_JSON",
                    ExportType="FULL_EXPORT",
                    ClientToken=record[TOKEN],
                )
        except ServiceError as error:
            return self._judge_refusal(record, error)
        arn = str(answer["ExportDescription"]["ExportArn"])
        return Preparation({**record, EXPORT: arn}, ready=False)

    def _judge_refusal(self, record: Record, error: ServiceError) -> Preparation:
        """What a refused request for an export leads to; a new policy may not be known yet."""
        denied = int(record.get(DENIED, 0))
        is_denied = error.code in DENIALS
        if not is_denied or not self._is_of_another_account:
            return _refuse(record, error)
        if denied < MOST_DENIALS:
            return Preparation({**record, DENIED: denied + 1}, ready=False)
        return Preparation(
            record,
            ready=False,
            refusal=f"{error}; the profile needs {', '.join(EXPORT_WRITES)} on {record[BUCKET]}, "
            "too: see `dataware iam-policy --side source --engine export-import`",
        )

    def _check_data(self, record: Record) -> Preparation:
        """Whether the data files that an earlier run has found are still there, and no others.

        A request for what is gone would be refused for ever.
        """
        try:
            etags = WorkBucket(self._aws, record[BUCKET]).list_etags(record[DATA])
        except NotFoundError:
            etags = {}
        if len(etags) == record[FILES]:
            return Preparation(record)
        return Preparation(record, ready=False, problem="its files are gone from its bucket")

    def _read_manifest(self, record: Record, manifest: str) -> Preparation:
        """The record with where the data lies, once what lies there is what was exported."""
        bucket = WorkBucket(self._aws, record[BUCKET])
        prefix = read_data_prefix(manifest)
        try:
            summary = b"".join(bucket.read(manifest))
            listing = b"".join(bucket.read(find_files_key(summary, record[SOURCE])))
            files = check_files(summary, listing, bucket.list_etags(prefix))
        except NotFoundError:
            return Preparation(record, ready=False, problem="its files are gone from its bucket")
        except (ValueError, KeyError, TypeError) as error:
            return Preparation(record, ready=False, problem=f"{error}")
        if files.files > MOST_FILES:
            return Preparation(
                record,
                ready=False,
                refusal=f"the export has {files.files:,} files, and at most {MOST_FILES:,} can be "
                "read again",
            )
        return Preparation({**record, DATA: prefix, FILES: files.files, ITEMS: files.items})


def _refuse(record: Record, error: ServiceError) -> Preparation:
    """That no export has begun, and none would; raises any error after which one may have."""
    if error.code not in REFUSALS:
        raise error
    return Preparation(record, ready=False, refusal=str(error))


class ExportBasedCreator:
    """What creators of a table out of an export have in common.

    `aws` is that of the target, and `reader` that of the source, where its credentials are others.
    """

    def __init__(self, aws: Aws, reader: Aws | None = None) -> None:
        self._aws = aws
        self._export = TableExport(aws, reader)

    @property
    def _api(self) -> Any:
        return self._aws.client("dynamodb")

    def find_request(
        self, source: Location, target: Location, since: float, before: Record
    ) -> Record | None:
        """The export to ask for."""
        return self._export.find_request(source, target, since, before)

    def prepare(self, record: Record, source: Location) -> Preparation:
        """Export the source."""
        return self._export.prepare(record, source)

    def _list_key_names(self, target: Location) -> list[str]:
        """The key attributes of the target, as a comparison has them in its keys."""
        schema = require_table(self._aws, target.name, DONE)["KeySchema"]
        return [one["AttributeName"] for one in sorted(schema, key=lambda one: one["KeyType"])]

    def cancel(self, record: Record) -> bool:
        """Neither an export nor an import can be ended."""
        del record
        return True

    def list_parts(self, record: Record) -> Sequence[str]:
        """The bucket of the export."""
        return self._export.list_parts(record)

    def clean(self, record: Record) -> None:
        """Remove the bucket of the export, with all that is in it."""
        self._export.clean(record)

    def describe(self, record: Record) -> str:
        """The time as of which the source was exported."""
        return describe_time(record)


def describe_failure(description: Mapping[str, Any], status: str) -> str:
    """Why a job failed that reads an export, as its service tells it."""
    code = description.get("FailureCode") or f"it is {status}"
    return f"{code}: {description.get('FailureMessage') or 'no reason given'}"


def read_figures(
    description: Mapping[str, Any], status: str, record: Record, failed: str
) -> WorkFigures:
    """How far a job is with the items of an export; `failed` is its count of those that failed."""
    done, wrong = int(description.get("ProcessedItemCount") or 0), int(description.get(failed) or 0)
    return WorkFigures(status, done, int(record.get(ITEMS, 0)), wrong)


def describe_time(record: Record) -> str:
    """The time as of which the source was exported."""
    return datetime.fromtimestamp(record[TIME], UTC).isoformat(timespec="seconds")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
