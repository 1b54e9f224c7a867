"""The table copier over a transport in memory: pages, cursors, unprocessed items, refusals."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest

from dataware.calc.multiset_digest import MultisetDigest
from dataware.core.copier import Rates, SkipReason, Unit, UnitPage
from dataware.core.errors import LookupFailedError, RefusedError
from dataware.core.model import OnConflict, Size
from dataware.core.ports import Response
from dataware.kinds.dynamodb_table.copy.copier import MAX_SEGMENTS, MIN_SEGMENTS, TableCopier
from dataware.kinds.dynamodb_table.copy.items import batches
from dataware.kinds.dynamodb_table.verify.digests import digest_of
from support.dynamo import FakeTransport, copier_over, described, refuse, respond, units_of

MEGABYTE = 1024**2


def item(key: str, value: str = "v") -> dict[str, Any]:
    """An item of 3 + len(key) + len(value) bytes."""
    return {"pk": {"S": key}, "v": {"S": value}}


def unit(count: int) -> Unit:
    """A unit of so many items."""
    (made,) = batches([json.dumps(item(str(i))).encode() for i in range(count)])
    return made


def page_of(*keys: str, last: str | None = None, **more: Any) -> Response:
    """A scan's page."""
    body = {"Items": [item(key) for key in keys], "Count": len(keys), **more}
    return respond(body | ({"LastEvaluatedKey": {"pk": {"S": last}}} if last else {}))


def scans(*pages: Response, **description: Any) -> FakeTransport:
    """A source that answers scans with these pages in turn."""
    waiting = list(pages)

    def answer(operation: str, _body: dict[str, Any]) -> Response:
        return described(**description) if operation == "DescribeTable" else waiting.pop(0)

    return FakeTransport(answer)


def writes(answer: Callable[[str, dict[str, Any]], Response]) -> FakeTransport:
    """A target that answers puts and batches by `answer`."""
    return FakeTransport(
        lambda operation, body: (
            described() if operation == "DescribeTable" else answer(operation, body)
        )
    )


async def all_pages(
    copier: TableCopier, partition: str, after: str | None = None
) -> list[UnitPage]:
    """The pages of a partition."""
    return [page async for page in copier.read(partition, after)]


def test_a_small_table_is_counted_exactly_and_is_one_partition() -> None:
    """One page that ends the table settles its size, and costs one request."""
    transport = scans(page_of("a", "bc"))
    copier, _ = copier_over(transport)

    async def look() -> tuple[Size, Any]:
        return await copier.size(), await copier.partitions()

    size, partitions = asyncio.run(look())
    assert size == Size(2, 2 * 4 + 3)
    assert partitions == ("0/1",)
    assert transport.count("Scan") == 1


def test_a_page_on_its_way_is_held_only_packed() -> None:
    """While a page is being written, nothing that was decoded of it is kept in memory."""
    copier, _ = copier_over(scans(page_of("a", "b", last="b"), page_of("c")))

    async def decoded_beside_pages() -> list[int]:
        return [
            sum(isinstance(each, dict) and "Items" in each for each in gc.get_objects())
            async for _page in copier.read("0/1", None)
        ]

    before = sum(isinstance(each, dict) and "Items" in each for each in gc.get_objects())
    assert asyncio.run(decoded_beside_pages()) == [before, before]


@pytest.mark.parametrize(
    ("counted", "expected"),
    [(0, MIN_SEGMENTS), (100 * 16 * MEGABYTE, 100), (10**13, MAX_SEGMENTS)],
)
def test_a_large_table_has_segments_by_its_size(counted: int, expected: int) -> None:
    """The stale figures of DescribeTable make segments within fixed bounds."""
    transport = scans(page_of("a", last="a"), ItemCount=0, TableSizeBytes=counted)
    copier, _ = copier_over(transport)
    partitions = asyncio.run(copier.partitions())
    assert partitions == tuple(f"{i}/{expected}" for i in range(expected))


def test_an_estimate_is_never_below_what_was_seen() -> None:
    """ItemCount lags; what the first page shows is the least there is."""
    transport = scans(page_of("a", "b", last="b"), ItemCount=1, TableSizeBytes=1)
    copier, _ = copier_over(transport)
    assert asyncio.run(copier.size()) == Size(2, 10, exact=False)


def test_an_empty_page_is_not_the_end() -> None:
    """Only a page without LastEvaluatedKey ends a segment; every page has its cursor."""
    transport = scans(
        page_of("a", last="a", ConsumedCapacity={"CapacityUnits": 128.0}),
        page_of(last="b"),
        page_of("c"),
    )
    copier, _ = copier_over(transport)
    pages = asyncio.run(all_pages(copier, "2/7"))
    assert [units_of([page]) for page in pages] == [1, 0, 1]
    assert [page.cursor for page in pages] == ['{"pk":{"S":"a"}}', '{"pk":{"S":"b"}}', None]
    assert [page.read_units for page in pages] == [128.0, 0.0, 1.0]
    asked = [body for operation, body in transport.asked if operation == "Scan"]
    assert [body.get("ExclusiveStartKey") for body in asked] == [
        None,
        {"pk": {"S": "a"}},
        {"pk": {"S": "b"}},
    ]
    assert {(body["Segment"], body["TotalSegments"]) for body in asked} == {(2, 7)}
    assert all(body["ConsistentRead"] for body in asked)


