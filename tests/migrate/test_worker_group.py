"""Several workers over one journal: each partition to one of them, and every end an orderly one."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import CopyOutcome, Rates, SkippedKey, SkipReason, Unit
from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.run_control import RunControl
from dataware.migrate.engine import EngineSettings
from dataware.migrate.worker_task import UnexpectedError
from support.accounting import check_identity
from support.copying import MemoryCopier, MemoryJournal, cannot_see, failing_after
from support.crews import Team

sources = st.dictionaries(
    st.text("ab", min_size=1, max_size=3), st.integers(0, 30), min_size=1, max_size=6
).map(lambda sizes: {name: [f"{name}{i}" for i in range(n)] for name, n in sizes.items()})


def team(source: Mapping[str, list[str]], count: int = 2, **more: Any) -> Team:
    """Workers that share a source and a target."""
    target: dict[str, int] = more.pop("target", {})
    hook: Callable[[Unit], None] = more.pop("hook", lambda _unit: None)
    copiers = [MemoryCopier(source, target, hook) for _ in range(count)]
    return Team(copiers, more.pop("journal", MemoryJournal()), **more)


def wide(partitions: int = 10, keys: int = 40) -> dict[str, list[str]]:
    """A source of so many partitions."""
    return {str(p): [f"{p}-{i}" for i in range(keys)] for p in range(partitions)}


@settings(max_examples=40)
@given(sources, st.integers(1, 4), st.integers(1, 3))
def test_everything_is_copied_once(source: dict[str, list[str]], count: int, readers: int) -> None:
    """Whoever copies it, every key is written once, and every partition is leased once."""
    there = team(source, count, settings=EngineSettings(readers=readers))
    progress = there.run()
    everything = [key for keys in source.values() for key in keys]
    assert there.copiers[0].target == dict.fromkeys(everything, 1)
    assert Counter(lease for one in there.members for lease in one.leases) == Counter(list(source))
    check_identity(there.journal.kept, len(everything))
    assert progress.counts.copied == len(everything)
    assert all(member.ended for member in there.members)


@settings(max_examples=40)
@given(sources, st.integers(0, 40), st.integers(0, 200))
def test_a_crew_goes_on_from_any_prefix_of_the_journal(
    source: dict[str, list[str]], writes: int, kept: int
) -> None:
    """Whatever was written when one failed, the next crew ends with everything, counted once."""
    journal, target = MemoryJournal(), dict[str, int]()
    try:
        team(source, target=target, journal=journal, hook=failing_after(writes, cannot_see())).run()
    except LookupFailedError:
        del journal.kept[kept:]
    team(source, 3, target=target, journal=journal).run()
    everything = {key for keys in source.values() for key in keys}
    assert target.keys() == everything
    check_identity(journal.kept, len(everything))


def test_the_work_is_shared() -> None:
    """A worker takes the next partition when it is done with one, so none of them stands idle."""
    there = team(wide(12), 3)
    there.run()
    assert all(len(member.leases) >= 2 for member in there.members)


def test_each_worker_gets_a_partition_though_one_begins_first() -> None:
    """Who begins early waits for the others, so that a small source is shared out, too."""

    class Late(MemoryCopier):
        async def rates(self) -> Rates:
            await asyncio.sleep(5)
            return Rates()

    source, target = wide(2, 4), dict[str, int]()
    copiers = [MemoryCopier(source, target), Late(source, target)]
    there = Team(copiers, MemoryJournal(), settings=EngineSettings(readers=1, max_share=0.5))
    there.run()
    assert [member.leases for member in there.members] == [["0"], ["1"]]


def test_a_failure_is_the_same_error_as_without_a_crew() -> None:
    """Class, sentence and problem arrive; the others stop, and what was settled is kept."""
    there = team(wide(), hook=failing_after(60, cannot_see()))
    with pytest.raises(LookupFailedError, match=r"^the service is gone$"):
        there.run()
    assert any(record["type"] == "checkpoint" for record in there.journal.kept)
    assert all(member.ended for member in there.members)


def test_what_nobody_expected_is_told_with_its_name() -> None:
    """An error that is not dataware's own does not pass for one."""
    there = team(wide(), hook=failing_after(3, KeyError("odd")))
    with pytest.raises(UnexpectedError, match="KeyError: 'odd'"):
        there.run()


def test_a_worker_that_dies_ends_the_run_as_incomplete() -> None:
    """One sentence tells of it, the others are stopped, and the next run ends the job."""
    target: dict[str, int] = {}
    slow = EngineSettings(readers=1, writers=2, max_rate=200)

    def die_later(_unit: Unit) -> None:
        if len(target) == 100:
            there.members[1].die()

    there = team(wide(), target=target, hook=die_later, settings=slow)
    with pytest.raises(
        IncompleteError, match=r"one of the 2 copy processes .* \(signal 9\).*same command"
    ):
        there.run()
    assert all(member.ended for member in there.members)
    assert len(target) < 400
    again = team(wide(), target=target, journal=there.journal)
    again.run()
    assert len(target) == 400
    check_identity(there.journal.kept, 400)


