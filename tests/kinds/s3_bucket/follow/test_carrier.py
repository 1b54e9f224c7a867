"""Carrying keys of a bucket, against the embedded AWS: swapped on both ends, or left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from dataware.aws.session import Account
from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.written import WrittenVersion
from dataware.core.ports import Request, Response
from dataware.embedded import EmbeddedAws
from dataware.kinds.s3_bucket.follow import FOLLOWING
from dataware.kinds.s3_bucket.follow.carrier import BucketCarrier
from support import buckets
from support.buckets import Recording, get, keys, order, put


class Written(dict[bytes, WrittenVersion]):
    """What was written, in memory; `dies` after so many saves."""

    dies = -1

    def find_written(self, asked: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Those of `asked` that are there."""
        return {key: self[key] for key in asked if key in self}

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Keep versions."""
        if self.dies == 0:
            raise KeyboardInterrupt
        self.dies -= 1
        self.update(versions)

    def forget_written(self, forgotten: Collection[bytes]) -> None:
        """Forget keys."""
        for key in forgotten:
            self.pop(key, None)


@pytest.fixture
def aws(aws_server: EmbeddedAws) -> Account:
    """An account with two empty buckets, `old` and `new`."""
    account = buckets.account()
    for name in ("old-bucket", "new-bucket"):
        account.client("s3").create_bucket(Bucket=name)
    return account


Answer = Callable[[Request], Response | None]


def carry(
    aws: Account,
    written: Written,
    *names: bytes,
    answer: Answer = lambda _request: None,
    look: Answer = lambda _request: None,
) -> CarryOutcome:
    """Carry keys; `answer` and `look` may stand in for the server where one writes and reads."""

    async def run() -> CarryOutcome:
        reading: Any = Recording(aws.wire(lambda _reason: None), look)
        writing = aws.wire(lambda _reason: None)
        wire: Any = Recording(writing, answer)
        wire.permit, wire.retries = None, 0
        carrier = BucketCarrier(reading, wire, order(aws, "old-bucket", "new-bucket"), written)
        try:
            return await carrier.carry(names)
        finally:
            await reading.close()
            await writing.close()

    return asyncio.run(run())


def test_a_key_is_copied_replaced_and_deleted_as_the_source_has_it(aws: Account) -> None:
    """Each time with what the time before left on record."""
    written = Written()
    for body in (b"1", b"2"):
        put(aws, "key", body)
        assert carry(aws, written, b"key").carried == {b"key"}
        assert get(aws, "key") == body
    assert carry(aws, written, b"key").carried == {b"key"}
    aws.client("s3").delete_object(Bucket="old-bucket", Key="key")
    assert carry(aws, written, b"key").carried == {b"key"}
    assert keys(aws) == []
    assert not written


def test_objects_of_others_are_conflicts_wherever_the_source_is(aws: Account) -> None:
    """Under a key of the source, and under one that it lacks."""
    put(aws, "key", b"ours")
    put(aws, "key", b"theirs", "new-bucket")
    put(aws, "other", b"theirs", "new-bucket")
    outcome = carry(aws, Written(), b"key", b"other")
    assert {conflict.key for conflict in outcome.conflicts} == {b"key", b"other"}
    assert (get(aws, "key"), get(aws, "other")) == (b"theirs", b"theirs")


def test_a_run_that_dies_between_a_write_and_its_record_knows_its_own_object(aws: Account) -> None:
    """The intention was on disk before, and the copy kept the ETag."""
    written = Written()
    put(aws, "key", b"1")
    carry(aws, written, b"key")
    put(aws, "key", b"2")
    written.dies = 1
    with pytest.raises(KeyboardInterrupt):
        carry(aws, written, b"key")
    assert get(aws, "key") == b"2"
    written.dies = -1
    put(aws, "key", b"3")
    assert carry(aws, written, b"key").carried == {b"key"}
    assert get(aws, "key") == b"3"


@pytest.mark.parametrize("gone", [False, True])
def test_a_stranger_that_is_faster_than_the_write_is_kept(aws: Account, gone: bool) -> None:
    """S3 refuses the swap; the key is looked at again, and is a conflict then."""
    written = Written()
    put(aws, "key", b"1")
    carry(aws, written, b"key")
    if gone:
        aws.client("s3").delete_object(Bucket="old-bucket", Key="key")
    else:
        put(aws, "key", b"2")

    def interfere(_request: Request) -> None:
        put(aws, "key", b"stranger", "new-bucket")

    assert carry(aws, written, b"key", answer=interfere).failed == {b"key"}
    outcome = carry(aws, written, b"key")
    assert [conflict.key for conflict in outcome.conflicts] == [b"key"]
    assert get(aws, "key") == b"stranger"


def test_a_source_that_changes_while_it_is_copied_is_carried_later(aws: Account) -> None:
    """The copy is pinned to what was seen."""
    put(aws, "key", b"1")
    written = Written()

    def change(_request: Request) -> None:
        put(aws, "key", b"2")

    assert carry(aws, written, b"key", answer=change).failed == {b"key"}
    assert keys(aws) == []
    assert carry(aws, written, b"key").carried == {b"key"}
    assert get(aws, "key") == b"2"


def test_a_write_without_an_answer_is_uncertain(aws: Account) -> None:
    """It may arrive later, so the key waits."""
    put(aws, "key", b"1")

    def time_out(_request: Request) -> None:
        raise LookupFailedError("no answer")

    assert carry(aws, Written(), b"key", answer=time_out).uncertain == {b"key"}


def test_a_key_that_the_target_refuses_is_listed_with_the_reason(aws: Account) -> None:
    """Others of the chunk are carried."""
    put(aws, "key", b"1")
    put(aws, "other", b"1")

    def refuse(request: Request) -> Response | None:
        return buckets.fault(400, "InvalidStorageClass") if request.path.endswith("key") else None

    outcome = carry(aws, Written(), b"key", b"other", answer=refuse)
    assert outcome.carried == {b"other"}
    assert "InvalidStorageClass" in outcome.conflicts[0].detail


def test_a_bucket_has_no_feed_to_switch_on(aws: Account) -> None:
    """Its configuration stays as it is."""
    assert FOLLOWING.find_feed(aws, "old-bucket") is None
    assert FOLLOWING.disable_feed(aws, "old-bucket", "any") is False


def missing_at_first(times: int) -> Answer:
    """A HEAD that does not see the object so many times, though it is there."""
    heads: list[Request] = []

    def answer(request: Request) -> Response | None:
        if request.method != "HEAD" or "old-bucket" not in request.path:
            return None
        heads.append(request)
        return Response(404, {}, b"") if len(heads) <= times else None

    return answer


def test_an_object_that_comes_back_while_it_is_looked_at_is_carried(aws: Account) -> None:
    """Two calls look at a key that seems to be gone, and a writer may come between them."""
    put(aws, "key", b"1")
    assert carry(aws, Written(), b"key", look=missing_at_first(1)).carried == {b"key"}
    assert get(aws, "key") == b"1"


def test_an_object_about_which_two_calls_disagree_is_looked_at_later(aws: Account) -> None:
    """It is neither gone nor a conflict."""
    put(aws, "key", b"1")
    outcome = carry(aws, Written(), b"key", look=missing_at_first(9))
    assert (outcome.failed, outcome.conflicts) == ({b"key"}, ())
    assert keys(aws) == []


@pytest.mark.parametrize(
    "more",
    [
        {"Metadata": {"who": "me"}},
        {"ContentType": "text/plain"},
        {"Tagging": "team=a"},
        {"Tagging": "team=b&more=c"},
    ],
)
def test_other_metadata_or_tags_on_the_same_bytes_are_carried(aws: Account, more: Any) -> None:
    """The ETag is the same on both sides, so only HEAD and the tags tell."""
    written = Written()
    put(aws, "k", Tagging="team=z")
    assert carry(aws, written, b"k").carried == {b"k"}
    put(aws, "k", **{"Tagging": "team=z", **more})
    assert carry(aws, written, b"k").carried == {b"k"}
    for bucket in ("old-bucket", "new-bucket"):
        head = aws.client("s3").head_object(Bucket=bucket, Key="k")
        assert head["Metadata"] == more.get("Metadata", {})
        assert more.get("ContentType", head["ContentType"]) == head["ContentType"]
    tags = [
        aws.client("s3").get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
        for bucket in ("old-bucket", "new-bucket")
    ]
    assert tags[0] == tags[1]


def test_a_strangers_object_of_the_same_bytes_keeps_its_metadata(aws: Account) -> None:
    """It is somebody else's, though its content is what the source has."""
    put(aws, "k")
    put(aws, "k", bucket="new-bucket", Metadata={"who": "they"})
    (conflict,) = carry(aws, Written(), b"k").conflicts
    assert conflict.key == b"k"
    assert aws.client("s3").head_object(Bucket="new-bucket", Key="k")["Metadata"] == {"who": "they"}
