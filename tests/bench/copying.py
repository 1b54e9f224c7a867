"""How fast a whole job is, against the loops that people write by hand."""

from __future__ import annotations

import sys

from tests.bench.jobs import (
    apply_bucket,
    apply_table,
    check,
    migrate_table,
    prepare_bucket,
    prepare_table,
)
from tests.bench.measure import Run
from tests.bench.result import Result, Row
from tests.bench.world import World

_NOTE = (
    "dataware's time includes the plan, the creation by CloudFormation, the journal, and the "
    "verification, which reads both sides again; the loops only copy"
)


def copy_of_tables(world: World, items: int) -> Result:
    """One table: the batch writer of boto3, and both ways in which dataware writes."""
    prepare_table(world, items, existing=True)
    loop = _loop(world, "batch-writer", items)
    applied, guarded = apply_table(world, items), migrate_table(world, items)
    rows = [
        Row("boto3 scan + batch_writer", loop, items, "1"),
        Row("dataware apply (batches)", applied, items, _ratio(loop, applied)),
        Row("dataware migrate (guarded)", guarded, items, _ratio(loop, guarded)),
    ]
    return Result(f"Copy: a table of {items:,} items", rows, notes=[_NOTE])


def copy_of_buckets(world: World, objects: int) -> Result:
    """One bucket: a loop of copies, the same on threads, and dataware."""
    runs = []
    for name in ("copy-one-by-one", "copy-with-threads"):
        prepare_bucket(world, objects, existing=True)
        runs.append(_loop(world, name, objects))
    applied = apply_bucket(world, objects)
    rows = [
        Row("boto3 list + copy_object", runs[0], objects, "1"),
        Row("the same, 32 threads", runs[1], objects, _ratio(runs[0], runs[1])),
        Row("dataware apply", applied, objects, _ratio(runs[0], applied)),
    ]
    return Result(f"Copy: a bucket of {objects:,} objects", rows, notes=[_NOTE])


def _loop(world: World, name: str, count: int) -> Run:
    run = world.measured([sys.executable, "-m", "tests.bench.loops", name])
    check(world, count)
    return run


def _ratio(base: Run, other: Run) -> str:
    return f"{base.seconds / other.seconds:.2f} x as fast"
