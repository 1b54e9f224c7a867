"""Watching from elsewhere: it follows the records, and nothing on the way makes it give up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dataware.core.errors import InputError, LookupFailedError
from dataware.core.model import Marker, MarkerState, Problem
from dataware.ops.watch import Watcher
from support.world import World

Change = Callable[[dict[str, Marker]], None]


def running(done: int = 0, **more: Any) -> Marker:
    """The record of a run that is alive."""
    detail = {"phase": "copying", "done": done, "total": 9, "unit": "key", **more}
    return Marker(MarkerState.RUNNING, "old", "r", alive=True, heartbeat_age=2.0, detail=detail)


COMPLETE = Marker(MarkerState.COMPLETE, "old", "r", detail={"verified": 9, "unit": "key"})


def put(**markers: Marker) -> Change:
    """A moment at which these records are written."""
    return lambda stored: stored.update(markers)


def nothing(_stored: dict[str, Marker]) -> None:
    """A moment at which nothing changes."""


def fail(_stored: dict[str, Marker]) -> None:
    """A moment at which the records cannot be seen."""
    raise LookupFailedError("throttled")


def watched(there: World, *changes: Change, name: str | None = None) -> list[str]:
    """Watch through some moments, one before each further look; the lines that it tells."""
    coming, context = list(changes), there.context()

    class Unsure:
        """Records that cannot always be seen."""

        failing = False

        def all(self) -> Any:
            if self.failing:
                raise LookupFailedError("throttled")
            return context.markers.all()

    records = Unsure()

    def wait() -> None:
        change = coming.pop(0) if coming else nothing
        records.failing = change is fail
        if not records.failing:
            change(there.markers)

    Watcher(replace(context, markers=records), wait, name).watch()
    assert not coming
    return [f"{one.code}: {one.text()}" for one in there.events]


def test_it_goes_on_until_nothing_runs_and_tells_of_the_end() -> None:
    """How far, how fresh that is, the end in a line, and then it ends itself."""
    there = World(markers={"new": running()})
    assert watched(there, put(new=running(5)), put(new=COMPLETE)) == [
        "watch-progress: old → new: copying 0 of 9 keys (0 %), 2 s ago",
        "watch-progress: old → new: copying 5 of 9 keys (55 %), 2 s ago",
        "migration-completed: old → new: complete: 9 keys verified; run r",
        "done: No migration is running",
    ]


def test_the_moment_between_two_migrations_is_no_end() -> None:
    """One run makes its migrations one after another."""
    there = World(markers={"a": running()})
    lines = watched(there, put(a=COMPLETE), put(b=running()), put(b=COMPLETE))
    assert [line.partition(":")[0] for line in lines] == [
        *("watch-progress", "migration-completed", "watch-progress", "migration-completed", "done")
    ]


def test_one_that_begins_and_ends_between_two_looks_is_told_of() -> None:
    """A short migration is not missed; those that ended before the watching are not told."""
    there = World(markers={"a": running(), "past": COMPLETE})
    lines = watched(there, put(b=COMPLETE), put(a=COMPLETE))
    assert "migration-completed: old → b: complete: 9 keys verified; run r" in lines
    assert not any("past" in line for line in lines)


def test_a_failed_run_is_told_with_its_reason() -> None:
    """The reason that the run has put on record."""
    ended = {"exit_code": 4, "reason": "1 key not copied"}
    failed = replace(running(3, failure=ended), alive=False)
    lines = watched(World(markers={"new": running()}), put(new=failed))
    assert lines[-2].startswith(
        "migration-ended: old → new: incomplete: 3 of 9 keys (33 %); 1 key not copied"
    )


def test_records_that_cannot_be_seen_for_a_while_are_warned_of_once() -> None:
    """Throttling or a lost network ends no watching, and is no line at every look."""
    there = World(markers={"new": running()})
    lines = watched(there, fail, fail, fail, put(new=running(8)), put(new=COMPLETE))
    assert [line.partition(":")[0] for line in lines] == [
        *("watch-progress", "warning", "note", "watch-progress", "migration-completed", "done")
    ]


def test_a_record_that_cannot_be_read_is_warned_of_once_and_hides_nothing() -> None:
    """The others are watched to their end; then it is told that not everything was seen."""
    problem = Problem("GetParameter", "UnreadableMarker", None, "upgrade dataware")
    unseen = Marker(MarkerState.UNKNOWN, problem=problem)
    there = World(markers={"new": running(), "odd": unseen})
    with pytest.raises(
        LookupFailedError, match="1 of 2 records cannot be read, such as: upgrade dataware"
    ):
        watched(there, put(new=running(5)), put(new=COMPLETE))
    assert [f"{one.code}: {one.text()}" for one in there.events] == [
        "watch-progress: old → new: copying 0 of 9 keys (0 %), 2 s ago",
        "warning: upgrade dataware",
        "watch-progress: old → new: copying 5 of 9 keys (55 %), 2 s ago",
        "migration-completed: old → new: complete: 9 keys verified; run r",
        "done: No migration is running, as far as is known",
    ]


def test_what_cannot_be_seen_at_all_is_an_error() -> None:
    """A missing permission is told at once, not waited for."""
    context = World().context()

    class Denied:
        def all(self) -> Any:
            raise LookupFailedError("denied")

    with pytest.raises(LookupFailedError):
        Watcher(replace(context, markers=Denied()), lambda: None).watch()


def test_one_of_several_can_be_watched() -> None:
    """It ends with the one that was named, though another goes on."""
    there = World(markers={"a": running(), "b": running()})
    lines = watched(there, put(a=COMPLETE), name="a")
    assert not any("→ b" in line for line in lines)
    assert lines[-1] == "done: No migration is running"


@pytest.mark.parametrize("name", ["20261128-192754-941-3e", "r", "old"])
def test_one_is_watched_by_its_run_its_migration_or_its_source(name: str) -> None:
    """As it is found by `status` without `--watch`; another one that begins later is left alone."""
    mine = running(1, command_run="20261128-192754-941-3e")
    there = World(markers={"new": mine})
    told = watched(there, put(new=COMPLETE, later=running(2)), name=name)
    assert told[0].startswith("watch-progress: old → new: copying 1 of 9 keys")
    assert told[1].startswith("migration-completed: old → new: complete: 9 keys verified")
    assert not any("later" in text for text in told)


def test_a_name_without_a_record_is_bad_input() -> None:
    """It is not waited for."""
    with pytest.raises(InputError, match="no migration into c is recorded"):
        watched(World(markers={"a": running()}), name="c")


def test_a_record_that_is_deleted_is_told_of() -> None:
    """Somebody gave the migration up; the bar goes, and a line says why."""
    there = World(markers={"new": running()})
    lines = watched(there, lambda stored: stored.clear())
    assert lines[1] == "migration-ended: old → new: removed: its record is gone"
