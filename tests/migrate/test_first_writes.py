"""A copy that may not write ends after a few writes; one that may write some keys goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.copier import (
    CopyOutcome,
    PageBound,
    SkippedKey,
    SkipReason,
    Unit,
    UnitPage,
    no_page_bound,
)
from dataware.core.errors import WriteDeniedError
from dataware.migrate.copy_state import CopyState
from dataware.migrate.engine import EngineSettings
from dataware.migrate.first_writes import FEW
from support.copying import Events, MemoryCopier, MemoryJournal
from support.crews import Team
from support.virtual import run_virtually

from .test_engine import run

WHY = "AccessDenied: it needs s3:PutObject"
MANY = 1500


class Denying(MemoryCopier):
    """Denies the keys for which `denies` is true; `archived` ones cannot be carried at all."""

    def __init__(
        self,
        source: dict[str, list[str]],
        target: dict[str, int],
        denies: Callable[[str], bool],
        archived: Iterable[str] = (),
        seconds: float = 0.0,
    ) -> None:
        super().__init__(source, target)
        self.denies = denies
        self.archived = set(archived)
        self.seconds = seconds
        self.attempts = 0

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write what is allowed."""
        self.attempts += 1
        await asyncio.sleep(self.seconds)
        if key := next((key for key in unit.payload if key in self.archived), None):
            return CopyOutcome(skipped=(SkippedKey(key, SkipReason.ARCHIVED, "it is archived"),))
        denied = [key for key in unit.payload if self.denies(key)]
        written = [key for key in unit.payload if key not in denied]
        outcome = await super().write(Unit(written, len(written), unit.bytes))
        return outcome._replace(
            skipped=tuple(SkippedKey(key, SkipReason.DENIED, WHY) for key in denied)
        )


def keys(count: int, partitions: int = 4) -> dict[str, list[str]]:
    """A source of so many keys in each partition."""
    return {f"p{n}": [f"p{n}/{i:05}" for i in range(count)] for n in range(partitions)}


@pytest.mark.parametrize("writers", [1, 4, 32, 256])
def test_a_copy_of_which_every_write_is_denied_ends_after_a_few(writers: int) -> None:
    """It says why, tells of no batch, and has nothing on record that would be passed over."""
    copier, journal, events = Denying(keys(MANY), {}, lambda _key: True), MemoryJournal(), Events()
    with pytest.raises(WriteDeniedError, match="it needs s3:PutObject") as caught:
        run(copier, journal, events, limits=EngineSettings(writers=writers), loop=run_virtually)
    assert copier.attempts <= 2 * FEW
    assert (caught.value.attempts, caught.value.copied) == (FEW, 0)
    assert not {"batch", "skipped"} & set(events.codes)
    assert not [record for record in journal.kept if record["type"] == "checkpoint"]
    allowed = Denying(copier.source, copier.target, lambda _key: False)  # type: ignore[arg-type]
    assert run(allowed, journal).counts.copied == 4 * MANY


def test_a_few_objects_that_are_all_denied_are_a_failure() -> None:
    """Also fewer than it takes to end early, whatever else could not be carried."""
    copier = Denying({"a": ["1", "2", "3", "4", "5"]}, {}, lambda _key: True, archived=["1"])
    with pytest.raises(WriteDeniedError):
        run(copier, MemoryJournal())


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, 3), min_size=1), st.integers(1, 60), st.sampled_from([1, 32, 256]))
def test_where_only_some_keys_are_denied_the_rest_is_copied(
    allowed: set[int], count: int, writers: int
) -> None:
    """However the denied keys lie, as long as the first page of a part shows an allowed one."""
    source = {"all": [key for keys_ in keys(count).values() for key in keys_]}

    def denies(key: str) -> bool:
        return int(key[1]) not in allowed

    copier, journal = Denying(source, {}, denies), MemoryJournal()
    wide = [source["all"]]

    async def whole() -> list[str]:
        return list(source)

    copier.partitions = whole  # type: ignore[method-assign]
    try:
        progress = run(copier, journal, limits=EngineSettings(writers=writers), loop=run_virtually)
    except WriteDeniedError:
        assert writers == 1 or count * (4 - len(allowed)) >= FEW
        return
    assert set(copier.target) == {key for key in wide[0] if not denies(key)}
    assert progress.counts.skipped + progress.counts.copied == len(wide[0])


def test_the_first_writes_come_from_all_over_what_was_read() -> None:
    """So a prefix that is denied, and sorts first, does not look like everything."""
    source = {"all": [f"a/{n:03}" for n in range(200)] + [f"b/{n:03}" for n in range(200)]}

    class OnePage(Denying):
        """Reads a partition in one page of one key a unit, as a bucket is read."""

        async def read(
            self, partition: str, after: str | None, bound: PageBound = no_page_bound
        ) -> AsyncIterator[UnitPage]:
            del after
            yield UnitPage(tuple(Unit([key], 1, 10) for key in self.source[partition]), None)

    copier = OnePage(source, {}, lambda key: key.startswith("a/"))
    progress = run(copier, MemoryJournal(), limits=EngineSettings(writers=256), loop=run_virtually)
    assert (progress.counts.copied, progress.skip_reasons) == (200, {"denied": 200})


def test_a_permission_that_goes_later_does_not_undo_what_was_copied() -> None:
    """What the target holds from an earlier run stays on record, and the rest is tried again."""
    source, journal = keys(100, 1), MemoryJournal()
    (partition,) = source
    done = {"cursor": "40", "skipped_keys": [], "copied": 40}
    journal.append({"type": "partitions", "partitions": [partition]})
    journal.append({"type": "checkpoint", "partition": partition, **done})
    with pytest.raises(WriteDeniedError) as caught:
        run(Denying(source, {}, lambda _key: True), journal)
    assert caught.value.copied == 40
    counts = CopyState.of(journal.records()).counts
    assert (counts.copied, counts.skipped) == (40, 0)


def test_who_accepts_skipped_keys_has_every_key_tried() -> None:
    """Without a trial a denied key is skipped like any other."""
    copier = Denying(keys(100, 1), {}, lambda _key: True)
    progress = run(copier, MemoryJournal(), limits=EngineSettings(trial=False))
    assert progress.skip_reasons == {"denied": 100}


def test_several_processes_that_may_not_write_end_early() -> None:
    """The one that leads sees it in what the others send."""
    source = keys(2000)
    copiers = [Denying(source, {}, lambda _key: True, seconds=0.05) for _ in range(2)]
    team = Team(copiers, MemoryJournal(), settings=EngineSettings(readers=1, trial=False))
    with pytest.raises(WriteDeniedError, match="it needs s3:PutObject"):
        team.run()
    assert sum(copier.attempts for copier in copiers) < 4 * 2000 / 2 / 2
    assert "batch" not in team.events.codes
