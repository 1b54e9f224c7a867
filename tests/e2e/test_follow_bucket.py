"""A bucket that is written to is followed: strangers' objects stay, all else becomes equal."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from dataware.core.errors import InputError, RefusedError
from dataware.core.follow import loop
from dataware.embedded import EmbeddedAws
from dataware.ops.follow import follow_run
from support.followed_pairs import FOLLOW, FollowedPair

OBJECTS = 120


@pytest.fixture
def buckets(aws_server: EmbeddedAws, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    """A full source and an empty target."""
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.05)
    monkeypatch.setattr("dataware.ops.follow.difference.LEAST_PAUSE", 0.1)
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 2.0)
    return Buckets()


class Buckets(FollowedPair):
    """A full bucket and an empty one."""

    service, type_name = "s3", "AWS::S3::Bucket"

    def __init__(self) -> None:
        super().__init__()
        for name in self.names:
            self.client.create_bucket(Bucket=name)
        for n in range(OBJECTS):
            self.put(f"k{n}", b"0")

    def put(self, key: str, body: bytes, bucket: str | None = None) -> None:
        """Put an object."""
        self.client.put_object(Bucket=bucket or self.source, Key=key, Body=body)

    def content(self, bucket: str) -> dict[str, bytes]:
        """What a bucket holds."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
        read = {}
        for key in keys:
            with suppress(self.client.exceptions.NoSuchKey):
                read[key] = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return read


@contextmanager
def writers(pair: Buckets, seed: int) -> Iterator[None]:
    """Put and delete objects of the source, some of them hot, until the end of the context."""
    ended = threading.Event()

    def run(order: random.Random) -> None:
        client = boto3.client("s3")
        while not ended.is_set():
            key = f"k{order.choice([order.randrange(10), order.randrange(OBJECTS + 20)])}"
            if order.random() < 0.3:
                client.delete_object(Bucket=pair.source, Key=key)
            else:
                body = b"%d" % order.randrange(10**6)
                client.put_object(Bucket=pair.source, Key=key, Body=body)
            time.sleep(0.01)

    threads = [threading.Thread(target=run, args=(random.Random(seed * 10 + n),)) for n in (0, 1)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("seed", range(2))
def test_writers_and_restarts_leave_nothing_missing_extra_or_different(
    seed: int, buckets: Buckets
) -> None:
    """Through the copy, a stop, and rounds in which half of what was listed has changed again."""
    with writers(buckets, seed):
        with buckets.following():
            buckets.await_phase()
            time.sleep(0.7)
        buckets.events.clear()
        with buckets.following():
            time.sleep(0.7)
    with buckets.following():
        buckets.await_equal()
    assert not [one.text() for one in buckets.events if one.code == "skipped"]


def skipped(buckets: Buckets) -> set[str]:
    """The keys that were told to be left as they are."""
    return {one.data["key"] for one in list(buckets.events) if one.code == "skipped"}


def test_objects_of_strangers_are_kept_under_keys_of_the_source_and_others(
    buckets: Buckets,
) -> None:
    """Neither replaced when the source changes, nor deleted when it lacks the key."""
    strangers = {"k7": b"stranger", "only theirs": b"stranger"}
    with buckets.following():
        buckets.await_phase()
        buckets.await_equal()
        buckets.client.delete_object(Bucket=buckets.source, Key="k7")
        buckets.await_equal()
        for key, body in strangers.items():
            buckets.put(key, body, buckets.target)
        buckets.put("k7", b"ours again")
        buckets.put("k8", b"changed")
        buckets.client.delete_object(Bucket=buckets.source, Key="k9")
        buckets.await_equal(strangers)
        buckets.wait(lambda: skipped(buckets) >= set(strangers))
    assert skipped(buckets) == set(strangers)
    assert "2 conflicts kept" in str(buckets.error)
    assert buckets.content(buckets.target)["k7"] == b"stranger"
    assert "k9" not in buckets.content(buckets.target)


def test_a_stranger_that_replaces_a_copied_object_is_never_overwritten(buckets: Buckets) -> None:
    """Its ETag is not the one that the copy got, so the next change of the source leaves it."""
    with buckets.following():
        buckets.await_phase()
        buckets.await_equal()
        buckets.put("k1", b"stranger", buckets.target)
        buckets.put("k1", b"newer")
        buckets.put("k2", b"newer")
        buckets.await_equal({"k1": b"stranger"})
        buckets.client.delete_object(Bucket=buckets.source, Key="k1")
        buckets.await_equal({"k1": b"stranger"})


def test_keys_of_every_spelling_are_carried_and_deleted(buckets: Buckets) -> None:
    """Also those that people see escaped."""
    keys = ["a b", "a+b", "ü/ß", "tab\tkey", "new\nline", "%2F", "back\\slash", "é\u0301"]
    with buckets.following():
        buckets.await_phase()
        for key in keys:
            buckets.put(key, b"1")
        buckets.await_equal()
        for key in keys[::2]:
            buckets.client.delete_object(Bucket=buckets.source, Key=key)
        buckets.await_equal()


def test_a_target_that_holds_something_or_all_versions_are_refused(buckets: Buckets) -> None:
    """Before anything is written."""
    with pytest.raises(InputError, match="current objects only"):
        buckets.follow(lambda: False, replace(FOLLOW, all_versions=True))
    assert not buckets.content(buckets.target)
    with pytest.raises(InputError, match="needs no stream"):
        buckets.follow(lambda: False, replace(FOLLOW, enable_feed=True))
    assert not buckets.content(buckets.target)
    buckets.put("theirs", b"1", buckets.target)
    with pytest.raises(RefusedError, match="may not be empty"):
        buckets.follow(lambda: False)


def test_a_lost_file_takes_equal_objects_for_its_own(
    buckets: Buckets, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another machine goes on: an equal object is one of the follow, whoever put it there."""
    with buckets.following():
        buckets.await_phase()
        buckets.await_equal()
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    with buckets.following():
        buckets.put("new", b"1")
        buckets.client.delete_object(Bucket=buckets.source, Key="new")
        buckets.put("k3", b"0", buckets.target)
        buckets.await_equal()
        buckets.put("k3", b"newer")
        buckets.await_equal()


def test_deep_rounds_carry_metadata_and_tags_and_others_say_what_they_do_not_see(
    buckets: Buckets,
) -> None:
    """The same bytes put again have the same ETag in both listings."""
    with buckets.following():
        buckets.await_phase()
    (note,) = [one.text() for one in buckets.events if "does not see" in one.text()]
    assert "metadata, tags and ACLs" in note
    buckets.client.put_object(
        Bucket=buckets.source, Key="k1", Body=b"0", Metadata={"who": "me"}, Tagging="team=a"
    )
    buckets.events.clear()

    def is_carried() -> bool:
        head = buckets.client.head_object(Bucket=buckets.target, Key="k1")
        return bool(head["Metadata"] == {"who": "me"})

    with buckets.following(replace(FOLLOW, deep=True)):
        buckets.wait(is_carried)
    tags = buckets.client.get_object_tagging(Bucket=buckets.target, Key="k1")["TagSet"]
    assert tags == [{"Key": "team", "Value": "a"}]
    (note,) = [one.text() for one in buckets.events if "does not see" in one.text()]
    assert "metadata" not in note
