"""What a copy tells of itself: true figures, also where the total is only a guess."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dataware.calc.highest_counts import HighestCounts
from dataware.core.events import FEW_BATCHES
from dataware.core.model import Size
from dataware.migrate.copy_progress import SLOW_SECONDS, CopyProgress, CopySubject
from dataware.migrate.copy_state import Counts
from support.copying import Events
from support.transports import ManualClock

SUBJECT = CopySubject("old", "new", "item", 25)


class Copy:
    """A copy whose time the test moves."""

    def __init__(self, total: Size, before: int = 0) -> None:
        self.clock, self.events, self.retries = ManualClock(), Events(), 0
        self.meter = CopyProgress(
            SUBJECT, total, Counts(before), self.clock, self.events, retries=lambda: self.retries
        )

    def told(self, seconds: float, done: int = 0) -> dict[str, Any]:
        """The progress that is told after so many seconds in which so much was done."""
        self.clock.time += seconds
        self.meter.count(done)
        self.meter.tick()
        return dict([event for event in self.events if event.code == "progress"][-1].data)


def test_rate_and_time_left_are_those_of_this_run() -> None:
    """What an earlier run copied counts as done, and not as speed."""
    told = Copy(Size(1000, 0), before=500).told(10.0, 100)
    assert (told["done"], told["total"], told["rate"], told["eta"]) == (600, 1000, 10, "40 s")
    assert told["phase"] == "copying"


def test_the_wait_for_the_first_answers_is_no_slowness() -> None:
    """What is measured begins with the first look that finds nothing done yet."""
    copy = Copy(Size(1000, 0))
    assert copy.told(20.0)["eta"] == "unknown time"
    assert copy.told(1.0, 100)["rate"] == 100


def test_an_estimate_that_was_too_low_foretells_nothing() -> None:
    """More is done than was guessed: no time left is told, and the total is no longer a limit."""
    told = Copy(Size(50, 0, exact=False)).told(1.0, 80)
    assert (told["done"], told["exact"], told["seconds_left"]) == (80, False, None)


def test_the_end_is_exact_whatever_was_estimated() -> None:
    """Once all are accounted for, their number is known."""
    copy = Copy(Size(50, 0, exact=False))
    copy.told(1.0, 30)
    copy.meter.finish()
    told = copy.told(1.0)
    assert (told["done"], told["total"], told["exact"]) == (30, 30, True)


def test_why_it_is_slow_is_told_as_long_as_it_is() -> None:
    """A reason fades once no answer was throttled for a while; the count stays."""
    copy = Copy(Size(1000, 0))
    copy.meter.count_throttle("Put returned SlowDown", 3)
    assert copy.told(1.0, 1)["reason"] == "Put returned SlowDown"
    told = copy.told(SLOW_SECONDS, 1)
    assert (told["reason"], told["throttled"]) == ("", 3)


def test_retries_of_all_processes_are_counted() -> None:
    """Those of this process and those that others tell of."""
    copy = Copy(Size(1000, 0))
    copy.retries = 2
    copy.meter.count_retries(3)
    assert copy.told(1.0, 1)["retries"] == 5
    assert copy.meter.detail["retries"] == 5


def test_what_is_done_elsewhere_shows_before_it_is_on_record() -> None:
    """It is progress, but no batch is told of before it is accounted for."""
    copy = Copy(Size(1000, 0))
    copy.meter.ahead(40)
    assert copy.told(1.0)["done"] == 40
    assert copy.events.texts("batch") == []
    copy.meter.ahead(0)
    assert copy.told(1.0, 40)["done"] == 40


def test_a_ceiling_of_the_user_is_a_reason_like_any_other() -> None:
    """It is looked at with each progress, and says more of this moment than past throttling."""
    copy, held = Copy(Size(1000, 0)), ["held at 5/s by --max-rate", ""]
    copy.meter.ceiling = lambda: held[0]
    copy.meter.count_throttle("Put returned SlowDown", 3)
    told = copy.told(1.0, 1)
    assert told["reason"] == copy.meter.detail["reason"] == "held at 5/s by --max-rate"
    assert told["slow"] == ", throttled 3 times, held at 5/s by --max-rate"
    held.pop(0)
    told = copy.told(1.0, 1)
    assert (told["reason"], told["slow"]) == ("Put returned SlowDown", ", throttled 3 times")


def test_of_many_batches_some_are_told_of() -> None:
    """Each of the first ones, then one with the progress, and the last; of few all of them."""
    many, few = Copy(Size(25 * 1000, 0)), Copy(Size(25 * 3, 0))
    for _ in range(1000):
        many.meter.count(25)
    few.meter.count(60)
    few.meter.finish()
    assert len(many.events.texts("batch")) == FEW_BATCHES
    many.told(1.0, 0)
    many.meter.finish()
    assert many.events.texts("batch")[FEW_BATCHES:] == ["Migrated batch 1,000/1,000"]
    assert few.events.texts("batch") == [f"Migrated batch {n}/3" for n in (1, 2, 3)]


def test_the_number_of_batches_never_changes() -> None:
    """Where it is an estimate, no batch is told of before the end, which knows it."""
    copy = Copy(Size(25 * 218, 0, exact=False))
    for _ in range(120):
        copy.told(1.0, 25)
    assert copy.events.texts("batch") == []
    copy.meter.finish()
    assert copy.events.texts("batch") == ["Migrated batch 120/120"]


def test_what_was_skipped_is_no_progress() -> None:
    """Batches, figures and the marker count what is in the target; the rest stands beside it."""
    copy = Copy(Size(100, 0))
    copy.meter.count(60, 40)
    copy.clock.time += 1.0
    copy.meter.finish()
    told = copy.told(1.0)
    assert (told["done"], told["total"], told["skipped"]) == (60, 100, 40)
    assert ", 40 skipped" in told["slow"]
    assert copy.events.texts("batch") == ["Migrated batch 1/4", "Migrated batch 2/4"]
    assert (copy.meter.detail["done"], copy.meter.detail["skipped"]) == (60, 40)


def test_where_nothing_was_copied_nothing_is_called_done() -> None:
    """No batch, no rate, no hundred per cent."""
    copy = Copy(Size(1500, 0))
    told = copy.told(1.0)
    copy.meter.count(0, 1500)
    copy.meter.finish()
    told = copy.told(1.0)
    assert copy.events.texts("batch") == []
    assert (told["done"], told["total"], told["rate"]) == (0, 1500, 0)


def test_what_another_process_did_for_nothing_lowers_no_count() -> None:
    """It ends before its page is accounted for, and the page is copied again."""
    copy = Copy(Size(1000, 0))
    copy.meter.ahead(40)
    assert copy.told(1.0)["done"] == 40
    copy.meter.ahead(0)
    assert copy.told(1.0, 10)["done"] == 40
    assert copy.meter.detail["done"] == 40
    assert copy.told(1.0, 50)["done"] == 60


def test_progress_tells_the_bytes() -> None:
    """Those of earlier runs among them."""
    copy = Copy(Size(10, 0))
    copy.meter.count(2, size=300)
    assert copy.told(1.0)["bytes"] == 300


@given(
    st.lists(st.lists(st.integers(0, 60), max_size=6), min_size=1, max_size=4),
    st.integers(1, 200),
    st.booleans(),
)
def test_no_round_tells_of_less_than_the_one_before(
    rounds: list[list[int]], total: int, exact: bool
) -> None:
    """A copy that begins anew counts from zero, and neither its count nor its batches go down."""
    highest, events = HighestCounts(), Events()
    for steps in rounds:
        clock = ManualClock()
        size = Size(total, 0, exact=exact)
        meter = CopyProgress(SUBJECT, size, Counts(), clock, events, highest=highest)
        for done in steps:
            clock.time += 1.0
            meter.count(done)
            meter.tick()
            assert meter.detail["done"] >= meter.done
        meter.finish()
    told = [one.data["done"] for one in events if one.code == "progress"]
    assert told == sorted(told)
    batches = [one.data["batch"] for one in events if one.code == "batch"]
    assert batches == sorted(set(batches))
