"""From wanted resources to facts: every name is looked at once, many at the same time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import TypeVar

from dataware.core.errors import LookupFailedError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import (
    NOT_ASKED,
    NOT_SHOWN,
    UNMANAGED,
    Existence,
    Facts,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Problem,
    Wanted,
)
from dataware.core.names import place_of
from dataware.core.ports import Aws
from dataware.core.probing import distrust_estimate
from dataware.kinds import load
from dataware.ops.context import Context
from dataware.ops.source_profile import enter_source

PROBES_AT_ONCE = 64
"""Names that are looked at at the same time; each takes one thread and one connection."""

TICK_SECONDS = 1.0
"""How often it is told how many names were looked at; a plan that takes less tells nothing."""

UNKNOWN_OWNER = "the stack that owns it is not known"

T = TypeVar("T")
R = TypeVar("R")


def probe_all(context: Context, wanted: Sequence[Wanted]) -> list[tuple[Facts, tuple[Facts, ...]]]:
    """The facts of (preferred, fallbacks) for every wanted resource, in the order given.

    The source of a running migration is looked at too, and stands last among the fallbacks.
    """
    names = [
        (item, name, is_source)
        for item in wanted
        for name, is_source in ((item.preferred, False), *((one, True) for one in item.fallbacks))
    ]
    with ThreadPoolExecutor(PROBES_AT_ONCE, thread_name_prefix="probe") as pool:
        report = _report_looks(context)
        answers = _in_parallel(pool, lambda pair: _probe_name(context, *pair), names, report)
        probes = []
        position = 0
        for item in wanted:
            end = position + 1 + len(item.fallbacks)
            fallbacks = tuple(map(distrust_estimate, answers[position + 1 : end]))
            probes.append((item, answers[position], fallbacks))
            position = end
        extra = _in_parallel(pool, lambda entry: _running_source(context, *entry), probes)
    return [
        (preferred, (*fallbacks, *more))
        for (_, preferred, fallbacks), more in zip(probes, extra, strict=True)
    ]


def _report_looks(context: Context) -> Callable[[int, int], None]:
    """Tell how many names were looked at, and for how long by now."""
    began = context.clock.monotonic()

    def report(done: int, total: int) -> None:
        seconds = round(context.clock.monotonic() - began)
        context.emit(event("look-progress", done=done, total=total, seconds=seconds))

    return report


def _in_parallel(
    pool: ThreadPoolExecutor,
    work: Callable[[T], R],
    items: Sequence[T],
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[R]:
    """Results in order; the first error wins, and what has not begun is not begun.

    While it lasts, `report` is told every second how many of how many are done.
    """
    futures = [pool.submit(work, item) for item in items]
    pending: set[Future[R]] = set(futures)
    try:
        while pending:
            ended, pending = wait(pending, timeout=TICK_SECONDS, return_when=FIRST_EXCEPTION)
            if any(future.exception() for future in ended):
                break
            if pending:
                report(len(futures) - len(pending), len(futures))
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        raise


def _probe_name(context: Context, wanted: Wanted, name: str, is_source: bool) -> Facts:
    """The facts of one name; those of a source by the credentials that read it."""
    if not is_source:
        return _probe(context, wanted, name)
    kind = load(wanted.type)
    return _probe(enter_source(context, kind, name), wanted, name, is_source=True)


def _probe(context: Context, wanted: Wanted, name: str, *, is_source: bool = False) -> Facts:
    kind = load(wanted.type)
    facts = _look_there(context, kind, name)
    if is_source and facts.existence is Existence.ABSENT:
        return facts  # nothing is read from there, whoever had it
    if facts.alike:
        facts = _choose_own(context, kind, wanted, facts)
    if facts.owner.ownership is Ownership.FOREIGN:
        return facts
    if facts.account != context.aws.account:
        return _with_what_only_its_account_knows(facts)
    there = context.in_region(facts.region or context.aws.region)
    return _with_marker(there, kind, _with_owner(there, kind, wanted, facts))


def _choose_own(context: Context, kind: Kind, wanted: Wanted, facts: Facts) -> Facts:
    """Of several resources of one name, the one that the declaring stack has, if it has one."""
    for physical_id in facts.alike:
        try:
            owner = _seen_from(wanted, context.aws.owner_of(kind.all_types, physical_id))
        except LookupFailedError:
            continue
        if owner.ownership is Ownership.THIS_STACK:
            return replace(_look_there(context, kind, physical_id), name=facts.name)
    return facts


def _look_there(context: Context, kind: Kind, name: str) -> Facts:
    """What stands under a name or an ARN, in the region and account that it means."""
    place = place_of(kind, name, context.aws.account, context.aws.region)
    facts = look(context.in_region(place.region), kind, place.name)
    # A name of no region says nothing of where the resource is; the probe may have seen it.
    region = facts.region or (None if kind.locate else place.region)
    return replace(facts, name=name, account=place.owner, region=region)


def _with_what_only_its_account_knows(facts: Facts) -> Facts:
    """Stacks and records of another account cannot be asked for: unknown, not "none"."""
    if facts.existence is Existence.ABSENT:
        return facts
    detail = f"only account {facts.account} can be asked for its stack and migrations"
    problem = Problem("DescribeStackResources", NOT_ASKED, None, detail, UNKNOWN_OWNER)
    return replace(
        facts,
        owner=Owner(Ownership.UNKNOWN),
        marker=Marker(MarkerState.UNKNOWN, problem=problem),
        problems=(*facts.problems, problem),
    )


def _mark_unseen(context: Context, facts: Facts) -> Facts:
    """A source that was read before, perhaps by a profile, is not gone for whoever may not see it.

    A policy of the resource itself is what lets another account see it, so one that is not there
    and one that is not shown look alike (Amazon DynamoDB Developer Guide, "Using resource-based
    policies for DynamoDB", "Cross-account access").
    """
    own = context.aws.account
    if facts.account in {None, own}:
        return facts
    detail = (
        f"account {facts.account} does not show it to account {own}; if a profile read it, give "
        "--source-profile as before"
    )
    problem = Problem("look", NOT_SHOWN, None, detail)
    return Facts(
        facts.name,
        account=facts.account,
        region=facts.region,
        problems=(*facts.problems, problem),
    )


def look(context: Context, kind: Kind, name: str) -> Facts:
    """What the kind's own probe sees; a question that went unanswered is a problem."""
    return probe_name(context.aws, kind, name)


def probe_name(aws: Aws, kind: Kind, name: str) -> Facts:
    """As `look`, where there is an account and no more."""
    try:
        return kind.probe(aws, name)
    except LookupFailedError as error:
        return _with_problem(Facts(name, schema=None), error, "probe")


def _with_owner(context: Context, kind: Kind, wanted: Wanted, facts: Facts) -> Facts:
    """The facts with the owner, looked for in the region of `context`.

    Only the resource's own region knows its stack. Where that region was not seen, a stack that is
    found is the owner, and one that is not found proves nothing.
    """
    place = place_of(kind, facts.name, context.aws.account, context.aws.region)
    try:
        owner = context.aws.owner_of(kind.all_types, facts.physical_id or place.name)
    except LookupFailedError as error:
        unknown = replace(facts, owner=Owner(Ownership.UNKNOWN))
        return _with_problem(unknown, error, "DescribeStackResources", UNKNOWN_OWNER)
    lost = facts.existence is not Existence.ABSENT and facts.region is None
    if lost and owner.ownership is Ownership.UNMANAGED:
        detail = f"the region of the {kind.short}, in which its stack is, was not seen"
        owner = Owner(Ownership.UNKNOWN)
        problem = Problem("DescribeStackResources", NOT_ASKED, None, detail, UNKNOWN_OWNER)
        facts = replace(facts, problems=(*facts.problems, problem))
    if owner.ownership is Ownership.UNMANAGED and facts.other_regions:
        return _with_owner_elsewhere(context, kind, facts)
    return replace(facts, owner=_seen_from(wanted, owner))


def _with_owner_elsewhere(context: Context, kind: Kind, facts: Facts) -> Facts:
    """The facts with the stack of another region that has the resource, which is there, too."""
    place = place_of(kind, facts.name, context.aws.account, context.aws.region)
    for region in sorted({*facts.other_regions} - {context.aws.region}):
        try:
            owner = context.in_region(region).aws.owner_of(kind.all_types, place.name)
        except LookupFailedError as error:
            unknown = replace(facts, owner=Owner(Ownership.UNKNOWN))
            return _with_problem(unknown, error, "DescribeStackResources", UNKNOWN_OWNER)
        if owner.ownership is not Ownership.UNMANAGED:
            return replace(facts, owner=owner)
    return replace(facts, owner=UNMANAGED)


def _seen_from(wanted: Wanted, owner: Owner) -> Owner:
    """The owner as the declaring stack sees it: itself, itself under another id, or another.

    A stack of the same name in another region or account is another stack, and one whose alias is
    the name is the same.
    """
    names = {owner.stack, owner.alias} - {None}
    if owner.ownership is not Ownership.OTHER_STACK or wanted.stack not in names:
        return owner
    home = (wanted.account, wanted.region)
    if None not in home and owner.environment not in {None, home}:
        return owner
    moved = wanted.logical_id is not None and owner.logical_id != wanted.logical_id
    ownership = Ownership.MOVED if moved else Ownership.THIS_STACK
    return replace(owner, ownership=ownership)


def _with_marker(context: Context, kind: Kind, facts: Facts) -> Facts:
    place = place_of(kind, facts.name, context.aws.account, context.aws.region)
    try:
        return replace(facts, marker=context.markers.get(kind.names.slug, place.name))
    except LookupFailedError as error:
        unknown = replace(facts, marker=Marker(MarkerState.UNKNOWN))
        return _with_problem(
            unknown, error, "GetParameter", "whether a migration into it has started is unknown"
        )


def _with_problem(
    facts: Facts, error: LookupFailedError, call: str, consequence: str = ""
) -> Facts:
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
    context = enter_source(context, kind, source)
    facts = _look_there(context, kind, source)
    if facts.existence is Existence.ABSENT:
        return (_mark_unseen(context, facts),)
    if facts.owner.ownership is Ownership.FOREIGN:
        return (facts,)
    if facts.account != context.aws.account:
        return (_with_what_only_its_account_knows(facts),)
    there = context.in_region(facts.region or context.aws.region)
    return (_with_marker(there, kind, facts),)
