"""The cut-over: every state ends, and source and target are never open at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.follow.cutover import (
    CLOCK_TOLERANCE,
    FREEZE_LIMIT,
    REVERSIBLE_SECONDS,
    STATES,
    CutoverAction,
    CutoverFacts,
    CutoverRecord,
    CutoverState,
    CutoverStep,
    restart_record,
)
from dataware.core.follow.cutover_table import BACK, FORTH, TABLE, next_step

NOW = 1_000_000.0
FROZEN_STATES = (*FORTH.freeze, *BACK.freeze)
decide = next_step
READY = CutoverFacts(
    copied=True, requested=True, gate_open=True, converged=True, difference_due=False
)
"""What a process knows when nothing stands in the way."""

times = st.floats(0, 2e9)
records = st.builds(
    CutoverRecord,
    st.sampled_from(CutoverState),
    st.floats(1, 1e5),
    times,
    st.sampled_from(["", "a reason"]),
    times,
)
facts_of_any_kind = st.builds(
    CutoverFacts,
    copied=st.booleans(),
    requested=st.booleans(),
    gate_open=st.booleans(),
    converged=st.booleans(),
    difference_due=st.booleans(),
    frozen=st.booleans(),
    frozen_seconds=st.floats(0, 1e6),
    settled=st.booleans(),
    dirty=st.integers(0, 3),
    equal=st.sampled_from([None, True, False]),
    thawed=st.sampled_from([None, True, False]),
    source_read=st.booleans(),
    failure=st.sampled_from(["", "a failure"]),
)


def frozen(state: CutoverState, back: str = "", began: float = NOW) -> CutoverRecord:
    """A record with a freeze that began now."""
    return CutoverRecord(state, FREEZE_LIMIT, began, back)


@given(records, facts_of_any_kind, times)
def test_there_is_always_a_next_step(
    record: CutoverRecord, facts: CutoverFacts, now: float
) -> None:
    """Whatever is on record and whatever is known, the table has an answer."""
    step = next_step(record, facts, now)
    if step.action in (CutoverAction.RECORD, CutoverAction.COMPLETE):
        assert step.record != record
    else:
        assert step.record == record


@given(records, facts_of_any_kind, times)
def test_a_freeze_that_is_given_up_never_ends_in_a_switch(
    record: CutoverRecord, facts: CutoverFacts, now: float
) -> None:
    """Once the reason to go back is on record, only the thaw is left to do."""
    if record.state in FROZEN_STATES and record.back:
        step = next_step(record, facts, now)
        assert step.action in (CutoverAction.THAW, CutoverAction.STOP, CutoverAction.RECORD)
        if step.action is CutoverAction.RECORD:
            assert facts.thawed is True
            is_back = record.state in BACK.freeze
            assert step.record.state is (BACK if is_back else FORTH).thawed
            assert (step.record.freeze_began, step.record.back) == (None, "")


@given(records, facts_of_any_kind, times)
def test_nothing_thaws_but_after_a_reason_on_record(
    record: CutoverRecord, facts: CutoverFacts, now: float
) -> None:
    """A thaw is asked for only where the marker says why, and never after the switch."""
    if next_step(record, facts, now).action is CutoverAction.THAW:
        assert record.back
        assert record.state in FROZEN_STATES


@given(records, facts_of_any_kind, times)
def test_the_switch_needs_everything(
    record: CutoverRecord, facts: CutoverFacts, now: float
) -> None:
    """Complete is recorded only after the freeze, the drain and an equal comparison, in time."""
    step = next_step(record, facts, now)
    if step.action is CutoverAction.COMPLETE and record.state is CutoverState.UNDOING:
        # The way back is given up, and the target was open all the time.
        assert facts.failure or not facts.requested
        assert step.record.state is CutoverState.REVERSIBLE
        return
    is_open_again = step.record.state is CutoverState.FOLLOWING and not record.back
    if step.action is CutoverAction.COMPLETE or (record.state in BACK.freeze and is_open_again):
        assert record.state in (CutoverState.VERIFIED, CutoverState.UNDO_VERIFIED)
        assert facts.equal is True
        assert facts.frozen
        assert not facts.dirty
        assert not facts.difference_due
        assert not facts.failure
        assert facts.frozen_seconds < record.freeze_limit


@given(records)
def test_a_record_survives_the_marker(record: CutoverRecord) -> None:
    """What is written into the marker is read from it."""
    assert CutoverRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"state": "frozen"},
        {"state": "thawing", "freeze_limit": 1},
        {"state": "frozen", "freeze_limit": 1},
        {"state": "copying", "freeze_limit": []},
    ],
)
def test_a_record_that_cannot_be_read_is_an_error(raw: dict[str, object]) -> None:
    """An unknown state is never taken for one that is known."""
    with pytest.raises(ValueError, match=r"cut-over|thawing"):
        CutoverRecord.from_json(raw)


@pytest.mark.parametrize(
    ("facts", "now", "why"),
    [
        (replace(READY, failure="the hook failed"), NOW, "the hook failed"),
        (READY, NOW + FREEZE_LIMIT, "300 s, which is the limit"),
        (replace(READY, frozen_seconds=FREEZE_LIMIT), NOW, "300 s, which is the limit"),
        (READY, NOW - CLOCK_TOLERANCE - 1, "clock is behind"),
        (replace(READY, requested=False), NOW, "withdrawn"),
        (replace(READY, difference_due=True), NOW, "missed"),
        (replace(READY, equal=False), NOW, "found differences"),
    ],
)
@pytest.mark.parametrize("state", FROZEN_STATES)
def test_every_failure_of_a_freeze_goes_back(
    state: CutoverState, facts: CutoverFacts, now: float, why: str
) -> None:
    """A failure, the limit, a clock that cannot be believed: recorded, then thawed."""
    step = next_step(frozen(state), replace(facts, frozen=True), now)
    assert step.action is CutoverAction.RECORD
    assert why in step.record.back
    assert step.record.state is state
    assert next_step(step.record, facts, now).action is CutoverAction.THAW


def test_a_thaw_that_fails_is_told_and_tried_again_by_the_next_process() -> None:
    """The record keeps that the source may be frozen."""
    record = frozen(CutoverState.DRAINED, "a reason")
    step = next_step(record, replace(READY, thawed=False), NOW)
    assert (step.action, step.record, step.why) == (CutoverAction.STOP, record, "a reason")
    assert next_step(restart_record(record), READY, NOW).action is CutoverAction.THAW


def test_a_key_that_changes_under_the_freeze_is_drained_again() -> None:
    """A change after the drain, or after the verification, is carried before the switch."""
    facts = replace(READY, frozen=True, settled=True, dirty=1, equal=True)
    for state in (CutoverState.DRAINED, CutoverState.VERIFIED):
        assert next_step(frozen(state), facts, NOW).record == frozen(CutoverState.FROZEN)
    assert next_step(frozen(CutoverState.FROZEN), facts, NOW).action is CutoverAction.DRAIN


def test_after_the_switch_the_source_is_watched_until_the_way_back_closes() -> None:
    """Switched, reversible, closed: by what was read, and by time."""
    record = next_step(
        frozen(CutoverState.VERIFIED), replace(READY, frozen=True, equal=True), NOW
    ).record
    assert record.reversible_until == NOW + REVERSIBLE_SECONDS
    assert next_step(record, READY, NOW).action is CutoverAction.WATCH
    record = next_step(record, replace(READY, source_read=True), NOW).record
    assert record.state is CutoverState.REVERSIBLE
    assert next_step(record, READY, NOW).action is CutoverAction.WATCH
    record = next_step(record, READY, NOW + REVERSIBLE_SECONDS).record
    assert record.state is CutoverState.CLOSED
    assert next_step(record, READY, NOW).action is CutoverAction.END


def test_every_state_has_a_rule_and_rows() -> None:
    """The states are data: each says what it waits for, and the last row of each always fits."""
    assert set(STATES) == set(CutoverState)
    assert not [rule for rule in STATES.values() if rule.source_open and rule.target_open]
    closed = {rule.state for rule in STATES.values() if not (rule.source_open or rule.target_open)}
    assert closed == set(FROZEN_STATES) == {rule.state for rule in STATES.values() if rule.back}
    assert {state for row in TABLE for state in row.states} == set(CutoverState)


@dataclass(frozen=True)
class ModelWorld:
    """Everything that decides about a cut-over: what is on record, what is so, what is known.

    `is_frozen` says that nobody writes to the source, and `is_new_frozen` the same of the target,
    which is written to from the switch on. `late` is a write that opens a side, was sent, and has
    not arrived; it counts only while the record is the one that its writer had seen.
    """

    record: CutoverRecord = field(default_factory=CutoverRecord)
    is_frozen: bool = False
    is_new_frozen: bool = False
    switched: bool = False
    knows_frozen: bool = False
    knows_thawed: bool | None = None
    settled: bool = False
    equal: bool | None = None
    late: tuple[CutoverRecord, CutoverRecord] | None = None

    @property
    def both_open(self) -> bool:
        """Whether writers may write to both sides."""
        return not self.is_frozen and self.switched and not self.is_new_frozen


def restart(world: ModelWorld) -> ModelWorld:
    """Kill the process; the next one, on any machine, knows the record alone."""
    return replace(
        world,
        record=restart_record(world.record),
        knows_frozen=False,
        knows_thawed=None,
        settled=False,
        equal=None,
    )


def open_side(world: ModelWorld, after: CutoverRecord) -> ModelWorld:
    """The record says that the other side is open, and the people point their writers there."""
    if after.state is CutoverState.SWITCHED:
        return replace(world, switched=True)
    if after.state is CutoverState.FOLLOWING and not world.record.back and world.switched:
        # Writers of the target that nobody has stopped go on there.
        return replace(
            world, switched=not world.is_new_frozen, is_frozen=False, is_new_frozen=False
        )
    return world


def write(world: ModelWorld, after: CutoverRecord) -> list[ModelWorld]:
    """A write counts, or it fails, or its answer is lost and it arrives late or never."""
    fresh = world.record.may_be_frozen and not after.may_be_frozen
    opened = open_side(world, after)
    opens = opened != world
    begins = after.state in (CutoverState.FROZEN, CutoverState.UNDO_FROZEN)
    counted = replace(
        opened,
        record=after,
        equal=None if begins else world.equal,
        knows_frozen=world.knows_frozen and not fresh,
        knows_thawed=None if fresh else world.knows_thawed,
        settled=world.settled and not begins,
        late=None if opens else world.late,
    )
    late = replace(world, late=(world.record, after)) if opens else world
    return [counted, world, late, restart(counted), restart(late)]


def arrive(world: ModelWorld) -> list[ModelWorld]:
    """A late write arrives; it is passed over unless it is next to what its writer saw."""
    if world.late is None:
        return []
    seen, after = world.late
    if (seen.state, seen.back) != (world.record.state, world.record.back):
        return [replace(world, late=None)]
    return [restart(replace(open_side(world, after), record=after, late=None))]


def set_freeze(world: ModelWorld, *, is_frozen: bool) -> ModelWorld:
    """The writers of the side that is open stop, or go on."""
    if world.record.state in BACK.freeze:
        return replace(world, is_new_frozen=is_frozen)
    return replace(world, is_frozen=is_frozen)


def act(world: ModelWorld, facts: CutoverFacts, now: float) -> list[ModelWorld]:
    """Every outcome of the next step, with a kill before and after each effect."""
    step = decide(world.record, facts, now)
    if step.action in (CutoverAction.RECORD, CutoverAction.COMPLETE):
        return write(world, step.record)
    if step.action is CutoverAction.FREEZE:
        done = set_freeze(world, is_frozen=True)
        return [replace(done, knows_frozen=True), done, world, restart(done)]
    if step.action is CutoverAction.THAW:
        done = set_freeze(world, is_frozen=False)
        return [
            replace(done, knows_thawed=True),
            replace(done, knows_thawed=False),
            replace(world, knows_thawed=False),
            restart(done),
        ]
    if step.action is CutoverAction.DRAIN:
        return [replace(world, settled=True)]
    if step.action is CutoverAction.VERIFY:
        return [replace(world, equal=True), replace(world, equal=False)]
    return [world, restart(world)]


def begin_undo(world: ModelWorld) -> list[ModelWorld]:
    """A person asks to go back."""
    if world.record.state not in (CutoverState.SWITCHED, CutoverState.REVERSIBLE):
        return []
    return [restart(replace(world, record=replace(world.record, state=CutoverState.UNDOING)))]


def facts_of(world: ModelWorld) -> list[CutoverFacts]:
    """What the process may know, with everything that the world outside may be like."""
    return [
        replace(
            READY,
            requested=requested,
            dirty=dirty,
            failure=failure,
            difference_due=due,
            frozen=world.knows_frozen,
            thawed=world.knows_thawed,
            settled=world.settled,
            equal=world.equal,
            source_read=True,
        )
        for requested, dirty, failure, due in product(
            (True, False), (0, 1), ("", "a failure"), (True, False)
        )
    ]


def next_worlds(world: ModelWorld) -> set[ModelWorld]:
    """Every world that may follow."""
    after = {restart(world), *arrive(world), *begin_undo(world)}
    for facts in facts_of(world):
        for now in (NOW, NOW + 2 * FREEZE_LIMIT, NOW - 2 * CLOCK_TOLERANCE):
            after |= {normal(one) for one in act(world, facts, now)}
    return after


def normal(world: ModelWorld) -> ModelWorld:
    """The same with every time and reason replaced by one, so that the worlds are finite."""

    def plain(record: CutoverRecord) -> CutoverRecord:
        began = None if record.freeze_began is None else NOW
        until = None if record.reversible_until is None else NOW + FREEZE_LIMIT
        return replace(
            record, back="back" if record.back else "", freeze_began=began, reversible_until=until
        )

    late = None if world.late is None else (plain(world.late[0]), plain(world.late[1]))
    return replace(world, record=plain(world.record), late=late)


def reachable_worlds() -> set[ModelWorld]:
    """Every world that any order of steps, kills, lost answers and failures leads to."""
    found, waiting = {ModelWorld()}, [ModelWorld()]
    while waiting:
        fresh = next_worlds(waiting.pop()) - found
        found |= fresh
        waiting += fresh
    return found


def run_to_rest(world: ModelWorld, failure: str) -> ModelWorld:
    """Go on with one process in which everything succeeds, or nothing but the thaw."""
    for _ in range(20):
        facts = replace(
            READY,
            requested=not failure,
            failure=failure,
            frozen=world.knows_frozen,
            thawed=world.knows_thawed,
            settled=world.settled,
            equal=world.equal,
        )
        after = normal(act(world, facts, NOW)[0])
        if after == world:
            return world
        world = after
    raise AssertionError(f"it goes on for ever: {world}")


def test_whatever_is_killed_and_lost_both_sides_are_never_open() -> None:
    """All worlds are walked through: kill -9 in every state, lost answers, late writes, clocks."""
    worlds = reachable_worlds()
    assert {world.record.state for world in worlds} == set(CutoverState)
    assert [world for world in worlds if world.both_open] == []
    for world in worlds:
        state = world.record.state
        assert world.switched == (STATES[state].target_open or state in BACK.freeze)
        assert world.is_frozen <= (not STATES[state].source_open)
        assert world.is_new_frozen <= (state in BACK.freeze)


def test_from_every_world_a_healthy_run_ends_switched_and_a_failing_one_open_again() -> None:
    """Every state ends: the next process goes on, or goes back and leaves the source open."""
    for world in reachable_worlds():
        good = run_to_rest(restart(world), "")
        assert good.switched
        assert good.is_frozen
        assert not good.is_new_frozen
        bad = run_to_rest(restart(world), "a failure")
        assert bad.switched == world.switched
        if not bad.switched:
            assert not bad.is_frozen
            assert STATES[bad.record.state].source_open
        else:
            assert not bad.is_new_frozen
            assert STATES[bad.record.state].target_open


def test_a_thaw_before_its_reason_is_on_record_would_open_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A "complete" that was sent before may still count: the walk finds that world."""

    def thaw_at_once(record: CutoverRecord, facts: CutoverFacts, now: float) -> CutoverStep:
        step = next_step(record, facts, now)
        is_hasty = bool(step.record.back) and not record.back and facts.thawed is None
        return CutoverStep(CutoverAction.THAW, record) if is_hasty else step

    monkeypatch.setitem(globals(), "decide", thaw_at_once)
    assert [world for world in reachable_worlds() if world.both_open]


