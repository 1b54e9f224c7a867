"""Fills a table that this run has made out of an export: StartBulkPutItems.

Sources: Amazon DynamoDB API Reference, StartBulkPutItems, DescribeBulkOperation,
CancelBulkOperation and ListBulkOperations (a client token makes the request idempotent for 8 hours;
COMPLETED_WITH_ERRORS says that some input could not be read); Developer Guide, "Bulk put items
considerations, quotas, and permissions" (no global table, and no index that is being built).

An item that stands is replaced, because the conditions that an input may carry are not written. So
this fills only what the run has made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataware.core.engines.port import ERRORS, CreationProgress, CreatorWords, FailedItem, Record
from dataware.core.engines.work_bucket import WorkBucket
from dataware.core.errors import NotFoundError, ServiceError
from dataware.core.model import Location
from dataware.core.page_cursor import PageCursor, list_pages
from dataware.kinds.dynamodb_table.export.failed_items import read_report_lines
from dataware.kinds.dynamodb_table.export.table_export import (
    BUCKET,
    DATA,
    PREPARES,
    RUNNING,
    TOKEN,
    ExportBasedCreator,
    describe_failure,
    read_figures,
)
from dataware.kinds.dynamodb_table.uncertain_request import raise_request_error

JOB = "job"
PERMISSION = "dynamodb:StartBulkPutItems"
REPORT = "report"
"""Under the token: where the operation writes what it did not put."""

REFUSALS = frozenset(
    {
        "IdempotentParameterMismatchException",
        "ResourceInUseException",
        "ResourceNotFoundException",
    }
)

WHOLE = frozenset({"COMPLETED", "COMPLETED_WITH_ERRORS"})
FORGOTTEN: Mapping[str, Any] = {
    "BulkOperationStatus": "FAILED",
    "FailureMessage": "AWS does not know it",
}


class TableBulkPut(ExportBasedCreator):
    """The TargetCreator port over an export and StartBulkPutItems."""

    words = CreatorWords(
        noun="bulk put",
        done="filled",
        begins="filling",
        resumes="resuming-fill",
        progress="fill-progress",
        ends="filled",
        stays="until `aws dynamodb cancel-bulk-operation` ends it",
        ends_early=True,
        prepares=PREPARES,
    )

    def find_problem(self, source: Location, properties: Mapping[str, Any]) -> str:
        """A global table."""
        del source
        return "it declares a global table, and a bulk put fills none" * ("Replicas" in properties)

    def begin(
        self, record: Record, source: Location, target: Location, properties: Mapping[str, Any]
    ) -> Record:
        """Ask for the operation, unless an earlier request got through; the record with its ARN."""
        del source, properties
        arn = self._find_operation(record)
        return {**record, JOB: arn or self._ask(record, target)}

    def look(self, record: Record, target: Location) -> CreationProgress:
        """What the operation says of itself, also where the answer to its request was lost."""
        del target
        arn = self._find_begun(record)
        if arn is None:
            return CreationProgress(exists=False, done=False)
        description = self._describe(arn)
        status = description["BulkOperationStatus"]
        if status in RUNNING:
            figures = read_figures(description, status, record, "FailedItemCount")
            return CreationProgress(exists=True, done=False, figures=figures)
        counts = {
            "processed": int(description.get("ProcessedItemCount") or 0),
            ERRORS: int(description.get("FailedItemCount") or 0),
        }
        failed = status not in WHOLE
        return CreationProgress(
            exists=True,
            done=not failed,
            problem=_problem_of(description),
            failed=failed,
            counts=counts,
            unknown=description is FORGOTTEN,
        )

    def read_failures(self, record: Record, target: Location) -> Iterator[FailedItem]:
        """The items of its report."""
        names, work = self._list_key_names(target), WorkBucket(self._aws, record[BUCKET])
        for key in sorted(work.list_etags(f"{record[TOKEN]}/{REPORT}")):
            if "manifest" not in key.rpartition("/")[2]:
                yield from read_report_lines(work.read(key), names)

    def repair(self, target: Location, properties: Mapping[str, Any]) -> Sequence[str]:
        """Nothing: the table was made as declared."""
        del target, properties
        return ()

    def _ask(self, record: Record, target: Location) -> str:
        bucket = {"S3BucketOwner": self._aws.account, "S3Bucket": record[BUCKET]}
        try:
            with self._aws.translate_errors(f"table {target.name}", PERMISSION):
                answer = self._api.start_bulk_put_items(
                    ClientToken=record[TOKEN],
                    TableName=target.name,
                    InputS3Configuration={
                        **bucket,
                        "S3KeyPrefix": record[DATA],
                        "InputFormat": "DYNAMODB_JSON",
                        "InputCompressionType": "GZIP",
                    },
                    OutputS3Configuration={
                        **bucket,
                        "S3KeyPrefix": f"{record[TOKEN]}/{REPORT}",
                        "OutputType": ["ERROR"],
                    },
                )
        except ServiceError as error:
            raise_request_error(error, f"bulk put into {target.name}", REFUSALS)
        return str(answer["BulkOperationDescription"]["BulkOperationArn"])

    def cancel(self, record: Record) -> bool:
        """End the operation, also one whose request had no answer; what it has put stays."""
        arn = self._find_begun(record)
        if arn is None or self._describe(arn)["BulkOperationStatus"] not in RUNNING:
            return True
        with self._aws.translate_errors("the bulk put", "dynamodb:CancelBulkOperation"):
            self._api.cancel_bulk_operation(BulkOperationArn=arn)
        return False

    def _find_begun(self, record: Record) -> str | None:
        """The operation, also where the answer to its request was lost; None before it."""
        return record.get(JOB) or (self._find_operation(record) if DATA in record else None)

    def _find_operation(self, record: Record) -> str | None:
        """The operation that has this token; a token alone is known to AWS for 8 hours only."""
        for arn in self._list_operations():
            if self._describe(arn).get("ClientToken") == record[TOKEN]:
                return arn
        return None

    def _list_operations(self) -> Iterator[str]:
        for page in list_pages(
            PageCursor("ListBulkOperations", "bulk operations"), self._list_page
        ):
            yield from (one["BulkOperationArn"] for one in page["BulkOperationsSummaryList"])

    def _list_page(self, **more: str) -> Mapping[str, Any]:
        with self._aws.translate_errors("bulk operations", "dynamodb:ListBulkOperations"):
            return dict(self._api.list_bulk_operations(**more))

    def _describe(self, arn: str) -> Mapping[str, Any]:
        try:
            with self._aws.translate_errors("the bulk put", "dynamodb:DescribeBulkOperation"):
                answer = self._api.describe_bulk_operation(BulkOperationArn=arn)
            return dict(answer["BulkOperationDescription"])
        except NotFoundError:
            return FORGOTTEN


def _problem_of(description: Mapping[str, Any]) -> str:
    """Why not everything was put, in a clause; empty if everything was."""
    status = description["BulkOperationStatus"]
    if status == "COMPLETED":
        return ""
    if status == "COMPLETED_WITH_ERRORS":
        return f"{int(description.get('FailedItemCount') or 0):,} items could not be put"
    return describe_failure(description, status)
