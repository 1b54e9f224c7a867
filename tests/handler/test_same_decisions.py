"""One table of migrations, made by a command and by a deployment: the same ends, the same words."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.errors import DatawareError
from dataware.core.model import Location, OnConflict
from dataware.handler import begin, copy_shard, finish
from dataware.handler.invocation import Invocation, LambdaContext, RemainingTime
from dataware.ops import migration_job as jobs
from dataware.ops.context import CopySettings
from dataware.ops.lease_keeper import LeaseMonitor
from dataware.ops.migration_job import MigrationJob
from dataware.ops.migration_policy import COMMAND, Migration
from dataware.ops.run_migration import run_migration
from support.deployments import Time
from support.world import World, box_kind, install

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")
ACCEPTED, TARGET_WINS = (
    CopySettings(allow_skipped=True),
    CopySettings(on_conflict=OnConflict.TARGET),
)


class End(NamedTuple):
    """How a migration ended: why, None if it is complete; its rounds; what the target holds."""

    why: str | None
    rounds: int
    warnings: list[str]
    target: dict[str, str]


def by_command(world: World, settings: CopySettings) -> End:
    """The end of `dataware migrate`."""
    facts = world.facts("new")
    order = CopyOrder(OLD, NEW, on_conflict=settings.on_conflict)
    migration = Migration(box_kind(world), order, settings, facts.marker, facts)
    why = None
    try:
        run_migration(world.context(), migration)
    except DatawareError as error:
        why = str(error)
    return end(world, why)


def by_deployment(world: World, settings: CopySettings) -> End:
    """The end of an execution, whose states pass JSON to each other."""
    job = MigrationJob("Memory::Box", OLD, NEW, settings, "execution", 10.0**9)
    state: dict[str, Any] = {"outcome": "again", "job": job.to_json()}
    while state["outcome"] in {"again", "copy", "verify"}:
        if state["outcome"] == "again":
            state = begin.handler(_json(state), Time())
            continue
        shards = [
            copy_shard.handler(_json({"job": state["job"], "shard": shard}), Time())
            for shard in state["shards"]
        ]
        state = finish.handler(_json({**state, "shards": shards}), Time())
    failed = state["outcome"] == "failed"
    return end(world, json.loads(state["cause"])["reason"] if failed else None)


def end(world: World, why: str | None) -> End:
    """What a migration has left behind."""
    rounds = world.events.codes.count("found")
    return End(why, rounds, world.events.texts("warning"), world.boxes["new"])


def _json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.fixture(params=[math.inf, 0], ids=["at-once", "by-tasks"])
def deployment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[World]:
    """The world of the handlers, to be put in; a verification is one call, or one for each task."""
    worlds: list[World] = []

    @contextmanager
    def working(job: MigrationJob, context: LambdaContext) -> Iterator[Invocation]:
        left = RemainingTime(context, lambda: 0.0, job.deadline)
        yield Invocation(job, worlds[0].context(), left, LeaseMonitor(lambda: True))

    for module in (begin, copy_shard, finish):
        monkeypatch.setattr(module, "working", working)
    monkeypatch.setattr(finish, "LITTLE", request.param)
    monkeypatch.setattr(begin, "LITTLE", request.param)
    # The words by which a reader goes on are all that may differ.
    monkeypatch.setattr(jobs, "DEPLOYMENT", COMMAND)
    return worlds


def unchanged(_world: World) -> None:
    """Nothing is in the way."""


def archive(world: World) -> None:
    """One key cannot be read."""
    world.archived = {"k05"}


def archive_all(world: World) -> None:
    """No key can be read."""
    world.archived = set(world.boxes["old"])


def deny_some(world: World) -> None:
    """Some keys must not be written, for more than one cause."""
    world.denied, world.archived = {"k03", "k05"}, {"k07"}


def hold_one(world: World) -> None:
    """The target has a value of its own under a key."""
    world.boxes["new"]["k04"] = "its own"


def hold_all(world: World) -> None:
    """The target has values of its own under every key."""
    world.boxes["new"].update(dict.fromkeys(world.boxes["old"], "its own"))


def lose_writes(world: World) -> None:
    """Two writes are answered and do not arrive."""
    world.dropped = {"k03", "k08"}


def lose_a_write_beside_an_archived_key(world: World) -> None:
    """What is missing is more than what was skipped."""
    world.dropped, world.archived = {"k03"}, {"k05"}


def empty(world: World) -> None:
    """The source has lost its data since it was looked at."""
    world.boxes["old"].clear()


def change_once(world: World) -> None:
    """A key changes while it is copied for the first time."""
    world.changing = {"k02": 1}


def change_always(world: World) -> None:
    """A key changes whenever it is copied."""
    world.changing = {"k02": 99}


def write_meanwhile(world: World) -> None:
    """A key more is in the source at every verification."""
    moment = world.moment

    def write(what: str) -> None:
        moment(what)
        if what == "verify old":
            world.boxes["old"][f"new-{len(world.boxes['old'])}"] = "v"

    world.moment = write  # type: ignore[method-assign] # to write on the way


PLAIN = CopySettings()


class Case(NamedTuple):
    """What is in the way, what is accepted, and how both have to end."""

    prepare: Callable[[World], None]
    settings: CopySettings
    complete: bool
    rounds: int


CASES = [
    Case(*case)
    for case in (
        (unchanged, PLAIN, True, 1),
        (archive, PLAIN, False, 1),
        (archive, ACCEPTED, True, 1),
        (archive_all, PLAIN, False, 1),
        (archive_all, ACCEPTED, False, 1),
        (deny_some, PLAIN, False, 1),
        (deny_some, ACCEPTED, True, 1),
        (hold_one, PLAIN, False, 1),
        (hold_one, ACCEPTED, True, 1),
        (hold_one, TARGET_WINS, True, 1),
        (hold_one, CopySettings(on_conflict=OnConflict.SOURCE), True, 1),
        (hold_all, PLAIN, False, 1),
        (hold_all, TARGET_WINS, True, 1),
        (lose_writes, PLAIN, True, 2),
        (lose_a_write_beside_an_archived_key, PLAIN, False, 1),
        (lose_a_write_beside_an_archived_key, ACCEPTED, True, 2),
        (empty, PLAIN, False, 1),
        (change_once, PLAIN, True, 2),
        (change_once, ACCEPTED, True, 2),
        (change_always, PLAIN, False, 3),
        (change_always, ACCEPTED, True, 3),
        (write_meanwhile, PLAIN, False, 3),
    )
]
IDS = [f"{case.prepare.__name__}-{number}" for number, case in enumerate(CASES)]


def world_with(prepare: Callable[[World], None]) -> World:
    """A world with data in the old box, an empty new one, and what a case changes."""
    content = {f"k{n:02}": f"v{n}" for n in range(11)}
    world = World(boxes={"old": content, "new": {}}, identities={"old": 1, "new": 2})
    prepare(world)
    return world


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_command_and_a_deployment_decide_the_same(
    monkeypatch: pytest.MonkeyPatch, deployment: list[World], case: Case
) -> None:
    """Whether it is complete, why not, after how many rounds, and what the target then holds."""
    commanded = by_command(world_with(case.prepare), case.settings)
    world = world_with(case.prepare)
    install(monkeypatch, world)
    deployment.append(world)
    assert by_deployment(world, case.settings) == commanded
    assert (commanded.why is None, commanded.rounds) == (case.complete, case.rounds)
