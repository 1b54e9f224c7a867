"""A request to cut over travels through the marker, and what cannot be read is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.follow.cutover_request import CutoverRequest

requests = st.builds(
    CutoverRequest,
    st.text(),
    st.text(),
    st.floats(1, 1e5),
    by_hand=st.booleans(),
    is_open=st.booleans(),
    beat=st.integers(0, 9),
    answered=st.text(),
    failure=st.text(),
    withdrawn=st.booleans(),
    enable_undo=st.booleans(),
    watch=st.floats(0, 1e5),
    token_digest=st.text(),
)


@given(requests)
def test_a_request_survives_the_marker(request: CutoverRequest) -> None:
    """What is written into the marker is read from it."""
    assert CutoverRequest.from_json(request.to_json()) == request


def test_a_new_request_asks_and_has_done_nothing() -> None:
    """It is open, runs commands, and switches nothing on without consent."""
    request = CutoverRequest("id", "host", 300.0)
    assert request.is_open
    assert request.beat == 0
    assert not (request.by_hand or request.withdrawn or request.enable_undo)
    assert not (request.answered or request.failure)


ADDED = {"watch", "token_digest"}
"""What versions before this one ask without, and what has a meaning then."""


@pytest.mark.parametrize(
    "lacking", sorted(CutoverRequest("id", "host", 1.0).to_json().keys() - ADDED)
)
def test_a_request_without_a_part_is_none(lacking: str) -> None:
    """It is of another version, whose meaning is not guessed."""
    raw = CutoverRequest("id", "host", 300.0).to_json()
    del raw[lacking]
    assert CutoverRequest.from_json(raw) is None


@pytest.mark.parametrize("raw", [None, "text", 7, [], {"id": 1}])
def test_what_is_no_request_is_none(raw: object) -> None:
    """Whoever may write the marker may write anything."""
    assert CutoverRequest.from_json(raw) is None


@pytest.mark.parametrize("odd", [{"freeze_limit": "soon"}, {"freeze_limit": []}, {"beat": None}])
def test_a_request_with_an_odd_value_is_none(odd: dict[str, object]) -> None:
    """Also of the wrong type."""
    raw = {**CutoverRequest("id", "host", 300.0).to_json(), **odd}
    assert CutoverRequest.from_json(raw) is None
