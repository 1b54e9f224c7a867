"""The bucket of an engine's work goes with all that is in it, however answers are lost."""

from __future__ import annotations

import pytest

from dataware.core.engines.work_bucket import WorkBucket
from dataware.core.errors import LookupFailedError, RefusedError
from support.accounts import open_account
from support.servers import FaultProxy, answer, drop_after
from support.worlds import client


def test_a_bucket_whose_deletion_had_no_answer_is_gone(fault_proxy: FaultProxy) -> None:
    """The SDK's second try is told that there is no such bucket; a third one is harmless."""
    account = open_account()
    bucket = WorkBucket(account, f"dataware-map-{account.account}-0123456789ab")
    bucket.make()
    parts = bucket.open("one")
    parts.put(1, b"content")
    parts.complete()
    fault_proxy.add(drop_after, operation="DeleteBucket", times=1)
    bucket.remove()
    assert fault_proxy.count("DeleteBucket") == 2
    assert client("s3").list_buckets()["Buckets"] == []
    bucket.remove()


def test_what_is_deleted_and_listed_again_is_not_deleted_for_ever(fault_proxy: FaultProxy) -> None:
    """Something between here and S3 says yes to each deletion, and carries none out."""
    account = open_account()
    bucket = WorkBucket(account, f"dataware-map-{account.account}-0123456789ab")
    bucket.make()
    parts = bucket.open("one")
    parts.put(1, b"content")
    parts.complete()
    fault_proxy.add(answer(204), operation="DeleteObject")
    with pytest.raises(LookupFailedError, match="never ends"):
        bucket.remove()
    fault_proxy.clear()
    bucket.remove()
    assert client("s3").list_buckets()["Buckets"] == []


@pytest.mark.parametrize("name", [None, 7, "other-bucket", "dataware-map-1-x"])
def test_a_bucket_that_no_engine_makes_is_refused(name: object, fault_proxy: FaultProxy) -> None:
    """Whatever a record names, also what is no text, is left alone."""
    with pytest.raises(RefusedError, match="which dataware did not make"):
        WorkBucket(open_account(), name)  # type: ignore[arg-type]  # as a damaged record has it
    assert not fault_proxy.count("DeleteBucket")
