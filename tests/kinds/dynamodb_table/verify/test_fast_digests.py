"""Items put into order by the library: the text of the plain way, or none at all."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.copy.items import equal
from dataware.kinds.dynamodb_table.verify import digests, fast_digests
from dataware.kinds.dynamodb_table.verify.digests import canonical_text, digest, digest_meaning
from dataware.kinds.dynamodb_table.verify.plain_numbers import plain_number
from support.dynamo_values import ITEMS, Value, otherwise


def sent(item: Value, **form: Any) -> bytes:
    """An item as DynamoDB sends it."""
    form = {"separators": (",", ":"), "ensure_ascii": False, **form}
    return json.dumps(item, **form).encode("utf-8", "surrogatepass")


def in_own_spelling(value: Value) -> Value:
    """The same value with every number as DynamoDB writes it."""
    ((kind, content),) = value.items()
    spell: Callable[[Any], Any] = {
        "N": plain_number,
        "NS": lambda numbers: list(map(plain_number, numbers)),
        "L": lambda values: list(map(in_own_spelling, values)),
        "M": lambda members: {name: in_own_spelling(each) for name, each in members.items()},
    }.get(kind, lambda other: other)
    return {kind: spell(content)}


def shuffled(value: Value, order: random.Random) -> Value:
    """The same value with the members of its maps and sets in another order."""
    ((kind, content),) = value.items()
    if kind in {"SS", "NS", "BS"}:
        return {kind: order.sample(content, len(content))}
    if kind == "L":
        return {kind: [shuffled(each, order) for each in content]}
    return {kind: shuffled_members(content, order)} if kind == "M" else value


def shuffled_members(members: Value, order: random.Random) -> Value:
    """A map, or an item, with its members in another order, and theirs."""
    names = order.sample(list(members), len(members))
    return {name: shuffled(members[name], order) for name in names}


own_items = ITEMS.map(lambda item: {name: in_own_spelling(item[name]) for name in item})
one_order = st.randoms(use_true_random=False)


@given(own_items, one_order)
def test_an_item_in_another_order_has_the_text_of_the_plain_way(
    item: Value, order: random.Random
) -> None:
    """The library reads DynamoDB's own spelling without \\u, whatever the order; texts agree."""
    text = canonical_text(item)
    expected = None if b"\\u" in text else text
    assert fast_digests.canonical_text(sent(item)) == expected
    assert fast_digests.canonical_text(sent(shuffled_members(item, order))) == expected


@given(ITEMS, st.sampled_from([{}, {"separators": (", ", ": ")}, {"ensure_ascii": True}]))
def test_in_any_spelling_the_library_finds_that_text_or_none(
    item: Value, form: dict[str, Any]
) -> None:
    """Numbers with powers, spaces and escapes: never another text."""
    for each in (item, {name: otherwise(item[name]) for name in reversed(item)}):
        assert fast_digests.canonical_text(sent(each, **form)) in {None, canonical_text(item)}
        assert digest_meaning(sent(each, **form)) == digest(item)


@given(own_items, own_items, one_order)
def test_meanings_agree_exactly_when_the_copier_finds_items_equal(
    one: Value, two: Value, order: random.Random
) -> None:
    """The line between equal and different is where a reader without the library draws it."""
    mine = digest_meaning(sent(shuffled_members(one, order)))
    assert (mine == digest_meaning(sent(two))) == equal(one, two)


@given(own_items, st.data())
def test_an_item_of_which_one_value_differs_is_another(item: Value, data: st.DataObject) -> None:
    """One attribute more, fewer, or of another value, in any order."""
    name = data.draw(st.sampled_from(sorted(item)) if item else st.just("new"))
    value = data.draw(st.sampled_from([{"S": ""}, {"N": "0"}, {"B": ""}, {"L": []}, {"M": {}}]))
    changed = {**{each: item[each] for each in reversed(item)}, name: value}
    fewer = {each: item[each] for each in item if each != name}
    assert (digest_meaning(sent(changed)) == digest_meaning(sent(item))) == equal(changed, item)
    assert (digest_meaning(sent(fewer)) == digest_meaning(sent(item))) == (name not in item)


