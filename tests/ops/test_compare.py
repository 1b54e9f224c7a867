"""Comparing two sides: every difference is found, with and without order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.diff import Side
from dataware.core.errors import Incomplete
from dataware.core.kind import Entry, Evidence, Reader
from dataware.ops.compare import LISTED, compare

contents = st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz"), max_size=25)


@dataclass
class Held:
    """A side in memory, in three parts without order, or in one with it."""

    content: Mapping[str, str]
    ordered: bool
    conclusive: bool = True
    grounds: Evidence | None = None

    def parts(self) -> Sequence[str]:
        """One part where order matters."""
        return ("0",) if self.ordered else ("0", "1", "2")

    def entries(self, part: str) -> Iterator[Entry]:
        """The entries of a part, backwards where order does not matter."""
        keys = sorted(self.content, reverse=not self.ordered)
        for key in keys[int(part) :: len(self.parts())]:
            yield self._entry(key)

    def find(self, keys: Sequence[Entry]) -> Mapping[bytes, Entry]:
        """What is under some keys."""
        names = [entry.label for entry in keys]
        return {n.encode(): self._entry(n) for n in names if n in self.content}

    def same(self, _mine: Entry, _other: Reader, _theirs: Entry) -> Evidence | None:
        """The answer that the test has set."""
        return self.grounds

    def _entry(self, key: str) -> Entry:
        return Entry(key.encode(), self.content[key].encode(), key, self.conclusive)


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.booleans())
def test_every_difference_is_found(
    source: dict[str, str], target: dict[str, str], ordered: bool
) -> None:
    """Missing, extra and different keys are exactly those of the two contents."""
    verdict = compare(Held(source, ordered), Held(target, ordered), ordered=ordered)
    found = {(difference.side, difference.label) for difference in verdict.listed}
    expected = {(Side.MISSING, key) for key in source.keys() - target.keys()}
    expected |= {(Side.EXTRA, key) for key in target.keys() - source.keys()}
    both = source.keys() & target.keys()
    expected |= {(Side.DIFFERENT, key) for key in both if source[key] != target[key]}
    assert found == expected
    assert verdict.differences == len(expected)
    assert verdict.compared == len(source)
    assert verdict.evidence[Evidence.CONTENT] == sum(source[key] == target[key] for key in both)


@pytest.mark.parametrize("grounds", [Evidence.METADATA, Evidence.CONTENT, None])
def test_doubtful_entries_are_looked_at_closer(grounds: Evidence | None) -> None:
    """Where digests settle nothing, the kind's closer look decides and names its grounds."""
    source = Held({"a": "x"}, ordered=True, conclusive=False, grounds=grounds)
    verdict = compare(source, Held({"a": "y"}, ordered=True, conclusive=False), ordered=True)
    assert verdict.counts[Side.DIFFERENT] == (grounds is None)
    assert verdict.evidence == ({grounds: 1} if grounds else {})


def test_many_differences_are_counted_and_some_listed() -> None:
    """Memory stays bounded: beyond a bound, differences are only counted."""
    source = Held({f"{n:05}": "x" for n in range(LISTED + 50)}, ordered=True)
    verdict = compare(source, Held({}, ordered=True), ordered=True)
    assert len(verdict.listed) == LISTED
    assert verdict.summary() == f"{LISTED + 50:,} missing"


@pytest.mark.parametrize("ordered", [True, False])
def test_a_wish_to_stop_is_obeyed(ordered: bool) -> None:
    """A comparison that is stopped gives no verdict."""
    side = Held({"a": "x"}, ordered)
    with pytest.raises(Incomplete):
        compare(side, side, ordered=ordered, stop=lambda: True)


def test_the_grounds_are_told() -> None:
    """The words say what equality rests on."""
    side = Held({"a": "x", "b": "y"}, ordered=True)
    assert compare(side, side, ordered=True).grounds() == "all by content"
    empty = Held({}, ordered=True)
    assert compare(empty, empty, ordered=True).grounds() == "both sides are empty"