def test_reading_goes_on_after_a_cursor() -> None:
    """A resumed partition starts after the key of its cursor."""
    transport = scans(page_of("z"))
    copier, _ = copier_over(transport)
    asyncio.run(all_pages(copier, "0/1", '{"pk":{"S":"y"}}'))
    (_, body) = next(call for call in transport.asked if call[0] == "Scan")
    assert body["ExclusiveStartKey"] == {"pk": {"S": "y"}}


def test_an_error_never_looks_like_the_end() -> None:
    """A denied page raises; the pages before it stay valid."""
    transport = scans(page_of("a", last="a"), refuse("AccessDeniedException"))
    copier, _ = copier_over(transport)
    with pytest.raises(LookupFailedError, match="dynamodb:Scan"):
        asyncio.run(all_pages(copier, "0/1"))


@pytest.mark.parametrize("written", [1, 7, 24])
def test_unprocessed_items_are_sent_again_until_acknowledged(written: int) -> None:
    """Items in are items acknowledged, with growing waits between the rounds."""
    stored: list[str] = []

    def answer(_operation: str, body: dict[str, Any]) -> Response:
        requests = body["RequestItems"]["new"]
        stored.extend(each["PutRequest"]["Item"]["pk"]["S"] for each in requests[:written])
        left = {"new": requests[written:]} if requests[written:] else {}
        return respond({"UnprocessedItems": left})

    transport = writes(answer)
    copier, clock = copier_over(transport, exclusive=True)
    outcome = asyncio.run(copier.write(unit(25)))
    rounds = -(-25 // written)
    assert sorted(stored, key=int) == [str(i) for i in range(25)]
    assert (outcome.copied, outcome.skipped) == (25, ())
    assert transport.count("BatchWriteItem") == rounds
    assert len(clock.slept) == rounds - 1
    assert max(clock.slept, default=0) <= 10.0


def test_a_batch_that_always_comes_back_ends_in_an_error() -> None:
    """Throttled for good: the copy ends resumable, nothing counts as written, and waits grow."""
    reasons: list[str] = []
    transport = writes(lambda _operation, body: respond({"UnprocessedItems": body["RequestItems"]}))
    copier, clock = copier_over(transport, exclusive=True, throttled=reasons.append)
    with pytest.raises(LookupFailedError, match="BatchWriteItem"):
        asyncio.run(copier.write(unit(3)))
    assert transport.count("BatchWriteItem") <= 20
    assert len(reasons) == transport.count("BatchWriteItem")
    assert clock.slept == sorted(clock.slept)


def test_an_unknown_unprocessed_key_makes_the_batch_go_again() -> None:
    """An answer that names a key which was not sent acknowledges nothing."""
    strange = {"new": [{"PutRequest": {"Item": item("stranger")}}]}
    answers = [respond({"UnprocessedItems": strange}), respond({"UnprocessedItems": {}})]
    transport = writes(lambda _operation, _body: answers.pop(0))
    copier, _ = copier_over(transport, exclusive=True)
    assert asyncio.run(copier.write(unit(3))).copied == 3
    sent = [body["RequestItems"]["new"] for operation, body in transport.asked if "B" in operation]
    assert [len(each) for each in sent if each] == [3, 3]


@pytest.mark.parametrize(
    ("code", "message", "trouble"),
    [
        ("ValidationException", "Item size has exceeded the maximum", SkipReason.TOO_LARGE),
        ("ValidationException", "Type mismatch for Index Key secret", SkipReason.FAILED),
        ("ValidationException", "secret", SkipReason.FAILED),
        ("ItemCollectionSizeLimitExceededException", "", SkipReason.TOO_LARGE),
    ],
)
def test_a_refused_item_is_left_alone(code: str, message: str, trouble: SkipReason) -> None:
    """One bad item is left with its key and no value; the other items of its batch arrive."""

    def answer(operation: str, body: dict[str, Any]) -> Response:
        bad = operation == "BatchWriteItem" or body["Item"]["pk"]["S"] == "3"
        return refuse(code, message) if bad else respond({})

    transport = writes(answer)
    copier, _ = copier_over(transport, exclusive=True)
    outcome = asyncio.run(copier.write(unit(25)))
    assert outcome.copied == 24
    (left,) = outcome.skipped
    assert (left.key, left.reason) == ('{"pk":{"S":"3"}}', trouble)
    assert "secret" not in left.detail
    puts = [body for operation, body in transport.asked if operation == "PutItem"]
    assert not any("ConditionExpression" in body for body in puts)


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_denied_write_ends_the_copy(exclusive: bool) -> None:
    """What no item is to blame for raises and names the missing permission."""
    transport = writes(lambda _operation, _body: refuse("AccessDeniedException"))
    copier, _ = copier_over(transport, exclusive=exclusive)
    with pytest.raises(LookupFailedError, match=r"dynamodb:(BatchWriteItem|PutItem)"):
        asyncio.run(copier.write(unit(2)))


def test_a_guarded_put_replaces_nothing() -> None:
    """Outside of an exclusive target every put demands that its key is free."""
    transport = writes(lambda _operation, _body: respond({}))
    copier, _ = copier_over(transport)
    assert asyncio.run(copier.write(unit(3))).copied == 3
    puts = [body for operation, body in transport.asked if operation == "PutItem"]
    assert len(puts) == 3
    for body in puts:
        assert body["ConditionExpression"] == "attribute_not_exists(#key)"
        assert body["ExpressionAttributeNames"] == {"#key": "pk"}
        assert body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


@pytest.mark.parametrize("exclusive", [True, False])
def test_what_is_accounted_for_is_tallied_as_the_reader_would(exclusive: bool) -> None:
    """Copied or the same, by batches or one by one; what is left behind is not in the tally.

    The copier's digests are those of the reader's own code, which it does not share.
    """
    made = unit(9)

    def answer(operation: str, body: dict[str, Any]) -> Response:
        if operation == "BatchWriteItem":
            return respond({"UnprocessedItems": {}})
        key = body["Item"]["pk"]["S"]
        old = {"3": item("3"), "5": item("5", "theirs")}.get(key)
        return refuse("ConditionalCheckFailedException", Item=old) if old else respond({})

    copier, _ = copier_over(writes(answer), exclusive=exclusive)
    outcome = asyncio.run(copier.write(made))
    left = [] if exclusive else [made.payload[5]]
    assert (outcome.same, len(outcome.skipped)) == (int(not exclusive), len(left))
    assert outcome.tally == MultisetDigest.of(
        digest_of(one) for one in made.payload if one not in left
    )


@pytest.mark.parametrize("policy", [None, OnConflict.TARGET])
def test_a_conflict_without_the_old_item_is_a_conflict(policy: OnConflict | None) -> None:
    """A server that does not show its item is never taken to hold the same one."""
    transport = writes(lambda _operation, _body: refuse("ConditionalCheckFailedException"))
    copier, _ = copier_over(transport, on_conflict=policy)
    outcome = asyncio.run(copier.write(unit(2)))
    assert (outcome.copied, outcome.same) == (0, 0)
    assert [left.reason for left in outcome.skipped] == [SkipReason.CONFLICT] * 2


def test_stop_lets_the_other_puts_of_the_unit_end() -> None:
    """A stop is raised after every put in flight has its answer."""

    def answer(_operation: str, body: dict[str, Any]) -> Response:
        taken = body["Item"]["pk"]["S"] == "0"
        return (
            refuse("ConditionalCheckFailedException", Item=item("0", "x")) if taken else respond({})
        )

    transport = writes(answer)
    copier, _ = copier_over(transport, on_conflict=OnConflict.STOP)
    with pytest.raises(RefusedError, match='"0"'):
        asyncio.run(copier.write(unit(9)))
    assert transport.count("PutItem") == 9


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ({"ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7}}, Rates(5, 7)),
        ({"ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}}, Rates()),
        (
            {
                "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
                "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 7},
            },
            Rates(),
        ),
        ({}, Rates()),
    ],
)
def test_rates_are_those_of_provisioned_tables(description: Any, expected: Rates) -> None:
    """On-demand tables have no fixed rate."""
    copier, _ = copier_over(scans(**description))
    assert asyncio.run(copier.rates()) == expected


def test_items_travel_without_conversion() -> None:
    """What is put is, to the letter, the JSON value that the scan gave."""
    odd = {"pk": {"S": "\ud800 \u2028"}, "n": {"N": "1.0"}, "b": {"B": "AA=="}}
    transport = FakeTransport(
        lambda operation, _body: {
            "DescribeTable": described(),
            "Scan": respond({"Items": [odd], "Count": 1}),
            "BatchWriteItem": respond({"UnprocessedItems": {}}),
        }[operation]
    )
    copier, _ = copier_over(transport, exclusive=True)

    async def copy() -> None:
        async for page in copier.read("0/1", None):
            for each in page.units:
                await copier.write(each)

    asyncio.run(copy())
    sent = next(body for operation, body in transport.asked if operation == "BatchWriteItem")
    assert sent["RequestItems"]["new"] == [{"PutRequest": {"Item": json.loads(json.dumps(odd))}}]
