"""Laws of items: batches keep every item, equality is DynamoDB's, sizes are documented."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.copy import items as items_module
from dataware.kinds.dynamodb_table.copy.items import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    batches,
    equal,
    key_text,
    size,
    without_twins,
)
from support.dynamo_values import ITEMS, Value, otherwise


@given(ITEMS)
def test_order_and_notation_do_not_matter(item: Value) -> None:
    """Attribute order, set order and the way to write a number leave items equal."""
    other = {name: otherwise(item[name]) for name in reversed(item)}
    assert equal(item, other)


@given(ITEMS, ITEMS)
def test_equal_items_have_the_same_attributes(one: Value, two: Value) -> None:
    """Equality is symmetric, and different attribute names are never equal."""
    assert equal(one, two) == equal(two, one)
    if one.keys() != two.keys():
        assert not equal(one, two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"S": "1"}, {"N": "1"}),
        ({"N": "1"}, {"N": "1.00000000000000000000000000000000000001"}),
        ({"BOOL": True}, {"NULL": True}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
        ({"SS": ["YQ=="]}, {"BS": ["YQ=="]}),
        ({"M": {}}, {"L": []}),
    ],
)
def test_different_values_are_told_apart(one: Value, two: Value) -> None:
    """Types, the 38th digit and the order of a list count."""
    assert not equal({"v": one}, {"v": two})


@pytest.mark.parametrize("text", ["1", "1.0", "1e0", "10E-1", "0.1E1", "001"])
def test_a_key_has_one_text(text: str) -> None:
    """However a number is written, the key reads the same."""
    assert key_text({"pk": {"N": text}, "v": {"S": "x"}}, ["pk"]) == '{"pk":{"N":"1"}}'


def _json(key: int, length: int = 0) -> bytes:
    """An item under a key, as it comes."""
    return json.dumps({"pk": {"N": str(key)}, "v": {"S": "x" * length}}).encode()


@given(st.lists(st.integers(0, 40), max_size=120), st.integers(1, 4000))
def test_batches_keep_every_item_within_the_limits(keys: list[int], limit: int) -> None:
    """No item is lost, doubled or changed; a batch has at most 25 items, and its bytes."""
    source = [_json(key, key * 40) for key in keys]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(items_module, "MAX_BATCH_BYTES", limit)
        units = batches(source)
    assert [item for unit in units for item in unit.payload] == source
    for unit in units:
        assert 1 <= unit.items == len(unit.payload) <= MAX_BATCH
        assert unit.bytes == sum(map(len, unit.payload))
        assert unit.bytes <= limit or unit.items == 1
        assert unit.write_units >= unit.items


def test_a_batch_of_the_largest_items_stays_small() -> None:
    """Items of 400 KB make batches far below DynamoDB's 16 MB."""
    units = batches([_json(key, 399 * 1024) for key in range(25)])
    assert sum(unit.items for unit in units) == 25
    assert max(unit.bytes for unit in units) <= MAX_BATCH_BYTES
    assert {round(unit.write_units / unit.items) for unit in units} == {400}


@given(st.lists(ITEMS, min_size=1, max_size=60))
def test_the_charge_of_a_page_is_estimated_from_a_sample(page: list[Value]) -> None:
    """What is measured of a page decides what the rest is taken for; no unit is free."""
    source = [json.dumps(item).encode() for item in page]
    charged = sum(unit.write_units for unit in batches(source))
    exact = sum(-(-size(item) // 1024) for item in page)
    assert charged >= len(page) if all(page) else charged >= 0
    if len(page) == 1:
        assert abs(charged - exact) <= 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=30))
def test_twins_go_in_rounds_of_their_own(pairs: list[tuple[int, int]]) -> None:
    """Every item is in one round, no round has a key twice, and a key's items keep their order."""
    source = [_json(key, length) for key, length in pairs]
    rounds = without_twins(source, ["pk"])
    assert sorted(item for some in rounds for item in some) == sorted(source)
    for some in rounds:
        keys = [json.loads(item)["pk"]["N"] for item in some]
        assert len(keys) == len(set(keys))
    for key in range(5):
        mine = [item for item in source if json.loads(item)["pk"]["N"] == str(key)]
        assert [item for some in rounds for item in some if item in mine] == mine


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"ab": {"S": "é"}}, 4),
        ({"a": {"N": "-12.345"}}, 5),
        ({"a": {"B": b64encode(b"abcdef").decode()}}, 7),
        ({"a": {"B": b64encode(b"abcd").decode()}}, 5),
        ({"a": {"BOOL": False}, "b": {"NULL": True}}, 4),
        ({"a": {"M": {}}}, 4),
        ({"a": {"L": [{"S": "xy"}]}}, 7),
        ({"a": {"M": {"k": {"S": "xy"}}}}, 8),
        ({"a": {"SS": ["x", "yz"]}}, 4),
    ],
)
def test_sizes_are_those_of_the_developer_guide(item: Value, expected: int) -> None:
    """Names, values and the overhead of documents count as documented."""
    assert size(item) == expected
