"""A table that is exported, and imported or put in bulk: once, whole, and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.engines.port import CreationProgress, Record
from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    LookupFailedError,
    RefusedError,
    ServiceError,
)
from dataware.core.model import Location
from dataware.kinds.dynamodb_table.export.bulk_put import TableBulkPut
from dataware.kinds.dynamodb_table.export.manifest import MOST_FILES, check_files
from dataware.kinds.dynamodb_table.export.table_import import TableImport
from support.copying import Killed
from support.memory_exports import ACCOUNT, NOON, REGION, MemoryExports, refuse

SOURCE = Location("Orders", ACCOUNT, REGION)
TARGET = Location("Orders-prod", ACCOUNT, REGION)
PROPERTIES = {
    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
    "BillingMode": "PAY_PER_REQUEST",
}
INDEX = {
    "IndexName": "by-day",
    "KeySchema": PROPERTIES["KeySchema"],
    "Projection": {"ProjectionType": "ALL"},
}
UNITS = {"ReadCapacityUnits": "5", "WriteCapacityUnits": 6}
NUMBERS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}
ENGINES = {"import": TableImport, "bulk": TableBulkPut}
Made = TableImport | TableBulkPut


class Run:
    """Runs of one engine, each with the record that the one before it has left."""

    def __init__(self, name: str, count: int = 7) -> None:
        self.aws = MemoryExports()
        self.aws.fill("Orders", count)
        if name == "bulk":
            self.aws.fill("Orders-prod", 0)
        self.name = name
        self.record: Record = {}

    @property
    def creator(self) -> Made:
        """The engine, as a new process makes it."""
        return ENGINES[self.name](self.aws)  # type: ignore[arg-type]

    def prepare(self) -> None:
        """What comes before the request; what fails is on record."""
        found = self.creator.find_request(SOURCE, TARGET, NOON.timestamp(), self.record)
        assert found is not None
        self.record = found
        while True:
            step = self.creator.prepare(self.record, SOURCE)
            self.record = step.record
            if step.problem or step.refusal:
                self.record = {**step.record, "failed": True}
                raise IncompleteError(step.problem or step.refusal)
            if step.ready:
                return

    def begin(self) -> None:
        """The request."""
        self.record = self.creator.begin(self.record, SOURCE, TARGET, PROPERTIES)

    def watch(self) -> CreationProgress:
        """Until it has ended."""
        while True:
            progress = self.creator.look(self.record, TARGET)
            if progress.done or progress.failed:
                return progress

    def finish(self) -> CreationProgress:
        """A whole run, with what an earlier one has left."""
        if not self.creator.look(self.record, TARGET).exists:
            self.prepare()
            self.begin()
        progress = self.watch()
        self.creator.clean(self.record)
        return progress

    def check_whole(self) -> None:
        """Every item is there, and no bucket is left."""
        assert self.aws.tables["Orders-prod"] == self.aws.tables["Orders"]
        assert self.aws.buckets == {}


@pytest.mark.parametrize("name", ENGINES)
def test_a_table_is_exported_and_read_again(name: str) -> None:
    """The export is full, in JSON and of the time on record; then its data files are read."""
    run = Run(name)
    progress = run.finish()
    assert (progress.problem, progress.failed) == ("", False)
    assert progress.counts["errors"] == 0
    assert 7 in progress.counts.values()
    run.check_whole()
    (_, export), (_, asked) = run.aws.requests
    assert (export["ExportType"], export["ExportFormat"]) == ("FULL_EXPORT", "DYNAMODB_JSON")
    assert (export["ExportTime"], export["S3BucketOwner"]) == (NOON, ACCOUNT)
    assert export["S3Bucket"].startswith(f"dataware-export-{ACCOUNT}-")
    place = asked["S3BucketSource" if name == "import" else "InputS3Configuration"]
    assert place["S3KeyPrefix"].startswith(f"{export['S3Prefix']}/AWSDynamoDB/")
    assert place["S3KeyPrefix"].endswith("/data/")
    assert (place["S3Bucket"], place["S3BucketOwner"]) == (export["S3Bucket"], ACCOUNT)
    assert run.creator.describe(run.record) == "2026-11-29T12:00:00+00:00"
    assert run.creator.list_parts(run.record) == (f"the bucket {export['S3Bucket']}",)
    assert run.creator.repair(TARGET, {}) in ((), [])


def test_a_source_of_another_region_is_exported_there() -> None:
    """It is named by its ARN; the bucket and the import are the target's."""
    run, there = Run("import"), Location("Orders", ACCOUNT, "eu-west-1")
    found = run.creator.find_request(there, TARGET, 0, {})
    assert found is not None
    step = run.creator.prepare(found, there)
    assert set(run.aws.regions) == {"eu-west-1"}
    run.aws.regions.clear()
    run.creator.clean(step.record)
    assert not run.aws.regions


