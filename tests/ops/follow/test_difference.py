"""Comparisons beside a follow: to close gaps, and as a feed where the source has none."""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import cast

import pytest

from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.follow.feed import DifferenceResult
from dataware.core.follow.shards import StreamReading
from dataware.core.follow.undo_ports import StrayWait
from dataware.core.ports import StopRequest
from dataware.ops.follow.difference import (
    LEAST_PAUSE,
    BackgroundDifference,
    DifferenceFeed,
    DifferenceTools,
    SettledDifference,
)
from dataware.verify.merge import DifferenceKind, KeyDifference
from dataware.verify.verdict import Verdict

MISSING, EXTRA, DIFFERENT = (
    DifferenceKind.MISSING,
    DifferenceKind.EXTRA,
    DifferenceKind.DIFFERENT,
)


def verdict(*differences: tuple[DifferenceKind, str], more: int = 0) -> Verdict:
    """A verdict that lists these, and counts `more` that are missing."""
    found = Verdict(listed=[KeyDifference(*one) for one in differences])
    for kind, _ in differences:
        found.counts[kind] += 1
    found.counts[MISSING] += more
    return found


class Comparisons:
    """Answers one comparison after the other; each waits until `go`."""

    def __init__(self, *results: Verdict | Exception) -> None:
        self.results = list(results)
        self.go = threading.Event()
        self.expired: Collection[bytes] = ()
        self.stop: StopRequest = lambda: False

    def compare(self, stop: StopRequest) -> Verdict:
        """The next result, as soon as it may."""
        self.stop = stop
        while not self.go.wait(0.01):
            if stop():
                raise IncompleteError("stopped")
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    def background(self) -> BackgroundDifference:
        """A comparison over these."""
        return BackgroundDifference(DifferenceTools(self.compare, lambda _keys: self.expired))


class Patience:
    """A wait that is over as the test says."""

    def __init__(self) -> None:
        self.over, self.restarts = False, 0

    def restart(self) -> None:
        """Wait anew."""
        self.restarts += 1

    def is_over(self) -> bool:
        """As the test says."""
        return self.over


def collected(difference: BackgroundDifference) -> DifferenceResult:
    """What a comparison that may end gives."""
    while (result := difference.collect()) is None:
        pass
    return result


def test_nothing_is_collected_before_the_end_and_all_sorts_of_differences_then() -> None:
    """The follow goes on meanwhile."""
    sides = Comparisons(verdict((MISSING, "a"), (EXTRA, "b"), (DIFFERENT, "é\ud800")))
    difference = sides.background()
    difference.start()
    assert difference.collect() is None
    sides.go.set()
    keys, complete = collected(difference)
    assert set(keys) == {b"a", b"b", "é\ud800".encode("utf-8", "surrogatepass")}
    assert complete


def test_a_verdict_that_only_counts_some_keys_is_not_complete() -> None:
    """The gap is not closed by it."""
    sides = Comparisons(verdict((MISSING, "a"), more=5))
    sides.go.set()
    difference = sides.background()
    difference.start()
    assert not collected(difference).complete


def test_missing_keys_that_expire_in_the_target_are_none() -> None:
    """They only wait to be deleted in the source; keys that differ otherwise stay."""
    sides = Comparisons(verdict((MISSING, "a"), (MISSING, "b"), (EXTRA, "c")))
    sides.expired = {b"a", b"c"}
    sides.go.set()
    difference = sides.background()
    difference.start()
    assert set(collected(difference).keys) == {b"b", b"c"}


@pytest.mark.parametrize("error", [LookupFailedError("no answer"), ValueError("unexpected")])
def test_what_a_comparison_raises_is_raised_where_it_is_collected(error: Exception) -> None:
    """And it may be started again."""
    sides = Comparisons(error, verdict())
    sides.go.set()
    difference = sides.background()
    difference.start()
    with pytest.raises(type(error)):
        collected(difference)
    difference.start()
    assert collected(difference) == DifferenceResult(frozenset())


def test_a_comparison_is_given_up_at_the_end_of_the_run() -> None:
    """It does not keep the process alive."""
    sides = Comparisons(verdict())
    difference = sides.background()
    difference.start()
    difference.close()
    assert sides.stop()


def test_a_feed_of_comparisons_gives_a_whole_round_with_each_and_rests_between_them() -> None:
    """A round speaks of the moment in which its comparison began."""
    sides = Comparisons(verdict((MISSING, "a")), verdict())
    feed = DifferenceFeed(sides.background())
    feed.open(None, 0.0)
    first = feed.poll(100.0)
    assert (first.keys, first.whole) == (frozenset(), False)
    sides.go.set()
    while not (first := feed.poll(140.0)).whole:
        pass
    assert (first.keys, first.as_of) == ({b"a"}, 100.0)
    assert not feed.poll(140.0 + 39).whole
    assert len(sides.results) == 1
    while not (second := feed.poll(140.0 + 40)).whole:
        pass
    assert (second.keys, second.as_of) == (frozenset(), 180.0)


def test_a_feed_of_comparisons_is_asked_again_after_a_failure() -> None:
    """It fails as any feed does, and rests for a while."""
    sides = Comparisons(LookupFailedError("no answer"), verdict())
    sides.go.set()
    feed = DifferenceFeed(sides.background())
    feed.open(None, 0.0)
    with pytest.raises(LookupFailedError):
        while True:
            feed.poll(5.0)
    assert not feed.poll(5.0 + LEAST_PAUSE - 1).whole
    while not feed.poll(5.0 + LEAST_PAUSE).whole:
        pass


def test_its_position_is_that_of_no_stream_so_that_whoever_reads_one_next_reports_a_gap() -> None:
    """What changed between the last comparison and the stream has no record."""
    feed = DifferenceFeed(Comparisons().background())
    position = feed.open({"whatever": 1}, 7.0)
    assert StreamReading.from_json(position) == StreamReading("", 7.0)


def test_what_differs_is_given_to_nobody_before_it_is_known_who_wrote_it() -> None:
    """It is under way until then; where nothing differs nobody could be overwritten."""
    sides, wait = Comparisons(verdict((MISSING, "a")), verdict()), Patience()
    sides.go.set()
    tools = DifferenceTools(sides.compare, lambda _keys: ())
    difference = SettledDifference(tools, cast("StrayWait", wait))
    difference.start()
    while difference._thread is not None:
        assert difference.collect() is None
    assert difference.collect() is None
    assert difference.is_under_way
    wait.over = True
    assert collected(difference).keys == {b"a"}
    assert not difference.is_under_way
    wait.over = False
    difference.start()
    assert not collected(difference).keys
    assert wait.restarts == 2
