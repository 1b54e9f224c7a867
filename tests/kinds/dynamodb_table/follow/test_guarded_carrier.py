"""Carrying into a table that others write to: only what the follow wrote is replaced or deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.dynamo import FakeClock, FakeTransport, place, refuse, respond
from tests.support.dynamo_values import values

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.follow.feed import CarryOutcome
from dataware.core.follow.written import WrittenVersion
from dataware.core.ports import Response
from dataware.kinds.dynamodb_table.copy.items import equal
from dataware.kinds.dynamodb_table.follow.guarded_carrier import NOT_OURS, GuardedTableCarrier
from dataware.kinds.dynamodb_table.follow.item_digest import digest_item
from dataware.kinds.dynamodb_table.follow.keys import encode_key
from dataware.kinds.dynamodb_table.follow.recording_copier import RecordingTableCopier
from dataware.wire import RetryBudget, RetryingWire

Item = dict[str, Any]


def item(key: str, value: int) -> Item:
    """An item."""
    return {"pk": {"S": key}, "v": {"N": str(value)}}


def key(text: str) -> bytes:
    """A key as the feed gives it."""
    return encode_key({"pk": {"S": text}}, ("pk",))


class MemoryWritten:
    """The WrittenKeys port in a dictionary."""

    def __init__(self) -> None:
        self.rows: dict[bytes, WrittenVersion] = {}

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Those that are there."""
        return {one: self.rows[one] for one in keys if one in self.rows}

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Keep versions."""
        self.rows.update(versions)

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Forget keys."""
        for one in keys:
            self.rows.pop(one, None)


class Sides:
    """Both tables in memory, which keep the conditions of writes; `between` runs before each."""

    def __init__(self) -> None:
        self.source: dict[str, Item] = {}
        self.target: dict[str, Item] = {}
        self.written = MemoryWritten()
        self.between: Callable[[], None] = lambda: None
        self.lost = 0

    def answer(self, operation: str, body: dict[str, Any]) -> Response:
        """What DynamoDB answers; the first `lost` writes are carried out and not answered."""
        if operation == "BatchGetItem":
            ((name, asked),) = body["RequestItems"].items()
            side = self.source if name == "old" else self.target
            assert asked["ConsistentRead"] is True
            found = [side[each["pk"]["S"]] for each in asked["Keys"] if each["pk"]["S"] in side]
            return respond({"Responses": {name: found}, "UnprocessedKeys": {}})
        if operation == "Scan":
            found = list(self.source.values())
            return respond({"Items": found, "Count": len(found), "ScannedCount": len(found)})
        if operation == "DescribeTable":
            schema = [{"AttributeName": "pk", "KeyType": "HASH"}]
            return respond({"Table": {"KeySchema": schema}})
        assert body["TableName"] == "new"
        self.between()
        return self._write(body)

    def _write(self, body: dict[str, Any]) -> Response:
        wanted = body.get("Item") or body["Key"]
        name = wanted["pk"]["S"]
        present = self.target.get(name, {})
        names = body["ExpressionAttributeNames"]
        for part in body["ConditionExpression"].split(" AND "):
            if part.startswith("attribute_not_exists("):
                holds = names[part[len("attribute_not_exists(") : -1]] not in present
            else:
                one, other = part.split("=")
                value = body["ExpressionAttributeValues"][other]
                holds = names[one] in present and equal({"x": present[names[one]]}, {"x": value})
            if not holds:
                return refuse("ConditionalCheckFailedException")
        if "Item" in body:
            self.target[name] = body["Item"]
        else:
            self.target.pop(name, None)
        if self.lost:
            self.lost -= 1
            raise TimeoutError
        return respond({})

    def wire(self) -> RetryingWire:
        """A wire to both."""
        budget = RetryBudget(attempts=1, seconds=60)
        transport = FakeTransport(self.answer)
        return RetryingWire(transport, FakeClock(), lambda: 0.5, lambda _why: None, budget)

    def copy(self) -> None:
        """The copy that comes before any carry."""

        async def run() -> None:
            tools = CopyTools(None, self.wire(), FakeClock())  # type: ignore[arg-type]
            order = CopyOrder(place("old"), place("new"))
            copier = RecordingTableCopier(tools, order, self.written)
            async for page in copier.read("0/1", None):
                for unit in page.units:
                    await copier.write(unit)

        asyncio.run(run())

    def carry(self, *keys: str) -> CarryOutcome:
        """Carry keys."""
        order = CopyOrder(place("old"), place("new"))
        carrier = GuardedTableCarrier(self.wire(), self.wire(), order, self.written)
        return asyncio.run(carrier.carry([key(each) for each in keys]))


@pytest.fixture
def sides() -> Sides:
    """A source of two items that was copied."""
    both = Sides()
    both.source = {each: item(each, 1) for each in "ab"}
    both.copy()
    assert both.target == both.source
    return both


