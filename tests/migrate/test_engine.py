"""The copy engine: complete, bounded, and able to go on after anything."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import (
    CopyOutcome,
    PageBound,
    Rates,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.model import Size
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState, Counts
from dataware.migrate.engine import Engine, EngineSettings
from dataware.migrate.run_tools import RunTools
from support.copying import (
    Events,
    LoopClock,
    MemoryCopier,
    MemoryJournal,
    cannot_see,
    failing_after,
)
from support.virtual import run_virtually

SUBJECT = CopySubject("old", "new", "item", 25)
UNBOUND = EngineSettings()
sources = st.dictionaries(
    st.text("ab", min_size=1, max_size=3), st.integers(0, 30), min_size=1, max_size=5
).map(lambda sizes: {name: [f"{name}{i}" for i in range(n)] for name, n in sizes.items()})


def run(
    copier: MemoryCopier,
    journal: MemoryJournal,
    events: Events | None = None,
    stop: Callable[[], bool] = lambda: False,
    limits: EngineSettings = UNBOUND,
    *,
    publish: Callable[[Mapping[str, object]], None] = lambda _detail: None,
    loop: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run,
) -> CopyState:
    """One run of the engine over a journal."""
    emit = events if events is not None else Events()
    progress = CopyState.of(journal.records())

    async def copy() -> None:
        clock = LoopClock()
        total = await copier.size()
        meter = CopyProgress(SUBJECT, total, progress.counts, clock, emit)
        tools = RunTools(journal, progress, clock, emit, meter, stop, publish)
        await Engine(copier, tools, limits).run()

    loop(copy())
    return progress


@settings(max_examples=40, deadline=None)
@given(sources)
def test_everything_is_copied_once(source: dict[str, list[str]]) -> None:
    """An undisturbed run writes every key exactly once and accounts for all of them."""
    copier = MemoryCopier(source, {})
    progress = run(copier, MemoryJournal())
    everything = [key for keys in source.values() for key in keys]
    assert copier.target == dict.fromkeys(everything, 1)
    assert progress.counts.copied == len(everything)
    assert progress.finished


@settings(max_examples=60, deadline=None)
@given(sources, st.integers(0, 40), st.integers(0, 200))
def test_a_killed_run_goes_on_from_any_prefix_of_its_journal(
    source: dict[str, list[str]], writes: int, kept: int
) -> None:
    """Whatever was written when it died, the next run ends with everything, and counts add up."""
    journal, target = MemoryJournal(), dict[str, int]()
    try:
        run(MemoryCopier(source, target, failing_after(writes, cannot_see())), journal)
    except LookupFailedError:
        del journal.kept[kept:]
    progress = run(MemoryCopier(source, target), journal)
    everything = {key for keys in source.values() for key in keys}
    assert target.keys() == everything
    assert progress.counts.done == len(everything)


def test_a_finished_copy_reads_nothing_again() -> None:
    """A second run over the journal of a finished one does no work."""
    source, target, journal = {"a": ["1", "2", "3"]}, dict[str, int](), MemoryJournal()
    run(MemoryCopier(source, target), journal)
    again = MemoryCopier(source, target)
    run(again, journal)
    assert again.pages == []
    assert set(target.values()) == {1}


def test_what_is_done_is_not_done_again() -> None:
    """A resumed run begins after the last settled page, not at the start."""
    source = {"a": [str(i) for i in range(40)]}
    journal = MemoryJournal()
    with pytest.raises(LookupFailedError):
        run(
            MemoryCopier(source, {}, failing_after(12, cannot_see())),
            journal,
            limits=EngineSettings(writers=1),
        )
    again = MemoryCopier(source, {})
    run(again, journal)
    assert again.pages[0] == ("a", "24")


def test_a_failure_is_raised_and_the_rest_is_kept() -> None:
    """The first error ends the run; acknowledged pages before it are in the journal."""
    source = {"a": [str(i) for i in range(100)]}
    journal = MemoryJournal()
    with pytest.raises(LookupFailedError, match="the service is gone"):
        run(MemoryCopier(source, {}, failing_after(9, cannot_see())), journal)
    assert any(record["type"] == "checkpoint" for record in journal.kept)


def test_writes_in_flight_are_bounded() -> None:
    """No more units are under way than the settings allow."""
    for writers in (1, 2):
        copier = MemoryCopier({"a": [str(i) for i in range(200)]}, {})
        run(copier, MemoryJournal(), limits=EngineSettings(writers=writers))
        assert copier.most_in_flight == writers


def test_bytes_in_flight_are_bounded() -> None:
    """Units wait until their bytes fit, and one that never fits goes alone."""
    copier = MemoryCopier({"a": [str(i) for i in range(40)]}, {})
    run(copier, MemoryJournal(), limits=EngineSettings(bytes_in_flight=25))
    assert copier.most_in_flight == 2
    alone = MemoryCopier({"a": [str(i) for i in range(40)]}, {})
    run(alone, MemoryJournal(), limits=EngineSettings(bytes_in_flight=5))
    assert alone.most_in_flight == 1


def test_what_is_written_is_held_by_nobody() -> None:
    """Writers that wait for more keep nothing of what they wrote last, however many they are."""
    written: list[weakref.ref[Payload]] = []
    held: list[int] = []

    class Payload:
        """What a unit carries."""

    class Stalling(MemoryCopier):
        async def read(
            self, partition: str, after: str | None, bound: PageBound = no_page_bound
        ) -> AsyncIterator[UnitPage]:
            for last in range(10):
                units = tuple(Unit(Payload(), 1, 10) for _ in range(8))
                yield UnitPage(units, None if last == 9 else str(last))
                del units
                await asyncio.sleep(1)
                held.append(sum(one() is not None for one in written))

        async def write(self, unit: Unit) -> CopyOutcome:
            written.append(weakref.ref(unit.payload))
            await asyncio.sleep(0.1)
            return CopyOutcome(copied=1)

    run(Stalling({"a": []}, {}), MemoryJournal(), loop=run_virtually)
    assert len(written) == 80
    # The reader has its page until it reads the next one.
    assert max(held) <= 8


def test_a_wish_to_stop_ends_the_run_as_incomplete() -> None:
    """Asked to stop, the engine ends what is in flight, keeps it, and says it is not done."""
    source = {str(p): [f"{p}-{i}" for i in range(400)] for p in range(20)}
    journal, target = MemoryJournal(), dict[str, int]()
    slow = EngineSettings(max_rate=2000)
    with pytest.raises(IncompleteError, match="run the same command again"):
        run(MemoryCopier(source, target), journal, stop=lambda: len(target) > 100, limits=slow)
    assert 100 < len(target) < 8000
    run(MemoryCopier(source, target), journal)
    assert len(target) == 8000


def test_a_stopped_copy_tells_as_done_what_the_next_run_goes_on_after() -> None:
    """What is in no checkpoint will be read again, so the record does not count it."""
    journal, copier, told = MemoryJournal(), Slow({"a": [str(i) for i in range(400)]}, {}), []
    with pytest.raises(IncompleteError):
        run(
            copier,
            journal,
            stop=lambda: len(copier.target) > 41,
            limits=EngineSettings(writers=3),
            loop=run_virtually,
            publish=told.append,
        )
    assert told[-1]["done"] == CopyState.of(journal.records()).counts.copied > 0
    assert told[-1]["done"] >= len(copier.target) - 8


class Slow(MemoryCopier):
    """Writes that take a while."""

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write after a moment."""
        await asyncio.sleep(0.05)
        return await super().write(unit)


