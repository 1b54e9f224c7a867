"""Carries out several resources of a plan at the same time, in lanes on threads of their own.

How it works, for a plan that migrates five tables. Two share a lane where one reads or writes what
the other does, and what shares a lane follows in the order of the plan:

       reads      writes       lane
    1  orders     orders-2     first
    2  visits     visits-2     second
    3  people     people-2     third
    4  orders     orders-3     first, after 1: no source is read twice at a time
    5  people-2   people-3     third, after 3: what 3 fills is whole before it is copied

Each resource has its own lock, journal, transport and event loop, so that one which fails ends
nothing but itself: its lane goes on, and the error is an outcome like any other. A conflict alone
ends its lane. What is bounded for the whole run (copies at once, processes, readers of
verifications) is bounded by `run_bounds`, not here. Ctrl-C turns the shared stop request true and
waits; a second one is raised here, halts all lanes and leaves the threads to the end of the
process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from typing import Any

from dataware.core.errors import ConflictError, DatawareError
from dataware.core.events import Event
from dataware.core.plan import Planned
from dataware.core.ports import Emit
from dataware.ops.context import Context
from dataware.ops.run_outcome import Outcome

MOST_BEGUN = 50
"""Resources that are begun together. Each keeps a lock alive, with a write to Parameter Store every
ten seconds, and all callers of an account share 40 a second (AWS Systems Manager User Guide,
"Changing Parameter Store throughput")."""

HALT_SECONDS = 1.5
"""How long the end waits for what a second Ctrl-C has stopped: an engine's grace, and a call."""

WAIT_SECONDS = 0.5
"""How long a wait of the main thread lasts. Python runs the handler of a signal between two steps
of that thread: one that comes just before it begins to wait is seen when the wait has ended."""

Work = Callable[[Context, Planned], None]


def split_into_lanes(resources: Sequence[Planned]) -> list[list[Planned]]:
    """Resources that may go on side by side, in lanes; those of one lane follow each other.

    Two share a lane where one reads or writes what the other does, so that no source is read twice
    at a time and no copy begins from what is being filled.
    """
    lanes: list[tuple[set[tuple[str, str]], list[int]]] = []
    for position, planned in enumerate(resources):
        names = {(planned.wanted.type, planned.wanted.preferred)}
        if planned.decision.source is not None:
            names.add((planned.wanted.type, planned.decision.source))
        together = [lane for lane in lanes if lane[0] & names]
        lanes = [lane for lane in lanes if not lane[0] & names]
        positions = [one for lane in together for one in lane[1]]
        lanes.append((names.union(*(lane[0] for lane in together)), [*positions, position]))
    in_order = sorted(sorted(positions) for _, positions in lanes)
    return [[resources[position] for position in lane] for lane in in_order]


def work_in_order(context: Context, resources: Sequence[Planned], work: Work) -> list[Outcome]:
    """Carry resources out one after another, also after one that fails; a conflict ends them."""
    outcomes: list[Outcome] = []
    for planned in resources:
        outcomes.append(_attempt(context, planned, work))
        if isinstance(outcomes[-1].error, ConflictError):
            break
    return outcomes


def work_side_by_side(
    context: Context, lanes: Sequence[Sequence[Planned]], work: Work
) -> list[Outcome]:
    """Carry lanes out at the same time; answers once all of them have ended."""
    halted = threading.Event()
    beside = replace(
        context, emit=_with_names(context.emit), stop=lambda: halted.is_set() or context.stop()
    )
    ended: list[Future[list[Outcome]]] = []
    with halting(ended, halted.set):
        for lane in lanes:
            ended.append(_start(beside, lane, work))
        wait_for(ended)
    return [outcome for one in ended for outcome in one.result()]


@contextmanager
def halting(ended: Sequence[Future[Any]], halt: Callable[[], object]) -> Iterator[None]:
    """Begin what `ended` tells the end of, and wait for it; an interrupt halts what has begun.

    It is raised on once that has ended, or after HALT_SECONDS.
    """
    try:
        yield
    except BaseException:
        halt()
        wait(ended, HALT_SECONDS)
        raise


def wait_for(ended: Sequence[Future[Any]]) -> None:
    """Wait until all have ended, or a signal interrupts the thread that waits."""
    while wait(ended, WAIT_SECONDS).not_done:
        pass


def _start(context: Context, lane: Sequence[Planned], work: Work) -> Future[list[Outcome]]:
    """Carry a lane out on a thread that ends with the process, as a second Ctrl-C wants it."""
    ended: Future[list[Outcome]] = Future()

    def run() -> None:
        try:
            ended.set_result(work_in_order(context, lane, work))
        except BaseException as error:
            ended.set_exception(error)

    name = f"lane of {lane[0].wanted.preferred}"
    threading.Thread(target=copy_context().run, args=(run,), name=name, daemon=True).start()
    return ended


def _attempt(context: Context, planned: Planned, work: Work) -> Outcome:
    try:
        work(context, planned)
    except DatawareError as error:
        return Outcome(planned, error)
    return Outcome(planned)


def _with_names(emit: Emit) -> Emit:
    """Events of several resources come mixed, so the line of each says whose it is."""

    def report(happened: Event) -> None:
        emit(replace(happened, data={**happened.data, "beside": True}))

    return report
