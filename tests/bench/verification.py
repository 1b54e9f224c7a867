"""What verification costs, at an earlier commit and now, and beside the copy that it follows."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import click
from tests.bench.contenders import Contender, of_tables
from tests.bench.jobs import DATAWARE, prepare_table
from tests.bench.measure import Run, RunError, run
from tests.bench.race import attempt
from tests.bench.result import Goal, Result, number
from tests.bench.verifying import JOBS, responder
from tests.bench.world import ROOT, World

MOST_MICROSECONDS = 3.0
MOST_RATIO = 2.0
BEFORE, NOW = "before", "now"
_COLUMNS = ("what", "before", "now", "ratio", "unit", "peak MB before", "peak MB now")
_FIGURE = re.compile(r"([\d.]+) us CPU an entry and side")
_WHAT = {
    "table": "an item that both tables send alike",
    "table-spelt-otherwise": "an item whose attributes come in another order",
    "bucket": "a listed key",
}


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is verified and copied, how often, and the checkout that was before, if any."""

    entries: int
    copied: int
    turns: int
    before: Path | None = None


@dataclass(frozen=True, slots=True)
class _Figures:
    """The least of some figures in each of several turns, and the highest peak of memory."""

    figures: Sequence[float]
    megabytes: float


def verifying(world: World, amount: Amount) -> Result:
    """CPU time for an entry of each side, then a copy with and without its verification."""
    checkouts = {NOW: ROOT} if amount.before is None else {BEFORE: amount.before, NOW: ROOT}
    result = Result("Verification: what it costs", _COLUMNS)
    for job in JOBS:
        with responder(amount.entries) as endpoint:
            measure = partial(_verify, world, job, endpoint, amount.entries)
            found = _least(measure, checkouts, amount.turns)
        figures = {name: one.figures[0] for name, one in found.items()}
        result.rows.append(_row(_WHAT[job], figures, found, "µs of CPU, each side"))
        if job != "table-spelt-otherwise":
            text = f"verifying {_WHAT[job]} takes at most 3 µs of CPU on each side"
            result.goals.append(Goal.at_most(text, MOST_MICROSECONDS, figures[NOW], " µs"))
    _add_copies(result, world, amount, checkouts)
    result.notes = _notes(amount)
    return result


def _least(
    measure: Callable[[Path], _Figures], checkouts: Mapping[str, Path], turns: int
) -> dict[str, _Figures]:
    """The least of each figure by checkout; those of a turn are measured one after another."""
    found: dict[str, list[_Figures]] = {name: [] for name in checkouts}
    for _ in range(turns):
        for name, checkout in checkouts.items():
            found[name].append(one := measure(checkout))
            click.echo(f"  {name}: {', '.join(map(number, one.figures))}", err=True)
    return {
        name: _Figures(
            [min(each) for each in zip(*(one.figures for one in all_turns), strict=True)],
            max(one.megabytes for one in all_turns),
        )
        for name, all_turns in found.items()
    }


def _verify(world: World, job: str, endpoint: str, entries: int, checkout: Path) -> _Figures:
    """Microseconds of CPU that a checkout's own verification takes for an entry of each side."""
    command = (_python(checkout), "-m", "tests.bench.verifying", "verify", job, endpoint)
    with TemporaryDirectory(prefix="dataware-bench-") as home:
        there = {**world.environ(home), "PYTHONPATH": str(checkout)}
        done = run([*command, str(entries)], there, checkout, cores=world.cores)
    figure = _FIGURE.search(done.output)
    if figure is None:
        raise RunError(f"{checkout} says nothing of what it took:\n{done.output[-2000:]}")
    return _Figures([float(figure[1])], done.megabytes)


def _add_copies(
    result: Result, world: World, amount: Amount, checkouts: Mapping[str, Path]
) -> None:
    """A copy of a table by `apply`: up to its last write, and up to the end."""
    measure = partial(_copy, world, of_tables(world)[0], amount.copied)
    found = _least(measure, checkouts, amount.turns)
    parts = ("copying an item", "copying an item and verifying it")
    for at, (unit, what) in enumerate(product(("µs of CPU", "µs of time"), parts)):
        figures = {name: one.figures[at] for name, one in found.items()}
        result.rows.append(_row(what, figures, found, unit))
    copied, whole, seconds_copied, seconds = found[NOW].figures
    of = "copying and verifying a table takes at most twice copying it"
    for unit, ratio in (("CPU", whole / copied), ("time", seconds / seconds_copied)):
        result.goals.append(Goal.at_most(f"{of}, in {unit}", MOST_RATIO, ratio, " x"))


def _copy(world: World, contender: Contender, count: int, checkout: Path) -> _Figures:
    """CPU and time of each item, both up to the last write and up to the end."""
    command = (_python(checkout), *DATAWARE[1:], *contender.command[len(DATAWARE) :])

    def prepare(_: object, items: int) -> None:
        prepare_table(world, items, existing=False)

    made = attempt(world, replace(contender, command=command), count, prepare)
    runs: tuple[tuple[Run, str], ...] = (
        (made.copied, "cpu"),
        (made.whole, "cpu"),
        (made.copied, "seconds"),
        (made.whole, "seconds"),
    )
    each = [getattr(one, figure) / count * 1e6 for one, figure in runs]
    return _Figures(each, made.whole.megabytes)


def _python(checkout: Path) -> str:
    return sys.executable if checkout == ROOT else str(checkout / ".venv" / "bin" / "python")


def _row(
    what: str, figures: Mapping[str, float], found: Mapping[str, _Figures], unit: str
) -> Sequence[str]:
    ratio = f"{figures[BEFORE] / figures[NOW]:.1f} x" if BEFORE in figures else "–"
    told = [number(figures[name]) if name in figures else "–" for name in (BEFORE, NOW)]
    peaks = [f"{found[name].megabytes:.0f}" if name in found else "–" for name in (BEFORE, NOW)]
    return (what, *told, ratio, unit, *peaks)


def _notes(amount: Amount) -> list[str]:
    notes = [
        f"{amount.entries:,} entries on each side, by eight threads of one process: asking, "
        "receiving, reading and comparing, without the start of the program; the responder answers "
        "at once, so nothing is waited for",
        f"a copy is that of {amount.copied:,} items by `apply` into a new table, with the start of "
        "the program; it counts up to the last write as copying, and up to the end as both",
        f"the least of {amount.turns} turns, in each of which all checkouts ran one after another",
    ]
    if amount.before is not None:
        notes.append(f"before: commit {_commit(amount.before)}, with its own Python packages")
    return notes


def _commit(checkout: Path) -> str:
    asked = ("git", "log", "-1", "--format=%h of %cs")
    done = subprocess.run(asked, cwd=checkout, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
