"""The parts of a way back: who wrote what since the switch, and what may be replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.follow.feed import DifferenceResult, FeedRound, Gap, GapCause
from dataware.core.follow.undo_ports import (
    BothSidesFeed,
    OldSide,
    SettledComparison,
    UndoCarrier,
    UndoWritten,
    list_equal,
)
from dataware.core.follow.written import WrittenVersion
from support.follow_memory import LogFeed, MemoryFollow, SideCarrier

OURS = WrittenVersion("s", "t")


class Record:
    """What was written, in memory."""

    def __init__(self, **rows: WrittenVersion) -> None:
        self.rows = {key.encode(): version for key, version in rows.items()}

    def find_written(self, keys: Collection[bytes]) -> Mapping[bytes, WrittenVersion]:
        """Those that are there."""
        return {key: self.rows[key] for key in keys if key in self.rows}

    def save_written(self, versions: Mapping[bytes, WrittenVersion]) -> None:
        """Keep versions."""
        self.rows.update(versions)

    def forget_written(self, keys: Collection[bytes]) -> None:
        """Never asked for: what was deleted is remembered."""
        raise AssertionError(keys)


class Told:
    """Who is told of strays."""

    def __init__(self) -> None:
        self.keys: set[bytes] = set()
        self.gaps = 0

    def add(self, keys: Collection[bytes], _now: float) -> None:
        """Strays."""
        self.keys |= set(keys)

    def report_gaps(self, gaps: Collection[Gap], _now: float) -> None:
        """Gaps."""
        self.gaps += len(gaps)


class BrokenFeed(LogFeed):
    """A feed that does not answer."""

    def poll(self, now: float) -> FeedRound:
        """No answer."""
        raise LookupFailedError("no answer")


def make_old(
    feed: LogFeed | None, record: Record, *strays: bytes, is_known: bool = True
) -> tuple[OldSide, UndoWritten, Told]:
    """The old side of a way back."""
    written, told = UndoWritten(record), Told()
    old = OldSide(feed, MemoryFollow(), written, told, strays, is_known=is_known)
    old.open(0.0)
    old.is_read = True
    return old, written, told


def test_what_the_old_sides_feed_tells_is_ours_or_a_strays() -> None:
    """Ours is looked at once more; a stray is named, and stays as it is."""
    feed = LogFeed([(1.0, b"mine"), (2.0, b"theirs")])
    old, _, told = make_old(feed, Record(mine=OURS))
    feed.at = 0
    assert old.poll(3.0) == (frozenset({b"mine"}), True)
    assert told.keys == old.strays == {b"theirs"}
    assert old.choose([b"mine", b"theirs", b"other"]) == {b"mine", b"other"}


def test_a_key_that_was_named_as_a_stray_and_that_we_wrote_since_counts_again() -> None:
    """A person decided to replace it; from then on it has to be equal."""
    old, _, _ = make_old(LogFeed([]), Record(mine=OURS), b"mine")
    assert old.choose([b"mine"]) == {b"mine"}


def test_nothing_on_record_may_be_replaced_only_while_the_old_side_is_known() -> None:
    """A gap, or no feed at all, and whatever stands there may be somebody's."""
    old, written, told = make_old(feed := LogFeed([]), Record())
    assert written.find_written([b"a"])[b"a"].explains("anything")
    feed.gaps = [Gap(GapCause.TRIMMED)]
    old.poll(1.0)
    assert (old.is_known, told.gaps) == (False, 1)
    assert written.find_written([b"a"]) == {}
    for without in (make_old(None, Record()), make_old(LogFeed([]), Record(), is_known=False)):
        assert not without[0].is_known
        assert without[1].find_written([b"a"]) == {}


def test_a_person_may_decide_that_everything_is_replaced() -> None:
    """Also what somebody wrote after us."""
    written = UndoWritten(Record(a=OURS), replaces=True)
    written.is_trusted = False
    found = written.find_written([b"a", b"b"])
    assert all(version.explains("anything") for version in found.values())
    assert not found[b"a"].explains("")
    assert found[b"a"].settle("tag") == WrittenVersion("", "tag")


def test_a_delete_of_ours_is_remembered() -> None:
    """The old side's feed will tell of it, and it is nobody else's."""
    record = Record(a=OURS)
    written = UndoWritten(record)
    written.forget_written([b"a"])
    assert written.find_ours([b"a", b"b"]) == {b"a"}
    assert not written.find_written([b"a"])[b"a"].explains("t")


def test_a_round_has_both_sides_and_is_whole_only_where_both_are() -> None:
    """Else a write of ours that was overwritten could be seen too late."""
    new, record = LogFeed([(1.0, b"new")]), Record(mine=OURS)
    feed = LogFeed([(1.0, b"mine")])
    old, _, _ = make_old(feed, record)
    both = BothSidesFeed(new, old)
    both.open({"at": 0}, 0.0)
    feed.at = 0
    change_round = both.poll(2.0)
    assert (change_round.keys, change_round.whole) == ({b"new", b"mine"}, True)
    broken, _, _ = make_old(BrokenFeed([]), record)
    assert not BothSidesFeed(new, broken).poll(3.0).whole


