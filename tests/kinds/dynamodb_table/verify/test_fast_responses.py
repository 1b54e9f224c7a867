"""Pages that are cut without decoding them: the same items as the plain way, or none at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.verify import fast_responses
from dataware.kinds.dynamodb_table.verify.fast_responses import cut_page
from dataware.kinds.dynamodb_table.verify.responses import read_scan
from support.dynamo_values import ITEMS, Value


def page(items: Sequence[Value], separators: tuple[str, str] = (",", ":"), **more: Any) -> bytes:
    """The body of a scan, in the order in which DynamoDB sends its members."""
    text = json.dumps(
        {"Count": len(items), "Items": items, **more}, separators=separators, ensure_ascii=False
    )
    return text.encode("utf-8", "surrogatepass")


@given(st.lists(ITEMS, max_size=4))
def test_a_compact_page_is_cut_into_the_items_that_were_sent(items: list[Value]) -> None:
    """Item by item they mean what was sent, and with commas between they are the page."""
    cut = cut_page(page(items, ScannedCount=len(items)))
    assert cut is not None
    assert [json.loads(item) for item in cut[0]] == items
    assert cut[1:] == (len(items), len(items), None)


@given(st.lists(ITEMS, min_size=2, max_size=4))
def test_a_page_with_space_between_its_items_is_left_to_the_plain_way(items: list[Value]) -> None:
    """What is not the page byte for byte is not believed."""
    body = page(items, (" , ", " : "))
    assert cut_page(body) is None
    assert len(read_scan(body).items) == len(items)


def test_a_string_that_looks_like_the_beginning_of_the_items_is_none() -> None:
    """A quote within a string is escaped, so the brackets of the page are found."""
    item = {'"Items":[': {"S": '"Items":[{"id":{}}]'}, "Items": {"L": [{"S": "},{"}]}}
    cut = cut_page(page([item, item], LastEvaluatedKey={'"Items":[': {"S": "x"}}))
    assert cut is not None
    assert [json.loads(raw) for raw in cut[0]] == [item, item]


@pytest.mark.parametrize(
    "cuts",
    [
        [b'{"id":{"N":"1"}}'],
        [b'{"id":{"N":"1"}}', b'{"id":{"N":"1"}}'],
        [b'{"id":{"N":"1"}}', b'{"id":{"N":"2"}'],
        [b'{"id":{"N":"2"}}', b'{"id":{"N":"1"}}'],
        [b'{"id":{"N":"1"}}', b'{"id":{"N":"2"}}', b'{"id":{"N":"3"}}'],
        [],
    ],
)
def test_a_library_that_loses_or_changes_an_item_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, cuts: list[bytes]
) -> None:
    """The plain way then reads the page, as if the library were not there."""
    body = page([{"id": {"N": "1"}}, {"id": {"N": "2"}}])
    told = SimpleNamespace(Items=cuts, Count=len(cuts), ScannedCount=None, LastEvaluatedKey=None)
    monkeypatch.setattr(fast_responses, "_decode", lambda _body: told)
    assert cut_page(body) is None
    assert read_scan(body).items == [b'{"id":{"N":"1"}}', b'{"id":{"N":"2"}}']


def test_an_item_cut_in_two_shows_against_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both halves join to the page again, but there is one more than DynamoDB counted."""
    body = page([{"l": {"L": [{"N": "1"}, {"N": "2"}]}}])
    halves = [b'{"l":{"L":[{"N":"1"}', b'{"N":"2"}]}}']
    told = SimpleNamespace(Items=halves, Count=1, ScannedCount=None, LastEvaluatedKey=None)
    monkeypatch.setattr(fast_responses, "_decode", lambda _body: told)
    with pytest.raises(ValueError, match="other items than it counts"):
        read_scan(body)


def test_a_page_that_scanned_nothing_but_has_items_is_refused() -> None:
    """A count of zero is a count."""
    with pytest.raises(ValueError, match="other items than it counts"):
        read_scan(b'{"Count":1,"Items":[{"id":{"N":"1"}}],"ScannedCount":0}')
