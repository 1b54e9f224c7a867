"""What a journal knows of a switch, and whose feed is switched off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dataware.core.errors import DatawareError, NotFoundError
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.undo_window import (
    KnownStrays,
    UndecidedKeys,
    find_old_feed,
    list_changes,
    open_undo_window,
    switch_off,
    undo_kind,
)
from dataware.ops.migrate import prepare_migration
from dataware.state.follow_records import FollowFiles
from support.copying import MemoryJournal
from support.followed_boxes import FOLLOW, SLUG, TYPE, FollowedBoxes, follow_boxes, places

ODD = "k\udcff"


def switching(witness: str) -> dict[str, object]:
    """A switch begins."""
    return {"type": "switching", "id": witness}


def strays(*keys: str) -> dict[str, object]:
    """Keys were written behind it."""
    return {"type": "strays", "at": 1.0, "keys": list(keys)}


MISSED: dict[str, object] = {"type": "strays-missed", "at": 1.0}


def test_strays_belong_to_the_switch_after_which_they_stand() -> None:
    """What an earlier one had is of no meaning any more."""
    records = [switching("a"), strays("x", ODD), MISSED, switching("b"), strays("y"), strays("z")]
    known = KnownStrays.read(records, "b")
    assert (known.keys, known.is_seen, known.is_missed) == ({b"y", b"z"}, True, False)
    assert known.are_all
    first = KnownStrays.read(records[:3], "a")
    assert first.keys == {b"x", ODD.encode("utf-8", "surrogatepass")}
    assert first.is_seen
    assert not first.are_all


def test_of_a_switch_on_another_machine_nothing_is_known() -> None:
    """Neither its keys nor that these are all."""
    for records in ([], [switching("a"), strays("x")], [strays("x")]):
        known = KnownStrays.read(records, "b")
        assert (known.keys, known.is_seen, known.are_all) == (frozenset(), False, False)


def test_keys_that_a_person_has_to_decide_are_kept_once_each() -> None:
    """Those of another switch are not."""
    journal = MemoryJournal()
    journal.append(switching("a"), {"type": "undecided", "keys": ["old"]}, switching("b"))
    undecided = UndecidedKeys(journal, "b")
    assert undecided.keys == set()
    odd = ODD.encode("utf-8", "surrogatepass")
    undecided.keep([b"x", odd])
    undecided.keep([b"x", b"y"])
    undecided.keep([b"y"])
    assert len(journal.kept) == 5
    assert UndecidedKeys(journal, "b").keys == {b"x", b"y", odd}
    assert UndecidedKeys(journal, "a").keys == set()


@pytest.fixture
def boxes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FollowedBoxes:
    """Two boxes, of which the old one has a stream."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(1)
    return boxes


def test_only_the_feed_that_a_migration_switched_on_is_switched_off(boxes: FollowedBoxes) -> None:
    """By its id on record; what is not known by it stays on."""
    for slug, feed in (
        (SLUG, ""),
        (SLUG, None),
        (SLUG, 7),
        (SLUG, "a-later-stream"),
        ("another-type", "stream-of-old"),
    ):
        switch_off(boxes.context(), slug, "old", feed)
        assert boxes.texts("done") == []
    switch_off(boxes.context(), SLUG, "new", "stream-of-new")
    assert boxes.texts("done") == []
    boxes.streams.add("old")
    switch_off(boxes.context(), SLUG, "old", "stream-of-old")
    assert boxes.streams == set()
    assert boxes.texts("done") == ["Switched off the stream of old, which the follow had enabled"]


def test_the_old_side_is_watched_by_its_feed_where_it_has_one(boxes: FollowedBoxes) -> None:
    """Without one nobody is named."""
    following = require_following(prepare_migration(boxes.context(), TYPE, *places(), FOLLOW).kind)
    state = FollowFiles(boxes.context().aws).open(SLUG, "new", "run-1", ())
    assert find_old_feed(boxes.context(), following, places()[0], state) is not None
    assert find_old_feed(boxes.context(), following, places()[1], state) is None
    assert list_changes(boxes.context(), following, places()[0], state) is None
    state.close()


def test_listings_tell_nothing_without_what_was_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every object would look like somebody else's; with it, only what has changed does."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch, has_feed=False)
    boxes.fill(2)
    context = boxes.context()
    following = require_following(prepare_migration(context, TYPE, *places(), FOLLOW).kind)
    for is_new in (True, False):
        state = FollowFiles(context.aws).open(SLUG, "new", "run-1", ())
        assert state.is_new is is_new
        feed = list_changes(context, following, places()[0], state)
        assert (feed is None) is is_new
        if feed is not None:
            assert feed.poll(1.0).keys == {b"k000", b"k001"}
            assert find_old_feed(context, following, places()[0], state) is not None
        state.close()


def test_a_way_back_has_a_file_of_its_own_for_each_switch(boxes: FollowedBoxes) -> None:
    """And none where keys cannot be kept."""
    migration = prepare_migration(boxes.context(), TYPE, *places(), FOLLOW)
    assert undo_kind(SLUG) != SLUG
    one = open_undo_window(boxes.context(), migration, "run-1", "w1", ())
    one.save_position({"at": 7})
    one.close()
    for witness, position in (("w1", {"at": 7}), ("w2", None)):
        state = open_undo_window(boxes.context(), migration, "run-1", witness, ())
        assert state.position() == position
        state.close()
    with pytest.raises(NotFoundError, match="changed keys cannot be kept here") as error:
        open_undo_window(replace(boxes.context(), follow_states=None), migration, "r", "w", ())
    assert isinstance(error.value, DatawareError)
