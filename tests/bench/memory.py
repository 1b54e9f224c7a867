"""Whether the memory of a migration stays the same when the data grow tenfold."""

from __future__ import annotations

from collections.abc import Callable

from tests.bench.jobs import apply_bucket, apply_table, migrate_table
from tests.bench.measure import Run
from tests.bench.result import Claim, Result, Row
from tests.bench.world import World

LIMIT_MB = 200
GROWTH = 0.10
PARTLY = 100
"""Every so many batches of a table come back partly unprocessed, as they do on a busy table."""

# Small items are the hard case: a page of 1 MB holds about ten thousand of them.
_SMALL = {"sort": "small", "unprocessed_every": PARTLY}


def memory_of_tables(world: World, small: int, large: int) -> Result:
    """`apply` into a new table, which writes batches."""
    result = Result(f"Memory: a table of {large:,} items and one of {small:,}, by `apply`")
    _compare(result, lambda count: apply_table(world, count, **_SMALL), small, large)
    result.notes.append(f"every {PARTLY}th batch came back with 5 unprocessed items")
    return result


def memory_of_guarded_writes(world: World, small: int, large: int) -> Result:
    """`migrate` into a table that stands already, which puts item by item."""
    result = Result(f"Memory: a table of {large:,} items and one of {small:,}, by `migrate`")
    _compare(result, lambda count: migrate_table(world, count, sort="small"), small, large)
    return result


def memory_of_buckets(world: World, small: int, large: int) -> Result:
    """`apply` into a new bucket."""
    result = Result(f"Memory: a bucket of {large:,} objects and one of {small:,}, by `apply`")
    _compare(result, lambda count: apply_bucket(world, count), small, large)
    return result


def _compare(result: Result, job: Callable[[int], Run], small: int, large: int) -> None:
    first, second = job(small), job(large)
    ratio = second.rss / first.rss
    per_unit = (second.seconds / large) / (first.seconds / small)
    result.rows += [
        Row(f"{small:,}", first, small),
        Row(f"{large:,}", second, large, f"{ratio:.2f} x memory, {per_unit:.2f} x time each"),
    ]
    peak = max(first.megabytes, second.megabytes)
    result.claims += [
        Claim(f"at most {LIMIT_MB} MB: {peak:.0f} MB", peak <= LIMIT_MB),
        Claim(f"within {GROWTH:.0%} of each other: {ratio - 1:+.1%}", abs(ratio - 1) <= GROWTH),
    ]
