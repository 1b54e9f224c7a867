"""What a follow wrote itself: whatever order a run dies in, its own values stay its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataware.core.follow.written import NOT_WRITTEN, WrittenVersion

tags = st.text("abc", min_size=1, max_size=2)


def test_nothing_written_explains_nothing() -> None:
    """Also not an object without a tag."""
    assert not NOT_WRITTEN.explains("a")
    assert not NOT_WRITTEN.explains("")


@given(tags, tags, tags)
def test_a_begun_write_is_explained_before_and_after_it_is_recorded(
    source: str, target: str, intended: str
) -> None:
    """The old value, the new one, and no other."""
    begun = WrittenVersion(source, target, intended)
    assert begun.explains(target)
    assert begun.explains(intended)
    assert not begun.explains(target + intended + "x")


@given(tags, tags, tags)
def test_settling_keeps_what_was_seen_and_nothing_else(
    source: str, target: str, intended: str
) -> None:
    """The version that is there is known by the source's tag that it came from."""
    begun = WrittenVersion(source, target, intended)
    assert begun.settle(target) == WrittenVersion(source, target)
    if intended != target:
        assert begun.settle(intended) == WrittenVersion(intended, intended)
