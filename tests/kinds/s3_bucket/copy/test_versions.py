"""`--versions all` against the embedded AWS: every version and delete marker, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dataware.aws.session import Account
from dataware.core.copier import SkipReason
from dataware.core.errors import RefusedError
from dataware.core.model import OnConflict
from dataware.core.ports import Request, Response
from dataware.embedded import EmbeddedAws
from support import buckets
from support.buckets import copy, differences, order, pages


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account with two empty buckets that keep versions."""
    account = buckets.account()
    for name in ("old-bucket", "new-bucket"):
        account.client("s3").create_bucket(Bucket=name)
        version(account, name, "Enabled")
    return account


def version(aws: Account, bucket: str, status: str) -> None:
    """Turn versioning on or off."""
    aws.client("s3").put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": status}
    )


def write(aws: Account, key: str, *bodies: bytes | None, bucket: str = "old-bucket") -> None:
    """Write versions in order; None is a delete marker."""
    s3 = aws.client("s3")
    for body in bodies:
        if body is None:
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=body)


def history(aws: Account, key: str, bucket: str = "new-bucket") -> list[bytes | None]:
    """The contents under a key, oldest first; None is a delete marker."""
    s3 = aws.client("s3")
    found: list[bytes | None] = []
    more: dict[str, Any] = {}
    while True:
        page = s3.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=1, **more)
        for one in page.get("Versions", ()):
            answer = s3.get_object(Bucket=bucket, Key=key, VersionId=one["VersionId"])
            found.append(answer["Body"].read())
        found += [None] * len(page.get("DeleteMarkers", ()))
        if not page["IsTruncated"]:
            return found[::-1]
        more = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}


def all_versions(aws: Account, **changes: Any) -> Any:
    """The order to copy everything."""
    return order(aws, "old-bucket", "new-bucket", all_versions=True, **changes)


def test_histories_arrive_in_order(aws: Account) -> None:
    """Versions, and the markers that delete one, stand in the target as in the source."""
    write(aws, "a b", b"1", b"2", None, b"3", b"3")
    write(aws, "gone", b"x", None)
    write(aws, "marker", None, None)
    outcome, _ = copy(aws, all_versions(aws))
    assert (outcome.copied, outcome.same, outcome.skipped) == (2, 1, ())
    assert history(aws, "a b") == [b"1", b"2", None, b"3", b"3"]
    assert history(aws, "gone") == [b"x", None]
    assert history(aws, "marker") == []
    assert differences(aws, all_versions(aws)) == []
    assert differences(aws, all_versions(aws), deep=True) == []


def test_a_second_run_adds_no_version(aws: Account) -> None:
    """A history that is there already is not written again, nor any marker."""
    write(aws, "key", b"1", None, b"2", None)
    copy(aws, all_versions(aws))
    outcome, requests = copy(aws, all_versions(aws))
    assert (outcome.copied, outcome.same) == (0, 1)
    assert {request.method for request in requests} == {"GET"}


def test_a_cut_off_history_is_continued(aws: Account) -> None:
    """A run that was killed between two versions goes on after the last one."""
    write(aws, "key", b"1", None, b"2", b"3")
    write(aws, "key", b"1", None, bucket="new-bucket")
    assert copy(aws, all_versions(aws))[0].copied == 1
    assert history(aws, "key") == [b"1", None, b"2", b"3"]


def test_the_version_without_an_id_is_carried(aws: Account) -> None:
    """Objects from before versioning have the version id "null" and count like any other."""
    aws.client("s3").create_bucket(Bucket="plain-bucket")
    write(aws, "key", b"1", bucket="plain-bucket")
    version(aws, "plain-bucket", "Enabled")
    write(aws, "key", b"2", bucket="plain-bucket")
    outcome, _ = copy(aws, order(aws, "plain-bucket", "new-bucket", all_versions=True))
    assert outcome.copied == 1
    assert history(aws, "key") == [b"1", b"2"]


def test_a_target_without_versions_is_refused(aws: Account) -> None:
    """Versions are never collapsed into one without a word."""
    version(aws, "new-bucket", "Suspended")
    write(aws, "key", b"1")
    with pytest.raises(RefusedError, match="does not keep versions"):
        pages(aws, all_versions(aws))


@pytest.mark.parametrize("present", [[b"z"], [b"1", b"2", b"3"], [None]])
def test_another_history_is_a_conflict(aws: Account, present: list[bytes | None]) -> None:
    """What is not the beginning of the source's history is left as it is, and named."""
    write(aws, "key", b"1", b"2")
    write(aws, "key", *present, bucket="new-bucket")
    (left,) = copy(aws, all_versions(aws))[0].skipped
    assert (left.key, left.reason) == ("key", SkipReason.CONFLICT)
    assert history(aws, "key") == present
    with pytest.raises(RefusedError, match="key"):
        copy(aws, all_versions(aws, on_conflict=OnConflict.STOP))


def test_a_large_version_is_copied_in_parts(aws: Account) -> None:
    """Versions above the threshold go the way of large objects, each by its id."""
    write(aws, "key", b"x" * 50_000, b"y" * 60_000, b"z")
    the_order = all_versions(aws, multipart_threshold=40_000, part_size=20_000)
    assert copy(aws, the_order)[0].copied == 1
    assert history(aws, "key") == [b"x" * 50_000, b"y" * 60_000, b"z"]
    assert copy(aws, the_order)[0].same == 1
    assert differences(aws, the_order) == []