def die_at(moment: int) -> Callable[[str], None]:
    """A process that ends at a moment."""
    left = [moment]

    def count(what: str) -> None:
        if not left[0]:
            raise Killed(what)
        left[0] -= 1

    return count


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=60, deadline=None)
@given(moments=st.lists(st.integers(0, 30), max_size=4))
def test_killed_at_any_request_there_is_one_export_and_one_target(
    name: str, moments: list[int]
) -> None:
    """Before or after the answer: what was asked for is found by its token."""
    run = Run(name)
    for moment in moments:
        run.aws.moment = die_at(moment)
        try:
            run.finish()
        except Killed:
            continue
    run.aws.moment = lambda _what: None
    run.finish()
    run.check_whole()
    begun = run.aws.imports if name == "import" else run.aws.operations
    assert len(run.aws.exports) == len(begun) == 1


@pytest.mark.parametrize("name", ENGINES)
def test_what_aws_has_forgotten_the_token_of_is_found_in_its_list(name: str) -> None:
    """A token is known for 8 hours: after that the list has it, among others."""
    run = Run(name)
    run.aws.looks = 9
    run.prepare()
    if name == "bulk":
        other = Run(name)
        other.aws = run.aws
        other.record = {**run.record, "token": "other"}
        other.begin()
    before = run.record
    run.begin()
    began, run.record, run.aws.forgets_tokens = run.record, before, True
    run.begin()
    assert run.record == began


@pytest.mark.parametrize("name", ENGINES)
def test_an_answer_that_was_lost_is_not_taken_for_a_refusal(name: str) -> None:
    """Nobody knows whether it has begun, so the record stays; a refusal is passed on."""
    run = Run(name)
    run.prepare()

    def lose(what: str) -> None:
        if what in {"ImportTable answered", "StartBulkPutItems answered"}:
            raise ReadTimeoutError(endpoint_url="https://x")

    run.aws.moment = lose
    with pytest.raises(IncompleteError, match="not known whether"):
        run.begin()

    def deny(what: str) -> None:
        if what in {"ImportTable asked", "StartBulkPutItems asked"}:
            raise refuse("ImportTable", "AccessDeniedException")

    run.aws.moment = deny
    if name == "bulk":
        run.aws.operations.clear()
    with pytest.raises(LookupFailedError):
        run.begin()
    run.aws.moment = lambda _what: None
    run.finish()
    run.check_whole()


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("operation", ["CreateBucket", "ExportTableToPointInTime"])
def test_what_is_denied_leads_to_nothing_and_what_fails_may_be_tried_again(
    name: str, operation: str
) -> None:
    """After a refusal another engine may carry the migration; an error leaves that open."""
    run = Run(name)
    found = run.creator.find_request(SOURCE, TARGET, 0, {})
    assert found is not None
    codes = ["AccessDeniedException", "InternalServerError"]

    def refuse_it(what: str) -> None:
        if what == f"{operation} asked":
            raise refuse(operation, codes.pop(0))

    run.aws.moment = refuse_it
    step = run.creator.prepare(found, SOURCE)
    assert not step.ready
    assert "AccessDenied" in step.refusal or "denied" in step.refusal
    with pytest.raises(DatawareError):
        run.creator.prepare(found, SOURCE)
    run.aws.moment = lambda _what: None
    run.finish()
    run.check_whole()


