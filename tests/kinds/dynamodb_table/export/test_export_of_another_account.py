"""A table of another account: its own credentials ask for the export, the target's import it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.engines.port import CreationProgress, Preparation, Record
from dataware.core.errors import DatawareError, IncompleteError, RefusedError
from dataware.core.model import Location
from dataware.kinds.dynamodb_table.export.table_export import MOST_DENIALS
from dataware.kinds.dynamodb_table.export.table_import import TableImport
from support.copying import Killed
from support.memory_exports import ACCOUNT, NOON, REGION, MemoryExports, refuse
from support.owner_of_exports import OWNER, OwnerOfExports

SOURCE = Location("Orders", OWNER, REGION, profile="partner")
TARGET = Location("Orders-prod", ACCOUNT, REGION)
PROPERTIES = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
READS = {"DescribeTable", "DescribeContinuousBackups", "DescribeExport"}


class Run:
    """Runs of the engine with the credentials of both sides, each with the last one's record."""

    def __init__(self, account: str = OWNER) -> None:
        self.ours = MemoryExports()
        self.ours.fill("Orders", 7)
        self.theirs = OwnerOfExports(self.ours, account)
        self.source = Location("Orders", account, REGION, profile="partner")
        self.record: Record = {}
        self.by_ours: list[str] = []
        self.policies: list[int] = []
        self.dies_at: int | None = None
        self.ours.moment = self.note

    def note(self, what: str) -> None:
        """Every request of either side, with the policies that there are then."""
        if self.dies_at is not None:
            if not self.dies_at:
                raise Killed(what)
            self.dies_at -= 1
        self.by_ours.append(what)
        self.policies.append(len(self.ours.policies))

    @property
    def creator(self) -> TableImport:
        """The engine, as a new process makes it."""
        return TableImport(self.ours, self.theirs)  # type: ignore[arg-type]

    def prepare(self) -> Preparation:
        """What comes before the import, to its end."""
        found = self.creator.find_request(self.source, TARGET, NOON.timestamp(), self.record)
        assert found is not None
        self.record = found
        while True:
            step = self.creator.prepare(self.record, self.source)
            self.record = step.record
            if step.ready or step.problem or step.refusal:
                return step

    def finish(self) -> CreationProgress:
        """A whole run, with what an earlier one has left."""
        if not self.creator.look(self.record, TARGET).exists:
            step = self.prepare()
            assert step.ready, step
            self.record = self.creator.begin(self.record, self.source, TARGET, PROPERTIES)
        while not (progress := self.creator.look(self.record, TARGET)).done:
            assert not progress.failed, progress
        self.creator.clean(self.record)
        return progress

    def check_whole(self) -> None:
        """Every item is there, once, and neither a bucket nor a policy is left."""
        assert self.ours.tables["Orders-prod"] == self.ours.tables["Orders"]
        assert (self.ours.buckets, self.ours.policies) == ({}, {})
        assert len(self.ours.exports) == len(self.ours.imports) == 1


def test_its_own_credentials_export_it_and_do_nothing_else() -> None:
    """The bucket is the target's, and lets that account write under one prefix until the end."""
    run = Run()
    run.finish()
    run.check_whole()
    assert {*run.theirs.asked} == {*READS, "ExportTableToPointInTime"}
    (_, export), (_, asked) = run.ours.requests
    assert export["TableArn"].split(":")[4] == OWNER
    assert (export["S3BucketOwner"], asked["S3BucketSource"]["S3BucketOwner"]) == (ACCOUNT, ACCOUNT)
    assert export["S3Bucket"].startswith(f"dataware-export-{ACCOUNT}-")


def test_nobody_else_may_write_once_the_files_are_looked_at() -> None:
    """The policy goes before the manifest is read, so what is checked is what is imported."""
    run = Run()
    run.finish()
    moments = dict(zip(run.by_ours, run.policies, strict=True))
    assert moments["ExportTableToPointInTime answered"] == 1
    assert moments["ListObjectsV2 asked"] == moments["ImportTable asked"] == 0
    assert run.by_ours.index("DeleteBucketPolicy answered") < run.by_ours.index("GetObject asked")


@settings(max_examples=60, deadline=None)
@given(moments=st.lists(st.integers(0, 36), max_size=4))
def test_killed_at_any_request_of_either_side_there_is_one_export(moments: list[int]) -> None:
    """The record, which is the target's, finds it again."""
    run = Run()
    for moment in moments:
        run.dies_at = moment
        try:
            run.finish()
        except Killed:
            continue
    run.dies_at = None
    run.finish()
    run.check_whole()


