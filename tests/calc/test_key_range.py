"""Ranges of keys: they cover everything, once, in order."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.key_range import KeyRange, ranges

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
# Keys that share long beginnings, and keys that are beginnings of others.
related = st.builds(
    lambda start, end: start * 9 + end, st.sampled_from("ab/é"), texts | st.just("")
)
keys = st.lists((texts | related).map(str.encode) | st.binary(min_size=1, max_size=8), unique=True)
bounds = st.none() | st.binary(min_size=1, max_size=12)


@given(keys, keys)
def test_every_key_is_in_exactly_one_range(present: list[bytes], cuts: list[bytes]) -> None:
    """The ranges, one after the other, hold all keys in order, each once, whatever the cuts."""
    within = [[key for key in sorted(present) if key in one] for one in ranges(cuts)]
    assert [key for part in within for key in part] == sorted(present)


@given(keys)
def test_ranges_adjoin_and_are_open_at_both_ends(cuts: list[bytes]) -> None:
    """No key that is written later can fall between two ranges or beyond the outer ones."""
    parts = ranges(cuts)
    assert parts[0].start is None
    assert parts[-1].end is None
    assert [one.end for one in parts[:-1]] == [one.start for one in parts[1:]] == sorted(cuts)


def test_no_cut_is_one_range_of_everything() -> None:
    """Without cuts, or with cuts that cut nothing off, everything is one range."""
    assert list(ranges([])) == list(ranges([b"", b""])) == [KeyRange()]


@given(st.builds(KeyRange, bounds, bounds))
def test_a_range_is_plain_text_and_comes_back(one: KeyRange) -> None:
    """Whatever bytes its ends have, a journal can hold a range."""
    assert KeyRange.of(one.text) == one
    assert one.text.isascii()
    assert json.dumps(one.text) == f'"{one.text}"'


def test_the_text_of_everything_is_empty() -> None:
    """A part without a name is everything, and dots of keys are no separators."""
    assert KeyRange().text == ""
    assert KeyRange(b"a.b", b"c..d").text == "a%2Eb..c%2E%2Ed"
    assert KeyRange(None, b"m").text == "..m"


@pytest.mark.parametrize("text", ["a", "a.b", "..", "%zz..", "..%", "a b..", "%61.."])
def test_another_text_is_no_range(text: str) -> None:
    """What is not a range is an error, never a range of everything."""
    with pytest.raises(ValueError, match=r"range|hexadecimal"):
        KeyRange.of(text)
