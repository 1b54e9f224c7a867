"""How far a verification is: told while it lasts, and only if it lasts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.highest_counts import HighestCounts
from dataware.verify.progress import QUIET_SECONDS, VerifyProgress
from dataware.verify.run import compare
from support.copying import Events
from support.held import Held
from support.transports import ManualClock

WORDS = {"source": "old", "name": "new"}


class Verification:
    """A verification whose time the test moves."""

    def __init__(self, total: int | None, sides: int = 1) -> None:
        self.clock, self.events, self.published = ManualClock(), Events(), list[Any]()
        self.measure = VerifyProgress(
            WORDS, "item", total, self.clock, self.events, publish=self.published.append
        )
        self.measure.begin(sides)

    def read(self, seconds: float, count: int) -> None:
        """So many more records, after so many seconds."""
        self.clock.time += seconds
        self.measure.read(count)


def test_it_tells_how_far_it_is_and_how_long_it_takes() -> None:
    """Both sides are read, so that half of what was read is done."""
    there = Verification(1000, sides=2)
    there.read(10.0, 400)
    assert there.events.texts("verify-progress") == ["Compared 200 of 1,000 items, 20/s, 40 s left"]
    (detail,) = there.published
    assert (detail["phase"], detail["done"], detail["total"]) == ("verifying", 200, 1000)


def test_a_quick_one_says_nothing() -> None:
    """What is over within a second needs no progress."""
    there = Verification(1000)
    there.read(QUIET_SECONDS / 2, 900)
    assert there.events == []


def test_an_unknown_total_is_no_total() -> None:
    """Nobody knows how much there is: it counts, and foretells nothing."""
    there = Verification(None)
    there.read(10.0, 400)
    assert there.events.texts("verify-progress") == ["Compared 400 items, 40/s"]


def test_more_than_was_expected_is_no_broken_figure() -> None:
    """A target with more than the source does not end at 105 %."""
    there = Verification(100)
    there.read(10.0, 105)
    assert there.events.texts("verify-progress") == ["Compared 105 items, 10/s"]
    assert there.events[0].data["seconds_left"] is None


@given(st.dictionaries(st.text("abc", max_size=3), st.just("x"), max_size=30), st.booleans())
def test_every_record_is_counted_once(content: dict[str, str], ordered: bool) -> None:
    """Of equal sides the whole is read, whichever way they are compared."""
    there = Verification(None, sides=1 if ordered else 2)
    counted: list[int] = []
    there.measure.read = counted.append  # type: ignore[method-assign] # what is asked here
    sides = Held(content, ordered), Held(content, ordered)
    compare(*sides, ordered=ordered, progress=there.measure)
    assert sum(counted) == len(content) * (1 if ordered else 2)


def test_a_place_is_only_named() -> None:
    """The events carry names of resources and counts, and nothing that was read."""
    there = Verification(10)
    there.read(2.0, 5)
    fields = set(there.events[0].data)
    assert fields == {
        *("phase", "progress", "eta", "seconds_left", "done", "total", "exact", "rate", "unit"),
        *WORDS,
    }


@given(st.lists(st.lists(st.integers(1, 500), max_size=5), max_size=5), st.integers(1, 2))
def test_another_reading_tells_of_no_less_than_was_compared(
    readings: list[list[int]], sides: int
) -> None:
    """Readings of one verification, and verifications of several rounds, only ever go up."""
    highest, told = HighestCounts(), Events()
    clock = ManualClock()
    for counts in readings:
        measure = VerifyProgress(WORDS, "item", 1000, clock, told, highest=highest)
        for _ in range(2):
            measure.begin(sides)
            for count in counts:
                clock.time += 2.0
                measure.read(count)
    done = [one.data["done"] for one in told if one.code == "verify-progress"]
    assert done == sorted(done)