@pytest.mark.parametrize("deaf", [False, True], ids=["heard", "not heard"])
def test_a_wish_to_stop_is_obeyed_within_two_seconds(deaf: bool) -> None:
    """Workers end what is in flight; who does not answer is ended, and the next run goes on."""
    target: dict[str, int] = {}
    slow = EngineSettings(readers=1, writers=2, max_rate=200)
    there = team(wide(), target=target, settings=slow, deaf=deaf)
    asked: list[float] = []

    def stop() -> bool:
        if len(target) > 60:
            asked.append(asyncio.get_running_loop().time())
        return bool(asked)

    there.stop = stop
    with pytest.raises(IncompleteError, match="run the same command again"):
        there.run()
    assert there.seconds - asked[0] <= 2.0
    assert all(member.ended for member in there.members)
    assert len(target) < 400
    team(wide(), target=target, journal=there.journal).run()
    assert len(target) == 400
    check_identity(there.journal.kept, 400)


def test_checkpoints_are_written_together() -> None:
    """What several workers settle in a moment waits for the disk once, and "done" rests on it."""
    appended: list[int] = []

    class Counting(MemoryJournal):
        def append(self, *records: Mapping[str, Any]) -> None:
            appended.append(len(records))
            super().append(*records)

    there = team(wide(30, 4), 3, journal=Counting())
    assert there.run().finished
    assert len(appended) == 2, "the partitions, and all that was settled before the first look"


def test_a_journal_that_cannot_be_written_ends_the_run() -> None:
    """What is not on record does not count; the others are stopped."""

    class Full(MemoryJournal):
        def append(self, *records: Mapping[str, Any]) -> None:
            if self.kept:
                raise IncompleteError("the journal cannot be written")
            super().append(*records)

    there = team(wide(), journal=Full(), settings=EngineSettings(readers=1, max_rate=100))
    with pytest.raises(IncompleteError, match=r"^the journal cannot be written$"):
        there.run()
    assert all(member.ended for member in there.members)


def test_what_is_left_behind_is_told_once() -> None:
    """The leading process tells of the keys, from the records of the workers."""

    class Leaving(MemoryCopier):
        async def write(self, unit: Unit) -> CopyOutcome:
            left = tuple(
                SkippedKey(key, SkipReason.ARCHIVED, "it is in Glacier") for key in unit.payload
            )
            return CopyOutcome(skipped=left)

    source = wide(4, 6)
    there = Team([Leaving(source, {}), Leaving(source, {})], MemoryJournal())
    progress = there.run()
    assert progress.skip_reasons == {"archived": 24}
    told = there.events.texts("skipped")
    expected = {f"Skipped (archived): {p}-{i}: it is in Glacier" for p in source for i in range(6)}
    assert (len(told), set(told)) == (24, expected)


def test_batches_are_counted_for_the_whole() -> None:
    """Batches count what all workers did, each of them once and in order."""
    there = team({"a": [f"a{i}" for i in range(40)], "b": [f"b{i}" for i in range(38)]})
    there.run()
    assert there.events.texts("batch") == [f"Migrated batch {n}/4" for n in (1, 2, 3, 4)]


def test_throttling_is_told_once_for_each_reason() -> None:
    """Each worker slows down by itself; the reason is told once, and every answer counts."""

    def throttle(_unit: Unit) -> None:
        for member in there.members:
            member.worker.slow_down("the table's write capacity")

    there = team({"a": ["1"], "b": ["2"]}, hook=throttle)
    there.run()
    assert there.events.texts("slowed") == ["Slowing down: the table's write capacity"]
    assert there.events[-1].data["throttled"] == 4


def test_a_bound_that_the_workers_share_is_named_as_the_whole() -> None:
    """The workers tell the leading process while their gates hold them, and when that ends."""
    bounds = EngineSettings(readers=1, max_rate=10.0, parts=2)
    there = team(wide(2, 60), settings=bounds)
    there.run()
    told = [one.data["reason"] for one in there.events if one.code == "progress"]
    assert set(told) == {"", "held at 20/s by --max-rate"}
    assert (told[0], told[-1]) == ("", "")


def test_progress_does_not_wait_for_whole_pages() -> None:
    """What the workers have written shows at once, and is counted once when it is on record."""
    there = team(wide(2, 8), settings=EngineSettings(readers=1, writers=1, max_rate=1))
    there.run()
    told = [one.data for one in there.events if one.code == "progress"]
    # Both have a page of four keys on record at the same time, and write two of them first.
    assert {one["done"] for one in told} == {0, 4, 8, 12, 16}
    assert [one["done"] for one in told] == sorted(one["done"] for one in told)
    assert told[-1]["done"] == 16


def test_what_people_ask_reaches_every_process() -> None:
    """A rate is shared out among them, and holds from when it was asked for."""
    bounds = EngineSettings(readers=1, max_rate=500.0, parts=2)
    there = team(wide(2, 100), settings=bounds)
    there.read_control = lambda: RunControl(None, 10.0)
    there.run()
    assert there.seconds == pytest.approx(20, rel=0.2)
    assert all(one.worker.read_control().max_rate == 10.0 for one in there.members)
    assert {one.data["slow"] for one in there.events if one.code == "progress"} >= {
        ", held at 10/s by `dataware throttle`"
    }
