"""Who writes to the source behind a switch is named, counted, and told of once."""

from __future__ import annotations

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.follow.cutover import CutoverState
from dataware.core.follow.feed import Gap, GapCause
from support.cutover_setting import Setting
from support.follow_memory import LogFeed


@pytest.fixture
def switched() -> Setting:
    """Both sides were switched."""
    setting = Setting()
    setting.run_until(CutoverState.REVERSIBLE)
    return setting


def test_strays_are_counted_on_record_across_processes(switched: Setting) -> None:
    """A key counts once a process; and where nothing is new nothing is written."""
    switched.change(b"x", "1")
    switched.change(b"y", "1")
    switched.run_for(1.0)
    assert (switched.record.strays, switched.strays) == (2, {b"x", b"y"})
    switched.change(b"x", "2")
    written = len(switched.written)
    switched.run_for(1.0)
    assert len(switched.written) == written
    switched.restart()
    switched.run_for(1.0)
    assert (switched.record.strays, len(switched.written)) == (2, written)
    switched.change(b"z", "1")
    switched.run_for(1.0)
    assert switched.record.strays == 3


def test_the_feed_is_opened_once_where_it_was_left(switched: Setting) -> None:
    """What comes before a kill is not told again by the next process, nor lost."""
    opened = switched.feed.opened
    switched.run_for(2.0)
    assert switched.feed.opened == opened == 2
    assert switched.memory.saved == {"at": len(switched.log)}
    switched.change(b"x", "1")
    switched.restart()
    switched.run_for(1.0)
    assert switched.strays == {b"x"}
    assert switched.gaps == []


def test_gaps_of_the_watch_are_told_and_nothing_else_is(switched: Setting) -> None:
    """Some strays may never be named."""
    switched.run_for(1.0)
    assert switched.gaps == []
    feed = switched.feed.feed
    assert isinstance(feed, LogFeed)
    feed.gaps = [Gap(GapCause.TRIMMED)]
    switched.run_for(1.0)
    assert switched.gaps == [Gap(GapCause.TRIMMED)]


def test_a_feed_without_an_answer_is_asked_again(switched: Setting) -> None:
    """And the source does not count as read meanwhile."""

    def fail() -> None:
        raise LookupFailedError("no answer")

    switched.restart()
    switched.before_poll = fail
    switched.run_for(1.0)
    assert not switched.loop.is_source_read
    switched.before_poll = lambda: None
    switched.change(b"x", "1")
    switched.run_for(1.0)
    assert switched.loop.is_source_read
    assert switched.strays == {b"x"}


def test_before_the_switch_a_follow_without_a_position_misses_no_strays() -> None:
    """It begins with a copy; only a watch that begins anew says that it has not seen all."""
    assert Setting().gaps == []


def test_another_feed_may_tell_of_strays() -> None:
    """Such as listings, where the follow itself compares both sides."""
    setting = Setting()
    log: list[tuple[float, bytes]] = []
    setting.watched = LogFeed(log)
    setting.memory.saved = {"at": 0}
    setting.restart()
    setting.run_until(CutoverState.REVERSIBLE)
    setting.change(b"by-the-other", "1")
    log.append((setting.now, b"listed"))
    setting.run_for(1.0)
    assert setting.strays == {b"listed"}
