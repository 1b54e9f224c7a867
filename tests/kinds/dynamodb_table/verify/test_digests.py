"""Digests of items as laws: one line between equal and different, drawn without the copier."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.copy.items import equal
from dataware.kinds.dynamodb_table.verify.digests import digest, digest_of
from dataware.verify.digests import DigestSlots
from support.dynamo_values import ITEMS, Value, otherwise


def otherwise_item(item: Value) -> Value:
    """The same item in another order and another notation."""
    return {name: otherwise(item[name]) for name in reversed(item)}


@given(ITEMS)
def test_order_and_notation_leave_the_digest(item: Value) -> None:
    """Attribute order, set order and the way to write a number do not change the digest."""
    assert digest(item) == digest(otherwise_item(item))


@given(ITEMS, ITEMS)
def test_digests_agree_exactly_when_the_copier_finds_items_equal(one: Value, two: Value) -> None:
    """Two implementations that share no code draw the same line between equal and different."""
    assert (digest(one) == digest(two)) == equal(one, two)


@given(st.lists(ITEMS, max_size=6), st.lists(ITEMS, max_size=6), st.randoms())
def test_tables_fold_alike_exactly_when_they_are_equal(
    one: list[Value], two: list[Value], random: object
) -> None:
    """Any set of items, in any order and any spelling: equal folds mean equal contents."""
    told = [otherwise_item(item) for item in one]
    random.shuffle(told)  # type: ignore[attr-defined]  # Hypothesis has no type for it
    slots = [DigestSlots(4) for _ in range(3)]
    for side, items in zip(slots, (one, told, two), strict=True):
        side.add(map(digest, items))
    assert not slots[0].differing(slots[1]).differing
    left = list(two)
    for item in one:
        found = next((at for at, other in enumerate(left) if equal(item, other)), None)
        if found is not None:
            del left[found]
    same = not left and len(one) == len(two)
    assert bool(slots[0].differing(slots[2]).differing) != same


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"S": "1"}, {"N": "1"}),
        ({"S": "YWI="}, {"B": "YWI="}),
        ({"N": "1"}, {"N": "1.0000000000000000000000000000000000001"}),
        ({"N": "10"}, {"N": "1"}),
        ({"N": "-1"}, {"N": "1"}),
        ({"N": "1e1"}, {"N": "1"}),
        ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
        ({"L": [{"S": "ab"}]}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"L": [{"S": "aS1:b"}]}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"SS": ["a"]}, {"L": [{"S": "a"}]}),
        ({"SS": ["1"]}, {"NS": ["1"]}),
        ({"M": {"a": {"S": "b"}}}, {"L": [{"S": "a"}, {"S": "b"}]}),
        ({"M": {}}, {"L": []}),
        ({"BOOL": True}, {"BOOL": False}),
        ({"BOOL": False}, {"NULL": True}),
        ({"S": ""}, {"B": ""}),
    ],
)
def test_different_values_have_different_digests(one: Value, two: Value) -> None:
    """Types, order in lists, nesting and every digit count."""
    assert digest({"v": one}) != digest({"v": two})


@pytest.mark.parametrize("text", ["1", "1.0", "1e0", "10E-1", "+1", "01"])
def test_numbers_are_compared_by_value(text: str) -> None:
    """1, 1.0 and 1e0 are one number, alone and in a set."""
    assert digest({"v": {"N": text}}) == digest({"v": {"N": "1"}})
    assert digest({"v": {"NS": [text, "2"]}}) == digest({"v": {"NS": ["2.00", "1"]}})


@pytest.mark.parametrize("text", ["0", "-0", "0.000", "0E-130"])
def test_there_is_one_zero(text: str) -> None:
    """Zero has no sign and no power."""
    assert digest({"v": {"N": text}}) == digest({"v": {"N": "0"}})


@given(ITEMS)
def test_what_is_sent_alike_means_the_same(item: Value) -> None:
    """Equal bytes need no reading; another spelling is another digest of what was sent."""
    sent = json.dumps(item).encode()
    assert digest_of(sent) == digest_of(bytes(bytearray(sent)))
    assert digest_of(sent) != digest_of(sent + b" ")
