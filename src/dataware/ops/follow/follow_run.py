"""One followed migration under its lock: open the feed, copy, then carry until a person stops it.

    feed opened ── copy, feed read beside it ── last write acknowledged ── carry, for ever
                                                                             Ctrl-C: exit 4

It never says "complete": source and target agree only once writers rest, which a cut-over sees to.
Whatever ends it, the next run goes on: the copy by its journal, the follow by its file.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace

from dataware.calc.rate import RateEstimator, rough
from dataware.core.copier import CopyOrder, SkipReason
from dataware.core.errors import IncompleteError
from dataware.core.events import event, format_count
from dataware.core.follow.cutover import may_be_frozen
from dataware.core.follow.cutover_ports import UncertainOutcomes
from dataware.core.follow.feed import (
    UNKNOWN_OUTCOME_SECONDS,
    FollowState,
    FollowStates,
    Gap,
    GapCause,
)
from dataware.core.follow.loop import FollowLoop, FollowPorts, FollowStep
from dataware.core.follow.steady_time import SteadyTime
from dataware.core.follow.written import WrittenKeys
from dataware.core.ports import Journal, StopRequest
from dataware.migrate.copy_state import CopyState
from dataware.migrate.lease_term import since_boot
from dataware.ops.context import ComparisonSpec, aws_of
from dataware.ops.copy_run import CopyRun
from dataware.ops.follow.difference import BackgroundDifference, DifferenceTools
from dataware.ops.follow.follow_checks import following_of, require_following
from dataware.ops.follow.source_feed import SourceFeed, choose_feed
from dataware.ops.follow.sync_carrier import SyncCarrier
from dataware.ops.lease_keeper import await_settled
from dataware.ops.marker_names import on_record
from dataware.ops.migration_policy import CARRIER, ROUNDS, CompletedCopy
from dataware.ops.run_migration import MigrationRun, read_skipped
from dataware.ops.verify import run_comparison
from dataware.state.cutover_records import read_cutover
from dataware.verify.pausable_stop import PausableStop
from dataware.verify.verdict import Verdict

POLL_SECONDS = 1.0
"""Between two rounds of a feed that has nothing new."""

TELL_SECONDS = 5.0
CHUNK = 1000

LONGEST_REST = 60.0
"""Seconds between two chunks at most, so that another rate is heard of."""

HAND_OVER_SECONDS = 180.0
"""From when on the function in the account has seen the lock, ended what it carried, and nothing
that it sent may arrive any more."""

COPIED = "followed"
"""The record in the journal that says from when on keys may be carried."""

UNDONE = "undone"
"""The record in the journal that an undo of the switch with this id is known here."""

WHY = {
    GapCause.TRIMMED: "records were removed before they were read",
    GapCause.PARENT_NOT_READ: "a part of it came and went unread",
    GapCause.NEW_ROOT: "a part of it appeared that continues none that was read",
    GapCause.OPEN_SHARD_GONE: "a part of it that was being read is gone",
    GapCause.AWAY_TOO_LONG: "it was not read for too long",
    GapCause.OTHER_STREAM: "it was switched off and on again",
    GapCause.STATE_LOST: "what an earlier run knew is not on this machine",
}

_WAITING = (FollowStep.IDLE, FollowStep.POLL_FAILED, FollowStep.COMPARE_FAILED)


class FeedThread:
    """Reads the feed beside the copy; `failed` once that ended by an error, which is raised."""

    def __init__(self, loop: FollowLoop, time: SteadyTime) -> None:
        self._loop = loop
        self._time = time
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    @property
    def failed(self) -> bool:
        """Whether the feed cannot be read any more."""
        return self._error is not None

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read until the end of the context. Raises why the feed could not be read to it."""
        self._thread.start()
        try:
            yield
        finally:
            self._ended.set()
            self._thread.join()
            if self._error is not None:
                raise self._error

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                if self._loop.step(self._time.now()) in _WAITING:
                    self._ended.wait(POLL_SECONDS)
        except BaseException as error:
            self._error = error