@pytest.mark.parametrize("name", ENGINES)
def test_an_export_that_failed_is_asked_for_again_under_another_token(name: str) -> None:
    """Failed, or forgotten by AWS: the reason is told."""
    run = Run(name)
    run.aws.next["export"] = ("FAILED", {"FailureCode": "S3NoSuchBucket", "FailureMessage": "gone"})
    with pytest.raises(IncompleteError, match="S3NoSuchBucket: gone"):
        run.finish()
    run.aws.next.clear()
    found = run.creator.find_request(SOURCE, TARGET, NOON.timestamp(), run.record)
    assert found is not None
    assert found["token"] != run.record["token"]
    run.record = {**found, "export": "arn:aws:dynamodb:eu-central-1:111122223333:table/x/export/1"}
    step = run.creator.prepare(run.record, SOURCE)
    assert step.problem == "AWS does not know it any more"
    run.record = {**run.record, "failed": True}
    run.finish()
    run.check_whole()


@pytest.mark.parametrize("name", ENGINES)
def test_an_export_is_asked_for_as_the_source_is_now(name: str) -> None:
    """Not before the latest time has come up to the question, and never without recovery."""
    run = Run(name)
    assert run.creator.find_request(SOURCE, TARGET, NOON.timestamp() + 60, {}) is None
    run.aws.recovery = False
    with pytest.raises(RefusedError, match="nothing was exported, because point in time recovery"):
        run.creator.find_request(SOURCE, TARGET, 0, {})
    run.aws.recovery = True
    del run.aws.tables["Orders"]
    with pytest.raises(LookupFailedError, match="Orders is gone"):
        run.creator.find_request(SOURCE, TARGET, 0, {})


def damages(bucket: dict[str, bytes]) -> list[Callable[[], object]]:
    """What may be wrong with the files of an export."""
    data = sorted(key for key in bucket if "/data/" in key)
    (summary,) = (key for key in bucket if key.endswith("summary.json"))
    (listing,) = (key for key in bucket if key.endswith("files.json"))
    told = json.loads(bucket[summary])
    return [
        lambda: bucket.pop(data[0]),
        lambda: bucket.update({data[0]: b"changed"}),
        lambda: bucket.update({f"{data[0].rpartition('/')[0]}/strange.json.gz": b"x"}),
        lambda: bucket.pop(listing),
        lambda: bucket.pop(summary),
        lambda: bucket.update({listing: bucket[listing].splitlines()[0]}),
        lambda: bucket.update({listing: b"{"}),
        lambda: bucket.update({summary: b"[]"}),
        lambda: bucket.update({summary: json.dumps({**told, "itemCount": 99}).encode()}),
        lambda: bucket.update({summary: json.dumps({**told, "tableArn": "other"}).encode()}),
    ]


@pytest.mark.parametrize("damage", range(10))
def test_an_export_that_is_not_as_its_manifest_says_is_not_read(damage: int) -> None:
    """A file that is missing, changed or strange, and manifests of anything else."""
    run = Run("import")
    spoiled = []

    def spoil(what: str) -> None:
        if what == "DescribeExport answered" and any(run.aws.buckets.values()) and not spoiled:
            spoiled.append(what)
            (bucket,) = run.aws.buckets.values()
            damages(bucket)[damage]()

    run.aws.moment = spoil
    with pytest.raises(IncompleteError):
        run.prepare()
    assert spoiled
    assert "Orders-prod" not in run.aws.tables
    run.finish()
    run.check_whole()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=5), st.data())
