"""Runs contenders in turns, each with as much work as it does in a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import click
from tests.bench.contenders import Contender
from tests.bench.jobs import check
from tests.bench.measure import Run, RunError
from tests.bench.world import World

Prepare = Callable[[Contender, int], None]


@dataclass(frozen=True, slots=True)
class Track:
    """A race's rules: the first try, the most that anybody gets, seconds for a run, turns."""

    first: int
    most: int
    seconds: float
    turns: int = 3


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run: `whole` to the end of the program, `copied` from its start to the last write."""

    count: int
    whole: Run
    copied: Run
    rate: float

    @property
    def each(self) -> float:
        """Seconds for each, from the start of the program to the last write."""
        return self.copied.seconds / self.count

    @property
    def cpu_each(self) -> float:
        """CPU seconds for each, from the start of the program to the last write."""
        return self.copied.cpu / self.count


@dataclass(frozen=True, slots=True)
class Finish:
    """The best of a contender's attempts; None, and why, if there is none."""

    contender: Contender
    best: Attempt | None
    why: str = ""


def race(
    world: World, contenders: Sequence[Contender], prepare: Prepare, track: Track
) -> list[Finish]:
    """Everybody's best attempt. Who fails is out of the race, and the reason is kept."""
    attempts: dict[str, list[Attempt]] = {}
    counts: dict[str, int] = {}
    out: dict[str, str] = {each.name: each.missing for each in contenders if each.missing}
    for turn in range(track.turns + 1):
        for each in contenders:
            if each.name in out or turn > each.turns:
                continue
            try:
                count = counts.get(each.name, track.first)
                made = attempt(world, each, count, prepare)
            except RunError as error:
                out[each.name] = str(error)
                click.echo(f"{each.name}: {error}", err=True)
                continue
            if turn:
                attempts.setdefault(each.name, []).append(made)
            else:
                counts[each.name] = _fitting(made, track)
            click.echo(
                f"  {each.name}: {made.count:,} in {made.whole.seconds:.1f} s, "
                f"{made.cpu_each * 1e6:,.0f} µs of CPU each",
                err=True,
            )
    return [_finish(each, attempts.get(each.name, []), out) for each in contenders]


def attempt(world: World, contender: Contender, count: int, prepare: Prepare) -> Attempt:
    """One run of a contender, checked by the responder. Raises RunError."""
    prepare(contender, count)
    whole = world.measured(contender.command)
    report = check(world, count)
    whole = replace(whole, rereads=report["reread"])
    span = max(report["last"] - report["first"], 0.001)
    copied = whole.until(report["last"])
    copied = replace(copied, seconds=copied.seconds - contender.pause)
    return Attempt(count, whole, copied, count / span)


def _fitting(trial: Attempt, track: Track) -> int:
    """How many a contender gets so that its copying takes the seconds of the track."""
    wanted = min(max(trial.rate * track.seconds, track.first), track.most)
    digits = 10 ** max(len(str(int(wanted))) - 2, 0)
    return int(wanted) // digits * digits


def _finish(contender: Contender, attempts: Sequence[Attempt], out: dict[str, str]) -> Finish:
    best = min(attempts, key=lambda one: one.each, default=None)
    if best is not None:
        # The least CPU time may have been in another turn: both are the best of all.
        least = min(one.copied.cpu for one in attempts)
        best = replace(best, copied=replace(best.copied, cpu=least))
    return Finish(contender, best, out.get(contender.name, ""))
