"""Copying and verifying tables on the embedded AWS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from dataware.core.copier import CopyOrder, SkippedKey, SkipReason
from dataware.core.errors import RefusedError
from dataware.core.model import OnConflict
from dataware.core.reader import KeyFingerprint, Reader
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table import KIND
from dataware.kinds.dynamodb_table.verify.reader import TableReader
from support.dynamo import (
    EVERY_TYPE,
    account,
    copy,
    everything,
    make_table,
    place,
    put,
)
from support.readers import read_entries
from support.servers import FaultProxy, Forward, Reply, Seen, drop_after, json_error, truncate

ORDER = CopyOrder(place("old"), place("new"))
EXCLUSIVE = CopyOrder(place("old"), place("new"), exclusive=True)


def found_digests(found: Mapping[bytes, KeyFingerprint]) -> dict[bytes, bytes]:
    """What stands under each key; how it was sent may differ from side to side."""
    return {key: entry.digest for key, entry in found.items()}


def digests(reader: Reader) -> dict[str, bytes]:
    """What a reader sees, by label."""
    entries = list(read_entries(reader))
    seen = {entry.label: entry.digest for entry in entries}
    assert len(seen) == len(entries)
    return seen


@pytest.mark.parametrize("order", [ORDER, EXCLUSIVE], ids=["guarded", "exclusive"])
def test_items_of_every_type_arrive_exactly(aws_server: EmbeddedAws, order: CopyOrder) -> None:
    """Binary, sets, long numbers, empty values, documents and 399 KB items arrive as they were."""
    aws = account()
    make_table(aws, "old")
    make_table(aws, "new")
    put(aws, "old", EVERY_TYPE)
    outcome = asyncio.run(copy(aws, order))
    assert (outcome.copied, outcome.same, outcome.skipped) == (len(EVERY_TYPE), 0, ())
    assert everything(aws, "new") == everything(aws, "old")
    assert digests(TableReader(aws, place("new"))) == digests(TableReader(aws, place("old")))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("N", ["1", "-2.50", "1E+20", "0", "0.000001", "12345678901234567890123456789012345678"]),
        ("B", [b"\0", b"\xff\xfe", b"abc"]),
        ("S", ["a", "é", '"', "\u2028", "\n"]),
    ],
)
def test_keys_of_every_type_are_copied_and_found(
    aws_server: EmbeddedAws, kind: str, values: list[Any]
) -> None:
    """Partition and sort keys of each type survive copying, resuming and reading by key."""
    aws = account()
    for name in ("old", "new"):
        make_table(
            aws,
            name,
            AttributeDefinitions=[
                {"AttributeName": each, "AttributeType": kind} for each in ("pk", "sk")
            ],
            KeySchema=[
                {"AttributeName": "sk", "KeyType": "RANGE"},
                {"AttributeName": "pk", "KeyType": "HASH"},
            ][::-1],
        )
    put(aws, "old", [{"pk": {kind: one}, "sk": {kind: two}} for one in values for two in values])
    assert asyncio.run(copy(aws, EXCLUSIVE)).copied == len(values) ** 2
    assert everything(aws, "new") == everything(aws, "old")
    source, target = TableReader(aws, place("old")), TableReader(aws, place("new"))
    entries = list(read_entries(source))
    assert found_digests(target.find(entries)) == {entry.key: entry.digest for entry in entries}


@pytest.fixture
def large(aws_server: EmbeddedAws) -> int:
    """A table ``old`` of more than 5 MB, and an empty table ``new``; the number of its items."""
    aws = account()
    make_table(aws, "old")
    make_table(aws, "new")
    items = [{"pk": {"S": f"item-{i:05}"}, "v": {"S": "x" * 4000}} for i in range(1400)]
    for start in range(0, len(items), 25):
        requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        aws.client("dynamodb").batch_write_item(RequestItems={"old": requests})
    return len(items)


def partly(written: int) -> Any:
    """A fault that lets a batch write only its first items."""

    def fault(seen: Seen, forward: Forward) -> Reply:
        ((table, requests),) = seen.json()["RequestItems"].items()  # type: ignore[attr-defined]
        if written:
            body = json.dumps({"RequestItems": {table: requests[:written]}}).encode()
            assert forward(seen.with_body(body)).status == 200
        left = {table: requests[written:]} if requests[written:] else {}
        return Reply.of(200, json.dumps({"UnprocessedItems": left}).encode())

    return fault


def test_a_table_of_several_pages_arrives_whole(large: int) -> None:
    """More than one scan page: nothing after the first megabyte is lost."""
    aws = account()
    assert asyncio.run(copy(aws, EXCLUSIVE)).copied == large
    assert everything(aws, "new") == everything(aws, "old")


def test_unprocessed_items_are_written_in_the_end(large: int, fault_proxy: FaultProxy) -> None:
    """Batches that come back partly or wholly unprocessed lose no item."""
    fault_proxy.add(partly(0), operation="BatchWriteItem", times=6)
    for written in (1, 24, 7, 13):
        fault_proxy.add(partly(written), operation="BatchWriteItem", times=5, skip=written)
    aws = account()
    outcome = asyncio.run(copy(aws, EXCLUSIVE))
    assert (outcome.copied, outcome.skipped) == (large, ())
    assert everything(aws, "new") == everything(aws, "old")


def test_faults_on_the_way_lose_nothing(large: int, fault_proxy: FaultProxy) -> None:
    """Throttling, server errors and answers that are cut short are asked again."""
    throttled = json_error("ProvisionedThroughputExceededException")
    for operation in ("Scan", "BatchWriteItem"):
        fault_proxy.add(throttled, operation=operation, times=3, skip=1)
        fault_proxy.add(json_error("InternalServerError", 500), operation=operation, times=2)
        fault_proxy.add(truncate(40), operation=operation, times=1, skip=2)
    aws = account()
    assert asyncio.run(copy(aws, EXCLUSIVE)).copied == large
    fault_proxy.clear()
    assert everything(aws, "new") == everything(aws, "old")


def test_a_put_whose_answer_was_lost_is_no_conflict(fault_proxy: FaultProxy) -> None:
    """The target took the item and the connection broke: the second try finds it the same."""
    aws = account()
    make_table(aws, "old")
    make_table(aws, "new")
    put(aws, "old", EVERY_TYPE)
    fault_proxy.clear()
    fault_proxy.add(drop_after, operation="PutItem", times=3)
    outcome = asyncio.run(copy(aws, ORDER))
    assert (outcome.copied, outcome.same, outcome.skipped) == (len(EVERY_TYPE) - 3, 3, ())
    assert everything(aws, "new") == everything(aws, "old")


def test_one_bad_item_does_not_fail_its_neighbours(aws_server: EmbeddedAws) -> None:
    """An item that the target's index refuses is left by key, and the other items arrive."""
    aws = account()
    make_table(aws, "old")
    make_table(
        aws,
        "new",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "g", "AttributeType": "S"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-g",
                "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    put(aws, "old", [{"pk": {"S": str(i)}, "g": {"S": "x"}} for i in range(24)])
    put(aws, "old", [{"pk": {"S": "bad"}, "g": {"N": "1"}}])
    outcome = asyncio.run(copy(aws, EXCLUSIVE))
    assert outcome.copied == 24
    assert [(left.key, left.reason) for left in outcome.skipped] == [
        ('{"pk":{"S":"bad"}}', SkipReason.FAILED)
    ]


@pytest.fixture
def conflicting(aws_server: EmbeddedAws) -> None:
    """Tables that share an equal item, differ in one, and one item only the source has."""
    aws = account()
    for name in ("old", "new"):
        make_table(aws, name)
    put(aws, "old", [{"pk": {"S": k}, "v": {"NS": ["1", "2"]}} for k in ("same", "mine", "free")])
    put(aws, "new", [{"pk": {"S": "same"}, "v": {"NS": ["2.0", "1"]}}])
    put(aws, "new", [{"pk": {"S": "mine"}, "v": {"S": "theirs"}}])


@pytest.mark.usefixtures("conflicting")
@pytest.mark.parametrize(
    ("policy", "copied", "winner", "left"),
    [
        (None, 1, {"S": "theirs"}, "the target holds another item"),
        (OnConflict.TARGET, 1, {"S": "theirs"}, "kept the target's item"),
        (OnConflict.SOURCE, 2, {"NS": ["1", "2"]}, None),
    ],
)
def test_conflicts_follow_the_policy(
    policy: OnConflict | None, copied: int, winner: dict[str, Any], left: str | None
) -> None:
    """An equal item is the same; another one is kept or replaced as the order says."""
    aws = account()
    outcome = asyncio.run(copy(aws, CopyOrder(place("old"), place("new"), on_conflict=policy)))
    assert (outcome.copied, outcome.same) == (copied, 1)
    key = '{"pk":{"S":"mine"}}'
    assert outcome.skipped == ((SkippedKey(key, SkipReason.CONFLICT, left),) if left else ())
    kept = aws.client("dynamodb").get_item(TableName="new", Key={"pk": {"S": "mine"}})["Item"]["v"]
    assert {kind: sorted(value) for kind, value in kept.items()} == {
        kind: sorted(value) for kind, value in winner.items()
    }


@pytest.mark.usefixtures("conflicting")
def test_a_conflict_stops_when_told_so() -> None:
    """With --on-conflict stop the copy ends at the key and names it."""
    order = CopyOrder(place("old"), place("new"), on_conflict=OnConflict.STOP)
    with pytest.raises(RefusedError, match="mine"):
        asyncio.run(copy(account(), order))


def test_a_table_may_be_given_by_its_arn(aws_server: EmbeddedAws) -> None:
    """An ARN stands for the name in every call, as it must for a table of another account."""
    aws = account()
    arns = []
    for name in ("old", "new"):
        make_table(aws, name)
        described = aws.client("dynamodb").describe_table(TableName=name)["Table"]
        arns.append(described["TableArn"])
    put(aws, "old", EVERY_TYPE)
    source, target = map(place, arns)
    for exclusive, copied in ((True, len(EVERY_TYPE)), (False, 0)):
        order = CopyOrder(source, target, exclusive=exclusive)
        assert asyncio.run(copy(aws, order)).copied == copied
    assert everything(aws, "new") == everything(aws, "old")
    readers = TableReader(aws, source), TableReader(aws, target)
    assert digests(readers[0]) == digests(readers[1])
    entries = list(read_entries(readers[0], "0 of 1"))
    assert found_digests(readers[1].find(entries)) == {entry.key: entry.digest for entry in entries}
    assert KIND.probe(aws, arns[0]).holds_data


def test_permissions_are_exactly_the_calls(large: int, fault_proxy: FaultProxy) -> None:
    """Each phase declares what it calls, and nothing that it never calls."""
    aws = account()
    make_table(aws, "third")

    def called() -> set[str]:
        calls = {f"dynamodb:{seen.operation}" for seen in fault_proxy.seen}
        fault_proxy.clear()
        return calls

    fault_proxy.clear()
    KIND.probe(aws, "old")
    assert called() == set(KIND.access.phases["probe"])
    asyncio.run(copy(aws, EXCLUSIVE))
    asyncio.run(copy(aws, CopyOrder(place("old"), place("third"))))
    assert called() == {*KIND.access.phases["read"], *KIND.access.phases["write"]}
    reader = TableReader(aws, place("new"))
    reader.find(list(read_entries(reader, reader.parts()[0])))
    assert called() == set(KIND.access.phases["verify"])