@pytest.mark.parametrize("late", [1, MOST_DENIALS])
def test_a_new_policy_that_is_not_known_yet_is_waited_for(late: int) -> None:
    """S3 tells all its parts of a policy only after a while."""
    run = Run()
    run.theirs.late = late
    run.finish()
    run.check_whole()


def test_a_profile_that_may_not_write_is_told_what_it_needs() -> None:
    """Nothing was exported, and what was made goes with the record."""
    run = Run()
    run.theirs.late = MOST_DENIALS + 1
    step = run.prepare()
    assert "s3:AbortMultipartUpload, s3:PutObject, s3:PutObjectAcl on dataware-export-" in (
        step.refusal
    )
    assert "`dataware iam-policy --side source --engine export-import`" in step.refusal
    assert run.theirs.asked.count("ExportTableToPointInTime") == MOST_DENIALS + 1
    run.creator.clean(run.record)
    assert (run.ours.buckets, run.ours.policies, run.ours.exports) == ({}, {}, {})


@pytest.mark.parametrize("operation", ["CreateBucket", "PutBucketPolicy"])
def test_a_bucket_that_cannot_let_it_in_leads_to_nothing(operation: str) -> None:
    """That is the target's permission, which is asked for once; a server's error leaves it open."""
    for code in ("AccessDenied", "InternalError"):
        run = Run()

        def deny(what: str, code: str = code) -> None:
            if what == f"{operation} asked":
                raise refuse(operation, code)

        run.ours.moment = deny
        if code == "AccessDenied":
            assert f"s3:{operation}" in run.prepare().refusal
        else:
            with pytest.raises(DatawareError):
                run.prepare()
        assert "ExportTableToPointInTime" not in run.theirs.asked


def test_another_refusal_is_not_waited_for() -> None:
    """Only what a policy may cure is."""
    run = Run()

    def refuse_it(what: str) -> None:
        if what == "ExportTableToPointInTime asked":
            raise refuse("ExportTableToPointInTime", "InvalidExportTimeException", "too early")

    run.ours.moment = refuse_it
    assert run.prepare().refusal
    assert run.theirs.asked.count("ExportTableToPointInTime") == 1


def test_a_profile_of_the_same_account_needs_no_policy() -> None:
    """Its own permissions say what it may do in the bucket."""
    run = Run(ACCOUNT)
    run.finish()
    run.check_whole()
    assert "PutBucketPolicy asked" not in run.by_ours
    assert "DeleteBucketPolicy asked" not in run.by_ours


def test_recovery_is_never_switched_on() -> None:
    """Whose table it is decides that."""
    run = Run()
    run.ours.recovery = False
    with pytest.raises(RefusedError, match="point in time recovery of Orders is off"):
        run.creator.find_request(SOURCE, TARGET, 0, {})
    assert {*run.theirs.asked} == {"DescribeContinuousBackups"}


def test_what_is_given_up_is_removed_by_the_targets_credentials_alone() -> None:
    """`dataware forget` knows no profile."""
    run = Run()
    run.ours.looks = 99
    found = run.creator.find_request(SOURCE, TARGET, 0, {})
    assert found is not None
    step = run.creator.prepare(found, SOURCE)
    assert run.ours.policies
    alone = TableImport(run.ours)  # type: ignore[arg-type]
    assert alone.list_parts(step.record) == (f"the bucket {step.record['bucket']}",)
    alone.clean(step.record)
    assert (run.ours.buckets, run.ours.policies) == ({}, {})


def test_an_export_that_failed_is_asked_for_again() -> None:
    """As where the bucket was not open yet when DynamoDB wrote."""
    run = Run()
    run.ours.next["export"] = ("FAILED", {"FailureCode": "S3AccessDenied"})
    assert "S3AccessDenied" in run.prepare().problem
    run.record = {**run.record, "failed": True}
    run.finish()
    assert run.ours.tables["Orders-prod"] == run.ours.tables["Orders"]
    assert [one["ExportStatus"] for one in run.ours.exports.values()] == ["FAILED", "COMPLETED"]


def test_an_import_out_of_it_is_looked_at_without_the_source() -> None:
    """Once the data lies in the bucket, only the target's account is asked."""
    run = Run()
    assert run.prepare().ready
    run.theirs.asked.clear()
    assert run.creator.prepare(run.record, SOURCE).ready
    run.record = run.creator.begin(run.record, SOURCE, TARGET, PROPERTIES)
    run.ours.imports.clear()
    with pytest.raises(IncompleteError):
        run.creator.look(run.record, TARGET)
    assert run.theirs.asked == []