def test_what_the_copy_wrote_is_replaced_and_deleted(sides: Sides) -> None:
    """The copy is on record, too: a key that is carried for the first time is no conflict."""
    sides.source = {"a": item("a", 2), "c": item("c", 1)}
    done = sides.carry("a", "b", "c")
    assert (done.carried, done.conflicts) == ({key("a"), key("b"), key("c")}, ())
    assert sides.target == sides.source
    assert key("b") not in sides.written.rows


def test_what_somebody_else_wrote_is_kept_and_listed(sides: Sides) -> None:
    """Over a copied item, over a carried one, and under a key that the source did not have."""
    sides.source["a"] = item("a", 2)
    sides.carry("a")
    theirs = {"a": item("a", 70), "b": item("b", 71), "c": item("c", 72)}
    sides.target.update(theirs)
    sides.source = {"a": item("a", 3), "c": item("c", 4)}
    done = sides.carry("a", "b", "c")
    assert {one.key for one in done.conflicts} == {key("a"), key("b"), key("c")}
    assert {one.detail for one in done.conflicts} == {NOT_OURS}
    assert sides.target == theirs


def test_what_equals_the_source_is_nobodys_conflict(sides: Sides) -> None:
    """Whoever wrote it, and whatever the spelling of its numbers."""
    sides.source["a"] = item("a", 5)
    sides.target["a"] = {"v": {"N": "5.0"}, "pk": {"S": "a"}}
    assert sides.carry("a").carried == {key("a")}
    sides.source["a"] = item("a", 6)
    assert sides.carry("a").carried == {key("a")}
    assert sides.target["a"] == item("a", 6)


@pytest.mark.parametrize("operation", ["put", "delete", "create"])
def test_who_is_faster_between_the_look_and_the_write_wins(sides: Sides, operation: str) -> None:
    """The write is refused, and the next look tells of the conflict."""
    name = "c" if operation == "create" else "a"
    if operation == "delete":
        del sides.source["a"]
    else:
        sides.source[name] = item(name, 2)

    def strike() -> None:
        sides.target[name] = item(name, 99)

    sides.between = strike
    assert sides.carry(name).failed == {key(name)}
    sides.between = lambda: None
    assert [one.key for one in sides.carry(name).conflicts] == [key(name)]
    assert sides.target[name] == item(name, 99)


def test_an_attribute_that_somebody_adds_meanwhile_is_seen(sides: Sides) -> None:
    """Where the new item has one of that name; the other attributes are as they were."""
    sides.source["a"] = {**item("a", 1), "extra": {"S": "ours"}}

    def strike() -> None:
        sides.target["a"] = {**item("a", 1), "extra": {"S": "theirs"}}

    sides.between = strike
    assert sides.carry("a").failed == {key("a")}


@pytest.mark.parametrize("change", [2, None])
def test_a_write_whose_answer_is_lost_is_known_for_ours(sides: Sides, change: int | None) -> None:
    """The intention was on disk before; also after a further change of the source."""
    if change is None:
        del sides.source["a"]
    else:
        sides.source["a"] = item("a", change)
    sides.lost = 1
    assert sides.carry("a").uncertain == {key("a")}
    sides.source["a"] = item("a", 3)
    assert sides.carry("a").carried == {key("a")}
    assert sides.target == sides.source


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["source", "drop", "theirs"]))))
def test_no_strangers_value_is_ever_lost(steps: list[tuple[str, str]]) -> None:
    """Whatever the source does before and after; what is not theirs equals the source."""
    sides = Sides()
    sides.source = {each: item(each, 1) for each in "ab"}
    sides.copy()
    theirs: dict[str, Item] = {}
    for number, (name, what) in enumerate(steps, 10):
        if what == "source":
            sides.source[name] = item(name, number)
        elif what == "drop":
            sides.source.pop(name, None)
        else:
            theirs[name] = sides.target[name] = item(name, -number)
        sides.carry(name)
    for name in "abc":
        assert sides.target.get(name) == theirs.get(name, sides.source.get(name))


ITEMS = st.dictionaries(st.text(max_size=3), values(), max_size=3)


@given(ITEMS, ITEMS)
def test_digests_are_equal_exactly_when_items_are(one: Item, other: Item) -> None:
    """As DynamoDB compares them."""
    assert (digest_item(one) == digest_item(other)) == equal(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"N": "1"}, {"N": "1.00"}),
        ({"N": "100"}, {"N": "1e2"}),
        ({"N": "-0.0"}, {"N": "0"}),
        ({"NS": ["1", "20"]}, {"NS": ["2e1", "1.0"]}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
    ],
)
def test_spellings_of_one_value_have_one_digest(one: Item, other: Item) -> None:
    """And another value has another one."""
    assert digest_item({"x": one}) == digest_item({"x": other})
    assert digest_item({"x": one}) != digest_item({"x": {"S": "1"}})