@pytest.mark.parametrize("replaces", [True, False])
def test_what_both_sides_wrote_is_carried_only_where_a_person_said_so(*, replaces: bool) -> None:
    """Else it is a conflict, and the old side's stays."""
    old, _, _ = make_old(LogFeed([]), Record(), b"both")
    new_items, old_items = {b"both": 1, b"new": 2}, {b"both": 3}
    carrier = UndoCarrier(SideCarrier(new_items, old_items), old, replaces=replaces)
    outcome = carrier.carry([b"both", b"new"], 0.0)
    assert old_items == {b"both": 1 if replaces else 3, b"new": 2}
    assert [each.key for each in outcome.conflicts] == ([] if replaces else [b"both"])
    assert outcome.carried == {b"both", b"new"} - {each.key for each in outcome.conflicts}
    only = carrier.carry([b"both"], 0.0)
    assert bool(only.carried) == replaces


def test_a_rest_between_two_rounds_of_the_old_sides_feed_stops_nothing() -> None:
    """Listings rest as long as they take, and know no more meanwhile."""
    feed = SlowFeed([])
    old, _, _ = make_old(feed, Record())
    feed.slow = True
    old.poll(1.0)
    assert old.is_read
    feed.log.append((2.0, b"a"))
    old.poll(2.0)
    assert not old.is_read, "more may follow"


@pytest.mark.parametrize("trouble", ["backlog", "no answer"])
def test_nothing_is_carried_before_the_old_sides_feed_was_read_to_its_end(trouble: str) -> None:
    """Hours may lie between the watch and an undo, and what a stray wrote meanwhile comes late."""
    log = [(1.0, b"first"), (2.0, b"both")]
    feed = LogFeed(log, page=1) if trouble == "backlog" else BrokenFeed(log)
    record = Record()
    written, told, memory = UndoWritten(record), Told(), MemoryFollow()
    memory.save_position({"at": 0})
    old = OldSide(feed, memory, written, told, (), is_known=True)
    sides = SideCarrier({b"both": 2}, {b"both": 3})
    both = BothSidesFeed(LogFeed([(3.0, b"both")]), old)
    both.open(None, 0.0)
    carrier = UndoCarrier(sides, old, replaces=False)
    assert carrier.carry([b"both"], 0.0).failed == {b"both"}, "left by an earlier run"
    assert not both.poll(3.0).whole
    assert carrier.carry([b"both"], 3.0).failed == {b"both"}
    if trouble == "backlog":
        both.poll(4.0)
        assert told.keys == {b"first", b"both"}
        assert [one.key for one in carrier.carry([b"both"], 4.0).conflicts] == [b"both"]
    assert sides.target == {b"both": 3}
    assert UndoCarrier(sides, old, replaces=True).carry([b"both"], 5.0).carried == {b"both"}


class Comparison:
    """The KeyComparison port of a test: its result is there at once."""

    def __init__(self, *keys: bytes, complete: bool = True) -> None:
        self.result: DifferenceResult | None = DifferenceResult(frozenset(keys), complete)
        self.started: list[Collection[bytes] | None] = []

    def start(self, keys: Collection[bytes] | None) -> None:
        """Begin."""
        self.started.append(keys)

    def collect(self) -> DifferenceResult | None:
        """All that differs, whoever wrote it."""
        return self.result


class SlowFeed(LogFeed):
    """A feed that does not reach its end while it is `slow`."""

    slow = False

    def poll(self, now: float) -> FeedRound:
        """The next page."""
        return replace(super().poll(now), whole=not self.slow)


def test_what_a_stray_wrote_is_no_difference_though_its_record_comes_later() -> None:
    """Else a person who lets the new side win would lose what only the old side has written."""
    feed, clock = SlowFeed([]), [0.0]
    old, _, _ = make_old(feed, Record())
    inner = Comparison(b"stray", b"new", complete=False)
    settled = SettledComparison(inner, old, old.choose, lambda: 10.0, lambda: clock[0])
    settled.start(None)
    assert settled.collect() is None
    clock[0] = 9.0
    old.poll(9.0)
    assert settled.collect() is None, "a record may be on its way"
    feed.log.append((8.0, b"stray"))
    clock[0], feed.slow = 11.0, True
    assert settled.collect() is None
    old.poll(11.0)
    assert settled.collect() is None, "this round did not reach the end"
    feed.slow = False
    old.poll(12.0)
    result = settled.collect()
    assert result is not None
    assert (result.keys, result.complete) == ({b"new"}, False)
    settled.start(None)
    assert settled.collect() is None, "a new comparison waits anew"