DIFFERENT = [
    ({"S": "\u00e9"}, {"S": "e\u0301"}),
    ({"S": "\u212b"}, {"S": "\u00c5"}),
    ({"S": ""}, {"B": ""}),
    ({"S": "1"}, {"N": "1"}),
    ({"SS": ["1"]}, {"NS": ["1"]}),
    ({"BS": ["YQ=="]}, {"SS": ["YQ=="]}),
    ({"N": "9007199254740993"}, {"N": "9007199254740992"}),
    ({"N": "0.1"}, {"N": "0.10000000000000000000000000000000000001"}),
    ({"L": [{"S": "a"}, {"S": "b"}]}, {"L": [{"S": "b"}, {"S": "a"}]}),
    ({"M": {"a": {"S": "b"}, "b": {"S": "a"}}}, {"M": {"a": {"S": "a"}, "b": {"S": "b"}}}),
    ({"S": '{"N":"1"}'}, {"M": {"N": {"S": "1"}}}),
    ({"S": "a\u0000"}, {"S": "a"}),
    ({"S": "/"}, {"S": "\\/"}),
    ({"NULL": True}, {"BOOL": True}),
]


@pytest.mark.parametrize(("one", "two"), DIFFERENT)
def test_what_looks_alike_differs_all_the_same(one: Value, two: Value) -> None:
    """Unicode is compared by its characters, numbers by every digit, lists by their order."""
    items = [{"v": one}, {"v": two}, {"m": {"M": {"v": one}}}, {"m": {"M": {"v": two}}}]
    assert len({digest_meaning(sent(item)) for item in items}) == len(items)


EQUAL = [
    ('{"N":"1"}', '{"N":"1.0"}'),
    ('{"N":"1"}', '{"N":"1E0"}'),
    ('{"N":"100"}', '{"N":"1e2"}'),
    ('{"N":"-0"}', '{"N":"0"}'),
    ('{"NS":["1","10"]}', '{"NS":["1E+1","1.00"]}'),
    ('{"S":"é/"}', '{"S":"\\u00e9\\/"}'),
    ('{"S":"\\u001f"}', '{"S":"\\u001F"}'),
    ('{"S":"\\n"}', '{"S":"\\u000a"}'),
    ('{"S":"😀"}', '{"S":"\\ud83d\\ude00"}'),
    ('{"B":"YQ=="}', '{"B":"YR=="}'),
    ('{"BS":["/w==","AA=="]}', '{"BS":["AA==","/w=="]}'),
    ('{"L":[ ]}', '{"L":[]}'),
]


@pytest.mark.parametrize(("one", "two"), EQUAL)
def test_another_spelling_of_the_same_value_is_equal(one: str, two: str) -> None:
    """Whichever of them the library reads and whichever it leaves to the plain way."""
    mine, theirs = (digest_meaning(f'{{"v":{text}}}'.encode()) for text in (one, two))
    assert mine == theirs


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00\\ud800"'])
def test_half_a_character_is_left_to_the_plain_way(text: str) -> None:
    """A surrogate alone is no text of UTF-8, and yet two items with it are equal."""
    item = f'{{"v":{{"S":{text}}}}}'.encode()
    raw = json.dumps(json.loads(item), separators=(",", ":"), ensure_ascii=False)
    assert fast_digests.canonical_text(item) is None
    assert digest_meaning(item) == digest_meaning(raw.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize(
    "flawed",
    [
        b'{"a":{"N":"1"}}',
        b'{"a":{"N":"1"},"b":{"S":"yx"}}',
        b'{"a":{"N":"1"},"b":{"S":"xyz"}}',
        b'{"a":{"N":"1"},"b":{"S":"xz"}}',
        b'{"a":{"N":"1"},"a":{"N":"1"}}',
    ],
)
def test_a_library_that_loses_or_changes_something_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, flawed: bytes
) -> None:
    """All that it may change is the order, and an order that it gets wrong finds no equal."""
    item = b'{"b":{"S":"xy"},"a":{"N":"1"}}'
    whole = canonical_text(json.loads(item))
    monkeypatch.setattr(fast_digests, "_encode", lambda _item: flawed)
    permuted = sorted(flawed) == sorted(item)
    assert fast_digests.canonical_text(item) == (flawed if permuted else None)
    assert (digest_meaning(item) == digests.digest_of(whole)) != permuted


def test_without_the_library_the_digests_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place that has it and one that has not can verify the same table together."""
    item = b'{"b":{"SS":["y","x"]},"a":{"M":{"d":{"N":"1"},"c":{"BOOL":false}}}}'
    quick = digest_meaning(item)
    monkeypatch.setattr(digests, "_quick", None)
    assert digest_meaning(item) == quick
