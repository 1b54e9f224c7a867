"""Pages and keys as services may give them: empty, of one entry, huge, with twins, of any bytes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.ports import Response
from dataware.kinds.dynamodb_table.copy.items import MAX_BATCH, MAX_BATCH_BYTES
from support.accounting import check_identity
from support.buckets import DIFFICULT_KEYS
from support.dynamo import respond
from support.memory_aws import Call, Forward
from support.memory_buckets import stored
from support.memory_jobs import Job, filled, item


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 7), st.integers(0, 4))
def test_empty_and_tiny_pages_are_not_the_end(count: int, page: int, empty: int) -> None:
    """A page may hold one item or none and still not be the last."""
    job = filled("table", count)
    job.aws.tables.page, job.aws.tables.empty = page, empty
    job.run()
    job.check_whole()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 7))
def test_listings_of_any_page_size_are_read_to_their_end(count: int, page: int) -> None:
    """How many keys a page has is the service's business."""
    job = filled("bucket", count)
    job.aws.buckets.page = page
    job.run()
    job.check_whole()


def test_items_of_400_kilobytes_arrive_in_batches_that_fit() -> None:
    """The largest items are never joined to a batch beyond its bound, and all arrive."""
    job = Job("table")
    job.aws.tables.fill("old", [item(number, "x" * 399 * 1024) for number in range(30)])
    job.aws.tables.fill("new")
    job.run()
    job.check_whole()
    bodies = [len(c.request.body) for c in job.aws.calls if c.operation == "BatchWriteItem"]
    assert max(bodies) <= MAX_BATCH_BYTES + 1024, "DynamoDB takes 16 MB"


@pytest.mark.parametrize("exclusive", [True, False], ids=["batches", "puts"])
def test_a_key_that_a_page_holds_twice_is_written_by_two_batches(exclusive: bool) -> None:
    """A table that changes may show a key twice; DynamoDB refuses a batch with twins."""
    job = filled("table", 30, exclusive=exclusive)

    async def twins(call: Call, forward: Forward) -> Response:
        page = json.loads(forward(call).body)
        page["Items"] = [each for each in page["Items"] for _ in range(2)]
        return respond({**page, "Count": len(page["Items"])})

    job.aws.add(twins, "Scan")
    job.run()
    assert job.content("new") == job.content("old")
    check_identity(job.journal.kept, 60)
    puts = [json.loads(c.request.body) for c in job.aws.calls if c.operation == "BatchWriteItem"]
    assert all(len(put["RequestItems"]["new"]) <= MAX_BATCH for put in puts)


KEYS = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.text(min_size=1, max_size=40).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"a/../b", b"./", b"//", b"%FF", b"%2F", b"a+b", b" ", b"\x00", b"\xff\xfe"]),
)


@settings(max_examples=50, deadline=None)
@given(st.sets(KEYS, min_size=1, max_size=25), st.integers(1, 5), st.booleans())
def test_keys_of_any_bytes_arrive_as_they_are(keys: set[bytes], page: int, parts: bool) -> None:
    """Not even UTF-8 is asked of a key: its bytes go there and back through every encoding."""
    job = Job("bucket", multipart_threshold=1 if parts else 100, part_size=2)
    job.aws.buckets.fill("old", {key: stored(b"of " + key) for key in keys})
    job.aws.buckets.fill("new")
    job.aws.buckets.page = page
    job.run()
    job.check_whole()


def test_the_difficult_keys_arrive_byte_for_byte() -> None:
    """Those on which other tools fail, 1,024 bytes among them, by one call and in parts."""
    for parts in (False, True):
        job = Job("bucket", multipart_threshold=1 if parts else 100, part_size=2)
        job.aws.buckets.fill("old", {key.encode(): stored(b"body") for key in DIFFICULT_KEYS})
        job.aws.buckets.fill("new")
        job.run()
        job.check_whole()


@settings(max_examples=40, deadline=None)
@given(st.sets(st.text(min_size=1, max_size=30), min_size=1, max_size=40), st.integers(1, 9))
def test_table_keys_of_any_text_arrive_as_they_are(keys: set[str], page: int) -> None:
    """Cursors and batches hold whatever text a key is."""
    job = Job("table")
    job.aws.tables.fill("old", [{"pk": {"S": key}} for key in sorted(keys)])
    job.aws.tables.fill("new")
    job.aws.tables.page = page
    job.run()
    job.check_whole()
