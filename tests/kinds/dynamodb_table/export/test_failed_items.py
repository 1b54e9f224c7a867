"""Logs and reports of items that were not brought: each form gives the key of a comparison."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.engines.port import FailedItem
from dataware.kinds.dynamodb_table.copy.items import key_text
from dataware.kinds.dynamodb_table.export import failed_items
from dataware.kinds.dynamodb_table.export.failed_items import (
    LoggedError,
    name_logged_items,
    parse_log_line,
    read_report_lines,
    split_lines,
)

NAMES = ("pk", "sk")
ITEM = {"pk": {"S": "a\nb"}, "sk": {"N": "1.50"}, "v": {"M": {"pk": {"S": "inner"}}}}
KEY = b'{"pk":{"S":"a\\nb"},"sk":{"N":"1.5"}}'


def cut(body: bytes, size: int) -> Iterator[bytes]:
    """A body in pieces."""
    return (body[at : at + size] for at in range(0, len(body), size))


@given(
    lines=st.lists(st.binary(max_size=20).map(lambda one: one.replace(b"\n", b"")), max_size=8),
    members=st.integers(0, 3),
    size=st.integers(1, 30),
)
def test_a_file_is_split_into_its_lines_however_it_is_packed(
    lines: list[bytes], members: int, size: int
) -> None:
    """In one gzip member, in several, or in none; pieces end anywhere."""
    kept = [b"x" + line for line in lines]
    body = b"".join(line + b"\n" for line in kept)
    if members:
        share = -(-len(body) // members) or 1
        body = b"".join(gzip.compress(body[at : at + share]) for at in range(0, len(body), share))
        size = max(size, 2)
    assert list(split_lines(cut(body, size))) == kept


@pytest.mark.parametrize(
    "told",
    [
        {"errorMessage": "too large", "item": ITEM},
        {"Error": {"Code": "Validation", "Message": "too large"}, "Item": ITEM},
        {"reason": "too large", "attempted": {"item": ITEM}},
        {"message": "too large", **ITEM},
        {"code": "too large", "line": 3, "input": {"nothing": None, "Item": ITEM}},
    ],
)
def test_a_line_of_a_report_is_read_by_the_key_in_it(told: dict[str, Any]) -> None:
    """Whatever the attributes beside it are called."""
    assert key_text(ITEM, NAMES).encode() == KEY
    assert list(read_report_lines([json.dumps(told).encode()], NAMES)) == [
        FailedItem(KEY, "too large")
    ]


def test_a_line_without_a_key_is_counted_and_what_is_no_line_is_not() -> None:
    """Its reason is kept."""
    body = b'{"errorMessage": "no JSON at all"}\n{"pk": {"S": "half"}}\n[1]\nchecksum\n'
    assert list(read_report_lines([body], NAMES)) == [
        FailedItem(None, "no JSON at all"),
        FailedItem(None, "no reason given"),
    ]


@pytest.mark.parametrize("line", ["", "text", "[]", "{}", '{"errorMessages": ["why"]}'])
def test_a_line_of_a_log_without_a_place_is_its_own_reason(line: str) -> None:
    """Nothing is lost of it."""
    assert parse_log_line(line) == LoggedError(line)


def test_places_are_looked_up_in_the_files_of_this_export_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A log is no reason to read a bucket of somebody else; too many places are only counted."""
    monkeypatch.setattr(failed_items, "MOST_NAMED", 2)
    body = gzip.compress(b"".join(json.dumps({"Item": ITEM}).encode() + b"\n" for _ in range(2)))
    errors = [
        LoggedError("one", "mine", "f", 1),
        LoggedError("theirs", "theirs", "f", 0),
        LoggedError("gone", "mine", "f", 7),
        LoggedError("more", "mine", "f", 0),
    ]
    found = list(name_logged_items(errors, "mine", lambda _file: [body], NAMES))
    assert found == [
        FailedItem(None, "theirs"),
        FailedItem(None, "more"),
        FailedItem(KEY, "one"),
        FailedItem(None, "gone"),
    ]


REPORTED = gzip.compress(json.dumps({"Item": ITEM, "message": "too large"}).encode() + b"\n")
NAMED = [FailedItem(KEY, "too large")]


@pytest.mark.parametrize(
    "chunks",
    [
        [REPORTED + b"\0" * 20],
        [b"", REPORTED],
        [REPORTED[:1], REPORTED[1:]],
        [REPORTED, b"what is no gzip"],
    ],
)
def test_a_file_with_something_odd_around_it_is_told_as_far_as_it_can_be_read(
    chunks: list[bytes],
) -> None:
    """A report explains what a comparison finds, so a torn one must never end a run."""
    assert list(read_report_lines(chunks, NAMES)) == NAMED


def test_a_file_that_is_torn_within_is_at_its_end_there() -> None:
    """What comes behind it is compared all the same."""
    torn = REPORTED[:15] + b"\xff" * 9 + REPORTED[24:]
    assert list(read_report_lines([torn], NAMES)) == []


@pytest.mark.parametrize(
    "value",
    [
        {"N": "abc"},
        {"N": None},
        {"N": ["1"]},
        {"N": {"S": "1"}},
    ],
)
def test_an_item_whose_key_is_no_key_is_told_without_one(value: dict[str, Any]) -> None:
    """It may be what it was refused for."""
    line = json.dumps({"Item": {**ITEM, "sk": value}, "message": "no number"}).encode()
    assert list(read_report_lines([line], NAMES)) == [FailedItem(None, "no number")]


@pytest.mark.parametrize("depth", [900, 5000, 100_000])
def test_a_line_that_is_nested_without_end_is_no_item(depth: int) -> None:
    """However deep it is, the next line is read."""
    nested = b'{"a":' * depth + b"1" + b"}" * depth
    told = list(read_report_lines([nested + b"\n" + gzip.decompress(REPORTED)], NAMES))
    assert told[-1:] == NAMED
    assert all(one == FailedItem(None, "no reason given") for one in told[:-1])


def test_a_log_with_a_place_that_is_none_has_no_place() -> None:
    """Infinity is JSON to Python, and a list is no name of a file."""
    pointer = {"bucket": "b", "key": ["k"], "itemIndex": float("inf")}
    line = json.dumps({"errorMessages": ["x"], "itemS3Pointer": pointer})
    assert parse_log_line(line) == LoggedError(line)
    line = json.dumps({"errorMessages": ["x"], "itemS3Pointer": {**pointer, "itemIndex": 1}})
    (item,) = name_logged_items([parse_log_line(line)], "b", lambda _file: [], NAMES)
    assert item == FailedItem(None, "x")
