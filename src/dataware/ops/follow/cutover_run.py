"""A followed migration that is cut over: it follows, freezes, drains, verifies, and switches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from dataware.calc.rate import format_tenths
from dataware.core.copier import CopyOrder
from dataware.core.errors import IncompleteError, SidesDifferError
from dataware.core.events import Event, event, format_count
from dataware.core.follow.cutover import (
    CutoverAction,
    CutoverRecord,
    CutoverState,
    CutoverStep,
)
from dataware.core.follow.cutover_loop import CutoverLoop
from dataware.core.follow.cutover_ports import (
    CutoverGate,
    CutoverPorts,
    FreezeHooks,
    KeyComparison,
)
from dataware.core.follow.cutover_table import FORTH
from dataware.core.follow.feed import ChangeFeed, Gap, find_refused
from dataware.core.follow.loop import FollowLoop, FollowPorts, FollowStep
from dataware.core.ports import Journal
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import ComparisonSpec, Context, aws_of
from dataware.ops.follow import follow_run
from dataware.ops.follow.approval_gate import ApprovalGate, make_approval
from dataware.ops.follow.follow_checks import require_following
from dataware.ops.follow.follow_run import LONGEST_REST, FollowReporter, FollowRun
from dataware.ops.follow.freeze_warning import GivenUpError, warn_of_freeze
from dataware.ops.follow.key_comparison import KeyComparisonThread
from dataware.ops.follow.source_feed import SourceFeed
from dataware.ops.follow.undo_window import UndoWindow, find_old_feed
from dataware.ops.lease_keeper import LeaseKeeper
from dataware.ops.migration_policy import Migration
from dataware.ops.verify import sides_of
from dataware.state.cutover_records import read_cutover
from dataware.state.lease import ParameterLease
from dataware.state.marker_value import APPROVAL
from dataware.verify.verdict import Verdict

MAY_PAUSE = frozenset(
    {CutoverState.COPYING, CutoverState.FOLLOWING, CutoverState.GATED, CutoverState.UNDOING}
)
"""The states in which nobody waits, so that people may pause."""

MOST_LISTED = 500
"""Keys that are looked up one by one where each takes a request of its own; more are listed."""

FROZEN_REST = 1.0
"""Seconds between two chunks at most while writers are stopped, whatever the rate."""

NAMED = 10
"""Stray keys that one event names."""


@dataclass(frozen=True, slots=True)
class CutoverSettings:
    """How people want to cut over: what freezes and thaws, when, for how long at most.

    After the switch the source is watched for `watch_seconds`. `by_hand` says that no command lets
    the writers go on, `enable_undo` that a feed of the target may be switched on, and
    `await_approval` that nobody is stopped before another person types a token.
    """

    hooks: FreezeHooks
    gate: CutoverGate
    freeze_limit: float
    watch_seconds: float
    by_hand: bool = False
    enable_undo: bool = False
    await_approval: bool = False


@dataclass(frozen=True, slots=True)
class PausableGate:
    """The CutoverGate port: nobody is stopped during a pause."""

    gate: CutoverGate
    is_paused: Callable[[], bool]

    def is_requested(self) -> bool:
        """Whether a person asks to cut over."""
        return self.gate.is_requested()

    def is_open(self, now: float) -> bool:
        """Whether nothing postpones it, a pause included."""
        return not self.is_paused() and self.gate.is_open(now)


class StrayKeyReporter:
    """The StrayKeys port: names the keys that somebody writes to the source after the switch."""

    def __init__(self, context: Context, journal: Journal, words: dict[str, object]) -> None:
        self._context = context
        self._journal = journal
        self._words = words
        self.keys: set[bytes] = set()

    def add(self, keys: Collection[bytes], now: float) -> None:
        """Remember and report keys."""
        texts = sorted(key.decode("utf-8", "surrogatepass") for key in keys)
        self._journal.append({"type": "strays", "at": now, "keys": texts})
        self.keys.update(keys)
        more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
        named = ", ".join(texts[:NAMED]) + more
        self._context.emit(event("stray-keys", keys=named, count=len(texts), **self._words))

    def report_gaps(self, gaps: Collection[Gap], now: float) -> None:
        """Report that some keys may never be named."""
        self._journal.append({"type": "strays-missed", "at": now})
        for why in dict.fromkeys(follow_run.WHY[gap.cause] for gap in gaps):
            self._context.emit(event("stray-gap", why=why, **self._words))


def switched_event(frozen_seconds: float | None, words: Mapping[str, object]) -> Event:
    """That both sides are switched, with how long the writers rested, to a tenth of a second."""
    measured = round(frozen_seconds or 0.0, 1)
    seconds = format_tenths(measured)
    return event("cut-over", seconds=seconds, frozen_seconds=measured, **words)


def find_requests(keeper: LeaseKeeper) -> Mapping[str, Any]:
    """What people ask of the run that holds a lock, as of its last heartbeat."""
    return keeper.lease.requests if isinstance(keeper.lease, ParameterLease) else {}


class CutoverRun(FollowRun):
    """The steps of a followed migration that is cut over."""

    def __init__(
        self,
        settings: CutoverSettings,
        context: Context,
        migration: Migration,
        run: str,
        keeper: LeaseKeeper,
    ) -> None:
        super().__init__(context, migration, run, keeper)
        self._cutover_settings = settings
        self._cutover: CutoverLoop
        self._is_loop_made = False
        self._may_pause = True
        self._journal: Journal
        self._strays: StrayKeyReporter
        self._watched: ChangeFeed | None = None
        self._comparison: KeyComparisonThread
        self._undo_window = UndoWindow(context, migration, run, self._publish_now)

    def _make_loop(self, ports: FollowPorts, order: CopyOrder, journal: Journal) -> FollowLoop:
        context, kind, keeper = self._context, self._migration.kind, self._keeper
        self._journal = journal
        if context.cutover_records is None:
            raise IncompleteError("the record of a cut-over cannot be kept here")
        records = context.cutover_records(
            (kind.names.slug, self._target_on_record, self._run),
            keeper.lease,
            keeper.publish,
            keeper.send_heartbeat,
        )
        pair = ComparisonSpec.of(kind, order, deep=self._migration.settings.deep)

        def make_readers() -> Any:
            readers = sides_of(kind, pair, partial(aws_of, context))
            return readers.source, readers.target

        most = MOST_LISTED if kind.require_copying().ordered else None
        self._comparison = KeyComparisonThread(self._difference_tools(order), make_readers, most)
        self._strays = StrayKeyReporter(context, journal, dict(self._migration.words()))
        settings = self._cutover_settings
        gate = PausableGate(self._make_gate(), self._is_paused)
        self._watched = self._make_watched(order)
        given = CutoverPorts(
            records, settings.hooks, gate, self._make_comparison(), self._strays, self._watched
        )
        self._cutover = CutoverLoop(
            given,
            ports,
            seconds=since_boot,
            chunk=self._chunk,
            freeze_limit=settings.freeze_limit,
            witness=self._undo_window.witness,
        )
        self._is_loop_made = True
        return self._cutover.loop

    def _make_comparison(self) -> KeyComparison:
        """What compares both sides, as the steps of the cut-over use it."""
        return self._comparison

    def _make_gate(self) -> CutoverGate:
        """What people say about when to cut over, with the approval that is waited for."""
        settings, keeper = self._cutover_settings, self._keeper
        if not settings.await_approval:
            return settings.gate
        approval = make_approval(self._run)
        # On record before it is shown, so that whoever types it at once is heard.
        self._publish_now({APPROVAL: {"token_digest": approval.token_digest}})
        gate = ApprovalGate(
            settings.gate,
            approval,
            lambda: find_requests(keeper),
            self._context.emit,
            self._migration.words(),
        )
        gate.report()
        return gate

    def _make_watched(self, order: CopyOrder) -> ChangeFeed | None:
        """What tells who writes to a source without a feed after the switch."""
        following, state = require_following(self._migration.kind), self._state
        if following.list_tags is None:
            return None
        feed = find_old_feed(self._context, following, order.source, state)
        if feed is not None:
            # What is on record and was never there is looked at, and forgotten, before the freeze.
            now = self._context.clock.now()
            state.add(feed.poll(now).keys, now)
        return find_old_feed(self._context, following, order.source, state)

    def _is_paused(self) -> bool:
        """Whether people pause; while writers wait for the switch nothing else is waited for."""
        return self._may_pause and super()._is_paused()

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Follow and cut over; what ends it early says who may still be stopped."""
        with self._warn_of_freeze():
            return super()._rounds(journal, order)

    def _warn_of_freeze(self) -> AbstractContextManager[None]:
        """Whatever ends the run while nobody may write to either side is told by name."""
        source, target = str(self._migration.words()["source"]), self._target_on_record
        return warn_of_freeze(self._context, source, target, self._find_record)

    def _find_record(self) -> CutoverRecord:
        """What the record says as far as this run knows."""
        if self._is_loop_made:
            return self._cutover.record
        return read_cutover(self._migration.marker.detail)

    def _go_on(self, loop: FollowLoop, chosen: SourceFeed) -> Verdict:
        """Follow, and cut over. Raises IncompleteError where that was given up."""
        self._cutover.copied = True
        self._enter("following")
        self._undo_window.prepare(enable=self._cutover_settings.enable_undo)
        reporter = FollowReporter(self, loop, chosen)
        record = self._cutover.record
        if record.may_be_frozen and not record.back:
            self._context.emit(event("freezing", **self._migration.words()))
        try:
            while not self._step(reporter):
                self._check_end()
        finally:
            self._comparison.close()
        return self._watch(chosen)

    def _step(self, reporter: FollowReporter) -> bool:
        """Take a step; whether both sides are switched."""
        context, cutover = self._context, self._cutover
        self._keeper.check()
        if context.stop() and not cutover.failure:
            cutover.failure = "a person asked to stop"
        before = cutover.record.state
        if before is CutoverState.GATED and cutover.loop.conflicts and not cutover.failure:
            number = format_count(len(cutover.loop.conflicts), "key")
            hold = "holds" if len(cutover.loop.conflicts) == 1 else "hold"
            theirs = f"{number} of the target {hold} what the follow did not write"
            cutover.failure = find_refused(cutover.loop.conflicts.values()) or theirs
        self._may_pause = before in MAY_PAUSE
        self._hold(cutover.loop)
        if before in FORTH.freeze:
            self._undo_window.open(self._journal, context.clock.now())
        step = cutover.step(context.clock.now())
        reporter.report(FollowStep.IDLE if cutover.idle else cutover.done or FollowStep.POLLED)
        self._report_state(step, before)
        rate = self._max_rate
        if cutover.idle:
            threading.Event().wait(follow_run.POLL_SECONDS)
        elif cutover.done is FollowStep.SETTLED and rate:
            # Who waits for the switch waits no longer for a rate than the freeze may last.
            most = FROZEN_REST if cutover.record.may_be_frozen else LONGEST_REST
            threading.Event().wait(min(self._chunk / rate, most))
        if step.action is CutoverAction.STOP:
            raise GivenUpError(self._describe_stop(step))
        return cutover.record.state is CutoverState.SWITCHED

    def _check_end(self) -> None:
        if not self._cutover.given_up:
            return
        source = self._migration.order.source.name
        after = f"{source} is open to its writers again, so nothing is lost"
        if self._cutover_settings.by_hand:
            after = (
                f"nothing is lost, but the writers of {source} are stopped: restart them by hand"
            )
        raise GivenUpError(
            f"gave up the cut-over, because {self._cutover.given_up}; {after}; run the same "
            "command again"
        )

    def _describe_stop(self, step: CutoverStep) -> str:
        words = self._migration.words()
        if self._cutover.record.may_be_frozen:
            return (
                f"could not thaw {words['source']} ({self._cutover.failure}) after giving up the "
                f"cut-over, because {step.why}; restart its writers by hand, and run the same "
                "command again"
            )
        return (
            f"stopped the cut-over of {words['source']}, because {step.why}; "
            "run the same command again"
        )

    def _report_state(self, step: CutoverStep, before: CutoverState) -> None:
        """Tell what people wait for."""
        cutover, words = self._cutover, self._migration.words()
        state = cutover.record.state
        if state is before:
            return
        if state in (CutoverState.GATED, CutoverState.DRAINED):
            self._enter("comparing" if state is CutoverState.GATED else "verifying")
        elif state is CutoverState.FROZEN and before is CutoverState.GATED:
            self._context.emit(event("freezing", **words))
        elif state is CutoverState.FOLLOWING and cutover.given_up:
            self._context.emit(event("thawed", reason=cutover.given_up, **words))
        elif state is CutoverState.SWITCHED:
            self._context.emit(switched_event(cutover.frozen_seconds, words))

    def _watch(self, chosen: SourceFeed) -> Verdict:
        """Name whoever writes to the source after the switch. Raises SidesDifferError."""
        self.is_on_record = True
        context, settings = self._context, self._cutover_settings
        if not chosen.noun and self._watched is None:
            context.emit(
                event("stray-gap", why="it has no feed of changes", **self._migration.words())
            )
            return Verdict()
        if settings.watch_seconds:
            self._watch_source()
        words = self._migration.words()
        if self._strays.keys:
            raise SidesDifferError(
                f"{format_count(len(self._strays.keys), 'key')} of {words['source']} changed after "
                f"the switch, and {words['name']} lacks those changes: stop that writer, and look "
                "at the keys above"
            )
        return Verdict()

    def _watch_source(self) -> None:
        """Read what is written to the source for so long, and to its end at least once.

        A watch that ends before has seen nothing; a feed that cannot be read is not waited for
        longer than writers would be.
        """
        end = since_boot() + self._cutover_settings.watch_seconds
        last = max(end, since_boot() + self._cutover_settings.freeze_limit)
        while not self._context.stop() and since_boot() < last:
            is_read = self._cutover.record.state is not CutoverState.SWITCHED
            if is_read and since_boot() >= end:
                break
            self._cutover.step(self._context.clock.now())
            threading.Event().wait(follow_run.POLL_SECONDS)
