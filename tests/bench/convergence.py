"""Whether a followed source and its target end the same: ``python -m tests.bench.convergence``.

``--seeds N`` runs N seeds of each way to follow (50), on the embedded AWS, and prints a table. Two
of the ways have their tables and streams on DynamoDB Local, which ``make peers`` installs. What a
seed found goes to the standard error as soon as it ends.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the support of the tests

import click

from dataware.embedded import EmbeddedAws
from support.convergence import STREAMS, Difference, run_seed
from support.peers import DynamoDbLocal

WAYS = {
    "feed": "a table by its stream; shards end every 40 records",
    "chaos": "the same; keys told late, twice, in any order",
    "gaps": "the same; records kept 3 s, the follow away for 5 s",
    "rounds": "a bucket by comparisons",
    "local-feed": "a table of DynamoDB Local by its stream",
    "local-chaos": "the same; keys told late, twice, in any order",
}
LOCAL = "local-"


@click.command()
@click.option("--seeds", default=50, show_default=True)
@click.option("--first", default=0, help="The first seed.")
@click.option("--way", "ways", type=click.Choice(list(WAYS)), multiple=True)
@click.option("--state", type=click.Path(path_type=Path), default=Path("build/convergence"))
def main(seeds: int, first: int, ways: tuple[str, ...], state: Path) -> None:
    """Run every seed of each way; end with 1 if anything differs."""
    os.environ["DATAWARE_STATE"] = str(state.absolute())
    failed = False
    click.echo(
        "| source | seeds | writes | gaps told | missing / extra / different | seconds a seed |"
    )
    click.echo("| --- | --- | --- | --- | --- | --- |")
    for way in ways or tuple(WAYS):
        began = time.monotonic()
        found = run_way(way, range(first, first + seeds))
        each = (time.monotonic() - began) / seeds
        sums = " / ".join(
            str(sum(getattr(one, name) for one in found))
            for name in ("missing", "extra", "different")
        )
        writes, gaps = sum(one.writes for one in found), sum(one.gaps for one in found)
        click.echo(f"| {WAYS[way]} | {seeds} | {writes:,} | {gaps} | {sums} | {each:.0f} |")
        failed = failed or not all(one.is_none for one in found)
    sys.exit(failed)


def run_way(way: str, seeds: Iterable[int]) -> list[Difference]:
    """What differed after each seed; each is told at once, because many seeds take long."""
    found = []
    how = way.removeprefix(LOCAL)
    with EmbeddedAws(streams=STREAMS[how]) as server, tables_of(way):
        os.environ.update(server.environ())
        for seed in seeds:
            found.append(run_seed(how, seed))
            word = "the same" if found[-1].is_none else "DIFFERENT"
            click.echo(f"{way}, seed {seed}: {word}, {found[-1]}", err=True)
    return found


@contextmanager
def tables_of(way: str) -> Iterator[None]:
    """Lead calls on tables and streams to DynamoDB Local, where a way is on it."""
    names = ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_DYNAMODB_STREAMS")
    if not way.startswith(LOCAL):
        yield
        return
    local = DynamoDbLocal().start()
    try:
        os.environ.update(dict.fromkeys(names, local.endpoint))
        yield
    finally:
        for name in names:
            os.environ.pop(name, None)
        local.stop()


if __name__ == "__main__":
    main()