def test_a_hung_write_does_not_outlive_the_wish_to_stop() -> None:
    """A write that never ends is given up after a moment, and is not checkpointed."""

    class Hung(MemoryCopier):
        async def write(self, unit: Unit) -> CopyOutcome:
            await asyncio.sleep(3600)
            return await super().write(unit)

    journal = MemoryJournal()
    with pytest.raises(IncompleteError):
        run(Hung({"a": ["1"]}, {}), journal, stop=lambda: True)
    assert [record["type"] for record in journal.kept] == ["partitions"]


def test_the_rate_is_kept() -> None:
    """A limit in items a second bounds how fast the copy goes."""
    copier = MemoryCopier({"a": [str(i) for i in range(120)]}, {})

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.to_thread(
            run, copier, MemoryJournal(), None, lambda: False, EngineSettings(max_rate=200)
        )
        return loop.time() - start

    assert asyncio.run(timed()) >= 120 / 200 - 0.2


class Charged(MemoryCopier):
    """Pages and units that cost capacity."""

    async def read(
        self, partition: str, after: str | None, bound: PageBound = no_page_bound
    ) -> AsyncIterator[UnitPage]:
        """Each page costs ten units of reading, and each of its units ten of writing."""
        async for page in super().read(partition, after):
            units = tuple(unit._replace(write_units=10) for unit in page.units)
            yield replace(page, units=units, read_units=10)


def test_a_share_of_provisioned_capacity_is_kept() -> None:
    """max_share takes its limit from the tables' provisioned capacity."""

    copier = Charged({"a": [str(i) for i in range(40)]}, {})
    copier.capacity = Rates(read=400)

    async def timed() -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.to_thread(
            run, copier, MemoryJournal(), None, lambda: False, EngineSettings(max_share=0.5)
        )
        return loop.time() - start

    assert asyncio.run(timed()) >= 100 / 200 - 0.2


