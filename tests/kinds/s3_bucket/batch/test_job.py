"""A job of S3 Batch Operations copies what its target lacks, and begins only if it still does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.errors import DatawareError, IncompleteError, LookupFailedError
from dataware.core.model import Location
from dataware.kinds.s3_bucket.batch.job import BatchCopy, is_for_job
from dataware.kinds.s3_bucket.batch.target_fingerprint import read_fingerprint
from dataware.kinds.s3_bucket.copy.xml import ListedObject
from support.copying import LoopClock, MemoryJournal
from support.memory_batch import BatchAccount, refuse
from support.memory_buckets import Stored, stored, stored_in_parts

ROLE = "arn:aws:iam::111122223333:role/batch"
OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
ORDER = CopyOrder(OLD, NEW)
HOSTILE = {
    key: stored(key) for key in (b"a,b", b"a+b c", b"%2F", b"line\nbreak", b"\xc3\xa9", b"z")
}


def filled(target: dict[bytes, Stored] | None = None) -> BatchAccount:
    """An account with hostile keys in the old bucket, and what stands in the new one."""
    aws = BatchAccount()
    rare = stored(b"rare", x_amz_storage_class="STANDARD_IA")
    parts = stored_in_parts(b"in parts", 4)
    aws.memory.buckets.fill("old", {**HOSTILE, b"rare": rare, b"parts": parts})
    aws.memory.buckets.fill("new", target)
    return aws


def copy_of(aws: BatchAccount, role: str = ROLE) -> BatchCopy:
    """What drives the jobs of an account."""
    return BatchCopy(aws, role)  # type: ignore[arg-type]  # as much of it as a job needs


def nothing() -> None:
    """Nothing ends the run."""


def listed(aws: BatchAccount, before: Any = None) -> dict[str, Any]:
    """The record once its manifest is written."""
    copy = copy_of(aws)
    record = copy.plan("run", NEW, before or {})
    return dict(copy.list_work(record, ORDER, LoopClock(), nothing))


def begun(aws: BatchAccount) -> dict[str, Any]:
    """The record once a job is asked for."""
    return dict(copy_of(aws).begin(listed(aws), ORDER))


def test_the_manifest_has_what_the_target_lacks_and_a_job_copies_as_this_machine_would() -> None:
    """No key that stands in the target, no other class, nothing that was uploaded in parts."""
    aws = filled({b"z": stored(b"somebody else's")})
    record = begun(aws)
    assert set(aws.manifest_of(record["job"])) == HOSTILE.keys() - {b"z"}
    assert record["manifest"]["count"] == len(HOSTILE) - 1


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, True),
        ({"size": 5 * 1024**3}, True),
        ({"size": 5 * 1024**3 + 1}, False),
        ({"storage_class": "GLACIER"}, False),
        ({"storage_class": "DEEP_ARCHIVE"}, False),
        ({"storage_class": "INTELLIGENT_TIERING"}, False),
        ({"etag": "0123456789abcdef0123456789abcdef-2"}, False),
        ({"marker": True}, False),
    ],
)
def test_what_a_job_cannot_copy_stays_with_this_machine(more: dict[str, Any], fits: bool) -> None:
    """Over 5 GB, archived, of another class, uploaded in parts, or a delete marker."""
    plain = ListedObject(b"key", 1, "0123456789abcdef0123456789abcdef")
    assert is_for_job(plain._replace(**more)) is fits


def test_a_job_does_nothing_before_it_is_confirmed() -> None:
    """It is asked for once, waits, and begins when it is confirmed; again is harmless."""
    aws = filled()
    copy, record = copy_of(aws), begun(aws)
    assert copy.begin(record, ORDER)["job"] == record["job"]
    seen = copy.look(record)
    assert (seen.waits, seen.ended) == (True, False)
    copy.confirm(record)
    copy.confirm(record)
    assert (copy.look(record).waits, copy.look(record).state) == (False, "Active")
    aws.carry_out(record["job"])
    copy.cancel(record)
    assert copy.look(record).problem == ""
    assert aws.jobs.jobs.keys() == {record["job"]}


def test_another_role_or_manifest_is_another_request() -> None:
    """S3 refuses a token that it knows of another request; what nobody confirms never acts."""
    aws = filled()
    record = begun(aws)
    other = copy_of(aws, ROLE + "-2").begin({**record, "job": ""}, ORDER)
    assert other["job"] != record["job"]
    assert [one["status"] for one in aws.jobs.jobs.values()] == ["Suspended"] * 2


objects = st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(max_size=3), max_size=20)


ACCOUNT = filled()
"""Shared by examples, because its clients take a moment to make."""


@settings(max_examples=40, deadline=None)
@given(objects, st.binary(min_size=1, max_size=4), st.binary(max_size=3), st.booleans())
def test_a_target_fits_as_long_as_nothing_appears_changes_or_goes(
    content: dict[bytes, bytes], key: bytes, body: bytes, goes: bool
) -> None:
    """Whatever it holds, in however many pages, and whatever is written or deleted there."""
    aws = ACCOUNT
    aws.memory.buckets.fill("new", {one: stored(text) for one, text in content.items()})
    copy, record = copy_of(aws), listed(aws)
    assert copy.still_fits(record, ORDER, nothing)
    there = aws.memory.buckets.content["new"]
    before = dict(there)
    if goes:
        there.pop(key, None)
    else:
        there[key] = stored(body)
    assert copy.still_fits(record, ORDER, nothing) is (there == before)


def test_a_look_at_the_target_is_stopped_between_two_pages() -> None:
    """A long listing does not outlive the lock."""
    aws = filled(HOSTILE)

    def check() -> None:
        raise IncompleteError("the lock is lost")

    with pytest.raises(IncompleteError, match="the lock is lost"):
        read_fingerprint(aws, NEW, check)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize("code", ["AccessDenied", "InternalServiceException"])
def test_a_refused_confirmation_is_an_error_that_names_its_permission(code: str) -> None:
    """Only a job that is past the asked status, or gone, is none."""
    aws = filled()
    record = begun(aws)
    aws.jobs.refused = code
    with pytest.raises(LookupFailedError, match="UpdateJobStatus"):
        copy_of(aws).confirm(record)
    aws.jobs.jobs.clear()
    copy_of(aws).cancel(record)
    copy_of(aws).cancel({})


def test_the_report_is_read_and_the_work_bucket_goes() -> None:
    """With all that is in it, also an upload that a killed run left; again is harmless."""
    aws = filled()
    copy, record = copy_of(aws), begun(aws)
    assert copy.list_parts(record) == [
        f"the job {record['job']} of S3 Batch Operations",
        f"the bucket {record['bucket']}",
    ]
    copy.confirm(record)
    aws.carry_out(record["job"], b"z")
    assert copy.read_result(record, MemoryJournal(), nothing) == (len(HOSTILE) - 1, 1)
    aws.work.uploads["left"] = {}
    copy.clean(record)
    copy.clean(record)
    assert (aws.work.objects, aws.work.uploads) == ({}, {})


def test_a_work_bucket_of_somebody_else_is_refused() -> None:
    """Its name cannot be ours, so nothing is written into it."""
    aws = filled()
    aws.work.owned_elsewhere = True
    with pytest.raises(DatawareError):
        listed(aws)
    aws.work.owned_elsewhere = False
    again = listed(aws)
    assert listed(aws, again)["token"] != again["token"]


def test_a_target_that_lacks_nothing_needs_no_job() -> None:
    """Then there is no manifest, which S3 would refuse."""
    aws = filled(HOSTILE)
    assert listed(aws)["manifest"] is None


@pytest.mark.parametrize("code", ["NotFoundException", "NoSuchJobException", "NoSuchJob"])
def test_a_job_that_is_gone_is_no_error(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 deletes a job 90 days after its end, and there is nothing left to be ended."""
    aws = filled()
    record = begun(aws)

    def forget(_self: object, operation: str, _job_id: str) -> None:
        raise refuse(operation, code, 404)

    monkeypatch.setattr(type(aws.jobs), "_find", forget)
    progress = copy_of(aws).look(record)
    assert (progress.ended, progress.unknown) == (True, True)
    assert progress.problem == "S3 does not know it any more"
    copy_of(aws).cancel(record)


