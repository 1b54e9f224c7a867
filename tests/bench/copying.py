"""How fast a whole job is, against the tools that people reach for and the loops they write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tests.bench import contenders, pinning
from tests.bench.contenders import Contender
from tests.bench.jobs import prepare_bucket, prepare_table
from tests.bench.race import Attempt, Finish, Track, race
from tests.bench.result import Bar, Goal, Result, number
from tests.bench.world import World

COLUMNS = (
    "tool",
    "dataware is",
    "and takes",
    "a second",
    "CPU µs each",
    "peak MB",
    "copied",
    "seconds",
    "loses",
)
_BUCKET_GOALS = {
    "s5cmd cp": 4.0,
    "s5cmd sync": 8.0,
    "rclone copy": 4.0,
    "aws s3 sync": 15.0,
}
# A loop of one thread uses one core wherever it runs, and dataware all that there are.
_ALL_CORES_GOALS = {"boto3 loop, one by one": 20.0}
_LATE_TABLE_GOALS = {
    "boto3 client, 32 threads": 25.0,
    "boto3 resource + batch_writer": 40.0,
    "dynamodump": 100.0,
}
_MOST_COPY_CPU = 120.0
_LEAST_ITEMS = 80_000.0
_LEAST_LATE_COPIES = 7_500.0
_NOTE = (
    "each tool copies as much as it does in some {seconds:.0f} seconds (column “copied”), in turns "
    "with the others; its best of {turns} runs counts. Times and CPU time run from the start of "
    "the program to the last write that the responder saw. So dataware's include its plan, marker "
    "and journal{creation}, and leave out only the verification, which no other tool here does; "
    "the row “dataware, verified” has it"
)


def copy_of_buckets(
    world: World, track: Track, latency: float, losses: Mapping[str, str]
) -> Result:
    """One bucket into another one that stands already."""

    def prepare(contender: Contender, count: int) -> None:
        prepare_bucket(world, count, existing=not contender.creates, latency=latency)

    finishes = race(world, contenders.of_buckets(world), prepare, track)
    result = _result("S3", "objects", latency, finishes, losses)
    result.notes.insert(0, _NOTE.format(seconds=track.seconds, turns=track.turns, creation=""))
    ours = finishes[0].best
    if latency and ours:
        text = f"S3, {latency * 1000:.0f} ms latency: at least 7,500 copies/s by one process"
        result.goals.append(_rate(text, _LEAST_LATE_COPIES, ours))
    elif not latency:
        result.goals += _against(finishes, _BUCKET_GOALS, "S3, 0 ms")
        if ours:
            text, cpu = "S3: at most 120 µs of CPU for each object", ours.cpu_each * 1e6
            result.goals.append(Goal.at_most(text, _MOST_COPY_CPU, cpu, " µs"))
    return result


def copy_of_buckets_on_all_cores(world: World, track: Track, losses: Mapping[str, str]) -> Result:
    """The same without latency, where everybody may use every core, as on a user's machine."""

    def prepare(contender: Contender, count: int) -> None:
        prepare_bucket(world, count, existing=not contender.creates)

    one = replace(world, cores=pinning.ALL)
    finishes = race(one, contenders.of_buckets(one), prepare, track)
    result = _result("S3", "objects", 0.0, finishes, losses, where="all cores")
    note = _NOTE.format(seconds=track.seconds, turns=track.turns, creation="")
    result.notes[:0] = [
        note,
        "programs are not pinned here, and share the first core with the servers: dataware copies "
        "with a process for each core, as it does from 200,000 objects on, s5cmd, rclone and aws "
        "s3 sync with their threads, the loops on one core",
    ]
    result.goals += _against(finishes, _ALL_CORES_GOALS, "S3, 0 ms, all cores")
    return result


