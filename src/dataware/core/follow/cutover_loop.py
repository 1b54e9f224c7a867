"""Carries a cut-over out, one step at a time, so that it may die after any of them.

What is to be done next says `cutover`; here it is done, by ports, and what came of it becomes the
facts of the next step. Two rules hold everywhere:

- A write to the marker without an answer may count or not. So the marker is read again, and what it
  says is believed, before anything that people or apps would notice.
- What a process does not know by itself it has to find out again: a new one freezes again what an
  earlier one has frozen, waits and verifies again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from dataware.core.errors import DatawareError, LookupFailedError, RefusedError
from dataware.core.follow.cutover import (
    FREEZE_LIMIT,
    CutoverAction,
    CutoverFacts,
    CutoverRecord,
    CutoverState,
    CutoverStep,
    restart_record,
)
from dataware.core.follow.cutover_ports import CutoverPorts, FeedMeter, TouchedKeys
from dataware.core.follow.cutover_table import next_step
from dataware.core.follow.feed import Gap, GapCause
from dataware.core.follow.loop import FollowLoop, FollowPorts, FollowStep

LEAST_SETTLE_SECONDS = 10.0
"""How long after a freeze the feed is read at least; AWS promises "near real time" and no bound
(Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams")."""

SETTLE_FACTOR = 3.0
"""How many times the longest delay of a record that was seen the feed is read after a freeze."""

MOST_SETTLE_SECONDS = 60.0
"""How long at most: a record that comes twice looks late, and the app waits meanwhile. Whatever
comes later still is named as a stray."""

CONVERGED_SECONDS = 10.0
"""How long ago the round of the feed may have begun after which nothing was dirty any more."""


_BEGINS_ANEW = (
    CutoverState.FOLLOWING,
    CutoverState.FROZEN,
    CutoverState.UNDOING,
    CutoverState.UNDO_FROZEN,
)
"""The states in which what was settled and compared before counts no more."""

_WATCHED = (CutoverState.SWITCHED, CutoverState.REVERSIBLE, CutoverState.CLOSED)


class CutoverLoop:
    """A cut-over in steps: `step` until its action is END or STOP, or until a person ends it.

    `record` is what counts in the marker as far as is known. `given_up` is why the freeze was given
    up, once the source is open again; with it the request is over, too. `frozen_seconds` is how
    long the source was frozen when the switch counted, by an earlier process or by this one. `done`
    is what the last step did in the follow, if anything.
    """

    given_up = ""
    failure = ""
    frozen_seconds: float | None = None
    copied = False
    idle = False
    done: FollowStep | None = None

    _began: tuple[float, float] | None = None
    _frozen_at: float | None = None
    _now = 0.0
    _quiet_from = 0.0
    _round_at = 0.0
    _watches = _comparing = _compared = _settled = _source_read = False
    _equal: bool | None = None
    _thawed: bool | None = None

    def __init__(
        self,
        ports: CutoverPorts,
        follow: FollowPorts,
        *,
        seconds: Callable[[], float],
        chunk: int = 1000,
        freeze_limit: float = FREEZE_LIMIT,
        witness: str = "",
    ) -> None:
        """Go on from the marker; `seconds` is a clock that is never set. Raises what `read` does.

        `witness` is the name of this process in the record of its switch.

        A freeze that began before keeps the limit with which it began.

        Carrying has to be allowed at `loop` once the copy's last write is acknowledged.
        """
        self._ports = ports
        self._meter = FeedMeter(follow.feed)
        self._touched = TouchedKeys(follow.carrier)
        self._follow = FollowPorts(
            self._meter, self._touched, follow.dirty, follow.memory, follow.difference
        )
        self.loop = FollowLoop(self._follow, chunk=chunk)
        self._seconds = seconds
        self._witness = witness
        self._stray_keys: set[bytes] = set()
        self.record = restart_record(ports.records.read())
        if not self.record.may_be_frozen:
            self.record = replace(self.record, freeze_limit=freeze_limit)
        self._strays_before = self.record.strays
        # Its writers have rested since then, whoever stopped them.
        self._inherited = self.record.freeze_began if self.record.may_be_frozen else None
        # By this clock alone: the times of changes are the service's, and this machine's is set.
        self._caught_up_at = float("-inf")

    def open(self, now: float) -> None:
        """Open the feed where it was left, before the first step."""
        if self.record.state in _WATCHED and self._follow.memory.position() is None:
            # What came between the switch and now is not read, and may have come from a stray.
            self._ports.strays.report_gaps((Gap(GapCause.STATE_LOST),), now)
        self.loop.open(self.steady(now))

    def step(self, now: float) -> CutoverStep:
        """Take the next step. Raises RefusedError when the lock is lost, after which it is over."""
        self._now = now
        step = next_step(self.record, self._facts(now), now)
        self.idle, self.done = step.action is CutoverAction.WATCH, None
        match step.action:
            case CutoverAction.RECORD | CutoverAction.COMPLETE:
                self._write(step)
            case CutoverAction.COPY | CutoverAction.CARRY | CutoverAction.DRAIN:
                self._go_on(now)
            case CutoverAction.COMPARE:
                self._compare(now)
            case CutoverAction.VERIFY:
                self._verify(now)
            case CutoverAction.FREEZE:
                self._freeze(now)
            case CutoverAction.THAW:
                self._thaw()
            case CutoverAction.WATCH:
                self._watch(now)
        return step

    @property
    def is_source_read(self) -> bool:
        """Whether the source's feed was read to its end since the switch."""
        return self._source_read

    @property
    def settle_seconds(self) -> float:
        """How long after a freeze a record may still come."""
        by_delay = min(SETTLE_FACTOR * self._meter.delay, MOST_SETTLE_SECONDS)
        return max(LEAST_SETTLE_SECONDS, by_delay)

    def _facts(self, now: float) -> CutoverFacts:
        frozen = self._frozen_at is not None
        return CutoverFacts(
            copied=self.copied,
            requested=not self.given_up and self._ports.gate.is_requested(),
            gate_open=self._ports.gate.is_open(now),
            converged=self._seconds() - self._caught_up_at <= CONVERGED_SECONDS,
            difference_due=self._difference_due(),
            frozen=frozen,
            frozen_seconds=self._measure_freeze(now),
            settled=self._settled,
            dirty=self._follow.dirty.count(),
            equal=self._equal,
            thawed=self._thawed,
            source_read=self._source_read,
            failure=self.failure,
        )

    def _measure_freeze(self, now: float) -> float:
        """For how long the writers have rested.

        By this process's clock, which is never set; by the record where an earlier one began it.
        """
        if self._frozen_at is None:
            return 0.0
        measured = self._seconds() - self._frozen_at
        return measured if self._inherited is None else max(measured, now - self._inherited)

    def _difference_due(self) -> bool:
        """Whether both sides have to be compared before a freeze, or a gap shows under it."""
        if self._follow.memory.open_gaps():
            return True
        return not self._compared and not self.record.may_be_frozen

    def _write(self, step: CutoverStep) -> None:
        """Write a record; without an answer believe what the marker says."""
        before, records, after = self.record, self._ports.records, step.record
        if after.state is CutoverState.SWITCHED and before.state is not CutoverState.SWITCHED:
            after = replace(after, witness=self._witness)
        try:
            if step.action is CutoverAction.COMPLETE:
                records.complete(after)
            else:
                records.write(after)
            self.record = after
        except LookupFailedError:
            self.record = records.read()
        self._enter(before)

    def _enter(self, before: CutoverRecord) -> None:
        """Forget what was known of the state that was left."""
        state = self.record.state
        is_over = before.may_be_frozen and not self.record.may_be_frozen
        if is_over and not before.back and self._frozen_at is not None:
            self.frozen_seconds = self._measure_freeze(self._now)
        if is_over and before.back:
            self.given_up, self.failure = before.back, ""
            self._frozen_at = self._thawed = self._inherited = None
            self._compared = False
        if state in _BEGINS_ANEW:
            self._settled, self._comparing, self._equal = False, False, None

    def steady(self, now: float) -> float:
        """The time of day without what was set since the first step.

        By this time keys wait for what may arrive yet, and a clock that is set forward must not
        shorten that.
        """
        if self._began is None:
            self._began = now, self._seconds()
        return self._began[0] + self._seconds() - self._began[1]

    def _go_on(self, now: float) -> FollowStep | None:
        """One step of the follow. What it cannot go on from ends a freeze, not the process."""
        try:
            done = self.loop.step(self.steady(now))
        except RefusedError:
            raise
        except DatawareError as error:
            if not self.record.may_be_frozen:
                raise
            self.failure = str(error)
            return None
        self.idle, self.done = done in (FollowStep.IDLE, FollowStep.POLL_FAILED), done
        if done is FollowStep.POLLED:
            self._round_at = self._seconds()
        elif done is FollowStep.CHECKPOINTED:
            self._settled = self._is_settled()
        elif done is FollowStep.IDLE and self._is_caught_up():
            self._caught_up_at = self._round_at
        return done

    def _is_caught_up(self) -> bool:
        """Whether all that the last round reported is carried.

        Where nothing changes nothing is dirty, but writes of the copy may arrive yet.
        """
        is_clean = self.loop.is_whole and not self._follow.dirty.count()
        return is_clean and self.loop.is_carrying

    def _is_settled(self) -> bool:
        """Whether a quiet round shows all until so late that nothing can come any more.

        A round that compares both sides shows what there was when it began, not when it ended.
        """
        whole_at = self.loop.whole_at
        if self._frozen_at is None or not self.loop.quiet_rounds or not self.loop.is_carrying:
            return False
        return whole_at is not None and whole_at >= self._quiet_from + self.settle_seconds

    def _compare(self, now: float) -> None:
        """Compare all while changes are carried; what is carried from now on is compared again."""
        if self._follow.memory.open_gaps():
            self._comparing = False
        elif not self._comparing:
            self._touched.forget()
            self._ports.comparison.start(None)
            self._comparing = True
        elif (result := self._ports.comparison.collect()) is not None:
            self._follow.dirty.add(result.keys, now)
            self._comparing, self._compared = False, result.complete
        self._go_on(now)

    def _verify(self, now: float) -> None:
        """Compare what was carried since both sides were compared; all, where they were not."""
        try:
            if not self._comparing:
                keys = frozenset(self._touched.keys) if self._compared else None
                self._ports.comparison.start(keys)
                self._comparing = True
            elif (result := self._ports.comparison.collect()) is not None:
                self._follow.dirty.add(result.keys, now)
                self._comparing, self._equal = False, result.complete and not result.keys
                return
        except RefusedError:
            raise
        except DatawareError as error:
            self.failure = str(error)
            return
        self._go_on(now)

    def _freeze(self, now: float) -> None:
        started_at = self._seconds()
        try:
            self._ports.hooks.freeze()
            # The limit is that of the people who wait; what is on its way was sent until now.
            self._frozen_at, self._quiet_from = started_at, self.steady(now)
        except RefusedError:
            raise
        except DatawareError as error:
            self.failure = str(error)

    def _thaw(self) -> None:
        try:
            self._ports.hooks.thaw()
            self._thawed = True
        except RefusedError:
            raise
        except DatawareError as error:
            self._thawed = False
            self.failure = str(error)

    def _watch(self, now: float) -> None:
        """Read the source's feed; whoever writes to the source after the switch is named."""
        feed, memory = self._ports.watched or self._follow.feed, self._follow.memory
        try:
            if not self._watches:
                # A round that was read and is not on disk yet comes again.
                memory.save_position(feed.open(memory.position(), now))
                self._watches = True
            change_round = feed.poll(now)
        except LookupFailedError:
            return
        if change_round.keys:
            self._ports.strays.add(change_round.keys, now)
            self._stray_keys |= change_round.keys
        if change_round.gaps:
            self._ports.strays.report_gaps(change_round.gaps, now)
        memory.save_position(change_round.position)
        self._count_strays()
        self._source_read = self._source_read or change_round.whole

    def _count_strays(self) -> None:
        """Put on record how many there are, for whoever reads it elsewhere."""
        strays = self._strays_before + len(self._stray_keys)
        if strays != self.record.strays:
            after = replace(self.record, strays=strays)
            self._write(CutoverStep(CutoverAction.RECORD, after))
