"""Several copies of one run: together they keep the bounds that one alone would have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.copier import CopyOutcome, Unit
from dataware.migrate.copy_progress import CopyProgress, CopySubject
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import Engine, EngineSettings
from dataware.migrate.rate_limiter import RateLimiter
from dataware.migrate.resizable_semaphore import ResizableSemaphore
from dataware.migrate.run_tools import RunTools
from dataware.migrate.worker import Worker
from support.copying import Events, LoopClock, MemoryCopier, MemoryJournal
from support.crews import Team
from support.virtual import run_virtually


class TimedCopier(MemoryCopier):
    """Notes when each key is written, and takes a while for it."""

    def __init__(self, source: Mapping[str, list[str]], written: list[float]) -> None:
        super().__init__(source, {})
        self.written = written

    async def write(self, unit: Unit) -> CopyOutcome:
        self.written += [asyncio.get_running_loop().time()] * unit.items
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(0.05)
        self.in_flight -= 1
        return CopyOutcome(copied=unit.items)


async def copy(
    copier: MemoryCopier, settings: EngineSettings, sharers: Callable[[], int], events: Events
) -> None:
    """One copy of a run."""
    clock, state = LoopClock(), CopyState()
    meter = CopyProgress(
        CopySubject("old", "new", "item", 25), await copier.size(), state.counts, clock, events
    )
    tools = RunTools(MemoryJournal(), state, clock, events, meter)
    await Engine(copier, tools, settings, sharers=sharers).run()


def copy_together(
    sizes: list[int], settings: EngineSettings
) -> tuple[list[TimedCopier], list[float], Events]:
    """Copies that begin and end at different moments; who copies counts as a sharer."""
    written, events, active = list[float](), Events(), [0]
    copiers = [
        TimedCopier({str(p): [f"{n}-{p}-{i}" for i in range(size)] for p in range(3)}, written)
        for n, size in enumerate(sizes)
    ]

    async def one(delay: float, copier: TimedCopier) -> None:
        await asyncio.sleep(delay)
        active[0] += 1
        try:
            await copy(copier, settings, lambda: active[0], events)
        finally:
            active[0] -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one(1.3 * n, each) for n, each in enumerate(copiers)))

    run_virtually(all_of_them())
    return copiers, written, events


@pytest.mark.parametrize("sizes", [[400], [400, 60], [400, 60, 60, 60, 60]])
def test_the_rate_is_that_of_the_whole_run(sizes: list[int]) -> None:
    """Over every ten seconds, while copies begin and end; whoever is left has all of it."""
    rate = 50.0
    copiers, written, events = copy_together(sizes, EngineSettings(max_rate=rate, readers=3))
    written.sort()
    for begin in written:
        assert sum(begin <= at < begin + 10 for at in written) <= 10 * rate * 1.05 + 2
    whole = sum(map(len, (keys for one in copiers for keys in one.source.values())))
    assert len(written) == whole
    assert written[-1] - written[0] <= whole / rate * 1.25 + 2
    told = {str(one.data["reason"]) for one in events if one.code == "progress"}
    assert "held at 50/s by --max-rate" in told
    assert ("held at 25/s as its share of --max-rate" in told) is (len(sizes) > 1)


def test_writers_are_those_of_the_whole_run() -> None:
    """Alone a copy has all of them, beside three others a quarter."""
    copiers, _, _ = copy_together([600], EngineSettings(writers=16, readers=3))
    assert copiers[0].most_in_flight == 16
    shared = TimedCopier({"a": [str(n) for n in range(600)]}, [])
    run_virtually(copy(shared, EngineSettings(writers=16), lambda: 4, Events()))
    assert shared.most_in_flight == 4


def test_pages_are_read_by_turns() -> None:
    """Of many partitions no more are read at once than the share has readers, and all are."""
    most, inside = [0], [0]

    class Paged(MemoryCopier):
        async def read(self, partition, after, bound=lambda: None):  # type: ignore[no-untyped-def]
            pages = super().read(partition, after)
            while True:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                await asyncio.sleep(0.01)
                inside[0] -= 1
                try:
                    page = await anext(pages)
                except StopAsyncIteration:
                    return
                yield page

    target: dict[str, int] = {}
    copier = Paged({str(p): [f"{p}-{i}" for i in range(40)] for p in range(12)}, target)
    run_virtually(copy(copier, EngineSettings(readers=8), lambda: 4, Events()))
    assert most[0] == 2
    assert len(target) == 480


def test_a_crew_hears_among_how_many_it_shares() -> None:
    """Each process takes its share of what the crew may take."""
    source = {str(p): [f"{p}-{i}" for i in range(30)] for p in range(4)}
    seconds = {}
    for sharers in (1, 4):
        team = Team(
            [MemoryCopier(source, {}) for _ in range(2)],
            MemoryJournal(),
            settings=EngineSettings(readers=1, max_rate=20.0, parts=2),
            sharers=lambda among=sharers: among,
        )
        team.run()
        seconds[sharers] = team.seconds
    assert seconds[4] >= 3 * seconds[1]


def test_a_worker_adapts_to_what_it_is_told() -> None:
    """The message reaches its engine."""
    worker = Worker(lambda _message: None, LoopClock())
    assert worker.sharing() == 1
    worker.handle_message({"type": "share", "among": 5})
    assert worker.sharing() == 5


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0.01, 1.0)), min_size=1, max_size=30))
def test_a_semaphore_never_lets_in_more_than_it_may(steps: list[tuple[int, float]]) -> None:
    """Whatever it is resized to meanwhile, and everybody gets a turn in the end."""

    async def scene() -> None:
        semaphore, inside, done = ResizableSemaphore(3), [0], [0]
        bound = [3]

        async def visit(stay: float) -> None:
            async with semaphore:
                inside[0] += 1
                assert inside[0] <= max(bound[0], 1)
                await asyncio.sleep(stay)
                inside[0] -= 1
                done[0] += 1

        tasks = []
        for most, stay in steps:
            tasks.append(asyncio.create_task(visit(stay)))
            await asyncio.sleep(0.05)
            for _ in range(3):
                # Who was let in just now is counted once its task has run.
                await asyncio.sleep(0)
            if most >= inside[0]:
                bound[0] = most
                semaphore.resize(most)
        await asyncio.gather(*tasks)
        assert done[0] == len(steps)

    run_virtually(scene())


def test_who_gives_up_waiting_takes_no_turn_along() -> None:
    """The next one is let in."""

    async def scene() -> None:
        semaphore = ResizableSemaphore(1)
        await semaphore.__aenter__()
        waiting = asyncio.create_task(semaphore.__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        after = asyncio.create_task(semaphore.__aenter__())
        await asyncio.sleep(0)
        await semaphore.__aexit__()
        await asyncio.wait_for(after, 1)

    run_virtually(scene())


def test_a_new_ceiling_holds_from_now_on() -> None:
    """In both directions."""

    async def scene() -> float:
        loop = asyncio.get_running_loop()
        limiter = RateLimiter(LoopClock(), 10.0, upfront=True)
        await limiter.take(10)
        limiter.bound(100.0)
        await limiter.take(100)
        return loop.time()

    assert run_virtually(scene()) == pytest.approx(2.0, abs=0.2)