def test_a_comparison_of_some_keys_or_without_a_feed_waits_for_nothing() -> None:
    """Those keys were carried; and where nobody tells who wrote, everything counts."""
    with_feed, _, _ = make_old(LogFeed([]), Record())
    without, _, _ = make_old(None, Record())
    for old, keys in ((with_feed, [b"a"]), (without, None)):
        inner = Comparison(b"a")
        settled = SettledComparison(inner, old, old.choose, lambda: 10.0, lambda: 0.0)
        settled.start(keys)
        assert inner.started == [keys]
        assert settled.collect() == inner.result
        inner.result = None
        assert settled.collect() is None


def test_a_comparison_of_some_keys_reports_no_other_key_that_it_came_across() -> None:
    """Many keys are compared with all others, and what a stray wrote there is not known yet."""
    old, _, _ = make_old(LogFeed([]), Record())
    inner = Comparison(b"ours", b"stray", complete=False)
    settled = SettledComparison(inner, old, old.choose, lambda: 10.0, lambda: 0.0)
    settled.start([b"ours", b"equal"])
    assert settled.collect() == DifferenceResult(frozenset([b"ours"]), complete=False)


class BothSides:
    """Two sides, and a carrier back that looks which keys neither of them has."""

    def __init__(self, new: dict[bytes, int], old: dict[bytes, int], *strays: bytes) -> None:
        self.new, self.old_items = new, old
        self.feed = LogFeed([])
        self.old, _, _ = make_old(self.feed, Record(), *strays)
        self.kept: set[bytes] = set()
        self.is_broken = False
        self.carrier = UndoCarrier(
            SideCarrier(new, old),
            self.old,
            replaces=False,
            keep=self.kept.update,
            find_gone=self.find_gone,
        )

    def find_gone(self, keys: Collection[bytes]) -> frozenset[bytes]:
        """What neither side has."""
        if self.is_broken:
            raise LookupFailedError("no answer")
        return frozenset(keys) - self.new.keys() - self.old_items.keys()


def test_a_key_that_both_sides_have_deleted_is_no_conflict() -> None:
    """Both say: gone. What one side has still is for a person, whichever side that is."""
    sides = BothSides({b"new": 1}, {b"old": 2}, b"gone", b"new", b"old")
    outcome = sides.carrier.carry([b"gone", b"new", b"old"], 0.0)
    assert outcome.carried == {b"gone"}
    assert [each.key for each in outcome.conflicts] == [b"new", b"old"]
    assert (sides.new, sides.old_items) == ({b"new": 1}, {b"old": 2})
    assert sides.kept == {b"gone", b"new", b"old"}, "a later run looks at them again"


def test_a_key_that_was_gone_and_comes_back_is_looked_at_once_more() -> None:
    """Else the old side would keep what the new side has deleted, and nobody would be asked."""
    sides = BothSides({}, {}, b"gone")
    assert sides.carrier.carry([b"gone"], 0.0).carried == {b"gone"}
    sides.old_items[b"gone"] = 7
    sides.feed.log.append((1.0, b"gone"))
    keys, _ = sides.old.poll(2.0)
    assert keys == {b"gone"}
    assert [each.key for each in sides.carrier.carry(keys, 2.0).conflicts] == [b"gone"]
    assert sides.old.gone == set()


def test_what_cannot_be_looked_at_is_neither_gone_nor_a_conflict() -> None:
    """It is tried again, and the rest is carried."""
    sides = BothSides({b"mine": 1}, {}, b"gone")
    sides.is_broken = True
    outcome = sides.carrier.carry([b"gone", b"mine"], 0.0)
    assert (outcome.failed, outcome.carried) == ({b"gone"}, {b"mine"})
    assert outcome.conflicts == ()


def test_what_was_carried_back_is_known_to_the_next_follow_from_its_own_side() -> None:
    """Without what is not on record as done, and what a person has left as it is."""
    kept = [
        (b"a", WrittenVersion("new", "old")),
        (b"b", WrittenVersion()),
        (b"c", WrittenVersion("new", "old", "begun")),
        (b"d", WrittenVersion("new", "old")),
    ]
    assert list(list_equal(kept, {b"d"})) == [({b"a": WrittenVersion("old", "new")}, [b"b"])]


def test_keys_that_both_sides_wrote_are_kept_for_a_person_and_no_others() -> None:
    """On disk before they are told; what is carried is not among them."""
    old, _, _ = make_old(LogFeed([]), Record(), b"both")
    kept: list[Collection[bytes]] = []
    carrier = UndoCarrier(SideCarrier({}, {}), old, replaces=False, keep=kept.append)
    carrier.carry([b"new"], 0.0)
    assert kept == []
    carrier.carry([b"both", b"new"], 0.0)
    assert kept == [{b"both"}]


def test_without_a_feed_of_the_old_side_a_round_is_whole_by_the_new_one_alone() -> None:
    """Nothing is there to wait for."""
    old, _, _ = make_old(None, Record())
    assert old.poll(1.0) == (frozenset(), True)


def test_what_stands_on_the_old_side_is_trusted_until_something_was_missed() -> None:
    """It has stood there since the switch."""
    written = UndoWritten(Record())
    assert written.is_trusted
    assert written.find_written([b"a"])[b"a"].explains("anything")
