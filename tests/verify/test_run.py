"""Comparing two sides: every difference is found, with and without order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import IncompleteError
from dataware.core.reader import Evidence
from dataware.verify.merge import DifferenceKind
from dataware.verify.run import LISTED, compare
from support.held import Held

contents = st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz"), max_size=25)


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.booleans(), st.sampled_from(["", "!"]))
def test_every_difference_is_found(
    source: dict[str, str], target: dict[str, str], ordered: bool, spelt: str
) -> None:
    """Missing, extra and different keys are exactly those of the two contents, however spelt."""
    sides = Held(source, ordered), Held(target, ordered, spelt=spelt)
    verdict = compare(*sides, ordered=ordered)
    found = {(difference.kind, difference.label) for difference in verdict.listed}
    expected = {(DifferenceKind.MISSING, key) for key in source.keys() - target.keys()}
    expected |= {(DifferenceKind.EXTRA, key) for key in target.keys() - source.keys()}
    both = source.keys() & target.keys()
    expected |= {(DifferenceKind.DIFFERENT, key) for key in both if source[key] != target[key]}
    assert found == expected
    assert verdict.differences == len(expected)
    assert verdict.compared == len(source)
    assert verdict.evidence[Evidence.CONTENT] == sum(source[key] == target[key] for key in both)


@pytest.mark.parametrize("grounds", [Evidence.METADATA, Evidence.CONTENT, None])
def test_doubtful_entries_are_looked_at_closer(grounds: Evidence | None) -> None:
    """Where digests settle nothing, the kind's closer look decides and names its grounds."""
    source = Held({"a": "x"}, ordered=True, conclusive=False, grounds=grounds)
    verdict = compare(source, Held({"a": "y"}, ordered=True, conclusive=False), ordered=True)
    assert verdict.counts[DifferenceKind.DIFFERENT] == (grounds is None)
    assert verdict.evidence == ({grounds: 1} if grounds else {})


def test_many_differences_are_counted_and_some_listed() -> None:
    """Memory stays bounded: beyond a bound, differences are only counted."""
    source = Held({f"{n:06}": "x" for n in range(LISTED + 50)}, ordered=True)
    verdict = compare(source, Held({}, ordered=True), ordered=True)
    assert len(verdict.listed) == LISTED
    assert verdict.summary() == f"{LISTED + 50:,} missing"


@pytest.mark.parametrize("ordered", [True, False])
def test_a_wish_to_stop_is_obeyed(ordered: bool) -> None:
    """A comparison that is stopped gives no verdict."""
    side = Held({"a": "x"}, ordered)
    with pytest.raises(IncompleteError):
        compare(side, side, ordered=ordered, stop=lambda: True)


def test_the_grounds_are_told() -> None:
    """The words say what equality rests on."""
    side = Held({"a": "x", "b": "y"}, ordered=True)
    assert compare(side, side, ordered=True).grounds() == "all by content"
    empty = Held({}, ordered=True)
    assert compare(empty, empty, ordered=True).grounds() == "both sides are empty"
