"""A job of S3 Batch Operations that copies what the target of a run lacks.

Sources: Amazon S3 User Guide, "Copy objects (S3 Batch Operations)" (up to 5 GB, no conditions on
ETags, no SSE-C, what stands in the target is replaced, the job lies in the target's region), and
"Tracking job status and completion reports" (a job that requires confirmation is prepared, then
Suspended, and does nothing until it is confirmed); "Troubleshooting S3 Batch Operations" (a job is
deleted 90 days after it has ended, and may not be known right after it was made); API Reference,
CreateJob, DescribeJob, ListJobs, UpdateJobStatus, S3CopyObjectOperation.

A job replaces what it finds, so it is asked for in two steps. Its manifest has only keys that the
target lacks; it is confirmed when it is prepared, and the target still is as it was listed. A job
that nobody confirms never copies, so a run that is killed in between leaves nothing that acts.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.engines.port import JobProgress, Record
from dataware.core.engines.work_bucket import WorkBucket
from dataware.core.errors import NotFoundError, ServiceError
from dataware.core.model import Location
from dataware.core.page_cursor import PageCursor, list_pages
from dataware.core.ports import Aws, Clock, Journal
from dataware.kinds.s3_bucket.batch.manifest import FORMAT, ManifestRow, ManifestWriter
from dataware.kinds.s3_bucket.batch.permissions import name_work_bucket
from dataware.kinds.s3_bucket.batch.report import (
    FORMAT as REPORT_FORMAT,
)
from dataware.kinds.s3_bucket.batch.report import (
    ReportFile,
    read_report_manifest,
    record_report,
)
from dataware.kinds.s3_bucket.batch.target_fingerprint import read_fingerprint
from dataware.kinds.s3_bucket.copy.copier import BucketCopier
from dataware.kinds.s3_bucket.copy.xml import ListedObject

LARGEST = 5 * 1024**3
READERS = 16
"""Ranges of the listing that are read at the same time."""

BUCKET, MANIFEST, JOB, TOKEN, ATTEMPT = "bucket", "manifest", "job", "token", "attempt"
LISTED, SEEN = "listed_at", "seen"
SUSPENDED = "Suspended"
ENDED_CODE = "JobStatusException"
"""The refusal that says that a job is past the status that was asked for."""

ENDED = frozenset({"Complete", "Failed", "Cancelled"})
GOING_ON = ["New", "Preparing", "Suspended", "Ready", "Active", "Pausing", "Paused"]
"""The statuses in which a job may copy yet."""

GONE = "S3 does not know it any more"
ALL_JOBS = "the jobs of S3 Batch Operations"


def is_for_job(entry: ListedObject) -> bool:
    """Whether a job copies an object as this machine would.

    What is large, archived or in another class stays with the copier; and so does what was uploaded
    in parts, whose copy by a job has another ETag, so that its bytes would have to be compared.
    """
    plain = entry.storage_class == "STANDARD" and not entry.marker
    return plain and entry.size <= LARGEST and "-" not in entry.etag


class BatchCopy:
    """The CopyJob port over a job of S3 Batch Operations, made with a role that S3 assumes."""

    def __init__(self, aws: Aws, role: str) -> None:
        self._aws = aws
        self._role = role
        self._control = aws.client("s3control")

    def plan(self, run: str, target: Location, before: Record) -> Record:
        """The work bucket and the token, by which a repeated request is the same job."""
        attempt = int(before.get(ATTEMPT, 0)) + 1
        token = hashlib.sha256(f"{run}/{attempt}".encode()).hexdigest()[:32]
        return {
            BUCKET: name_work_bucket(self._aws.account, target.name),
            TOKEN: token,
            ATTEMPT: attempt,
        }

    def list_work(
        self, record: Record, order: CopyOrder, clock: Clock, check: Callable[[], None]
    ) -> Record:
        """Write the manifest of what the target lacks; the record with it, or without any work."""
        work = WorkBucket(self._aws, record[BUCKET])
        work.make()
        fingerprint = read_fingerprint(self._aws, order.target, check)
        record = {**record, LISTED: int(clock.now()), SEEN: fingerprint}
        key = f"{record[TOKEN]}/manifest.csv"
        writer = ManifestWriter(work.open(key), order.source.name)
        asyncio.run(_list_missing(self._aws, order, clock, writer, check))
        if not writer.count:
            return {**record, MANIFEST: None}
        etag = writer.complete()
        return {**record, MANIFEST: {"key": key, "etag": etag.strip('"'), "count": writer.count}}

    def begin(self, record: Record, order: CopyOrder) -> Record:
        """Ask for the job, which is the same for the same token; the record with its id."""
        with self._aws.translate_errors("the job of S3 Batch Operations", "s3:CreateJob"):
            answer = self._control.create_job(**self._request(record, order))
        return {**record, JOB: answer["JobId"]}

    def still_fits(self, record: Record, order: CopyOrder, check: Callable[[], None]) -> bool:
        """Whether the target lists what it listed before the manifest was written."""
        return read_fingerprint(self._aws, order.target, check) == record.get(SEEN)

    def confirm(self, record: Record) -> None:
        """Let a job begin that is prepared. Raises LookupFailedError."""
        self._update(record, "Ready")

    def cancel(self, record: Record) -> bool:
        """End a job, also one whose request had no answer; whether none goes on any more.

        Raises LookupFailedError.
        """
        named = self._with_job(record)
        if JOB not in named or self.look(named).ended:
            return True
        self._update(named, "Cancelled")
        return False

    def _with_job(self, record: Record) -> Record:
        """The record with the job that was asked for by it; without any where none goes on."""
        if JOB in record or not record.get(MANIFEST):
            return record
        for page in list_pages(PageCursor("ListJobs", ALL_JOBS), self._list_jobs):
            for job in page.get("Jobs", ()):
                if record[TOKEN] in job.get("Description", ""):
                    return {**record, JOB: job["JobId"]}
        return record

    def _list_jobs(self, **more: str) -> Mapping[str, Any]:
        with self._aws.translate_errors(ALL_JOBS, "s3:ListJobs"):
            return dict(
                self._control.list_jobs(AccountId=self._aws.account, JobStatuses=GOING_ON, **more)
            )

    def list_parts(self, record: Record) -> Sequence[str]:
        """The job and the work bucket."""
        job = [f"the job {record[JOB]} of S3 Batch Operations"] if JOB in record else []
        return [*job, f"the bucket {record[BUCKET]}"]

    def _update(self, record: Record, status: str) -> None:
        """Ask for another status, unless the job is past it."""
        try:
            with self._aws.translate_errors(f"the job {record[JOB]}", "s3:UpdateJobStatus"):
                self._control.update_job_status(
                    AccountId=self._aws.account, JobId=record[JOB], RequestedJobStatus=status
                )
        except NotFoundError:
            return
        except ServiceError as error:
            if error.code != ENDED_CODE:
                raise

    def look(self, record: Record) -> JobProgress:
        """How far the job is. Raises LookupFailedError."""
        try:
            job = self._describe(record)
        except NotFoundError:
            return JobProgress(0, 0, ended=True, problem=GONE, unknown=True)
        summary = job.get("ProgressSummary") or {}
        failures = [
            f"{one.get('FailureCode', '')}: {one.get('FailureReason', '')}".strip(": ")
            for one in job.get("FailureReasons") or ()
        ]
        status = job["Status"]
        failed = status in ENDED and status != "Complete"
        not_copied = summary.get("NumberOfTasksFailed", 0)
        return JobProgress(
            done=summary.get("NumberOfTasksSucceeded", 0) + not_copied,
            failed=not_copied,
            total=summary.get("TotalNumberOfTasks", 0),
            ended=status in ENDED,
            problem=("; ".join(failures) or f"it is {status}") if failed else "",
            state=status,
            waits=status == SUSPENDED,
        )

    def read_result(
        self, record: Record, journal: Journal, check: Callable[[], None]
    ) -> tuple[int, int]:
        """Read the report into the journal; how many were copied, and how many not."""
        work = WorkBucket(self._aws, record[BUCKET])
        key = f"{_prefix(record)}/job-{record[JOB]}/manifest.json"
        files = read_report_manifest(b"".join(work.read(key)))

        def fetch(file: ReportFile) -> Iterable[bytes]:
            return work.read(file.key)

        totals = record_report(journal, files, fetch, check)
        return totals.succeeded, totals.failed

    def clean(self, record: Record) -> None:
        """Remove the work bucket with all that is in it; harmless if there is none."""
        WorkBucket(self._aws, record[BUCKET]).remove()

    def _describe(self, record: Record) -> Mapping[str, Any]:
        with self._aws.translate_errors("the job of S3 Batch Operations", "s3:DescribeJob"):
            answer = self._control.describe_job(AccountId=self._aws.account, JobId=record[JOB])
        return dict(answer["Job"])

    def _name_request(self, record: Record) -> str:
        """The same for the same request only, since S3 refuses a token that names another one."""
        text = f"{record[TOKEN]}/{self._role}/{record[MANIFEST]['etag']}"
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _request(self, record: Record, order: CopyOrder) -> Mapping[str, Any]:
        manifest, partition = record[MANIFEST], self._aws.partition
        work = f"arn:{partition}:s3:::{record[BUCKET]}"
        prefix = {"TargetKeyPrefix": order.target.prefix} if order.target.prefix else {}
        return {
            "AccountId": self._aws.account,
            "ConfirmationRequired": True,
            "ClientRequestToken": self._name_request(record),
            "Description": f"dataware {record[TOKEN]}: {order.source.name} to {order.target.name}",
            "Priority": 10,
            "RoleArn": self._role,
            "Manifest": {
                "Spec": {"Format": FORMAT, "Fields": ["Bucket", "Key"]},
                "Location": {"ObjectArn": f"{work}/{manifest['key']}", "ETag": manifest["etag"]},
            },
            "Operation": {
                "S3PutObjectCopy": {
                    "TargetResource": f"arn:{partition}:s3:::{order.target.name}",
                    "MetadataDirective": "COPY",
                    "StorageClass": "STANDARD",
                    # What changes after it was listed is left to the copy that follows.
                    "UnModifiedSinceConstraint": datetime.fromtimestamp(record[LISTED], UTC),
                    **prefix,
                }
            },
            "Report": {
                "Bucket": work,
                "Format": REPORT_FORMAT,
                "Enabled": True,
                "Prefix": _prefix(record),
                "ReportScope": "AllTasks",
            },
        }


def _prefix(record: Record) -> str:
    return f"{record[TOKEN]}/report"


async def _list_missing(
    aws: Aws, order: CopyOrder, clock: Clock, writer: ManifestWriter, check: Callable[[], None]
) -> None:
    """Write what the source has and the target lacks, as the copier of a run would find it."""
    wire = aws.wire(lambda _reason: None)
    copier = BucketCopier(CopyTools(aws, wire, clock), order)
    gate = asyncio.Semaphore(READERS)

    async def read(part: str) -> None:
        async with gate:
            async for page in copier.read(part, None):
                check()
                for unit in page.units:
                    if isinstance(unit.payload, ListedObject) and is_for_job(unit.payload):
                        writer.add(ManifestRow(unit.payload.key))

    try:
        await asyncio.gather(*(read(part) for part in await copier.partitions()))
    finally:
        await wire.close()
