"""The time of an answer: by the service's clock where it tells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.answer_time import read_answer_time


def answer(date: Any) -> dict[str, Any]:
    """An answer of the SDK with that header."""
    return {"ResponseMetadata": {"HTTPHeaders": {"date": date}}}


def test_the_date_of_an_answer_is_its_time() -> None:
    """As RFC 9110 writes one."""
    assert read_answer_time(answer("Sun, 06 Nov 1994 08:49:37 GMT"), 7.0) == 784111777.0


@pytest.mark.parametrize(
    "without", [{}, {"ResponseMetadata": {}}, {"ResponseMetadata": {"HTTPHeaders": {}}}]
)
def test_an_answer_without_a_date_has_the_other_time(without: dict[str, Any]) -> None:
    """That of this machine, which is all there is."""
    assert read_answer_time(without, 7.0) == 7.0


@pytest.mark.parametrize("date", ["soon", "Sun, 99 Nov 1994 08:49:37 GMT", "", None, 5, "\0"])
def test_what_is_no_date_tells_no_time(date: Any) -> None:
    """A gateway may write anything there."""
    assert read_answer_time(answer(date), 7.0) == 7.0


@given(st.text())
def test_no_text_in_place_of_a_date_ends_a_command(date: str) -> None:
    """Whatever it is, there is a time."""
    assert isinstance(read_answer_time(answer(date), 7.0), float)
