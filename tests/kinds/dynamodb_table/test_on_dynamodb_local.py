"""The same copies on the DynamoDB that AWS publishes for local use, as a second opinion."""

from __future__ import annotations

import asyncio

import pytest

from dataware.core.copier import CopyOrder, SkipReason
from dataware.core.model import Content, Existence
from dataware.kinds.dynamodb_table.probe import probe
from dataware.kinds.dynamodb_table.verify.reader import TableReader
from support.dynamo import EVERY_TYPE, account, copy, everything, place, put, use_two_empty_tables
from support.peers import DynamoDbLocal
from support.readers import read_entries


@pytest.fixture
def local(dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch) -> DynamoDbLocal:
    """DynamoDB Local with an empty ``old`` and an empty ``new``; the environment points at it."""
    use_two_empty_tables(dynamodb_local, monkeypatch)
    return dynamodb_local


@pytest.mark.usefixtures("local")
@pytest.mark.parametrize("exclusive", [False, True])
def test_items_of_every_type_arrive_exactly(exclusive: bool) -> None:
    """AWS's own validator takes every request, and gives every type back as it was."""
    aws = account()
    put(aws, "old", EVERY_TYPE)
    order = CopyOrder(place("old"), place("new"), exclusive=exclusive)
    outcome = asyncio.run(copy(aws, order))
    assert (outcome.copied, outcome.skipped) == (len(EVERY_TYPE), ())
    assert everything(aws, "new") == everything(aws, "old")
    again = asyncio.run(copy(aws, CopyOrder(place("old"), place("new"))))
    assert (again.copied, again.same, again.skipped) == (0, len(EVERY_TYPE), ())


@pytest.mark.usefixtures("local")
def test_a_table_of_several_pages_arrives_whole() -> None:
    """Segments, pages and batches of the real limits lose nothing, and both readers agree."""
    aws = account()
    items = [{"pk": {"S": f"item-{i:05}"}, "v": {"S": "é" * 2000}} for i in range(1400)]
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        aws.client("dynamodb").batch_write_item(RequestItems={"old": requests})
    order = CopyOrder(place("old"), place("new"), exclusive=True)
    assert asyncio.run(copy(aws, order)).copied == len(items)
    source, target = TableReader(aws, place("old")), TableReader(aws, place("new"))
    entries = list(read_entries(source))
    assert len(entries) == len(items)
    assert target.find(entries) == {entry.key: entry for entry in entries}


@pytest.mark.usefixtures("local")
def test_conflicts_are_found() -> None:
    """The old item that a refused put shows is compared with ours."""
    aws = account()
    put(aws, "old", [{"pk": {"S": k}, "v": {"SS": ["a", "b"]}} for k in ("same", "mine")])
    put(aws, "new", [{"pk": {"S": "same"}, "v": {"SS": ["b", "a"]}}, {"pk": {"S": "mine"}}])
    outcome = asyncio.run(copy(aws, CopyOrder(place("old"), place("new"))))
    assert (outcome.copied, outcome.same) == (0, 1)
    assert [left.reason for left in outcome.skipped] == [SkipReason.CONFLICT]


@pytest.mark.usefixtures("local")
def test_the_probe_tells_absent_empty_and_full() -> None:
    """Existence and content are seen on an implementation of other authors."""
    aws = account()
    put(aws, "old", EVERY_TYPE[:1])
    assert probe(aws, "nobody").existence is Existence.ABSENT
    assert probe(aws, "new").content is Content.EMPTY
    assert probe(aws, "old").holds_data
