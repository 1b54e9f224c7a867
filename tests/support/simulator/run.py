"""Runs one seed to its end, and judges it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from dataware.core.follow.cutover import CutoverState
from support.simulator.apply_run import run_apply
from support.simulator.bucket_people import BucketPeople
from support.simulator.judge import BrokenPromiseError
from support.simulator.people import People
from support.simulator.world import Chances, Rules, World

MOST_TURNS = 6000
TABLES, BUCKETS, APPLIES = "tables", "buckets", "applies"

PROFILES = (
    Chances(),
    Chances(kill=0.004, other=0.05, fail=0.02, unknown=0.02),
    Chances(kill=0.01, pause=0.002, other=0.1, fail=0.05, unknown=0.05),
    Chances(pause=0.005, other=0.2, fail=0.01, unknown=0.1),
    Chances(other=0.05, fail=0.1, unknown=0.15),
)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the promise that was broken, or "", how long it took, and its trace."""

    broken: str
    turns: int
    seconds: float
    trace: tuple[str, ...] = ()


def run_seed(
    seed: int,
    rules: Rules | None = None,
    chances: Chances | None = None,
    *,
    tracing: bool = False,
    of: str = TABLES,
) -> Outcome:
    """Run a seed of one of the worlds: the same one always does the same, to the letter.

    What goes wrong how often, the seed chooses where nobody does.
    """
    chosen = chances or Random(~seed).choice(PROFILES)
    world = World(seed, rules or Rules(), chosen, tracing=tracing)
    broken = ""
    began = world.now
    try:
        WORLDS[of](world)
    except BrokenPromiseError as error:
        broken = str(error)
        world.say(broken)
    return Outcome(broken, world.turns, world.now - began, tuple(world.trace or ()))


def _run(world: World, people: People) -> None:
    while world.turns < MOST_TURNS:
        world.turn()
        if people.is_closed:
            people.judge.unwatched = True
            return
        if (
            world.calm
            and people.is_switched
            and not people.asks_undo()
            and any(_is_at_rest(one.loop) for one in world.alive)
        ):
            break
    else:
        people.judge.break_off("it never ends")
    people.pace, people.has_rude_writer = 0.0, False
    process = next(one for one in world.alive if _is_at_rest(one.loop))
    world.advance(people.delay + 60)
    for _ in range(6):
        if process in world.alive:
            world.step(process)


def _is_at_rest(loop: object) -> bool:
    """Whether a process has read the source to its end after the switch."""
    record = getattr(loop, "record", None)
    return record is not None and record.state is CutoverState.REVERSIBLE


def _run_follow(people: People) -> None:
    _run(people.world, people)
    people.judge.judge_end()


def _run_apply(world: World) -> None:
    run_apply(world).judge_end()


WORLDS: Mapping[str, Callable[[World], None]] = {
    TABLES: lambda world: _run_follow(People(world)),
    BUCKETS: lambda world: _run_follow(BucketPeople(world)),
    APPLIES: _run_apply,
}
