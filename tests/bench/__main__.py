"""The command line of the benchmarks: ``python -m tests.bench [NAME …]``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import click
from tests.bench.copying import copy_of_buckets, copy_of_tables
from tests.bench.memory import memory_of_buckets, memory_of_guarded_writes, memory_of_tables
from tests.bench.planning import planning
from tests.bench.result import Result, surroundings
from tests.bench.synth import synth
from tests.bench.world import World, world

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench` (`python -m tests.bench --write`). Compare within a table only: each row
was measured in the same run, against the same responder on the same machine, which costs its
clients nothing but their own work. So these figures say nothing about the speed of AWS.

"""

Sizes = Mapping[str, int]
_BENCHMARKS: Mapping[str, Callable[[World, Sizes], Result]] = {
    "memory-table": lambda w, n: memory_of_tables(w, n["items"] // 10, n["items"]),
    "memory-guarded": lambda w, n: memory_of_guarded_writes(w, n["objects"] // 10, n["objects"]),
    "memory-bucket": lambda w, n: memory_of_buckets(w, n["objects"] // 10, n["objects"]),
    "planning": lambda w, n: planning(w, n["resources"], n["latency"] / 1000),
    "synth": lambda w, n: synth(w, n["resources"]),
    "copy-table": lambda w, n: copy_of_tables(w, n["copies"]),
    "copy-bucket": lambda w, n: copy_of_buckets(w, n["copies"] // 10),
}
_QUICK = {"items": 20_000, "objects": 2_000, "resources": 10, "latency": 50, "copies": 5_000}
_WHOLE = {
    "items": 1_000_000,
    "objects": 200_000,
    "resources": 100,
    "latency": 50,
    "copies": 50_000,
}


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(_BENCHMARKS)))
@click.option("--quick", is_flag=True, help="Small sizes: shows that it runs, and no more.")
@click.option("--items", type=int, help="Items of the large table; the small one has a tenth.")
@click.option("--objects", type=int, help="Objects of the large bucket, and guarded writes.")
@click.option("--resources", type=int, help="Resources of the plan.")
@click.option("--latency", type=int, help="Milliseconds that every call of the plan takes.")
@click.option("--copies", type=int, help="Items whose copy is compared; a tenth as objects.")
@click.option("--write", is_flag=True, help="Write docs/benchmarks.md.")
def main(names: tuple[str, ...], *, quick: bool, write: bool, **sizes: int | None) -> None:
    """Measure dataware; every benchmark without a NAME. Ends with 1 when a claim does not hold."""
    given = {name: size for name, size in sizes.items() if size is not None}
    chosen = {**(_QUICK if quick else _WHOLE), **given}
    results = []
    click.echo(f"{surroundings()}\n")
    for name in names or _BENCHMARKS:
        with world() as one:
            result = _BENCHMARKS[name](one, chosen)
        click.echo(result.markdown())
        results.append(result)
    if write:
        sections = "\n".join(result.markdown() for result in results)
        PAGE.write_text(f"{_HEAD}{surroundings()}\n\n{sections}", encoding="utf-8")
        click.echo(f"written: {PAGE}")
    if not quick:
        sys.exit(not all(claim.holds for result in results for claim in result.claims))


if __name__ == "__main__":
    main()