class FollowRun(MigrationRun):
    """The steps of a followed migration."""

    _written: WrittenKeys
    _state: FollowState
    _time: SteadyTime

    def _rounds(self, journal: Journal, order: CopyOrder) -> Verdict:
        """Copy, then follow; ends only by an error. Raises IncompleteError when asked to stop."""
        following = following_of(self._migration)
        difference = BackgroundDifference(self._difference_tools(order))
        chosen = choose_feed(
            self._context, self._migration, following, difference, self._publish_now
        )
        state = self._open_state(chosen)
        self._written = self._state = state
        if chosen.difference is not None:
            self._note_undo(journal, state)
        if state.is_new and following.make_copier is not None:
            # Reading both sides again records what stands in the target and is equal.
            self._restart(journal, CopyState.of(journal.records()))
        carrier = SyncCarrier(
            self._context, following, order, state, self._keeper.term, self._context.stop
        )
        try:
            telling = UncertainOutcomes(carrier, self._keeper.delay_next_run)
            ports = FollowPorts(chosen.feed, telling, state, state, chosen.difference)
            loop = self._make_loop(ports, order, journal)
            self._time = SteadyTime(self._context.clock.now, since_boot)
            loop.open(self._time.now())
            self._copy_beside_feed(journal, order, loop, chosen)
            return self._go_on(loop, chosen)
        finally:
            difference.close()
            with suppress(RuntimeError):
                carrier.close()
            state.close()

    def _take_turn(self) -> AbstractContextManager[None]:
        # The copy alone takes a turn among others: what follows it goes on for days.
        return nullcontext()

    def _make_loop(self, ports: FollowPorts, order: CopyOrder, journal: Journal) -> FollowLoop:
        del order, journal
        return FollowLoop(ports, chunk=self._chunk)

    @property
    def _max_rate(self) -> float | None:
        """Items or objects a second that may be carried now; None without a limit."""
        return self._keeper.read_control().max_rate or self._migration.settings.max_rate

    def _chunk_seconds(self, sharers: int) -> float:
        """For how long a chunk lets others wait; `sharers` follows share the rate of the run."""
        if (control_rate := self._keeper.read_control().max_rate) is not None:
            return min(self._chunk / control_rate, LONGEST_REST)
        rate = self._migration.settings.max_rate
        return 0.0 if rate is None else min(self._chunk * sharers / rate, LONGEST_REST)

    def _follow_once(self, loop: FollowLoop, chosen: SourceFeed) -> FollowStep:
        """Take a step as people ask of the run now."""
        self._hold(loop)
        if loop.paused and not chosen.noun:
            # Its rounds are comparisons, which read both sides in full.
            return FollowStep.IDLE
        return loop.step(self._time.now())

    def _hold(self, loop: FollowLoop) -> None:
        """Do as people ask of the run now."""
        loop.paused, loop.chunk = self._is_paused(), self._chunk

    @property
    def _chunk(self) -> int:
        rate = self._max_rate
        return CHUNK if rate is None else max(1, min(CHUNK, int(rate)))

    def _may_go_on(self, state: CopyState) -> bool:
        """Whether the journal is gone on with: such keys are carried, or kept and listed."""
        skipped = {reason for reason, count in state.skip_reasons.items() if count}
        return not state.finished or skipped <= {SkipReason.CONFLICT, SkipReason.CHANGED}

    def _note_undo(self, journal: Journal, state: FollowState) -> None:
        """Compare in full once after an undo: the source's feed does not tell what became of the
        target meanwhile."""
        witness = read_cutover(self._migration.marker.detail).witness
        undone_ids = {one.get("id") for one in journal.records() if one.get("type") == UNDONE}
        if witness and witness not in undone_ids:
            state.add_gaps((Gap(GapCause.STATE_LOST),))
            journal.append({"type": UNDONE, "id": witness})

    @property
    def _target_on_record(self) -> str:
        """The name under which the migration is on record."""
        return on_record(self._migration.kind, self._migration.order)[1]

    def _open_state(self, chosen: SourceFeed) -> FollowState:
        states: FollowStates | None = self._context.follow_states
        if states is None:
            raise IncompleteError("dirty keys cannot be kept here, so nothing is followed")
        target = self._target_on_record
        # Without the keys of the run before, whatever changed since may be missing in the target.
        lost = self._migration.resumes and chosen.difference is not None
        gaps = (Gap(GapCause.STATE_LOST),) if lost else ()
        return states.open(self._migration.kind.names.slug, target, self._run, gaps)

    def _copy_beside_feed(
        self, journal: Journal, order: CopyOrder, loop: FollowLoop, chosen: SourceFeed
    ) -> None:
        """Copy what is not copied yet, and allow carrying when its last write is settled."""
        if (since := _copied_at(journal)) is None:
            reader = FeedThread(loop, self._time)
            with reader.reading() if chosen.noun else nullcontext():
                self._stopped_by = lambda: reader.failed
                with self._context.bounds.slot(self._stop):
                    self._copy_whole(journal, order)
            late = self._migration.resumes or bool(self._keeper.detail.get("retries"))
            if late:  # a clock may be set before the next run reads the time in the journal
                self._keeper.delay_next_run(UNKNOWN_OUTCOME_SECONDS)
            since = self._time.now() + (UNKNOWN_OUTCOME_SECONDS if late else 0.0)
            journal.append({"type": COPIED, "carry_from": since})
        if self._migration.marker.detail.get(CARRIER):
            since = max(since, self._time.now() + HAND_OVER_SECONDS)
        await_settled(self._context, self._keeper, self._migration.words())
        loop.allow_carrying(since)

    def _copying(self, journal: Journal, progress: CopyState, order: CopyOrder) -> CopyRun:
        run, kind = super()._copying(journal, progress, order), self._migration.kind
        if (make := following_of(self._migration).make_copier) is None:
            return run
        written = self._written
        recording = replace(
            kind.require_copying(), copier=lambda tools, order: make(tools, order, written)
        )
        # What was written is on record in one file, which is one process's.
        alone = replace(self._context, workers=None)
        return replace(run, context=alone, kind=replace(kind, copying=recording))

    def _copy_whole(self, journal: Journal, order: CopyOrder) -> None:
        state = CopyState.of(journal.records())
        self._enter("looking")
        self._copy(journal, state, order)
        self._keeper.check()
        copy = CompletedCopy(ROUNDS, state, read_skipped(journal))
        if (decision := self._policy.judge_followed_copy(copy)) is not None:
            raise IncompleteError(decision.why)

    def _stop(self) -> bool:
        return super()._stop() or self._stopped_by()

    _stopped_by: StopRequest = staticmethod(lambda: False)

    def _go_on(self, loop: FollowLoop, chosen: SourceFeed) -> Verdict:
        """Carry until a person asks to stop. Raises IncompleteError then."""
        context, words = self._context, self._migration.words()
        self._enter("following")
        how = f"by its {chosen.noun}" if chosen.noun else "by comparing both sides again and again"
        context.emit(event("following", how=how, **words))
        if may_be_frozen({**self._migration.marker.detail, **self._keeper.detail}):
            text = (
                f"a cut-over may have stopped the writers of {words['source']}: run `dataware "
                f"cutover` again, which continues, or restarts them"
            )
            context.emit(event("warning", text=text, name=words["name"]))
        reporter = FollowReporter(self, loop, chosen)
        step = FollowStep.IDLE
        try:
            with context.bounds.following() as sharers:
                # A chunk that was carried is settled, so that the next run need not wait for it.
                while not context.stop() or step is FollowStep.CARRIED:
                    self._keeper.check()
                    step = self._follow_once(loop, chosen)
                    reporter.report(step)
                    self._check_requests(step)
                    if step in _WAITING:
                        context.aws.pause(POLL_SECONDS)
                    elif step is FollowStep.SETTLED:
                        context.aws.pause(self._chunk_seconds(sharers()))
        except IncompleteError:
            if not context.stop():
                raise
        self._keeper.check()
        reporter.report(FollowStep.IDLE)
        dirty = format_count(loop.report_progress(context.clock.now()).dirty, "changed key")
        conflicts = format_count(len(loop.conflicts), "conflict")
        beside = f" and {conflicts} kept" if loop.conflicts else ""
        raise IncompleteError(
            f"stopped following {words['source']}; {dirty} not carried yet{beside}; run the same "
            "command again to resume"
        )

    def _check_requests(self, step: FollowStep) -> None:
        """Where a step may be the last because something else is asked of the run."""

    def _publish_now(self, detail: Mapping[str, object]) -> None:
        self._keeper.publish(detail)
        self._keeper.send_heartbeat()

    def _difference_tools(self, order: CopyOrder) -> DifferenceTools:
        context, kind = self._context, self._migration.kind
        # The processes of a crew are for the copy; a comparison that goes on for days needs none.
        beside = replace(context, workers=None)
        pair = ComparisonSpec.of(kind, order, deep=self._migration.settings.deep)
        sides = [(aws_of(context, place), place) for place in (order.source, order.target)]
        find = require_following(kind).find_expired
        return DifferenceTools(
            lambda stop: run_comparison(beside, kind, pair, PausableStop(stop, self._is_paused)),
            lambda keys: find(sides[0], sides[1], keys, context.clock.now()),
        )