def test_a_job_whose_request_had_no_answer_is_ended_all_the_same() -> None:
    """Among all jobs it is found by its token; those of others, and one that ended, are not."""
    aws = filled()
    begun(aws)
    record = listed(aws, listed(aws))
    copy_of(aws).begin(record, ORDER)
    assert copy_of(aws).cancel(record) is False
    assert copy_of(aws).cancel(record) is True
    assert [one["status"] for one in aws.jobs.jobs.values()] == ["Suspended", "Cancelled"]
    assert copy_of(aws).cancel({"token": "t"}) is True


def test_why_a_job_failed_is_told() -> None:
    """With the code and the reason that S3 gives, or else its status."""
    aws = filled()
    record = begun(aws)
    job = aws.jobs.jobs[record["job"]]
    job["status"] = "Cancelled"
    assert copy_of(aws).look(record).problem == "it is Cancelled"
    reasons = [{"FailureCode": "403", "FailureReason": "the role may not read"}]
    job.update(status="Failed", more={"FailureReasons": reasons})
    assert copy_of(aws).look(record).problem == "403: the role may not read"


def test_a_listing_of_jobs_that_goes_in_a_circle_ends() -> None:
    """A server that names the same page again must not hold up whoever ends a job for ever."""
    aws = filled()
    record = listed(aws)
    aws.client("s3control").on_list_jobs = lambda _given: {"Jobs": [], "NextToken": "again"}
    with pytest.raises(LookupFailedError, match="never ends"):
        copy_of(aws).cancel(record)
