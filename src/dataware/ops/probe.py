"""From wanted resources to facts: every name is looked at once, many at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

from dataware.core.errors import CannotSee
from dataware.core.kind import Kind
from dataware.core.model import (
    Existence,
    Facts,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Problem,
    Wanted,
    absent,
)
from dataware.core.ports import Aws
from dataware.kinds import load
from dataware.ops.context import Context

PROBES_AT_ONCE = 64
"""Names that are looked at at the same time; each takes one thread and one connection."""

T = TypeVar("T")
R = TypeVar("R")


def probe_all(context: Context, wanted: Sequence[Wanted]) -> list[tuple[Facts, tuple[Facts, ...]]]:
    """The facts of (preferred, fallbacks) for every wanted resource, in the order given.

    The source of a running migration is looked at too, and stands last among the fallbacks.
    """
    names = [(item, name) for item in wanted for name in (item.preferred, *item.fallbacks)]
    with ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="probe") as pool:
        seen = _in_parallel(pool, lambda pair: _probe(context, *pair), names)
        found = []
        position = 0
        for item in wanted:
            end = position + 1 + len(item.fallbacks)
            found.append((item, seen[position], tuple(seen[position + 1 : end])))
            position = end
        extra = _in_parallel(pool, lambda entry: _running_source(context, *entry), found)
    return [
        (preferred, (*fallbacks, *more))
        for (_, preferred, fallbacks), more in zip(found, extra, strict=True)
    ]


def _in_parallel(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Results in order; the first error wins, and what has not begun is not begun."""
    futures = [pool.submit(work, item) for item in items]
    try:
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _probe(context: Context, wanted: Wanted, name: str) -> Facts:
    kind = load(wanted.type)
    facts = look(context, kind, name)
    if facts.owner.ownership is Ownership.FOREIGN:
        return facts
    return _with_marker(context, kind, _with_owner(context, kind, wanted, facts))


def look(context: Context, kind: Kind, name: str) -> Facts:
    """What the kind's own probe sees; a question that went unanswered is a problem."""
    return seen(context.aws, kind, name)


def seen(aws: Aws, kind: Kind, name: str) -> Facts:
    """As `look`, where there is an account and no more."""
    try:
        return kind.probe(aws, name)
    except CannotSee as error:
        return _with_problem(Facts(name, schema=None), error, "probe")


def _with_owner(context: Context, kind: Kind, wanted: Wanted, facts: Facts) -> Facts:
    try:
        owner = context.aws.owner_of(kind.cfn_type, facts.physical_id or facts.name)
    except CannotSee as error:
        unknown = replace(facts, owner=Owner(Ownership.UNKNOWN))
        return _with_problem(
            unknown, error, "DescribeStackResources", "the stack that owns it is not known"
        )
    return replace(facts, owner=seen_from(wanted, owner))


def seen_from(wanted: Wanted, owner: Owner) -> Owner:
    """The owner as the declaring stack sees it: itself, itself under another id, or another."""
    if owner.ownership is not Ownership.OTHER_STACK or owner.stack != wanted.stack:
        return owner
    moved = wanted.logical_id is not None and owner.logical_id != wanted.logical_id
    ownership = Ownership.MOVED if moved else Ownership.THIS_STACK
    return replace(owner, ownership=ownership)


def _with_marker(context: Context, kind: Kind, facts: Facts) -> Facts:
    try:
        return replace(facts, marker=context.markers.get(kind.name, facts.name))
    except CannotSee as error:
        unknown = replace(facts, marker=Marker(MarkerState.UNKNOWN))
        return _with_problem(
            unknown, error, "GetParameter", "whether a migration into it has begun is not known"
        )


def _with_problem(facts: Facts, error: CannotSee, call: str, consequence: str = "") -> Facts:
    problem = error.problem or Problem(call, type(error).__name__, detail=str(error))
    problem = problem.meaning(consequence, decides=True)
    return replace(facts, problems=(*facts.problems, problem))


def _running_source(
    context: Context, wanted: Wanted, preferred: Facts, fallbacks: tuple[Facts, ...]
) -> tuple[Facts, ...]:
    marker = preferred.marker
    source = marker.source
    running = marker.state is MarkerState.RUNNING
    if not running or source is None or source in [f.name for f in fallbacks]:
        return ()
    kind = load(wanted.type)
    facts = look(context, kind, source)
    if facts.existence is Existence.ABSENT:
        return (absent(source),)
    foreign = facts.owner.ownership is Ownership.FOREIGN
    return (facts if foreign else _with_marker(context, kind, facts),)