def reasons(limits: EngineSettings, capacity: Rates) -> set[object]:
    """Why a copy of some seconds was slow, by all that it told of its progress."""
    copier, events = Charged({"a": [str(i) for i in range(400)]}, {}), Events()
    copier.capacity = capacity
    run(copier, MemoryJournal(), events, limits=limits, loop=run_virtually)
    return {one.data["reason"] for one in events if one.code == "progress"}


@pytest.mark.parametrize(
    ("limits", "capacity", "reason"),
    [
        (EngineSettings(max_rate=50.0), Rates(), "held at 50/s by --max-rate"),
        (EngineSettings(max_rate=50.0, parts=3), Rates(), "held at 150/s by --max-rate"),
        (
            EngineSettings(max_share=0.5),
            Rates(read=400),
            "held at 50 % of the read capacity by --max-share",
        ),
        (
            EngineSettings(max_rate=10_000.0, max_share=0.125, parts=2),
            Rates(read=10**6, write=2000),
            "held at 25 % of the write capacity by --max-share",
        ),
        (EngineSettings(max_rate=10_000.0), Rates(), None),
        (EngineSettings(), Rates(), None),
    ],
)
def test_a_bound_that_holds_the_copy_back_is_named(
    limits: EngineSettings, capacity: Rates, reason: str | None
) -> None:
    """As a person has set it, also where several processes share it; no other one is."""
    assert reasons(limits, capacity) - {""} == ({reason} if reason else set())


def test_what_is_left_behind_is_told_and_kept() -> None:
    """A key that cannot be carried is an event, a count, and part of the checkpoint."""

    class Leaving(MemoryCopier):
        async def write(self, unit: Unit) -> CopyOutcome:
            left = tuple(
                SkippedKey(key, SkipReason.ARCHIVED, "it is in Glacier") for key in unit.payload
            )
            return CopyOutcome(skipped=left)

    events, journal = Events(), MemoryJournal()
    progress = run(Leaving({"a": ["1", "2", "3"]}, {}), journal, events)
    assert progress.counts.skipped == 3
    assert progress.skip_reasons == {"archived": 3}
    assert events.texts("skipped")[0] == "Skipped (archived): 1: it is in Glacier"
    kept = [left for record in journal.kept for left in record.get("skipped_keys", ())]
    assert {left["key"] for left in kept} == {"1", "2", "3"}


def test_seventy_eight_items_are_four_batches() -> None:
    """Batches count units of data, whatever the division into writes."""
    events = Events()
    run(MemoryCopier({"a": [str(i) for i in range(78)]}, {}), MemoryJournal(), events)
    assert events.texts("batch") == [f"Migrated batch {n}/4" for n in (1, 2, 3, 4)]


def test_an_empty_page_is_not_the_end() -> None:
    """A page without units but with a cursor is followed by the next."""

    class Sparse(MemoryCopier):
        async def read(self, partition: str, after: str | None, bound: PageBound = no_page_bound):
            yield UnitPage((), "0")
            async for page in super().read(partition, after):
                yield page

    copier = Sparse({"a": ["1"]}, {})
    progress = run(copier, MemoryJournal())
    assert copier.target == {"1": 1}
    assert progress.finished


def test_a_throttled_answer_slows_the_copy_and_is_told() -> None:
    """Throttling cuts the rate, and its reason is told once."""
    events, clock = Events(), LoopClock()
    copier = MemoryCopier({"a": ["1"]}, {})

    async def throttle() -> float | None:
        meter = CopyProgress(SUBJECT, Size(1, 0), Counts(), clock, events)
        tools = RunTools(MemoryJournal(), CopyState(), clock, events, meter)
        engine = Engine(copier, tools, EngineSettings())
        engine.slow_down("the table's write capacity")
        engine.slow_down("the table's write capacity")
        return engine.limit

    assert asyncio.run(throttle()) is not None
    assert events.texts("slowed") == ["Slowing down: the table's write capacity"]


def test_a_display_that_fails_is_a_failure_and_not_the_end_of_watching() -> None:
    """Whatever breaks what polls the lock and the wish to stop, ends the copy and is told."""

    def broken_pipe() -> bool:
        raise BrokenPipeError("nobody reads any more")

    copier = MemoryCopier({"a": [f"a{i}" for i in range(40)]}, {})
    slow = EngineSettings(writers=1, max_rate=50)
    with pytest.raises(BrokenPipeError):
        run(copier, MemoryJournal(), stop=broken_pipe, limits=slow)
    assert len(copier.target) < 40