class FollowReporter:
    """Tells people and the record how far a follow is."""

    def __init__(self, run: FollowRun, loop: FollowLoop, chosen: SourceFeed) -> None:
        self._run = run
        self._loop = loop
        self._noun = chosen.noun
        clock = run._context.clock
        self._published = self._shown = float("-inf")
        self._rate = RateEstimator(clock.monotonic())
        self._gaps: set[Gap] = set()
        self._conflicts: set[bytes] = set()

    def report(self, step: FollowStep) -> None:
        """Tell what is worth it after a step."""
        context, words = self._run._context, self._run._migration.words()
        if step in (FollowStep.CHECKPOINTED, FollowStep.COMPARED):
            self._report_gaps()
        elif step is FollowStep.SETTLED:
            self._report_conflicts()
        now = context.clock.monotonic()
        if now - self._published < POLL_SECONDS and step is not FollowStep.IDLE:
            return
        self._published = now
        far = self._loop.report_progress(context.clock.now())
        self._rate.observe(now, far.carried)
        unit = self._run._migration.kind.unit
        detail = {
            "lag": None if far.lag is None else round(far.lag, 1),
            "dirty": far.dirty,
            "carried": far.carried,
            "gaps": far.gaps,
            "conflicts": far.conflicts,
            "rate": round(self._rate.rate, 1),
            "unit": unit,
        }
        self._run._keeper.publish(detail)
        if now - self._shown >= TELL_SECONDS:
            self._shown = now
            lag = "unknown" if far.lag is None else rough(far.lag)
            context.emit(
                event("follow-progress", **{**detail, "lag": lag, "lag_seconds": far.lag}, **words)
            )

    def _report_conflicts(self) -> None:
        """Name each key once that the target keeps as somebody else wrote it."""
        words = self._run._migration.words()
        for key, conflict in self._loop.conflicts.items():
            if key in self._conflicts:
                continue
            self._conflicts.add(key)
            text, why = key.decode("utf-8", "backslashreplace"), conflict.detail
            self._run._context.emit(
                event("skipped", key=text, reason=SkipReason.CONFLICT.value, detail=why, **words)
            )

    def _report_gaps(self) -> None:
        context, words = self._run._context, self._run._migration.words()
        gaps = set(self._loop.open_gaps())
        for why in dict.fromkeys(WHY[gap.cause] for gap in gaps - self._gaps):
            context.emit(event("feed-gap", feed=self._noun, why=why, **words))
        if self._gaps and not gaps:
            context.emit(event("feed-gap-closed", **words))
        self._gaps = gaps


def _copied_at(journal: Journal) -> float | None:
    """From when on keys may be carried, if the copy has ended; None before."""
    times = [one["carry_from"] for one in journal.records() if one.get("type") == COPIED]
    return times[-1] if times else None
