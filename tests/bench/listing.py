"""How fast one prefix is listed when every answer takes its time: in parallel, and in sequence."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click
from tests.bench import peers
from tests.bench.jobs import prepare_bucket
from tests.bench.measure import Run, RunError
from tests.bench.names import SOURCE
from tests.bench.result import Bar, Goal, Result, number
from tests.bench.world import World

_COLUMNS = ("lister", "ratio", "keys a second", "CPU µs each", "peak MB", "keys", "seconds")
_LEAST = 8.0
_IN_SEQUENCE = "dataware, one reader"
_FLOOR = "one page after another, unread"


@dataclass(frozen=True, slots=True)
class _Lister:
    """A way to list; `share` of all keys is enough to know its speed."""

    name: str
    command: Sequence[str]
    share: int = 1
    missing: str = ""


def listing(world: World, keys: int, latency: float) -> Result:
    """One prefix with all its keys; who lists in sequence gets a fifth of them."""
    held = f"{latency * 1000:.0f} ms latency"
    result = Result(f"S3: listing one prefix of {keys:,} keys, {held}", _COLUMNS)
    result.unit = "keys a second"
    rates: dict[str, float] = {}
    for lister in _listers(world, keys):
        count = keys // lister.share
        prepare_bucket(world, count, existing=True, latency=latency)
        try:
            run = _run(world, lister)
        except RunError as error:
            why = str(error).split("\n", 1)[0]
            result.rows.append((lister.name, *("–",) * 5, f"did not run: {why}"))
            continue
        rates[lister.name] = rate = count / run.seconds
        result.bars.append(Bar(lister.name, rate, ours=lister.name == "dataware"))
        base = rates.get(_IN_SEQUENCE)
        ratio = f"{number(rate / base)} x" if base else "–"
        result.rows.append(_row(lister.name, ratio, run, count))
        click.echo(f"  {lister.name}: {rate:,.0f} keys/s", err=True)
    text = f"S3 listing, {held}: in parallel at least 8 x in sequence"
    if "dataware" in rates and _IN_SEQUENCE in rates:
        found = rates["dataware"] / rates[_IN_SEQUENCE]
        result.goals.append(Goal.at_least(text, _LEAST, found))
    result.notes = [
        "ratios are to dataware's own listing with one reader; “unread” asks page after page and "
        "throws the answers away, so no listing in sequence can be quicker",
        f"{peers.s5cmd().version}: `s5cmd ls`; {peers.boto3()}: the paginator of list_objects_v2",
    ]
    return result


def _listers(world: World, keys: int) -> list[_Lister]:
    python = (sys.executable, "-m")
    s5cmd = peers.s5cmd()
    load = (*python, "tests.bench.load", "list", world.responder.endpoint, str(keys), "1")
    return [
        _Lister(_IN_SEQUENCE, (*python, "tests.bench.walk", "1"), 5),
        _Lister("dataware", (*python, "tests.bench.walk", "0")),
        _Lister(_FLOOR, load, 5),
        _Lister("boto3 paginator", (*python, "tests.bench.loops", "list-by-paginator"), 20),
        _Lister("s5cmd ls", (s5cmd.path, "ls", f"s3://{SOURCE}/*"), 5, s5cmd.missing),
    ]


def _run(world: World, lister: _Lister) -> Run:
    if lister.missing:
        raise RunError(lister.missing)
    return world.measured(lister.command)


def _row(name: str, ratio: str, run: Run, count: int) -> Sequence[str]:
    figures = (f"{count / run.seconds:,.0f}", f"{run.cpu / count * 1e6:,.1f}")
    return (name, ratio, *figures, f"{run.megabytes:.0f}", f"{count:,}", f"{run.seconds:.1f}")