def test_every_change_of_the_listed_files_is_seen(counts: list[int], data: Any) -> None:
    """A key more, one less, or another ETag."""
    keys = [f"p/data/{number}" for number in range(len(counts))]
    lines = [
        json.dumps({"dataFileS3Key": key, "etag": f"e{key}-1", "itemCount": count})
        for key, count in zip(keys, counts, strict=True)
    ]
    summary = json.dumps({"itemCount": sum(counts)}).encode()
    listing = "\n".join([*lines, ""]).encode()
    found = {key: f"e{key}-1" for key in keys}
    assert check_files(summary, listing, found) == (len(keys), sum(counts))
    key = data.draw(st.sampled_from([*keys, "p/data/strange"]))
    changed = {**found, key: "another"}
    fewer = {one: etag for one, etag in found.items() if one != key}
    for wrong in (changed, *([fewer] if key in found else [])):
        with pytest.raises(ValueError, match="does not match its manifest"):
            check_files(summary, listing, wrong)


def test_an_export_of_more_files_than_are_read_leads_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That is known before anything is imported."""
    assert MOST_FILES == 50_000
    monkeypatch.setattr("dataware.kinds.dynamodb_table.export.table_export.MOST_FILES", 2)
    run = Run("import")
    with pytest.raises(IncompleteError, match="3 files, and at most 2"):
        run.prepare()


def test_items_that_an_import_does_not_take_are_told() -> None:
    """The table has the others, and the log group has the names."""
    run = Run("import")
    run.aws.bad = {"k1", "k2"}
    progress = run.finish()
    assert progress.done
    assert progress.counts == {"imported": 5, "errors": 2}
    assert progress.problem.startswith("ItemValidationError: some are bad; the log group /aws-dyna")


def test_an_import_that_left_no_table_has_failed() -> None:
    """The next one is another one, of another export."""
    run = Run("import")
    run.aws.next["import"] = ("FAILED", {"FailureCode": "S3NoSuchKey"})
    progress = run.finish()
    assert (progress.done, progress.failed) == (False, True)
    assert "S3NoSuchKey: no reason given" in progress.problem
    run.record = {**run.record, "failed": True}
    run.finish()
    run.check_whole()


def test_an_import_that_was_asked_for_otherwise_is_found_again() -> None:
    """Who changes what is declared after a kill would else be refused until the token is old."""
    run = Run("import")
    run.prepare()
    before = run.record

    def refuse_it(what: str) -> None:
        if what == "ImportTable asked":
            raise refuse("ImportTable", "ImportConflictException")

    run.aws.moment = refuse_it
    with pytest.raises(ServiceError, match="ImportConflictException"):
        run.begin()
    run.aws.moment = lambda _what: None
    run.begin()
    began, run.record = run.record, before
    run.aws.moment = refuse_it
    run.begin()
    assert run.record == began


def test_a_table_of_somebody_else_is_refused() -> None:
    """A plain one, one that another import made, and one that took the name afterwards."""
    run = Run("import")
    run.prepare()
    run.aws.fill("Orders-prod", 3)
    with pytest.raises(RefusedError, match="not what this migration imported"):
        run.begin()
    del run.aws.tables["Orders-prod"]
    run.begin()
    strange = Run("import")
    strange.aws = run.aws
    strange.record = {**run.record, "token": "strange", "data": "elsewhere/"}
    with pytest.raises(RefusedError, match="not what this migration imported"):
        strange.begin()
    run.aws.fill("Orders-prod", 1)
    with pytest.raises(RefusedError, match="not what this migration imported"):
        run.watch()
    run.aws.imports.clear()
    with pytest.raises(IncompleteError, match="does not know the import"):
        run.watch()
    del run.aws.tables["Orders-prod"]
    assert run.watch().failed


@pytest.mark.parametrize(
    ("status", "more", "problem", "failed"),
    [
        ("COMPLETED_WITH_ERRORS", {"FailedItemCount": 3}, "3 items could not be put", False),
        ("FAILED", {"FailureCode": "S3AccessDenied"}, "S3AccessDenied: no reason given", True),
        ("CANCELLED", {}, "it is CANCELLED: no reason given", True),
    ],
)
def test_how_a_bulk_put_ends_is_told(
    status: str, more: dict[str, Any], problem: str, failed: bool
) -> None:
    """What could not be put is found by the comparison; a failed one is asked for again."""
    run = Run("bulk")
    run.aws.next["bulk"] = (status, more)
    progress = run.finish()
    assert (progress.problem, progress.failed, progress.done) == (problem, failed, not failed)
    run.aws.operations.clear()
    assert run.creator.look(run.record, TARGET).failed


def test_a_bulk_put_reports_into_its_own_bucket() -> None:
    """What it could not put lies beside the export, under its own prefix."""
    run = Run("bulk")
    run.finish()
    asked = run.aws.requests[-1][1]
    output = asked["OutputS3Configuration"]
    assert (output["OutputType"], output["S3BucketOwner"]) == (["ERROR"], ACCOUNT)
    assert output["S3KeyPrefix"] == f"{run.record['token']}/report"
    assert not output["S3KeyPrefix"].startswith(asked["InputS3Configuration"]["S3KeyPrefix"])


@pytest.mark.parametrize(
    ("properties", "imported", "put"),
    [
        ({}, "", ""),
        ({"GlobalSecondaryIndexes": [INDEX]}, "", ""),
        ({"LocalSecondaryIndexes": [INDEX]}, "a local index", ""),
        ({"Replicas": [{"Region": "eu-west-1"}]}, "a global table", "a global table"),
        ({"KinesisStreamSpecification": {"StreamArn": "arn"}}, "KinesisStreamSpecification", ""),
    ],
)
def test_what_cannot_be_made_stands_against_it(
    properties: dict[str, Any], imported: str, put: str
) -> None:
    """What an import does not make, and what a bulk put does not fill."""
    for name, problem in (("import", imported), ("bulk", put)):
        found = Run(name).creator.find_problem(SOURCE, properties)
        assert problem in found
        assert bool(found) is bool(problem)


def test_the_table_is_imported_as_declared() -> None:
    """Keys, billing, capacity, encryption and indexes, in the form of the request."""
    run = Run("import")
    run.prepare()
    key = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/x"}
    declared = {
        **PROPERTIES,
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [{**INDEX, "ProvisionedThroughput": UNITS}],
        "SSESpecification": key,
    }
    run.creator.begin(run.record, SOURCE, TARGET, declared)
    assert run.aws.requests[-1][1]["TableCreationParameters"] == {
        "TableName": "Orders-prod",
        "AttributeDefinitions": PROPERTIES["AttributeDefinitions"],
        "KeySchema": PROPERTIES["KeySchema"],
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": NUMBERS,
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": "alias/x"},
        "GlobalSecondaryIndexes": [{**INDEX, "ProvisionedThroughput": NUMBERS}],
    }


def test_nothing_is_believed_of_an_error_without_a_name() -> None:
    """An answer that is none of the documented refusals leaves it open."""
    run = Run("import")
    run.prepare()

    def fail(what: str) -> None:
        if what == "ImportTable asked":
            raise refuse("ImportTable", "InternalServerError")

    run.aws.moment = fail
    with pytest.raises(DatawareError, match="not known whether"):
        run.begin()


def test_an_operation_whose_request_got_no_answer_is_watched() -> None:
    """Before anything else is done to the table or to the bucket that it reads."""
    run = Run("bulk")
    run.aws.looks = 3
    run.prepare()
    before = run.record
    assert not run.creator.look(before, TARGET).exists
    run.begin()
    progress = run.creator.look(before, TARGET)
    assert (progress.exists, progress.done) == (True, False)


def test_targets_of_one_name_in_two_regions_have_a_bucket_each() -> None:
    """Or who ends first would remove what the other one reads."""
    creator = Run("import").creator
    places = (TARGET, Location("Orders-prod", ACCOUNT, "us-east-1"))
    found = [creator.find_request(SOURCE, place, NOON.timestamp(), {}) for place in places]
    assert len({one["bucket"] for one in found if one is not None}) == 2


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("damage", ["bucket", "file", "added"])
def test_an_export_whose_files_went_away_is_made_again(name: str, damage: str) -> None:
    """What is left of them is not read; a request for it would fail each time."""
    run = Run(name)
    run.prepare()
    (bucket,) = run.aws.buckets.values()
    if damage == "bucket":
        run.aws.buckets.clear()
    elif damage == "file":
        bucket.pop(min(key for key in bucket if "/data/" in key))
    else:
        bucket[f"{run.record['data']}z"] = b""
    with pytest.raises(IncompleteError, match="its files are gone"):
        run.prepare()
    run.finish()
    run.check_whole()
    assert len(run.aws.exports) == 2


@pytest.mark.parametrize(("declared", "is_on"), [("false", False), ("true", True), (False, False)])
def test_a_switch_that_is_written_as_text_means_what_it_says(declared: object, is_on: bool) -> None:
    """Templates may have truths as texts."""
    run = Run("import")
    run.prepare()
    properties = {**PROPERTIES, "SSESpecification": {"SSEEnabled": declared}}
    run.creator.begin(run.record, SOURCE, TARGET, properties)
    asked = run.aws.requests[-1][1]["TableCreationParameters"]
    assert ("SSESpecification" in asked) is is_on


@pytest.mark.parametrize(("name", "unnamed"), [("import", ["no JSON"]), ("bulk", [])])
def test_what_was_not_brought_is_named_by_its_key(name: str, unnamed: list[str]) -> None:
    """As a comparison names it; a line that names none is counted."""
    run = Run(name)
    run.aws.bad = {"k2", "k5"}
    run.prepare()
    run.begin()
    progress = run.watch()
    assert (progress.done, progress.counts["errors"]) == (True, 2)
    found = list(run.creator.read_failures(run.record, TARGET))
    assert [one.why for one in found if one.key is None] == unnamed
    named = {one.key: one.why for one in found if one.key is not None}
    assert named == dict.fromkeys((b'{"pk":{"S":"k2"}}', b'{"pk":{"S":"k5"}}'), "is too large")


def test_a_log_that_cannot_be_read_is_said() -> None:
    """Whoever may not read it loses the names alone."""
    run = Run("import")
    run.aws.bad = {"k2"}
    run.prepare()
    run.begin()
    run.watch()
    run.aws.logged.clear()
    with pytest.raises(LookupFailedError, match="/aws-dynamodb/imports"):
        list(run.creator.read_failures(run.record, TARGET))
    for one in run.aws.imports.values():
        del one["CloudWatchLogGroupArn"]
    assert list(run.creator.read_failures(run.record, TARGET)) == []


@pytest.mark.parametrize(
    ("call", "permission"),
    [
        ("DeleteObject", "s3:DeleteObject"),
        ("ListMultipartUploads", "s3:ListBucketMultipartUploads"),
        ("DeleteBucket", "s3:DeleteBucket"),
    ],
)
def test_a_bucket_that_cannot_be_removed_names_what_that_takes(call: str, permission: str) -> None:
    """Whoever is denied grants that, and not what was allowed all the while."""
    run = Run("bulk")
    run.prepare()

    def deny(what: str) -> None:
        if what == f"{call} asked":
            raise refuse(call, "AccessDenied")

    run.aws.moment = deny
    with pytest.raises(LookupFailedError, match=f"it needs {permission} "):
        run.creator.clean(run.record)
