"""Pages of a scan: both ways to slice them take the same answers, and change no item."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.copy.decoding import json_object, plain_slices, sliced
from dataware.kinds.dynamodb_table.copy.fast_decoding import slice_page
from support.dynamo_values import ITEMS, Value


def _page(items: list[Value], last: Value | None, **more: Any) -> bytes:
    page = {"Items": items, "Count": len(items), **({"LastEvaluatedKey": last} if last else {})}
    return json.dumps({**page, "ScannedCount": 99, **more}).encode()


@pytest.mark.parametrize("slices", [slice_page, plain_slices, sliced])
@given(page=st.lists(ITEMS, max_size=6), last=st.none() | ITEMS)
def test_every_item_of_a_page_is_kept_as_it_is(
    slices: Any, page: list[Value], last: Value | None
) -> None:
    """Items, count, cursor and charge come out as they went in."""
    answer = slices(_page(page, last, ConsumedCapacity={"CapacityUnits": 128.5}))
    assert [json.loads(item) for item in answer["Items"]] == page
    assert answer["Count"] == len(page)
    assert (answer.get("LastEvaluatedKey") or None) == (last or None)
    assert answer["ConsumedCapacity"] == {"CapacityUnits": 128.5}


@given(st.lists(ITEMS, min_size=1, max_size=3))
def test_the_quick_way_keeps_the_very_bytes(page: list[Value]) -> None:
    """No item is decoded on its way: its spelling stays, whatever it is."""
    spelt = [json.dumps(item, indent=1, ensure_ascii=False).encode() for item in page]
    body = b'{"Count":%d,"Items":[%b]}' % (len(page), b" , ".join(spelt))
    assert [item.strip() for item in sliced(body)["Items"]] == spelt


@given(st.lists(ITEMS, min_size=1, max_size=3), st.data())
def test_a_torn_page_is_never_a_shorter_one(page: list[Value], data: st.DataObject) -> None:
    """Whatever is cut off the end, the rest is refused."""
    body = _page(page, {"pk": {"S": "next"}})
    cut = data.draw(st.integers(0, len(body) - 1))
    for slices in (slice_page, plain_slices, sliced):
        with pytest.raises(ValueError):
            slices(body[:cut])


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<html>", b'{"Items":[}'])
def test_what_is_no_page_is_refused(body: bytes) -> None:
    """Nothing that only looks like an answer passes."""
    with pytest.raises(ValueError):
        sliced(body)


def test_what_the_quick_way_does_not_know_is_read_the_plain_way() -> None:
    """An answer without items is handed on, so that its shape is judged and not its parser."""
    assert sliced(b'{"__type":"x#InternalServerError"}') == {"__type": "x#InternalServerError"}


@given(st.recursive(st.none() | st.integers() | st.text(), st.lists))
def test_both_ways_read_the_same_documents(value: object) -> None:
    """Also what only one of them takes, such as half of a surrogate pair."""
    body = json.dumps({"all": value}).encode()
    assert json_object(body) == json.loads(body)
    assert json_object(b'{"half":"\\ud83d"}') == {"half": "\ud83d"}
