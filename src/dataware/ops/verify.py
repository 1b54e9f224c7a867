"""The use case "verify": compare two places, independently of any copy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TypeAlias

from dataware.calc.multiset_digest import MultisetDigest
from dataware.calc.words import with_article
from dataware.core.errors import InputError, NotFoundError, SidesDifferError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.core.printable import escape_key
from dataware.kinds import list_copied, load
from dataware.ops.context import ComparisonSpec, Context, aws_of
from dataware.ops.named_resources import address_of, describe_empty, holds_history, warn_of_slashes
from dataware.ops.run_bounds import RunBounds
from dataware.verify.merge import DifferenceKind
from dataware.verify.progress import VerifyProgress
from dataware.verify.run import Stop, TaskRunner, ThreadRunner, compare
from dataware.verify.steps import Count, Readers, TaskResult, VerifyTask, ignore_count
from dataware.verify.verdict import Side, Verdict

SHOWN = 10
"""Differences of one sort that are told one by one."""

ComparePair: TypeAlias = Callable[[Context, Kind, ComparisonSpec], Verdict]
"""Who compares both sides instead of this machine."""

_SORTS = (DifferenceKind.DIFFERENT, DifferenceKind.EXTRA, DifferenceKind.MISSING)

KEYS_AT_ONCE = 500
"""Keys of one event for the record."""

_WHY_DIFFERENT = {
    Side.SOURCE: "the source has changed since it was read, so pause its writers",
    Side.TARGET: "the target is not as it was written, so pause whatever else writes to it",
    None: "the source is probably being written to, so pause its writers",
}


def verify(
    context: Context,
    type_name: str,
    source: Location,
    target: Location,
    *,
    all_versions: bool = False,
    deep: bool = False,
    compare_pair: ComparePair | None = None,
) -> Verdict:
    """Compare both sides and tell the result; changes nothing.

    `compare_pair` compares them, where this machine does not.

    Raises InputError where a named part of the source holds nothing, or where the source holds only
    older versions and those were not asked for, and Difference for tables whose
    keys are not the same.
    """
    kind = load(type_name)
    words = {"kind": kind.names.slug, "source": source.name, "name": target.name}
    context.emit(event("verifying", **words))
    here, there = (with_real_region(context, kind, place) for place in (source, target))
    warn_of_slashes(context.emit, kind, here, there)
    with _advising_on_absence():
        _check_schemas(context, kind, here, there)
        pair = ComparisonSpec(type_name, here, there, all_versions, deep)
        if compare_pair is None:
            measure = VerifyProgress(words, kind.unit, None, context.clock, context.emit)
            verdict = run_comparison(context, kind, pair, context.stop, measure)
        else:
            verdict = compare_pair(context, kind, pair)
    if not verdict.compared:
        _check_anything(context, kind, here, all_versions=all_versions)
    report(context, kind, name_keys_in_target(verdict, here, there), words)
    return verdict


def name_keys_in_target(verdict: Verdict, source: Location, target: Location) -> Verdict:
    """The verdict in which each key is the one that the target has, or would have.

    Prefixes may differ, and people are told where in the target something is amiss.
    """
    if source.prefix == target.prefix:
        return verdict
    prefix, other = (escape_key(place.prefix.encode()) for place in (source, target))
    listed = [
        one
        if one.kind is DifferenceKind.EXTRA
        else replace(one, label=other + one.label.removeprefix(prefix))
        for one in verdict.listed
    ]
    return replace(verdict, listed=listed)


@contextmanager
def _advising_on_absence() -> Iterator[None]:
    """Say what to look at where a side is not there, which is seldom what was meant."""
    try:
        yield
    except NotFoundError as error:
        text = f"{error}; check the name, the region and the profile"
        raise NotFoundError(text, error.problem) from error


def _check_anything(context: Context, kind: Kind, source: Location, *, all_versions: bool) -> None:
    """Raise InputError where nothing was compared though something was meant to be."""
    aws = aws_of(context, source)
    copying = kind.require_copying()
    if copying.prefixes and not all_versions and holds_history(copying.reader, aws, source):
        raise InputError(
            f"{address_of(kind, source)} {copying.history}, so nothing was compared; compare every "
            "version with --versions all"
        )
    if source.prefix:
        raise InputError(describe_empty(kind, source))


def _check_schemas(context: Context, kind: Kind, source: Location, target: Location) -> None:
    """Raise Difference for sides of which no record can be the same, because their keys differ."""
    read_schema = kind.copying.key_schema if kind.copying else None
    if read_schema is None:
        return
    mine, other = (read_schema(aws_of(context, at), at.name) for at in (source, target))
    if mine and other and mine != other:
        raise SidesDifferError(
            f"{describe_schemas(source, mine, target, other)}, so no {kind.unit} can be the same"
        )


def describe_schemas(source: Location, mine: str, target: Location, other: str) -> str:
    """That two sides have other keys."""
    return f"{source.name} has the key schema {mine}, but {target.name} has {other}"


def run_comparison(
    context: Context,
    kind: Kind,
    pair: ComparisonSpec,
    stop: Stop,
    measure: VerifyProgress | None = None,
) -> Verdict:
    """What a comparison finds. Raises InputError for a kind that cannot be compared."""
    sides = sides_of(kind, pair, partial(aws_of, context))
    return compare(
        sides.source,
        sides.target,
        ordered=kind.require_copying().ordered,
        stop=stop,
        runner=_runner(context, pair, ThreadRunner(sides, context.bounds.verifying)),
        progress=measure,
    )


def _runner(context: Context, pair: ComparisonSpec, threads: TaskRunner) -> TaskRunner:
    """Who carries out a comparison: processes, where there are some and no one else has them."""
    if context.workers is None:
        return threads
    processes = context.workers.task_runner(pair, threads)
    return BorrowingRunner(processes, threads, context.bounds, context.workers.cores)


@dataclass(frozen=True, slots=True)
class BorrowingRunner:
    """Lets processes carry tasks out while no other migration of the run has any, else threads."""

    processes: TaskRunner
    threads: TaskRunner
    bounds: RunBounds
    cores: int

    def results(
        self, tasks: Sequence[VerifyTask], stop: Stop, count: Count = ignore_count
    ) -> Iterator[tuple[VerifyTask, TaskResult]]:
        """Each task with what it found, as soon as it ends."""
        with self.bounds.processes(self.cores, self.cores) as borrowed:
            runner = self.processes if borrowed == self.cores else self.threads
            if runner is self.processes:
                yield from runner.results(tasks, stop, count)
                return
        yield from runner.results(tasks, stop, count)


def sides_of(kind: Kind, pair: ComparisonSpec, open_place: Callable[[Location], Aws]) -> Readers:
    """The readers of both sides. Raises InputError for a kind that cannot be compared."""
    if kind.copying is None:
        raise InputError(
            f"dataware cannot compare {with_article(kind.noun)}; it compares {list_copied()}"
        )
    make = kind.copying.reader
    source, target = (
        make(open_place(place), place, all_versions=pair.all_versions, deep=pair.deep)
        for place in (pair.source, pair.target)
    )
    if pair.reads_unsettled:
        source.reads_unsettled = True
    return Readers(source, target)


def with_real_region(context: Context, kind: Kind, place: Location) -> Location:
    """The place in the region in which its resource really is, as far as that can be seen."""
    if kind.locate is None:
        return place
    return replace(place, region=kind.locate(aws_of(context, place), place) or place.region)


def report(context: Context, kind: Kind, verdict: Verdict, words: Mapping[str, object]) -> None:
    """Tell of every difference up to a bound, the rarest sort first, and of the whole."""
    report_differences(context, verdict, words)
    for side in sorted(_SORTS, key=lambda each: verdict.counts[each]):
        _report_some(context, kind, verdict, side, words)
    if verdict.differs:
        counts = {"unit": kind.unit, **_counts(verdict)}
        context.emit(event("differences", summary=verdict.summary(), **words, **counts))
        return
    context.emit(
        event(
            "verified",
            count=verdict.compared,
            unit=kind.unit,
            evidence=verdict.grounds(),
            **words,
        )
    )


def _report_some(
    context: Context,
    kind: Kind,
    verdict: Verdict,
    side: DifferenceKind,
    words: Mapping[str, object],
) -> None:
    """Tell of the first differences of one sort, and of how many there are beside them."""
    keys = (one.label for one in verdict.listed if one.kind is side)
    first = list(islice(keys, SHOWN))
    place = f"{kind.require_copying().scheme}://{words['name']}"
    words_of_side = {"difference": side.value, "place": place, **words}
    for key in first:
        context.emit(event("difference", key=describe_key(kind, key), **words_of_side))
    if more := verdict.counts[side] - len(first):
        context.emit(event("difference-more", count=more, unit=kind.unit, **words_of_side))


def describe_key(kind: Kind, label: str) -> str:
    """A key for people: that of an item as "id=x, sort=5"; one that is no such JSON as it is."""
    if kind.require_copying().key_schema is None:
        return label
    try:
        key = json.loads(label)
        values = {name: value for name, typed in key.items() for value in typed.values()}
    except (ValueError, AttributeError):
        return label
    return ", ".join(f"{name}={value}" for name, value in values.items()) or label


def why_different(verdict: Verdict, copied: MultisetDigest) -> str:
    """Why sides differ after a copy with a tally, and what to do, as a clause."""
    return _WHY_DIFFERENT[verdict.changed_side(copied)]


def report_differences(context: Context, verdict: Verdict, words: Mapping[str, object]) -> None:
    """Leave every difference that is listed by key to the record of the run."""
    for side in DifferenceKind:
        keys = [one.label for one in verdict.listed if one.kind is side]
        for start in range(0, len(keys), KEYS_AT_ONCE):
            some = keys[start : start + KEYS_AT_ONCE]
            context.emit(
                event(
                    "compared-different", difference=side.value, count=len(some), keys=some, **words
                )
            )


def _counts(verdict: Verdict) -> dict[str, object]:
    counts: dict[str, object] = {side.value: count for side, count in verdict.counts.items()}
    return {"compared": verdict.compared, **counts}
