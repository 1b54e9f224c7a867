"""The use case "follow": go on with migrations on record that are followed, side by side.

It is meant for a service that is ended and started again, also where its disk is lost: the record
says what is followed, and what an earlier run knew comes back by comparing both sides in full. A
run that died elsewhere seems alive for a minute, so its lock is waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextvars import copy_context
from dataclasses import dataclass, replace

from dataware.core.errors import DatawareError, IncompleteError, InputError, RefusedError
from dataware.core.events import event
from dataware.core.kind import Kind
from dataware.core.model import Location, Marker, MarkerState
from dataware.kinds import kind_of_record
from dataware.ops.context import Context, CopySettings
from dataware.ops.follow.follow import follow
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.reached_goal import check_target
from dataware.ops.forget import find_migration
from dataware.ops.migration_policy import FOLLOWED
from dataware.ops.side_by_side import MOST_BEGUN, halting, wait_for

LOCK_SECONDS = 120.0
"""How long a lock is waited for: a dead run seems alive for half of that."""

LOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class RecordedFollow:
    """A followed migration on record: its kind, both names, and the record."""

    kind: Kind
    source: str
    target: str
    marker: Marker

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to follow."""
        return self.marker.state is MarkerState.COMPLETE


def find_recorded(context: Context, name: str) -> RecordedFollow:
    """The followed migration into `name`. Raises InputError where there is none."""
    status, marker = find_migration(context, name)
    kind = kind_of_record(status.kind, status.target)
    is_complete = marker.state is MarkerState.COMPLETE
    if status.source is None or not (is_complete or marker.detail.get(FOLLOWED)):
        raise InputError(
            f"the migration into {status.target} is not followed; begin with `dataware migrate "
            "--follow` or `dataware apply --follow`"
        )
    require_following(kind)
    return RecordedFollow(kind, status.source, status.target, marker)


def follow_recorded(
    context: Context,
    followed: Sequence[tuple[RecordedFollow, tuple[Location, Location]]],
    settings: CopySettings,
) -> None:
    """Follow each of them, as recorded between two places, until it is cut over or stopped.

    One that fails holds up no other. Raises RefusedError where one was refused, and IncompleteError
    where one was stopped or failed.
    """
    going = [one for one in followed if not one[0].is_complete]
    if len(going) > MOST_BEGUN:
        raise InputError(f"name {MOST_BEGUN} at most, and start another process for the others")
    done = (one for one in followed if one[0].is_complete)
    failed = [error for one in done if (error := _report_complete(context, *one)) is not None]
    halted = threading.Event()
    beside = replace(context, stop=lambda: halted.is_set() or context.stop())
    ended: list[Future[DatawareError | None]] = []
    with halting(ended, halted.set):
        for one in going:
            ended.append(_start(_work(beside, *one, settings), one[0].target))
        wait_for(ended)
    _sum_up([*failed, *(error for one in ended if (error := one.result()) is not None)])


def _report_complete(
    context: Context, recorded: RecordedFollow, places: tuple[Location, Location]
) -> DatawareError | None:
    """Tell that nothing is left to follow; why that is not so where the target is gone since."""
    try:
        check_target(context, recorded.kind, places[1], recorded.marker)
    except DatawareError as error:
        words = {"kind": recorded.kind.names.slug, "name": recorded.target}
        context.emit(event("incomplete", reason=str(error), **words))
        return error
    text = f"Nothing to follow into {recorded.target}: it is complete"
    context.emit(event("note", text=text, name=recorded.target))
    return None


def _work(
    context: Context,
    recorded: RecordedFollow,
    places: tuple[Location, Location],
    settings: CopySettings,
) -> Callable[[], DatawareError | None]:
    def work() -> DatawareError | None:
        try:
            there = context.in_region(places[1].region)
            _await_lock(there, recorded)
            follow(there, recorded.kind.cfn_type, *places, settings)
        except DatawareError as error:
            words = {"kind": recorded.kind.names.slug, "name": recorded.target}
            context.emit(event("incomplete", reason=str(error), **words))
            return error
        return None

    return work


def _start(work: Callable[[], DatawareError | None], name: str) -> Future[DatawareError | None]:
    """Work on a thread that ends with the process, as a second signal wants it."""
    ended: Future[DatawareError | None] = Future()

    def run() -> None:
        try:
            ended.set_result(work())
        except BaseException as error:
            ended.set_exception(error)

    context = copy_context()
    threading.Thread(
        target=context.run, args=(run,), name=f"follow into {name}", daemon=True
    ).start()
    return ended


def _await_lock(context: Context, recorded: RecordedFollow) -> None:
    """Wait for a run that died elsewhere to seem dead; one that lives is refused later."""
    began, is_reported = context.clock.monotonic(), False
    while (marker := _look(context, recorded)).alive:
        if context.clock.monotonic() - began >= LOCK_SECONDS:
            return
        if not is_reported:
            is_reported = True
            holder = marker.detail.get("holder", "another machine")
            text = f"Waiting for the lock on {recorded.target}, which {holder} had last"
            context.emit(event("note", text=text, name=recorded.target))
        context.aws.pause(LOOK_SECONDS)


def _look(context: Context, recorded: RecordedFollow) -> Marker:
    return context.markers.get(recorded.kind.names.slug, recorded.target)


def _sum_up(errors: Sequence[DatawareError]) -> None:
    if not errors:
        return
    text = "; ".join(dict.fromkeys(map(str, errors)))
    if any(isinstance(error, RefusedError) for error in errors):
        raise RefusedError(text)
    raise IncompleteError(text) from errors[0]
