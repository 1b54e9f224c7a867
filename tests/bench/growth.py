"""Whether time and memory for each item stay the same when the data grow tenfold, and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click
from tests.bench.contenders import Contender, bucket_into_new, of_tables
from tests.bench.jobs import migrate_table, prepare_bucket, prepare_table
from tests.bench.race import Attempt, attempt
from tests.bench.result import RUN_COLUMNS, Goal, Result, run_row
from tests.bench.world import World

MOST_MB = 150.0
GROWTH = 0.10
FEW = 10_000
"""Below so many, the cost of an item is that of the start."""
PARTLY = 100
"""Every so many batches of a table come back partly unprocessed, as they do on a busy table."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured: the sizes, and the longest that one run may be expected to take."""

    sizes: Sequence[int]
    longest: float


Prepare = Callable[[int], None]
"""Makes a source of so many items or objects."""


def growth_of_tables(world: World, sizes: Sizes) -> Result:
    """`apply` of usual items into a new table."""

    def prepare(count: int) -> None:
        prepare_table(world, count, existing=False, unprocessed_every=PARTLY)

    job = _job(world, of_tables(world)[0], prepare)
    result = _grown("a table, by `apply`", "DynamoDB", job, sizes)
    result.notes.append(f"every {PARTLY}th batch came back with 5 unprocessed items")
    return result


def growth_of_buckets(world: World, sizes: Sizes) -> Result:
    """`apply` into a new bucket."""

    def prepare(count: int) -> None:
        prepare_bucket(world, count, existing=False)

    job = _job(world, bucket_into_new(world), prepare)
    return _grown("a bucket, by `apply`", "S3", job, sizes)


def growth_of_large_items(world: World, sizes: Sizes, latency: float) -> Result:
    """`apply` of items of 300 KB into a new table; every answer takes `latency` seconds."""

    def prepare(count: int) -> None:
        prepare_table(world, count, existing=False, latency=latency, sort="large")

    job = _job(world, of_tables(world)[0], prepare)
    title = "a table of large items, by `apply`"
    return _grown(title, "Items of 300 KB", job, sizes, "from 100 on")


def growth_of_guarded_writes(world: World, sizes: Sizes) -> Result:
    """`migrate` into a table that stands already, which puts item by item."""

    def job(count: int) -> Attempt:
        run = migrate_table(world, count, sort="small")
        return Attempt(count, run, run, count / run.seconds)

    title = "a table, by `migrate`, item by item"
    return _grown(title, "DynamoDB guarded", job, sizes, "from 10^4 on")


def _job(world: World, contender: Contender, prepare: Prepare) -> Callable[[int], Attempt]:
    return lambda count: attempt(world, contender, count, lambda _, number: prepare(number))


def _grown(
    title: str,
    what: str,
    job: Callable[[int], Attempt],
    sizes: Sizes,
    extent: str = "from 10^4 to 10^7",
) -> Result:
    result = Result(f"Growth: {title}", RUN_COLUMNS)
    done: list[Attempt] = []
    for count in sizes.sizes:
        if done and (expected := 2 * count / done[-1].rate) > sizes.longest:
            why = f"not run: it would take some {expected / 60:.0f} minutes"
            result.rows.append((f"{count:,}", *("–",) * 5, why))
            continue
        one = job(count)
        ratio = ""
        if done:
            first = done[-1]
            memory = one.whole.rss / first.whole.rss
            time = _each(one) / _each(first)
            ratio = f"{memory:.2f} x memory, {time:.2f} x CPU each"
        click.echo(f"  {count:,}: {one.whole.seconds:.1f} s", err=True)
        done.append(one)
        result.rows.append(run_row(f"{count:,}", one.whole, count, ratio))
    peak = max(one.whole.megabytes for one in done)
    text = f"{what}: at most 150 MB {extent}"
    seen = f"{peak:.0f} MB up to {done[-1].count:,}"
    result.goals.append(Goal(text, seen, peak <= MOST_MB))
    if done[-1].count >= FEW:
        result.goals.append(_linear(what, done))
    result.notes.append("time and CPU time are of the whole program, verification included")
    return result


def _linear(what: str, done: Sequence[Attempt]) -> Goal:
    text = f"{what}: the cost of an item at 10^6 within 10 % of that at 10^5, or below"
    by_count = {one.count: one for one in done}
    small, large = by_count.get(100_000), by_count.get(1_000_000)
    if small is None or large is None:
        return Goal.unknown(text, "not measured: one of the two was not run")
    time = large.whole.seconds / large.count / (small.whole.seconds / small.count) - 1
    cpu = _each(large) / _each(small) - 1
    return Goal(text, f"{time:+.0%} time, {cpu:+.0%} CPU time", max(time, cpu) <= GROWTH)


def _each(one: Attempt) -> float:
    return one.whole.cpu / one.count