def copy_of_tables(world: World, track: Track, latency: float, losses: Mapping[str, str]) -> Result:
    """One table into another one: dataware makes its target, the others find theirs."""

    def prepare(contender: Contender, count: int) -> None:
        prepare_table(world, count, existing=not contender.creates, latency=latency)

    finishes = race(world, contenders.of_tables(world), prepare, track)
    result = _result("DynamoDB", "items", latency, finishes, losses)
    creation = " and the creation of the target by CloudFormation"
    note = _NOTE.format(seconds=track.seconds, turns=track.turns, creation=creation)
    result.notes[:0] = [note, *_pauses(finishes)]
    ours = finishes[0].best
    if latency:
        where = f"DynamoDB, {latency * 1000:.0f} ms"
        result.goals += _against(finishes, _LATE_TABLE_GOALS, where)
    elif ours:
        text = "DynamoDB: at least 80,000 items/s on one core, with journal and digests"
        result.goals.append(_rate(text, _LEAST_ITEMS, ours))
    return result


def _result(
    what: str,
    unit: str,
    latency: float,
    finishes: Sequence[Finish],
    losses: Mapping[str, str],
    *,
    where: str = "",
) -> Result:
    held = f"{latency * 1000:.0f} ms latency" if latency else "no latency"
    at = f"{held}, {where}" if where else held
    result = Result(f"{what}: a whole job, {at}", COLUMNS, unit=f"{unit} a second")
    ours = finishes[0]
    for finish in finishes:
        name, best = finish.contender.name, finish.best
        loses = losses.get(f"{unit}: {finish.contender.tool}", "not looked at")
        if best is None:
            result.rows.append((name, *("–",) * 7, f"did not run: {_first_line(finish.why)}"))
            continue
        faster, lighter = _ratios(ours, finish)
        per_second = 1 / best.each
        figures = (f"{per_second:,.0f}", f"{best.cpu_each * 1e6:,.0f}")
        size = (f"{best.copied.megabytes:.0f}", f"{best.count:,}", f"{best.copied.seconds:.1f}")
        result.rows.append((name, faster, lighter, *figures, *size, loses))
        result.bars.append(Bar(name, per_second, ours=finish.contender.ours))
    if ours.best:
        result.rows.insert(1, _verified(ours))
        if ours.best.whole.rereads:
            result.notes.append("dataware's writes were not byte for byte what the source holds")
    result.notes += [f"{one.contender.version}: `{one.contender.shown}`" for one in finishes]
    return result


def _verified(ours: Finish) -> Sequence[str]:
    """The row of the whole program, to its end."""
    best = ours.best
    assert best is not None
    whole = best.whole
    return (
        "dataware, verified",
        "–",
        "–",
        f"{best.count / whole.seconds:,.0f}",
        f"{whole.cpu / best.count * 1e6:,.0f}",
        f"{whole.megabytes:.0f}",
        f"{best.count:,}",
        f"{whole.seconds:.1f}",
        "",
    )


def _ratios(ours: Finish, other: Finish) -> tuple[str, str]:
    if ours.best is None or other.best is None or ours is other:
        return "–", "–"
    faster = other.best.each / ours.best.each
    lighter = ours.best.cpu_each / other.best.cpu_each
    return f"{number(faster)} x as fast", f"{number(lighter)} of its CPU"


def _against(finishes: Sequence[Finish], least: Mapping[str, float], where: str) -> list[Goal]:
    """The goals that compare dataware with others."""
    ours, by_name = finishes[0].best, {one.contender.name: one for one in finishes}
    goals = []
    for name, ratio in least.items():
        text = f"{where}: at least {ratio:.0f} x {name}"
        other = by_name[name]
        if ours is None or other.best is None:
            why = finishes[0].why if ours is None else other.why
            goals.append(Goal.unknown(text, f"not measured: {_first_line(why)}"))
        else:
            goals.append(Goal.at_least(text, ratio, other.best.each / ours.each))
    return goals


def _rate(text: str, least: float, ours: Attempt) -> Goal:
    """A goal for the rate from the first write to the last."""
    found = f"{ours.rate:,.0f}/s while copying; {1 / ours.cpu_each:,.0f} for a second of its CPU"
    return Goal(text, found, ours.rate >= least)


def _pauses(finishes: Sequence[Finish]) -> list[str]:
    return [
        f"{one.contender.name} sleeps {one.contender.pause:.0f} seconds before it reads, whatever "
        "there is to do; they are left out, to its advantage"
        for one in finishes
        if one.contender.pause
    ]


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]
