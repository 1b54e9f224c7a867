"""Bodies of DynamoDB's answers: items come out as they were sent, and torn ones not at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.kinds.dynamodb_table.verify.responses import read_got, read_scan
from support.dynamo_values import ITEMS, Value

forms = st.sampled_from(
    [
        {"separators": (",", ":"), "ensure_ascii": False},
        {"separators": (" , ", " : "), "indent": 1},
    ]
)


def page(items: list[Value], form: dict[str, Any], **more: Any) -> bytes:
    """The body of a scan."""
    text = json.dumps({"Count": len(items), "Items": items, **more}, **form)
    return text.encode("utf-8", "surrogatepass")


@given(st.lists(ITEMS, max_size=4), forms)
def test_items_come_out_as_they_were_sent(items: list[Value], form: dict[str, Any]) -> None:
    """Every item is a part of the page, byte by byte, and reads as what it was."""
    body = page(items, form, LastEvaluatedKey={"pk": {"S": "ü"}})
    scanned = read_scan(body)
    assert [json.loads(item) for item in scanned.items] == items
    assert all(item in body for item in scanned.items)
    assert scanned.last == {"pk": {"S": "ü"}}


@given(st.lists(ITEMS, max_size=3), forms, st.data())
def test_a_torn_page_is_no_page(
    items: list[Value], form: dict[str, Any], data: st.DataObject
) -> None:
    """A page cut anywhere is refused."""
    body = page(items, form)
    with pytest.raises(ValueError, match=r".+"):
        read_scan(body[: data.draw(st.integers(0, len(body) - 1))])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"Items":[],"Count":1}',
        b'{"Items":[],"Count":0,"ScannedCount":2}',
        b'{"Items":[],"Count":0,"LastEvaluatedKey":{}}',
        b'{"Items":[],"Count":0,"LastEvaluatedKey":[]}',
        b'{"Items":[],"Count":0,"LastEvaluatedKey":0}',
        b'{"Items":[],"Count":0,"LastEvaluatedKey":""}',
        b'{"Items":{},"Count":0}',
        b'{"Items":[{}]}',
        b'{"Items":[],"Count":0}{}',
        b'{"Items":[{} {}],"Count":2}',
    ],
)
def test_what_is_no_page_is_refused(body: bytes) -> None:
    """Another document, another count, something behind the end: asked for again."""
    with pytest.raises(ValueError, match=r".+"):
        read_scan(body)


def test_the_last_page_has_no_key_to_go_on_from() -> None:
    """Only a missing key ends a segment, whatever the number of items."""
    assert read_scan(b'{"Items":[],"Count":0}').last is None
    assert read_scan(b'{"Items":[],"Count":0,"LastEvaluatedKey":{"a":{"N":"1"}}}').last


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"Responses":{}}', b"<html>"])
def test_what_is_no_answer_of_look_ups_is_refused(body: bytes) -> None:
    """An answer without what was not processed could hide what was not looked for."""
    with pytest.raises(ValueError, match=r".+"):
        read_got(body)
