"""The bucket of an engine's work goes with all that is in it, however answers are lost."""

from __future__ import annotations

from dataware.core.engines.work_bucket import WorkBucket
from support.accounts import open_account
from support.servers import FaultProxy, drop_after
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
