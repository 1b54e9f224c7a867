"""A follow that compares deep goes on so, whichever command goes on with it."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.follow.feed import UNKNOWN_OUTCOME_SECONDS
from dataware.core.model import NO_MARKER, Existence, Facts, Location, Marker, MarkerState
from dataware.kinds import load
from dataware.ops.context import CopySettings
from dataware.ops.follow import undo_run
from dataware.ops.follow.follow_run import COPIED, FollowRun
from dataware.ops.follow.source_feed import SourceFeed
from dataware.ops.follow.undo_run import UndoRun
from dataware.ops.follow.undo_window import SWITCHING
from dataware.ops.migrate import with_recorded_depth
from dataware.ops.migration_policy import Migration
from support.copying import MemoryJournal

OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))


def migration(settings: CopySettings, marker: Marker | None = None) -> Migration:
    """A followed migration of a bucket."""
    kind = load("AWS::S3::Bucket")
    target = Facts("new", Existence.EXISTS, identity="id")
    return Migration(kind, CopyOrder(OLD, NEW), settings, marker or NO_MARKER, target)


@pytest.mark.parametrize("deep", [False, True])
def test_the_depth_of_a_follow_is_on_record(deep: bool) -> None:
    """The next command, which does not ask for it, finds it there."""
    begun = migration(CopySettings(follow=True, deep=deep)).begin_marker("run")
    assert begun.detail.get("deep", False) is deep
    again = with_recorded_depth(CopySettings(follow=True), begun)
    assert again.deep is deep
    assert migration(again, begun).begin_marker("run").detail == begun.detail


def test_a_copy_alone_takes_no_depth_from_a_record() -> None:
    """It says itself how its verification compares."""
    begun = migration(CopySettings(follow=True, deep=True)).begin_marker("run")
    assert not with_recorded_depth(CopySettings(), begun).deep
    assert with_recorded_depth(CopySettings(follow=True, deep=True), NO_MARKER).deep


@pytest.mark.parametrize(("deep", "seen"), [(False, "feed"), (True, None)])
def test_a_deep_way_back_compares_what_listings_do_not_show(
    monkeypatch: pytest.MonkeyPatch, deep: bool, seen: str | None
) -> None:
    """By the ETags on record it would miss metadata and tags that changed since the switch."""
    monkeypatch.setattr(undo_run, "list_changes", lambda *_args, **_how: "feed")
    run: Any = UndoRun.__new__(UndoRun)
    marker = Marker(
        MarkerState.COMPLETE,
        detail={"cutover": {"state": "switched", "freeze_limit": 1, "witness": "w"}},
    )
    run._migration = migration(CopySettings(follow=True, deep=deep), marker)
    run._forth, run._context = run._migration, None
    journal = MemoryJournal()
    assert run._list_changes(journal, None, None) is None
    journal.append({"type": SWITCHING, "id": "w"})
    assert run._list_changes(journal, None, None) == seen


@pytest.mark.parametrize("retries", [0, 3])
def test_what_a_copy_sent_again_delays_the_next_run(retries: int) -> None:
    """By the lock, whose time is the service's: the clock here may be set before that run."""
    delays: list[float] = []
    allowed: list[float] = []
    run: Any = FollowRun.__new__(FollowRun)
    run._migration = migration(CopySettings(follow=True))
    run._time = SimpleNamespace(now=lambda: 1000.0)
    run._keeper = SimpleNamespace(
        detail={"retries": retries}, unsettled_seconds=0.0, delay_next_run=delays.append
    )
    run._context = SimpleNamespace(bounds=SimpleNamespace(slot=lambda _stop: nullcontext()))
    run._copy_whole = lambda _journal, _order: None
    run._stop = lambda: False
    journal = MemoryJournal()
    loop: Any = SimpleNamespace(allow_carrying=allowed.append)
    chosen: Any = SourceFeed(None, "", None)  # type: ignore[arg-type] # nothing reads it
    run._copy_beside_feed(journal, CopyOrder(OLD, NEW), loop, chosen)
    late = UNKNOWN_OUTCOME_SECONDS if retries else 0.0
    assert delays == ([late] if retries else [])
    assert allowed == [1000.0 + late]
    assert journal.kept == [{"type": COPIED, "carry_from": 1000.0 + late}]
