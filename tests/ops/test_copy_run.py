"""How many processes copy, and how they share the bounds of the whole."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.errors import IncompleteError
from dataware.core.model import Location
from dataware.migrate.engine import EngineSettings
from dataware.migrate.worker_task import WorkerTask
from dataware.ops import copy_run
from dataware.ops.context import CopySettings
from dataware.ops.copy_run import (
    ENOUGH,
    LEAST_IN_FLIGHT,
    PARTITIONS_EACH,
    SMALL,
    processes,
    share_of,
)
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import run_migration
from support.copying import LoopClock
from support.crews import MemoryWorkers
from support.world import BoxCopier, NoWire, World, WorldAws, box_kind

counts = st.integers(1, 500)


@given(st.none() | counts, counts, st.integers(-5, 10**9), counts)
def test_there_are_no_more_processes_than_there_is_use_for(
    wanted: int | None, cores: int, items: int, partitions: int
) -> None:
    """At least one, no more than partitions, and unasked no more than cores or of use."""
    found = processes(wanted, cores, items, partitions)
    assert 1 <= found <= partitions
    if wanted is not None:
        assert found == min(wanted, partitions)
    elif found > 1:
        assert items >= SMALL
        assert found <= min(cores, ENOUGH)
        assert found * PARTITIONS_EACH <= partitions


def test_what_is_large_is_copied_by_every_core() -> None:
    """A small copy stays with one process, a large one takes the cores that there are."""
    assert processes(None, 4, SMALL - 1, 400) == 1
    assert processes(None, 4, SMALL, 400) == 4
    assert processes(None, 64, 10**8, 400) == ENOUGH
    assert processes(64, 4, 10, 400) == 64


bounds = st.builds(
    EngineSettings,
    readers=st.integers(1, 16),
    bytes_in_flight=st.integers(1, 2**30),
    max_rate=st.none() | st.floats(0.1, 1e6),
    max_share=st.none() | st.floats(0.01, 1),
)


@given(bounds, st.integers(2, 64), counts)
def test_together_they_keep_the_bounds_of_the_whole(
    whole: EngineSettings, count: int, partitions: int
) -> None:
    """Rates and shares add up to those that were asked for; memory does, down to a floor."""
    part = share_of(whole, count, partitions)
    for name in ("max_rate", "max_share"):
        asked, got = getattr(whole, name), getattr(part, name)
        assert (asked is None) == (got is None)
        assert asked is None or got * count == pytest.approx(asked)
    assert part.parts == count
    assert part.bytes_in_flight >= LEAST_IN_FLIGHT
    assert part.bytes_in_flight <= max(LEAST_IN_FLIGHT, whole.bytes_in_flight // count)
    assert 1 <= part.readers <= whole.readers


@given(st.integers(2, 64), counts)
def test_no_worker_takes_every_partition_at_once(count: int, partitions: int) -> None:
    """Where there are two for each, what is read at once leaves the others as much."""
    if partitions >= PARTITIONS_EACH * count:
        readers = share_of(EngineSettings(), count, partitions).readers
        assert readers * count * PARTITIONS_EACH <= partitions


def crew_of(there: World) -> MemoryWorkers:
    """Workers that copy boxes."""

    def make(assignment: WorkerTask) -> BoxCopier:
        kind = box_kind(there)
        tools = CopyTools(WorldAws(there), NoWire(), LoopClock())  # type: ignore[arg-type]  # a part of it
        copier = kind.require_copying().copier(tools, assignment.order)
        assert isinstance(copier, BoxCopier)
        return copier

    return MemoryWorkers(make)


def migrated(there: World, workers: MemoryWorkers, wanted: int | None) -> None:
    """A migration from marker to verdict, as `migrate` would make it."""
    context = there.context()
    object.__setattr__(context, "workers", workers)
    old, new = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
    facts = there.facts("new")
    settings = CopySettings(processes=wanted, max_rate=1000)
    run_migration(
        context, Migration(box_kind(there), CopyOrder(old, new), settings, facts.marker, facts)
    )


def world(keys: int = 31) -> World:
    """A world with an empty box beside a full one."""
    there = World(boxes={"old": {f"k{n:02}": f"v{n}" for n in range(keys)}}, identities={"old": 1})
    there.make("new")
    return there


def test_a_migration_with_a_crew_ends_as_one_without() -> None:
    """Copied, told of, verified and complete, with the rate shared out."""
    there = world()
    workers = crew_of(there)
    migrated(there, workers, 2)
    assert there.boxes["new"] == there.boxes["old"]
    assert [one.settings.max_rate for one in workers.started] == [500, 500]
    assert there.events.texts("parallel") == ["Copying with 2 processes"]
    assert there.log[-1] == "complete"
    kept = there.journals["new"].kept
    assert sum(record.get("copied", 0) for record in kept) == 31


@pytest.mark.parametrize("wanted", [None, 1])
def test_what_is_small_is_copied_here(wanted: int | None) -> None:
    """No process is started for a few keys, nor when a person wants one only."""
    there = world()
    workers = crew_of(there)
    migrated(there, workers, wanted)
    assert workers.started == []
    assert there.boxes["new"] == there.boxes["old"]


def test_what_is_large_is_spread_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The estimate alone makes a copy one of several processes."""
    monkeypatch.setattr(copy_run, "SMALL", 10)
    monkeypatch.setattr(copy_run, "PARTITIONS_EACH", 1)
    there = world()
    workers = crew_of(there)
    migrated(there, workers, None)
    assert len(workers.started) == 2
    assert there.boxes["new"] == there.boxes["old"]


def test_what_a_crew_leaves_behind_keeps_the_run_incomplete() -> None:
    """Keys that are left behind count and are listed as without a crew."""
    there = world()
    there.archived = {"k05", "k06"}
    with pytest.raises(IncompleteError, match="2 archived"):
        migrated(there, crew_of(there), 2)
    assert len(there.events.texts("skipped")) == 2
