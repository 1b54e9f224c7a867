"""Makes a table out of an export: ImportTable, which always makes a new one.

Sources: Amazon DynamoDB API Reference, ImportTable, DescribeImport, ListImports and
TableCreationParameters (no local index, TTL, stream or tag); Developer Guide, "DynamoDB data import
from Amazon S3: how it works" and "Import quotas and validation" (of items that are not valid, the
import tells in CloudWatch Logs and ends as FAILED, with all others in the table).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dataware.core.engines.port import ERRORS, CreationProgress, CreatorWords, FailedItem, Record
from dataware.core.engines.work_bucket import WorkBucket
from dataware.core.errors import IncompleteError, NotFoundError, RefusedError, ServiceError
from dataware.core.model import Location
from dataware.core.page_cursor import PageCursor, list_pages
from dataware.kinds.dynamodb_table.export.failed_items import (
    name_logged_items,
    parse_log_line,
    read_log,
)
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
from dataware.kinds.dynamodb_table.recovery import check_usable, find_table
from dataware.kinds.dynamodb_table.repair import repair_table
from dataware.kinds.dynamodb_table.uncertain_request import raise_request_error

IMPORT = "import"
PERMISSION = "dynamodb:ImportTable"

NOT_SET = ("KinesisStreamSpecification", "ImportSourceSpecification", "VectorIndexes")
"""Properties that only the creation of a table by its stack would set."""

CONFLICT = "ImportConflictException"
REFUSALS = frozenset({CONFLICT})
BEGUN = frozenset({CONFLICT, "ResourceInUseException"})
"""Answers where a table stands, or where the same token has asked for another one: somebody may
have changed what is declared after an earlier request got through."""


class TableImport(ExportBasedCreator):
    """The TargetCreator port over an export and ImportTable."""

    words = CreatorWords(
        noun="import",
        done="imported",
        begins="table-importing",
        resumes="resuming-import",
        progress="import-progress",
        ends="table-imported",
        stays="and cannot be cancelled",
        prepares=PREPARES,
    )

    def find_problem(self, source: Location, properties: Mapping[str, Any]) -> str:
        """What an import does not make, or keys that are not the source's."""
        del source
        if "Replicas" in properties:
            return "it declares a global table, and an import makes a table of one region"
        if properties.get("LocalSecondaryIndexes"):
            return "it declares a local index, and an import makes none"
        if unset := [name for name in NOT_SET if properties.get(name)]:
            return f"it declares {unset[0]}, which dataware does not set on an imported table"
        return ""

    def begin(
        self, record: Record, source: Location, target: Location, properties: Mapping[str, Any]
    ) -> Record:
        """Ask for the import, the same one for the same token; the record with its ARN.

        Raises RefusedError where a table of somebody else stands under the name.
        """
        del source
        try:
            with self._aws.translate_errors(f"table {target.name}", PERMISSION):
                answer = self._api.import_table(
                    ClientToken=record[TOKEN],
                    S3BucketSource=self._place(record),
                    InputFormat="DYNAMODB_JSON",
                    InputCompressionType="GZIP",
                    TableCreationParameters=dict(_parameters(target.name, properties)),
                )
            arn = str(answer["ImportTableDescription"]["ImportArn"])
        except ServiceError as error:
            arn = self._recover_import(error, record, target)
        return {**record, IMPORT: arn}

    def look(self, record: Record, target: Location) -> CreationProgress:
        """What the import says, and whether the table is the one that it made.

        Raises RefusedError where it is another one, and LookupFailedError, also where nobody can
        use it any more.
        """
        if IMPORT not in record:
            return CreationProgress(exists=False, done=False)
        table = find_table(self._aws, target.name)
        job = self._find_job(record[IMPORT], made=table is not None)
        if job is None:
            problem = "AWS does not know it any more"
            return CreationProgress(False, False, problem, failed=True, unknown=True)
        running, problem = job["ImportStatus"] in RUNNING, _problem_of(job)
        counts = {
            "imported": int(job.get("ImportedItemCount") or 0),
            ERRORS: int(job.get("ErrorCount") or 0),
        }
        figures = read_figures(job, job["ImportStatus"], record, "ErrorCount")
        if table is None:
            failed = bool(problem)
            return CreationProgress(running, False, problem, failed=failed, figures=figures)
        if table.get("TableId") != job.get("TableId"):
            raise _stranger_error(target.name)
        check_usable(table, target.name)
        done = not running and table["TableStatus"] == "ACTIVE"
        return CreationProgress(True, done, problem, counts=counts, figures=figures)

    def read_failures(self, record: Record, target: Location) -> Iterator[FailedItem]:
        """The items of which its log tells, by the files of the export."""
        group = _find_log_group(self._describe(record[IMPORT]))
        if not group:
            return iter(())
        work, stream = WorkBucket(self._aws, record[BUCKET]), record[IMPORT].rpartition("/")[2]
        errors = map(parse_log_line, read_log(self._aws, group, f"{stream}/error"))
        names = self._list_key_names(target)
        return name_logged_items(errors, record[BUCKET], work.read, names)

    def repair(self, target: Location, properties: Mapping[str, Any]) -> Sequence[str]:
        """Tags, TTL, stream and all else that an import does not make."""
        return repair_table(self._aws, target.name, properties)

    def _place(self, record: Record) -> Mapping[str, str]:
        owner = self._aws.account
        return {"S3BucketOwner": owner, "S3Bucket": record[BUCKET], "S3KeyPrefix": record[DATA]}

    def _recover_import(self, error: ServiceError, record: Record, target: Location) -> str:
        """The ARN of the import that an earlier request has begun. Raises what else there is."""
        work, code = f"import of {target.name}", error.code
        if code not in BEGUN:
            raise_request_error(error, work, REFUSALS)
        arn = self._find_import(record, target)
        if arn is None and code == CONFLICT:
            raise_request_error(error, work, REFUSALS)
        if arn is None:
            raise _stranger_error(target.name) from error
        return arn

    def _find_import(self, record: Record, target: Location) -> str | None:
        """The import out of this very export, among those of the table that stands."""
        table, wanted = find_table(self._aws, target.name), self._place(record)
        if table is None:
            return None

        def list_page(**more: str) -> Mapping[str, Any]:
            with self._aws.translate_errors(f"table {target.name}", "dynamodb:ListImports"):
                return dict(self._api.list_imports(TableArn=table["TableArn"], **more))

        for page in list_pages(PageCursor("ListImports", f"table {target.name}"), list_page):
            for one in page.get("ImportSummaryList", ()):
                place = one.get("S3BucketSource") or {}
                if all(place.get(name) == value for name, value in wanted.items()):
                    return str(one["ImportArn"])
        return None

    def _describe(self, arn: str) -> Mapping[str, Any]:
        with self._aws.translate_errors("the import", "dynamodb:DescribeImport"):
            answer = self._api.describe_import(ImportArn=arn)
        return dict(answer["ImportTableDescription"])

    def _find_job(self, arn: str, *, made: bool) -> Mapping[str, Any] | None:
        """The import; None where AWS has forgotten it, and there is no table that it has `made`."""
        try:
            return self._describe(arn)
        except NotFoundError as error:
            if not made:
                return None
            raise IncompleteError(
                f"AWS does not know the import {arn} any more: look at its table, and start over "
                "with `dataware forget`"
            ) from error


