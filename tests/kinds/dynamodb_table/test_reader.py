"""The verifying reader: digests as laws, segments and keyed reads on the embedded AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from dataware.core.errors import CannotSee, NotThere
from dataware.core.kind import Entry, Evidence
from dataware.embedded import EmbeddedAws
from dataware.kinds.dynamodb_table.items import equal
from dataware.kinds.dynamodb_table.reader import (
    MAX_PARTS,
    MIN_PARTS,
    PAGE_ITEMS,
    TableReader,
    digest,
)
from support.dynamo import account, everything, make_table, place, put
from support.dynamo_values import ITEMS, Value, as_sdk, otherwise
from support.servers import FaultProxy, Forward, Reply, Seen, json_error


def sdk_item(item: Value) -> Value:
    """An item as the SDK gives it."""
    return {name: as_sdk(value) for name, value in item.items()}


@given(ITEMS)
def test_order_and_notation_leave_the_digest(item: Value) -> None:
    """Attribute order, set order and the way to write a number do not change the digest."""
    other = {name: otherwise(item[name]) for name in reversed(item)}
    assert digest(sdk_item(item)) == digest(sdk_item(other))


@given(ITEMS, ITEMS)
def test_digests_agree_exactly_when_the_copier_finds_items_equal(one: Value, two: Value) -> None:
    """Two implementations that share no code draw the same line between equal and different."""
    assert (digest(sdk_item(one)) == digest(sdk_item(two))) == equal(one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"S": "1"}, {"N": "1"}),
        ({"S": "ab"}, {"B": b"ab"}),
        ({"N": "1"}, {"N": "1.0000000000000000000000000000000000001"}),
        ({"N": "10"}, {"N": "1"}),
        ({"N": "-1"}, {"N": "1"}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
        ({"L": [{"S": "ab"}]}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"SS": ["a"]}, {"L": [{"S": "a"}]}),
        ({"M": {"a": {"S": "b"}}}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"M": {}}, {"L": []}),
        ({"BOOL": True}, {"BOOL": False}),
        ({"S": ""}, {"B": b""}),
    ],
)
def test_different_values_have_different_digests(one: Value, two: Value) -> None:
    """Types, order in lists, nesting and every digit count."""
    assert digest({"v": one}) != digest({"v": two})


@pytest.mark.parametrize("text", ["1", "1.0", "1e0", "10E-1"])
def test_numbers_are_compared_by_value(text: str) -> None:
    """1, 1.0 and 1e0 are one number, alone and in a set."""
    assert digest({"v": {"N": text}}) == digest({"v": {"N": "1"}})
    assert digest({"v": {"NS": [text, "2"]}}) == digest({"v": {"NS": ["2.00", "1"]}})


def entry(name: str) -> Entry:
    """An entry with a key that nobody needs to hold."""
    label = json.dumps({"pk": {"S": name}}, separators=(",", ":"), ensure_ascii=False)
    return Entry(label.encode(), b"", label)


@pytest.fixture
def table(aws_server: EmbeddedAws) -> list[dict[str, Any]]:
    """The table ``tab`` of 230 items."""
    aws = account()
    make_table(aws, "tab")
    put(aws, "tab", [{"pk": {"S": f"é {i}"}, "v": {"N": str(i)}} for i in range(230)])
    return everything(aws, "tab")


def test_the_parts_cover_the_table_once(table: list[dict[str, Any]]) -> None:
    """Every item is in exactly one part, with its key as compact JSON for a label."""
    reader = TableReader(account(), place("tab"), all_versions=False, deep=False)
    entries = [each for part in reader.parts() for each in reader.entries(part)]
    assert sorted(each.label for each in entries) == sorted(
        f'{{"pk":{{"S":"{item["pk"]["S"]}"}}}}' for item in table
    )
    assert all(each.conclusive for each in entries)


def test_pages_are_small(table: list[dict[str, Any]], fault_proxy: FaultProxy) -> None:
    """No page holds more items than the bound, whatever their size: parsed items are large."""
    reader = TableReader(account(), place("tab"))
    entries = [each for part in reader.parts() for each in reader.entries(part)]
    scans = [seen.json() for seen in fault_proxy.seen if seen.operation == "Scan"]
    assert len(entries) == len(table)
    assert {scan["Limit"] for scan in scans} == {PAGE_ITEMS}


def test_finding_by_key_answers_what_is_there(table: list[dict[str, Any]]) -> None:
    """More than a hundred keys, twins and absent ones: exactly the present items come back."""
    reader = TableReader(account(), place("tab"))
    present = [each for part in reader.parts() for each in reader.entries(part)]
    found = reader.find([*present, entry("absent"), present[0]])
    assert found == {each.key: each for each in present}


def test_unprocessed_keys_are_asked_again(
    table: list[dict[str, Any]], fault_proxy: FaultProxy
) -> None:
    """Keys that a batch leaves out are asked again until all are answered."""

    def partly(seen: Seen, forward: Forward) -> Reply:
        ((name, wanted),) = seen.json()["RequestItems"].items()  # type: ignore[attr-defined]
        keys = wanted["Keys"]
        kept = {"RequestItems": {name: {**wanted, "Keys": keys[:40]}}}
        reply = forward(seen.with_body(json.dumps(kept).encode()))
        left = {name: {**wanted, "Keys": keys[40:]}} if keys[40:] else {}
        answer = {**json.loads(reply.body), "UnprocessedKeys": left}
        return Reply.of(200, json.dumps(answer).encode())

    fault_proxy.add(partly, operation="BatchGetItem")
    waits: list[float] = []
    reader = TableReader(account(), place("tab"), sleep=waits.append)
    present = [each for part in reader.parts() for each in reader.entries(part)]
    assert reader.find(present) == {each.key: each for each in present}
    assert len(waits) == 2 + 2


def test_keys_that_are_never_processed_end_in_an_error(
    table: list[dict[str, Any]], fault_proxy: FaultProxy
) -> None:
    """What is not read is never taken for absent."""

    def never(seen: Seen, _forward: Forward) -> Reply:
        answer = {"Responses": {}, "UnprocessedKeys": seen.json()["RequestItems"]}
        return Reply.of(200, json.dumps(answer).encode())

    fault_proxy.add(never, operation="BatchGetItem")
    reader = TableReader(account(), place("tab"), sleep=lambda _seconds: None)
    with pytest.raises(CannotSee, match="UnprocessedKeys"):
        reader.find([entry("a")])


def test_a_denied_scan_is_an_error(table: list[dict[str, Any]], fault_proxy: FaultProxy) -> None:
    """A part that cannot be read raises and names the permission; it never looks empty."""
    fault_proxy.add(json_error("AccessDeniedException"), operation="Scan")
    reader = TableReader(account(), place("tab"))
    with pytest.raises(CannotSee, match="dynamodb:Scan"):
        list(reader.entries(reader.parts()[0]))


def test_a_missing_table_is_not_there(aws_server: EmbeddedAws) -> None:
    """Verifying against nothing says so."""
    with pytest.raises(NotThere):
        TableReader(account(), place("nobody")).parts()


@pytest.mark.parametrize(
    ("size", "parts"), [(0, MIN_PARTS), (10 * 64 * 1024**2, 10), (10**13, MAX_PARTS)]
)
def test_the_number_of_parts_is_bounded(size: int, parts: int, fault_proxy: FaultProxy) -> None:
    """Large tables are read in more parts, within bounds."""
    body = json.dumps({"Table": {"TableSizeBytes": size, "KeySchema": []}}).encode()
    fault_proxy.add(lambda _seen, _forward: Reply.of(200, body), operation="DescribeTable")
    assert len(TableReader(account(), place("tab")).parts()) == parts


def test_digests_are_conclusive() -> None:
    """A closer look repeats what the digests say."""
    reader = TableReader(None, place("tab"))  # type: ignore[arg-type]  # asks nothing
    one, two = Entry(b"k", b"1", "k"), Entry(b"k", b"2", "k")
    assert reader.same(one, reader, one) is Evidence.CONTENT
    assert reader.same(one, reader, two) is None