def test_an_archived_version_holds_up_the_newer_ones(aws: Account) -> None:
    """The order of a history is worth more than its end: nothing is written past a gap."""
    write(aws, "key", b"1")
    aws.client("s3").put_object(
        Bucket="old-bucket", Key="key", Body=b"2", StorageClass="DEEP_ARCHIVE"
    )
    write(aws, "key", b"3")
    (left,) = copy(aws, all_versions(aws))[0].skipped
    assert left.reason is SkipReason.ARCHIVED
    assert history(aws, "key") == [b"1"]


def test_a_lost_answer_does_not_double_a_version(aws: Account) -> None:
    """After a failed condition the target is looked at again before anything is written."""
    write(aws, "key", b"1", b"2")
    lost: list[Request] = []

    def lose(request: Request) -> Response | None:
        if request.method == "PUT" and not lost:
            lost.append(request)
            write(aws, "key", b"1", bucket="new-bucket")
            return Response(412, {}, b"<Error><Code>PreconditionFailed</Code></Error>")
        return None

    outcome, _ = copy(aws, all_versions(aws), answer=lose)
    assert (outcome.copied, outcome.skipped) == (1, ())
    assert history(aws, "key") == [b"1", b"2"]


def test_a_verification_sees_a_history_in_another_order(aws: Account) -> None:
    """The same versions in another order are a difference, however close in time."""
    write(aws, "key", b"1", None, b"2")
    write(aws, "key", b"1", b"2", None, bucket="new-bucket")
    write(aws, "more", b"1", b"2")
    write(aws, "more", b"1", bucket="new-bucket")
    found = differences(aws, all_versions(aws))
    assert sorted(found) == ["b'key' differs", "b'more' differs"]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ([None, b"1"], [b"1"]),
        ([None, None, b"1", None, None, b"2", None, None], [b"1", None, b"2", None]),
        ([None], []),
    ],
)
def test_a_marker_that_deletes_nothing_is_not_carried(
    aws: Account, source: list[bytes | None], target: list[bytes | None]
) -> None:
    """Nothing could guard it, and it changes nothing for anybody: both sides count as equal."""
    write(aws, "key", *source)
    requests = copy(aws, all_versions(aws))[1]
    assert history(aws, "key") == target
    deletes = [request for request in requests if request.method == "DELETE"]
    assert len(deletes) == target.count(None)
    assert all("if-match" in request.headers for request in deletes)
    assert differences(aws, all_versions(aws)) == []
    assert differences(aws, all_versions(aws), deep=True) == []
    assert copy(aws, all_versions(aws))[0].same == 1


def stranger(aws: Account, method: str, body: bytes = b"theirs") -> Callable[[Request], None]:
    """Somebody who writes the key in the target just before the first request of a method."""
    came: list[Request] = []

    def write_first(request: Request) -> None:
        if request.method == method and not came:
            came.append(request)
            write(aws, "key", body, bucket="new-bucket")

    return write_first


@pytest.mark.parametrize(
    "source", [[None, b"1"], [None], [None, None, b"1", None], [b"1", None], [b"1", None, b"2"]]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_no_marker_hides_what_somebody_else_wrote(
    aws: Account, source: list[bytes | None], method: str
) -> None:
    """Whoever writes the key just before a copy or a marker is set can still read it afterwards."""
    write(aws, "key", *source)
    before = stranger(aws, method)

    def watch(request: Request) -> Response | None:
        before(request)
        return None

    outcome = copy(aws, all_versions(aws), answer=watch)[0]
    came = history(aws, "key").count(b"theirs")
    if came:
        assert buckets.get(aws, "key") == b"theirs"
        assert [left.reason for left in outcome.skipped] == [SkipReason.CONFLICT]
    again = copy(aws, all_versions(aws))[0]
    if came:
        assert buckets.get(aws, "key") == b"theirs"
        assert [left.reason for left in again.skipped] == [SkipReason.CONFLICT]


@pytest.mark.parametrize("source", [[b"1", None], [b"1", None, b"2"], [b"1", None, b"1", None]])
def test_a_marker_whose_answer_was_lost_is_recognised(
    aws: Account, source: list[bytes | None]
) -> None:
    """The same request once more sets no second marker; the run ends, and so does the next one."""
    write(aws, "key", *source)
    done: list[Request] = []

    def lose(request: Request) -> Response | None:
        if request.method == "DELETE" and not done:
            done.append(request)
            write(aws, "key", None, bucket="new-bucket")
        return None

    outcome = copy(aws, all_versions(aws), answer=lose)[0]
    assert (outcome.copied, outcome.skipped) == (1, ())
    assert history(aws, "key") == source
    assert copy(aws, all_versions(aws))[0].same == 1


@pytest.mark.parametrize(
    ("source", "present"),
    [
        ([b"1", None, b"2"], [b"1", None, None]),
        ([None, b"1"], [None, None]),
        ([None, b"1", None], [None, b"1", None, None]),
    ],
)
def test_markers_that_earlier_runs_doubled_are_no_conflict(
    aws: Account, source: list[bytes | None], present: list[bytes | None]
) -> None:
    """A target in which a request was carried out twice is continued, and verified."""
    write(aws, "key", *source)
    write(aws, "key", *present, bucket="new-bucket")
    outcome = copy(aws, all_versions(aws))[0]
    assert outcome.skipped == ()
    assert outcome.copied + outcome.same == 1
    assert differences(aws, all_versions(aws)) == []