def test_a_freeze_that_is_believed_and_not_repeated_would_open_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A process that was killed before the freeze leaves the same record as one that froze."""
    kill = restart

    def believe(world: ModelWorld) -> ModelWorld:
        after = kill(world)
        return replace(after, knows_frozen=after.record.may_be_frozen)

    monkeypatch.setitem(globals(), "restart", believe)
    assert [world for world in reachable_worlds() if world.both_open]


def test_a_source_that_is_opened_before_the_target_is_frozen_would_open_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The way back needs its freeze as the way forth does."""

    def open_at_once(record: CutoverRecord, facts: CutoverFacts, now: float) -> CutoverStep:
        known = replace(facts, frozen=True) if record.state in BACK.freeze else facts
        return next_step(record, known, now)

    monkeypatch.setitem(globals(), "decide", open_at_once)
    assert [world for world in reachable_worlds() if world.both_open]


@pytest.mark.parametrize("facts", [{"requested": False}, {"failure": "a failure"}])
def test_a_way_back_that_is_given_up_before_its_freeze_leaves_the_target_complete(
    facts: dict[str, object],
) -> None:
    """Also after a thaw, when nobody asks for it any more: the target was open all the time."""
    record = CutoverRecord(CutoverState.UNDOING, reversible_until=NOW + 1)
    step = next_step(record, replace(READY, **facts), NOW)  # type: ignore[arg-type] # some facts
    assert step.action is CutoverAction.COMPLETE
    assert step.record == replace(record, state=CutoverState.REVERSIBLE)
