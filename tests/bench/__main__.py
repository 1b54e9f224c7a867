"""The command line of the benchmarks: ``python -m tests.bench [NAME …]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the servers of tests/support

import click
from tests.bench import copying, growth, pinning, real
from tests.bench.deploying import deploying
from tests.bench.fidelity import fidelity
from tests.bench.fleets import planning_fleet
from tests.bench.following import following
from tests.bench.limit import limit
from tests.bench.listing import listing
from tests.bench.live import Work, live
from tests.bench.measure import RunError
from tests.bench.opening import opening
from tests.bench.page import DOCS, Book, goals_table, surroundings
from tests.bench.planning import planning
from tests.bench.race import Track
from tests.bench.result import Result
from tests.bench.side_by_side import side_by_side
from tests.bench.starting import starting
from tests.bench.stopping import stopping
from tests.bench.synth import synth
from tests.bench.verification import Amount, verifying
from tests.bench.world import World, world

LATENCY = 0.025
_LAGGING = Work(items=20_000, rate=2_000.0, seconds=30.0)
_CUT = Work(items=1_000_000, rate=200.0, seconds=0.0)
_VERIFIED = Amount(entries=300_000, copied=1_000_000, turns=3)


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is; `longest` bounds a single run of `growth` in seconds."""

    buckets: Track
    cores: Track
    tables: Track
    growth: growth.Sizes
    guarded: growth.Sizes
    large: growth.Sizes
    keys: int = 1_000_000
    stopped: int = 100_000
    resources: int = 100
    real: int = 1_000
    limit: int = 100_000
    reported: int = 10_000
    deployed: int = 24
    deployments: int = 100
    starts: int = 9
    beside: tuple[float, float, int] = (15.0, 0.050, 3_000)
    fleet: tuple[int, int, int, float] = (10, 4, 10, 0.050)
    followed: tuple[int, int] = (300_000, 10_000_000)
    lagging: Work = _LAGGING
    cut: Work = _CUT
    verified: Amount = _VERIFIED


_WHOLE = Scale(
    Track(first=2_000, most=300_000, seconds=12.0),
    Track(first=5_000, most=700_000, seconds=28.0, turns=2),
    Track(first=5_000, most=2_500_000, seconds=12.0),
    growth.Sizes((10_000, 100_000, 1_000_000), longest=300.0),
    growth.Sizes((10_000, 100_000, 1_000_000), longest=300.0),
    growth.Sizes((100, 1_000, 3_000), longest=300.0),
)
_QUICK = Scale(
    Track(first=100, most=200, seconds=0.5, turns=1),
    Track(first=100, most=200, seconds=0.5, turns=1),
    Track(first=1_000, most=2_000, seconds=0.5, turns=1),
    growth.Sizes((500, 1_000), longest=60.0),
    growth.Sizes((500, 1_000), longest=60.0),
    growth.Sizes((20, 50), longest=60.0),
    *(
        20_000,
        20_000,
        10,
        50,
        5_000,
        200,
        4,
        3,
        2,
        (1.0, 0.01, 100),
        (3, 2, 4, 0.01),
        (2_000, 5_000),
        Work(500, 100.0, 3.0),
        Work(2_000, 50.0, 0.0),
        Amount(3_000, 2_000, 1),
    ),
)
_HUGE = growth.Sizes((10_000, 100_000, 1_000_000, 10_000_000), longest=7200.0)

Benchmark = Callable[[World, Scale, Book], Result]
_BENCHMARKS: Mapping[str, Benchmark] = {
    "limit": lambda w, n, b: limit(w, n.limit),
    "fidelity": lambda w, n, b: _fidelity(w, b),
    "s3": lambda w, n, b: copying.copy_of_buckets(w, n.buckets, 0.0, b.losses),
    "s3-cores": lambda w, n, b: copying.copy_of_buckets_on_all_cores(w, n.cores, b.losses),
    "s3-latency": lambda w, n, b: copying.copy_of_buckets(w, n.buckets, LATENCY, b.losses),
    "dynamodb": lambda w, n, b: copying.copy_of_tables(w, n.tables, 0.0, b.losses),
    "dynamodb-latency": lambda w, n, b: copying.copy_of_tables(w, n.tables, LATENCY, b.losses),
    "listing": lambda w, n, b: listing(w, n.keys, LATENCY),
    "growth-table": lambda w, n, b: growth.growth_of_tables(w, n.growth),
    "growth-bucket": lambda w, n, b: growth.growth_of_buckets(w, n.growth),
    "growth-guarded": lambda w, n, b: growth.growth_of_guarded_writes(w, n.guarded),
    "growth-large": lambda w, n, b: growth.growth_of_large_items(w, n.large, LATENCY),
    "verifying": lambda w, n, b: verifying(w, n.verified),
    "stopping": lambda w, n, b: stopping(w, n.stopped),
    "starting": lambda w, n, b: starting(w, n.starts),
    "planning": lambda w, n, b: planning(w, n.resources, 0.050),
    "fleet": lambda w, n, b: planning_fleet(w, *n.fleet),
    "side-by-side": lambda w, n, b: side_by_side(w, *n.beside),
    "following": lambda w, n, b: following(w, *n.followed),
    "live": lambda w, n, b: live(w, n.lagging, n.cut),
    "synth": lambda w, n, b: synth(w, n.resources),
    "deploying": lambda w, n, b: deploying(w, n.deployed, n.deployments),
    "opening": lambda w, n, b: opening(w, n.reported, 10 * n.reported),
    "real": lambda w, n, b: real.on_embedded(w, n.real),
    "real-weed": lambda w, n, b: real.on_weed(w, n.real),
}


def _fidelity(one: World, book: Book) -> Result:
    result, losses, text = fidelity(one, surroundings)
    book.losses.update(losses)
    book.pages["fidelity.md"] = text
    return result


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(_BENCHMARKS)))
@click.option("--quick", is_flag=True, help="Small sizes: shows that it runs, and no more.")
@click.option("--huge", is_flag=True, help="Let the growth go on to 10^7, which takes hours.")
@click.option(
    "--before",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="A checkout of an earlier commit with its .venv, for `verifying` to measure, too.",
)
@click.option("--write", is_flag=True, help="Publish the results in docs/.")
def main(
    names: tuple[str, ...], *, quick: bool, huge: bool, before: Path | None, write: bool
) -> None:
    """Measure dataware and its peers; every benchmark without a NAME.

    Ends with 1 if a benchmark could not be run. A goal that is missed is no error: it is told.
    """
    if quick and write:
        raise click.UsageError("figures of --quick say nothing, so they are not published")
    scale = _QUICK if quick else _WHOLE
    if huge:
        scale = replace(scale, growth=_HUGE)
    scale = replace(scale, verified=replace(scale.verified, before=before))
    book, results, broken = Book.read(), [], False
    click.echo(f"{surroundings()}\n{pinning.told()}\n")
    for name in names or _BENCHMARKS:
        click.echo(f"{name} …", err=True)
        try:
            with world() as one:
                result = _BENCHMARKS[name](one, scale, book)
        except RunError as error:
            click.echo(f"{name} failed: {error}", err=True)
            broken = True
            continue
        click.echo(result.markdown())
        results.append(result)
        book.enter(name, result)
        if write:
            book.publish(list(_BENCHMARKS))
    click.echo(goals_table([goal for result in results for goal in result.goals]))
    if write:
        click.echo(f"written: {DOCS / 'benchmarks.md'}")
    sys.exit(broken)


if __name__ == "__main__":
    main()
