"""What fits into so many bytes of JSON."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.json_size import cut, fitting

room = st.integers(0, 200)


@given(st.lists(st.text() | st.lists(st.text(), max_size=2)), room)
def test_the_first_that_fit_are_taken(values: list[object], bytes_: int) -> None:
    """In their order, never more bytes than there are, and all of them where there is room."""
    taken = fitting(values, bytes_)
    assert len(json.dumps(taken)) <= bytes_ + 2
    rest = iter(values)
    assert all(one in rest for one in taken)
    assert fitting(values, len(json.dumps(values))) == values


@given(st.text(), room)
def test_a_text_is_cut_to_what_fits(text: str, bytes_: int) -> None:
    """It begins as it was, and is as long as it can be."""
    short = cut(text, bytes_)
    assert text.startswith(short)
    assert len(json.dumps(short)) <= max(2, bytes_)
    assert short == text or len(json.dumps(text[: len(short) + 1])) > bytes_