def _stranger_error(name: str) -> RefusedError:
    return RefusedError(
        f"nothing was changed, because {name} exists and is not what this migration imported: "
        "rename or delete it, and run the same command again"
    )


def _find_log_group(job: Mapping[str, Any]) -> str:
    """The name of the log group of an import; empty where it has none."""
    arn = str(job.get("CloudWatchLogGroupArn") or "")
    return arn.rpartition("log-group:")[2].removesuffix(":*")


def _problem_of(job: Mapping[str, Any]) -> str:
    """Why an import did not bring everything, in a clause; empty if it did, or goes on."""
    if job["ImportStatus"] in RUNNING or job["ImportStatus"] == "COMPLETED":
        return ""
    group = _find_log_group(job)
    logged = f"; the log group {group} says which" if group else ""
    return f"{describe_failure(job, job['ImportStatus'])}{logged}"


def _parameters(name: str, properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is declared of the table, in the form of TableCreationParameters."""
    on_demand = properties.get("BillingMode") == "PAY_PER_REQUEST"
    yield "TableName", name
    yield "AttributeDefinitions", [dict(one) for one in properties["AttributeDefinitions"]]
    yield "KeySchema", [dict(one) for one in properties["KeySchema"]]
    yield "BillingMode", "PAY_PER_REQUEST" if on_demand else "PROVISIONED"
    yield from _capacity(properties, on_demand=on_demand)
    encryption = properties.get("SSESpecification")
    if encryption and str(encryption.get("SSEEnabled")).lower() == "true":
        named = {one: encryption[one] for one in ("SSEType", "KMSMasterKeyId") if one in encryption}
        yield "SSESpecification", {"Enabled": True, **named}
    if indexes := properties.get("GlobalSecondaryIndexes"):
        yield "GlobalSecondaryIndexes", [_index(one, on_demand=on_demand) for one in indexes]


def _capacity(
    properties: Mapping[str, Any], *, on_demand: bool
) -> Iterator[tuple[str, dict[str, int]]]:
    name = "OnDemandThroughput" if on_demand else "ProvisionedThroughput"
    if units := properties.get(name):
        yield name, {unit: int(number) for unit, number in units.items()}


def _index(declared: Mapping[str, Any], *, on_demand: bool) -> dict[str, Any]:
    return {
        "IndexName": declared["IndexName"],
        "KeySchema": declared["KeySchema"],
        "Projection": declared["Projection"],
        **dict(_capacity(declared, on_demand=on_demand)),
    }
