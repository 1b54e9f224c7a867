"""Two hundred seeded deaths for each floor: whatever kills a run, the next one ends the job.

In memory a process dies at a step: at a request that the service has carried out or not, at a
record of the journal that is whole, torn or absent, at a word to the marker. `test_kill` sends
kill -9 to real processes.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dataware.core.errors import DatawareError
from dataware.core.model import MarkerState, Wanted
from dataware.core.ports import Response
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.plan import make_plan
from support.accounting import check_identity, check_sums, journal_of
from support.cli import run
from support.copying import Killed, MemoryJournal
from support.killing import Strike, journals, struck_run
from support.memory_aws import Call, Forward
from support.memory_jobs import KINDS, Job, filled
from support.migrations import MIGRATIONS
from support.servers import FaultProxy
from support.world import World, WorldJournals, install

SEEDS = range(200)
WANTED = Wanted("Box", "Memory::Box", "new", ("old",))


class Death:
    """Ends a job at one of its requests or records; from then on nothing gets through."""

    def __init__(self, at: int, *, answered: bool) -> None:
        self.left = at
        self.answered = answered

    def now(self) -> bool:
        """Count a step; true at the moment of death and ever after."""
        self.left -= 1
        return self.left <= 0

    async def __call__(self, call: Call, forward: Forward) -> Response:
        """Die at a request."""
        first = self.left == 1
        if self.now():
            if first and self.answered:
                forward(call)
            raise Killed
        return forward(call)


class MortalJournal(MemoryJournal):
    """A journal whose process may die before a record is on disk."""

    def __init__(self, death: Death, kept: list[Mapping[str, Any]]) -> None:
        super().__init__()
        self.kept = kept
        self.death = death

    def append(self, *records: Mapping[str, Any]) -> None:
        """Keep records, up to the one at which the process dies."""
        for record in records:
            if self.death.now():
                raise Killed
            super().append(record)


def die(job: Job, chance: random.Random) -> None:
    """One run that dies at a random step, which may be after its end."""
    death = Death(chance.randint(1, 70), answered=chance.random() < 0.5)
    whole = job.journal
    job.journal = MortalJournal(death, whole.kept)
    job.aws.add(death)
    try:
        job.run()
    except (Killed, DatawareError):
        pass
    finally:
        job.journal = whole
        job.aws.heal()
    if whole.kept and chance.random() < 0.3:
        whole.kept.pop()  # torn, and so cut off when the journal is opened


@pytest.mark.parametrize("seed", SEEDS)
def test_a_copy_that_dies_anywhere_ends_whole(seed: int) -> None:
    """However often and wherever a copy dies, source = target in the end, and sums add up."""
    chance = random.Random(seed)
    exclusive = chance.random() < 0.5
    in_parts = {"size": 5000, "multipart_threshold": 4999, "part_size": 2000}
    parts = in_parts if chance.random() < 0.3 else {}
    count = chance.randint(1, 60)
    job = filled(KINDS[seed % 2], count, exclusive=exclusive, seed=seed, **parts)
    for _ in range(chance.randint(1, 4)):
        die(job, chance)
        check_sums(job.journal.kept, count)
    job.run()
    job.check_whole()
    assert not any(upload.parts for upload in job.aws.buckets.uploads.values())


class MortalWorld(World):
    """A world in which records of the journal are steps, too."""

    def apply(self) -> list[str]:
        """One `dataware apply`; the lines that it ends with."""
        self.events.clear()
        context = replace(self.context(), journals=MortalJournals(self))
        apply_plan(context, make_plan(context, [WANTED]), CopySettings())
        return self.events.texts("migrated") + self.events.texts("verified")


class MortalJournals(WorldJournals):
    """The journals of such a world."""

    def open(self, kind: str, target: str) -> MemoryJournal:
        """The one of a target, each of whose records is a step."""
        return Steps(self.world, super().open(kind, target).kept)


class Steps(MemoryJournal):
    """A journal that makes a step of every record, before it is kept."""

    def __init__(self, world: World, kept: list[Mapping[str, Any]]) -> None:
        super().__init__()
        self.world = world
        self.kept = kept

    def append(self, *records: Mapping[str, Any]) -> None:
        """Keep records, up to the one at which the process dies."""
        for record in records:
            self.world.moment("record")
            super().append(record)


def mortal_world(keys: int) -> MortalWorld:
    """A world in which only the old box holds data."""
    boxes = {"old": {f"k{n:02}": f"v{n}" for n in range(keys)}}
    return MortalWorld(boxes=boxes, identities={"old": 1})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_migration_that_dies_anywhere_ends_as_if_it_had_not(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After any deaths, state, record and last lines are those of an undisturbed run."""
    chance = random.Random(seed)
    keys = chance.randint(1, 14)
    world, twin = mortal_world(keys), mortal_world(keys)
    install(monkeypatch, twin)
    wanted_lines = twin.apply()
    install(monkeypatch, world)
    for _ in range(chance.randint(1, 4)):
        world.kill_at = chance.randrange(len(twin.log))
        try:
            world.apply()
        except (Killed, DatawareError):
            check_honest(world)
        if (journal := world.journals.get("new")) and journal.kept and chance.random() < 0.3:
            journal.kept.pop()
    world.kill_at = None
    last = world.apply()
    assert world.boxes == twin.boxes
    assert world.markers["new"].state is MarkerState.COMPLETE
    assert last in ([], wanted_lines), "a run that had all but said so has nothing left to say"
    if last:
        assert world.markers["new"].detail == twin.markers["new"].detail
        check_identity(world.journals["new"].kept, keys)


def check_honest(world: World) -> None:
    """A dead run has not called a part the whole."""
    marker = world.markers.get("new")
    if marker is not None and marker.state is MarkerState.COMPLETE:
        assert world.boxes["new"] == world.boxes["old"]


@pytest.mark.parametrize(("kind", "torn"), [("table", 1), ("bucket", 40)])
def test_a_killed_run_with_a_torn_journal_goes_on(
    kind: str, torn: int, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """The last record of a real journal is cut off in the middle; the next run ends the job."""
    migration = MIGRATIONS[kind]
    migration.fill()
    app = migration.write_app(tmp_path)
    struck_run(fault_proxy, Strike(9), "apply", app, operation=migration.write)
    (journal,) = journals(clean_environment)
    kept = journal.read_bytes()
    journal.write_bytes(kept[: len(kept) - torn])
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert migration.arrived()
    check_identity(journal_of(clean_environment), len(migration.content("old-one")))
