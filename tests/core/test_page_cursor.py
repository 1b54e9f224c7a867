"""The law of listings: what goes in circles ends, and what moves on is never stopped."""

from __future__ import annotations

from itertools import count, islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import LookupFailedError
from dataware.core.page_cursor import EMPTY_PAGES, PageCursor, list_pages


def cursor() -> PageCursor:
    """The cursor of some listing."""
    return PageCursor("ListThings", "the things")


@given(st.integers(0, 50), st.integers(1, 50), st.booleans())
def test_every_circle_ends_soon(before: int, length: int, empty: bool) -> None:
    """Wherever a circle begins and however long it is, it is left after a few rounds."""
    followed = cursor()
    places = (step if step < before else before + (step - before) % length for step in count())
    with pytest.raises(LookupFailedError, match="never ends"):
        for place in islice(places, 30 * (before + length)):
            followed.advance({"key": place}, entries=0 if empty else 1)


@given(st.lists(st.integers(0, 3), max_size=3000))
def test_what_moves_on_is_never_stopped(found: list[int]) -> None:
    """Places that are all different, with empty pages among others."""
    followed = cursor()
    for place, number in enumerate(found):
        followed.advance(str(place), entries=number)


def test_nothing_but_empty_pages_is_no_listing() -> None:
    """A service may leave a page empty, but not for ever."""
    followed = cursor()
    with pytest.raises(LookupFailedError, match="empty pages in a row"):
        for place in range(2 * EMPTY_PAGES):
            followed.advance(place, entries=0)


def test_an_empty_page_may_be_shown_again() -> None:
    """Once or twice, as a service may that is still busy."""
    followed = cursor()
    for place in ("a", "a", "a", "b"):
        followed.advance(place, entries=0)


def test_pages_are_asked_for_until_none_follows() -> None:
    """Each by the token of the one before; one that comes again ends the listing with an error."""
    pages = {None: {"Next": "a"}, "a": {"Next": "b"}, "b": {"Next": ""}}
    found = list_pages(cursor(), lambda **more: pages[more.get("Next")], "Next")
    assert [page["Next"] for page in found] == ["a", "b", ""]
    with pytest.raises(LookupFailedError, match="never ends"):
        list(list_pages(cursor(), lambda **_more: {"NextToken": "a"}))
