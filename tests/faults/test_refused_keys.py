"""Keys that a service refuses, and listings that it denies: named, counted, not asked for ever."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import AuthenticationError, DatawareError, LookupFailedError, ServiceError
from dataware.core.ports import Response
from support.accounting import check_identity, check_sums, journal_of
from support.cli import run
from support.dynamo import refuse
from support.memory_aws import Call, saying
from support.memory_buckets import fault
from support.memory_jobs import filled
from support.migrations import MIGRATIONS
from support.servers import FaultProxy, json_error, xml_error

BAD = b"k0007"
REFUSALS: Mapping[str, tuple[Response, str]] = {
    "denied": (fault(403, "AccessDenied"), "denied"),
    "not restored": (fault(403, "InvalidObjectState"), "archived"),
    "KMS key disabled": (fault(400, "KMS.DisabledException"), "lost-key"),
    "KMS key not found": (fault(400, "KMS.NotFoundException"), "lost-key"),
    "locked in the target": (fault(400, "InvalidRequest"), "failed"),
    "gone": (fault(404, "NoSuchKey"), "source-changed"),
    "not implemented": (fault(501, "NotImplemented"), "failed"),
}


def about(call: Call) -> bool:
    """Whether a call is about the bad key."""
    return BAD in call.request.path.encode()


@pytest.mark.parametrize("parts", [False, True], ids=["at once", "in parts"])
@pytest.mark.parametrize(("answer", "trouble"), REFUSALS.values(), ids=REFUSALS)
def test_one_refused_object_is_named_and_the_others_arrive(
    answer: Response, trouble: str, parts: bool
) -> None:
    """Its reason stands in the journal, it is asked for once, and no upload is left of it."""
    in_parts = {"size": 5000, "multipart_threshold": 4999, "part_size": 2000} if parts else {}
    job = filled("bucket", 20, **in_parts)
    operation = "UploadPartCopy" if parts else "CopyObject"
    job.aws.add(saying(answer), operation, when=about)
    progress = job.run()
    check_identity(job.journal.kept, 20)
    assert progress.skip_reasons == {trouble: 1}
    assert len(job.content("new")) == 19
    assert sum(about(call) for call in job.aws.calls if call.operation == operation) == 1
    assert not job.aws.buckets.uploads


def test_an_object_under_a_customers_key_is_named() -> None:
    """SSE-C: even HEAD answers 400 without the key (Amazon S3 User Guide, "SSE-C")."""
    job = filled("bucket", 20)
    sealed = fault(400, "InvalidRequest")
    job.aws.add(saying(sealed), "CopyObject", "HeadObject", when=about)
    progress = job.run()
    check_identity(job.journal.kept, 20)
    assert progress.skip_reasons == {"lost-key": 1}


def test_an_archived_object_is_named_without_a_copy() -> None:
    """The listing tells, and nobody waits hours for an answer that is known."""
    job = filled("bucket", 20)
    old = job.aws.buckets.content["old"]
    for number, name in enumerate(("GLACIER", "DEEP_ARCHIVE")):
        key = sorted(old)[number]
        old[key] = replace(old[key], headers={"x-amz-storage-class": name})
    progress = job.run()
    check_identity(job.journal.kept, 20)
    assert progress.skip_reasons == {"archived": 2}
    assert job.aws.asked["CopyObject"] == 18


@pytest.mark.parametrize("skip", [0, 1, 3])
@pytest.mark.parametrize(
    ("kind", "answer", "operation"),
    [
        ("bucket", fault(403, "AccessDenied"), "ListObjectsV2"),
        ("table", refuse("AccessDeniedException"), "Scan"),
    ],
)
def test_a_listing_that_is_denied_on_the_way_is_not_the_end_of_the_data(
    kind: str, answer: Response, operation: str, skip: int
) -> None:
    """Whichever page is denied: the run ends with an error, and the rest is not called done."""
    job = filled(kind, 60)
    job.aws.add(saying(answer), operation, skip=skip)
    with pytest.raises(LookupFailedError, match=r"ListBucket|dynamodb:Scan"):
        job.run()
    assert not check_sums(job.journal.kept, 60).finished
    job.aws.heal()
    job.run()
    job.check_whole()


def test_a_refused_key_ends_the_command_as_incomplete_until_it_is_cured(
    fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """Exit 4 and the key; the rest is copied; after the cure the same command completes."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    app = migration.write_app(tmp_path)
    bad = "4/x//y/4"
    fault_proxy.clear()
    fault_proxy.add(
        xml_error("AccessDenied", 403),
        operation="CopyObject",
        when=lambda seen: seen.path.endswith(bad),
    )
    ran = run("apply", app)
    assert ran.code == 4, ran
    assert bad in ran.out
    assert "1 denied" in ran.err
    progress = check_identity(journal_of(clean_environment), 60)
    assert (progress.counts.copied, progress.counts.skipped) == (59, 1)
    fault_proxy.clear()
    again = run("apply", app)
    assert again.code == 0, again
    assert migration.arrived()
    assert check_identity(journal_of(clean_environment), 60).counts.same == 59


def test_tags_that_may_not_be_read_leave_the_object_behind_by_name() -> None:
    """An object without its tags would not be the same object (in parts they are read apart)."""
    job = filled("bucket", 10, size=5000, multipart_threshold=4999, part_size=2000)
    job.aws.add(saying(fault(403, "AccessDenied")), "GetObjectTagging", when=about)
    progress = job.run()
    check_identity(job.journal.kept, 10)
    assert progress.skip_reasons == {"denied": 1}
    (left,) = [left for record in job.journal.kept for left in record.get("skipped_keys", ())]
    assert "s3:GetObjectTagging" in left["detail"]


def test_a_table_that_may_not_be_written_ends_the_command_with_the_permission(
    fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """It concerns every item, so it is one sentence, and the next run goes on."""
    migration = MIGRATIONS["table"]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(json_error("AccessDeniedException"), operation="BatchWriteItem", skip=5)
    ran = run("apply", app)
    assert ran.code == 4, ran
    assert "dynamodb:BatchWriteItem" in ran.err
    assert "then run the same command again" in ran.err
    check_sums(journal_of(clean_environment), 600)
    fault_proxy.clear()
    assert run("apply", app).code == 0
    assert migration.arrived()
    check_identity(journal_of(clean_environment), 600)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("NoSuchBucket", ServiceError),
        ("SignatureDoesNotMatch", AuthenticationError),
        ("InvalidAccessKeyId", AuthenticationError),
    ],
)
def test_what_concerns_every_key_is_one_error(code: str, error: type[DatawareError]) -> None:
    """It is not a thousand keys that were left behind."""
    job = filled("bucket", 20)
    job.aws.add(saying(fault(404 if code == "NoSuchBucket" else 403, code)), "CopyObject")
    with pytest.raises(error, match=code):
        job.run()
    assert check_sums(job.journal.kept, 20).counts.done == 0
