"""Comparing two sides: every difference is found, with and without order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.diff import Side
from dataware.core.errors import Incomplete
from dataware.core.kind import Entry, Evidence, Reader, Records
from dataware.core.partition import KeyRange, ranges
from dataware.ops.compare import LISTED, compare

contents = st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz"), max_size=25)


PAGE = 4


@dataclass
class Held(Reader):
    """A side in memory: in ranges of keys, or in parts and pages without order.

    `spelt` spells every record in a way of its own, which means the same.
    """

    content: Mapping[str, str]
    ordered: bool
    conclusive: bool = True
    grounds: Evidence | None = None
    spelt: str = ""
    looked_up: int = 0

    def parts(self) -> Sequence[str]:
        """Three parts."""
        return [each.text for each in ranges([b"a", b"bb"])] if self.ordered else ("0", "1", "2")

    def pages(self, part: str, after: str | None = None) -> Iterator[Records]:
        """The records of a part, a few at a time; backwards where order does not matter."""
        keys = sorted(self.content, reverse=not self.ordered)
        if self.ordered:
            span = KeyRange.of(part)
            keys = [key for key in keys if key.encode() in span]
            keys = [key for key in keys if after is None or key.encode() > bytes.fromhex(after)]
        else:
            keys = keys[int(part) :: 3][int(after or 0) :]
        for at in range(0, len(keys), PAGE):
            records = [self._record(key) for key in keys[at : at + PAGE]]
            more = at + PAGE < len(keys)
            yield Records(records, str(int(after or 0) + at + PAGE) if more else None)
        if not keys:
            yield Records(())

    def sent(self, record: Any) -> bytes:
        """The record with its spelling."""
        return blake2b(repr(record).encode(), digest_size=16).digest()

    def meant(self, record: Any) -> bytes:
        """The record without its spelling."""
        return blake2b(repr(record[:2]).encode(), digest_size=16).digest()

    def entry(self, record: Any) -> Entry:
        """A record as an entry."""
        key, value, *_ = record
        return Entry(key, value, key.decode(), self.conclusive, self.sent(record))

    def find(self, keys: Sequence[Entry]) -> Mapping[bytes, Entry]:
        """What is under some keys."""
        names = [entry.label for entry in keys]
        self.looked_up += len(names)
        return {n.encode(): self.entry(self._record(n)) for n in names if n in self.content}

    def same(self, mine: Entry, other: Reader, theirs: Entry) -> Evidence | None:
        """The answer that the test has set."""
        return self.grounds

    def _record(self, key: str) -> tuple[bytes, ...]:
        record = key.encode(), self.content[key].encode()
        return record if self.ordered else (*record, self.spelt.encode())


@settings(deadline=None, max_examples=60)
@given(contents, contents, st.booleans(), st.sampled_from(["", "!"]))
def test_every_difference_is_found(
    source: dict[str, str], target: dict[str, str], ordered: bool, spelt: str
) -> None:
    """Missing, extra and different keys are exactly those of the two contents, however spelt."""
    sides = Held(source, ordered), Held(target, ordered, spelt=spelt)
    verdict = compare(*sides, ordered=ordered)
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
