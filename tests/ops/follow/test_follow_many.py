"""What is told before a migration is followed, and by which steps it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import RefusedError
from dataware.core.follow.following import Following
from dataware.ops.context import CopySettings
from dataware.ops.follow import follow_many
from dataware.ops.follow.follow_many import follow_migration
from dataware.ops.follow.follow_run import FollowRun
from dataware.ops.follow.remote_cutover import RemoteCutoverFollowRun
from dataware.ops.migrate import prepare_migration
from dataware.ops.migration_policy import Migration
from support.followed_boxes import (
    FOLLOW,
    TYPE,
    FollowedBoxes,
    follow_boxes,
    follow_for_a_while,
    places,
)


class Runs:
    """Boxes, and what would carry a migration of them out."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.boxes: FollowedBoxes = follow_boxes(monkeypatch)
        self.boxes.fill(2)
        self.taken: list[tuple[Migration, Callable[[], None], Any]] = []

        def run(_context: object, migration: Migration, on_locked: Any, make_run: Any) -> None:
            self.taken.append((migration, on_locked, make_run))

        monkeypatch.setattr(follow_many, "run_migration", run)

    def migration(self, settings: CopySettings = FOLLOW, **following: Any) -> Migration:
        """A migration between both, of a type that is followed so."""
        found = prepare_migration(self.boxes.context(), TYPE, *places(), settings)
        copying = found.kind.require_copying()
        assert copying.following is not None
        changed: Following = replace(copying.following(), **following)
        kind = replace(found.kind, copying=replace(copying, following=lambda: changed))
        return replace(found, kind=kind)

    def follow(self, migration: Migration, make_run: Any = None) -> list[str]:
        """What is told of one, without its lock."""
        follow_migration(self.boxes.context(), migration, print, make_run)
        return self.boxes.texts("note")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Runs:
    """A box of two keys, and an empty one."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    return Runs(monkeypatch)


@pytest.mark.parametrize("deep", [False, True])
def test_what_nobody_will_carry_is_told_beforehand(runs: Runs, deep: bool) -> None:
    """As far as the run looks, and nothing where it sees all."""
    migration = runs.migration(replace(FOLLOW, deep=deep), blind_spots={False: "tags are not seen"})
    assert runs.follow(migration) == ([] if deep else ["new: tags are not seen"])


@pytest.mark.parametrize(
    ("export_to", "steps"), [("", RemoteCutoverFollowRun), ("exports", FollowRun)]
)
def test_a_cut_over_is_asked_for_elsewhere_where_changes_come_soon_enough(
    runs: Runs, export_to: str, steps: type[FollowRun]
) -> None:
    """Exports come too late for that."""
    runs.follow(runs.migration(replace(FOLLOW, export_to=export_to)))
    ((_, on_locked, make_run),) = runs.taken
    assert make_run is steps
    assert on_locked is print


def test_a_target_that_a_service_makes_is_looked_at_by_its_own_steps(runs: Runs) -> None:
    """Any other one has to be empty first."""
    runs.boxes.put("new", "k000", "theirs")
    migration = runs.migration()
    with pytest.raises(RefusedError, match="may not be empty"):
        runs.follow(migration)
    runs.follow(migration, make_run=print)
    assert runs.taken == [(migration, print, print)]


def test_a_follow_says_whether_it_begins_or_goes_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first time it copies, and then it resumes."""
    monkeypatch.setenv("DATAWARE_STATE", str(tmp_path))
    boxes = follow_boxes(monkeypatch)
    boxes.fill(2)
    for code, other in (("copying", "resuming"), ("resuming", "copying")):
        boxes.events.clear()
        follow_for_a_while(boxes)
        assert code in boxes.codes
        assert other not in boxes.codes
