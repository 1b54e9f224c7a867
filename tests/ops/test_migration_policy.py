"""The rules of a migration as one table: what follows a copy, by what was skipped and differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest

from dataware.core.copier import CopyOrder, SkipReason
from dataware.core.model import Location, Marker, MarkerState, OnConflict
from dataware.migrate.copy_state import CopyState, Counts
from dataware.ops.context import CopySettings
from dataware.ops.migration_policy import (
    COMMAND,
    DEPLOYMENT,
    CompletedCopy,
    Migration,
    MigrationPolicy,
    MigrationStep,
    SkippedKeys,
    Wording,
    restore_snapshot,
)
from dataware.verify.merge import DifferenceKind, KeyDifference
from dataware.verify.verdict import LABEL_LENGTH, Side, Verdict
from support.world import World, box_kind

PLAIN, ACCEPTED = CopySettings(), CopySettings(allow_skipped=True)
TARGET_WINS = CopySettings(on_conflict=OnConflict.TARGET)
LONG = "k" * (LABEL_LENGTH + 50)


def verdict(*missing: str, counted: int = 0, moved: Side | None = None) -> Verdict:
    """A verdict that lists some keys as missing, and counts more of them."""
    found = Verdict(compared=100, changed_sides={moved} if moved else set())
    found.counts[DifferenceKind.MISSING] = counted or len(missing)
    found.listed.extend(KeyDifference(DifferenceKind.MISSING, key) for key in missing)
    return found


@dataclass(frozen=True)
class Case:
    """A copy: its settings and round, what arrived, what was skipped by cause, what is missing."""

    settings: CopySettings
    round: int
    arrived: int
    skipped: dict[SkipReason, tuple[str, ...]]
    found: Verdict
    step: MigrationStep


CONFLICT, DENIED, CHANGED = SkipReason.CONFLICT, SkipReason.DENIED, SkipReason.CHANGED
ARCHIVED = SkipReason.ARCHIVED
CASES = {
    "all-equal": Case(PLAIN, 1, 5, {}, verdict(), MigrationStep.COMPLETE),
    "nothing-read": Case(PLAIN, 1, 0, {}, verdict(), MigrationStep.NOTHING_COPIED),
    "skipped": Case(PLAIN, 1, 5, {ARCHIVED: ("a",)}, verdict("a"), MigrationStep.SKIPPED),
    "accepted": Case(ACCEPTED, 1, 5, {ARCHIVED: ("a",)}, verdict("a"), MigrationStep.COMPLETE),
    "accepted-but-more-is-missing": Case(
        ACCEPTED, 1, 5, {ARCHIVED: ("a",)}, verdict("a", "b"), MigrationStep.COPY_AGAIN
    ),
    "accepted-but-still-missing": Case(
        ACCEPTED, 3, 5, {ARCHIVED: ("a",)}, verdict("a", "b"), MigrationStep.DIFFERS
    ),
    "skipped-and-more-is-missing": Case(
        PLAIN, 1, 5, {ARCHIVED: ("a",)}, verdict("a", "b"), MigrationStep.SKIPPED
    ),
    "nothing-but-skipped": Case(
        ACCEPTED, 1, 0, {ARCHIVED: ("a",)}, verdict("a"), MigrationStep.NOTHING_COPIED
    ),
    "all-denied": Case(PLAIN, 1, 0, {DENIED: ("a",)}, verdict("a"), MigrationStep.DENIED),
    "all-denied-and-accepted": Case(
        ACCEPTED, 1, 0, {DENIED: ("a",)}, verdict("a"), MigrationStep.DENIED
    ),
    "some-denied": Case(PLAIN, 1, 5, {DENIED: ("a",)}, verdict("a"), MigrationStep.SKIPPED),
    "conflict": Case(PLAIN, 1, 5, {CONFLICT: ("a",)}, verdict("a"), MigrationStep.SKIPPED),
    "target-wins": Case(
        TARGET_WINS, 1, 5, {CONFLICT: ("a",)}, verdict("a"), MigrationStep.COMPLETE
    ),
    "target-wins-everywhere": Case(
        TARGET_WINS, 1, 0, {CONFLICT: ("a",)}, verdict("a"), MigrationStep.KEEP_TARGET
    ),
    "target-wins-and-archived": Case(
        TARGET_WINS,
        1,
        5,
        {CONFLICT: ("a",), ARCHIVED: ("b",)},
        verdict("a", "b"),
        MigrationStep.SKIPPED,
    ),
    "changed": Case(PLAIN, 1, 5, {CHANGED: ("a",)}, verdict("a"), MigrationStep.COPY_AGAIN),
    "changed-and-accepted": Case(
        ACCEPTED, 2, 5, {CHANGED: ("a",)}, verdict("a"), MigrationStep.COPY_AGAIN
    ),
    "changed-to-the-last": Case(
        PLAIN, 3, 5, {CHANGED: ("a",)}, verdict("a"), MigrationStep.SKIPPED
    ),
    "changed-to-the-last-and-accepted": Case(
        ACCEPTED, 3, 5, {CHANGED: ("a",)}, verdict("a"), MigrationStep.COMPLETE
    ),
    "missing": Case(PLAIN, 2, 5, {}, verdict("a"), MigrationStep.COPY_AGAIN),
    "still-missing": Case(PLAIN, 3, 5, {}, verdict("a"), MigrationStep.DIFFERS),
    "source-moved": Case(PLAIN, 1, 5, {}, verdict(moved=Side.SOURCE), MigrationStep.COPY_AGAIN),
    "target-moved": Case(PLAIN, 1, 5, {}, verdict(moved=Side.TARGET), MigrationStep.COMPLETE),
}


def completed(case: Case) -> CompletedCopy:
    """The copy of a case."""
    keys = [key for some in case.skipped.values() for key in some]
    skip_reasons = Counter({reason.value: len(some) for reason, some in case.skipped.items()})
    state = CopyState(
        counts=Counts(copied=case.arrived, skipped=len(keys)), skip_reasons=skip_reasons
    )
    return CompletedCopy(case.round, state, SkippedKeys(len(keys), frozenset(keys), reason="no"))


@pytest.mark.parametrize("wording", [COMMAND, DEPLOYMENT], ids=["command", "deployment"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_step_after_a_copy_does_not_depend_on_who_makes_it(
    case: Case, wording: Wording
) -> None:
    """A command and a deployment differ in words alone; an error says how to go on."""
    policy = MigrationPolicy("old", "new", "key", case.settings, wording)
    decision = policy.judge(completed(case), case.found)
    assert decision.step is case.step
    if case.step not in {MigrationStep.COMPLETE, MigrationStep.KEEP_TARGET}:
        ends = case.step is not MigrationStep.COPY_AGAIN
        assert (wording.again in decision.why) is ends


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_decided_before_a_verification_is_what_is_decided_after_it(case: Case) -> None:
    """So a deployment need not read everything again to refuse what was skipped."""
    policy = MigrationPolicy("old", "new", "key", case.settings, COMMAND)
    early = policy.judge_copy(completed(case))
    assert early in {None, policy.judge(completed(case), case.found)}


@pytest.mark.parametrize(
    ("found", "skipped", "expected"),
    [
        (verdict("a"), SkippedKeys(1, frozenset({"a"})), True),
        (verdict("b"), SkippedKeys(1, frozenset({"a"})), False),
        (verdict("a"), SkippedKeys(2, frozenset({"a", "b"})), True),
        (verdict("a", counted=3), SkippedKeys(3, frozenset({"a", "b", "c"})), True),
        (verdict("x", counted=3), SkippedKeys(3, frozenset({"a", "b", "c"})), False),
        (verdict("x"), SkippedKeys(1, unnamed=1), True),
        (verdict("x", "y"), SkippedKeys(2, frozenset({"a"}), unnamed=1), False),
        (verdict("a", "x"), SkippedKeys(2, frozenset({"a"}), unnamed=1), True),
        (verdict(LONG), SkippedKeys(1, frozenset({LONG[:LABEL_LENGTH]})), True),
        (verdict(LONG[:LABEL_LENGTH]), SkippedKeys(1, frozenset({LONG})), True),
        (verdict(LONG[:LABEL_LENGTH], counted=2), SkippedKeys(1, frozenset({LONG})), False),
        (verdict(LONG + "1"), SkippedKeys(1, frozenset({LONG + "2"})), False),
        (verdict(moved=Side.SOURCE), SkippedKeys(), False),
    ],
)
def test_a_difference_is_explained_by_a_key_that_was_skipped(
    found: Verdict, skipped: SkippedKeys, expected: bool
) -> None:
    """By name as far as names are known, else by equal numbers; the source must not have moved."""
    assert skipped.explains(found) is expected


def snapshot(*, finished: bool, left: int) -> str:
    """A checkpoint's text."""
    cursors: dict[str, str | None] = {"0": None} if finished else {"0": "k"}
    text = CopyState(
        partitions=["0"], cursors=cursors, counts=Counts(copied=3, skipped=left)
    ).compact()
    assert text
    return text


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        (snapshot(finished=False, left=0), True),
        (snapshot(finished=False, left=2), True),
        (snapshot(finished=True, left=0), True),
        (snapshot(finished=True, left=2), False),
        ("damaged", False),
        (None, False),
        (7, False),
    ],
)
def test_a_copy_goes_on_from_a_checkpoint_unless_it_ended_with_skipped_keys(
    text: object, goes_on: bool
) -> None:
    """What was skipped is tried again from the start; a checkpoint is only a short cut."""
    assert (restore_snapshot(text) is not None) is goes_on


RUNNING = Marker(
    MarkerState.RUNNING,
    source="old",
    run="first",
    identity="7",
    created=True,
    detail={"checkpoint": "c", "done": 3, "ended": {"exit": 4}},
)


@pytest.mark.parametrize(
    ("marker", "identity", "run", "created", "detail"),
    [
        (Marker(MarkerState.NONE), "7", "second", False, {}),
        (RUNNING, "7", "first", True, {"checkpoint": "c", "done": 3}),
        (RUNNING, "8", "first", False, {}),
        (RUNNING, None, "first", False, {}),
        (Marker(MarkerState.RUNNING, run="first"), None, "first", False, {}),
        (Marker(MarkerState.COMPLETE, run="first", identity="7"), "7", "second", False, {}),
    ],
    ids=["none", "same", "another-target", "unseen", "never-seen", "complete"],
)
def test_a_migration_goes_on_only_into_the_target_of_its_record(
    marker: Marker, identity: str | None, run: str, created: bool, detail: dict[str, object]
) -> None:
    """The run keeps its name; what it knows of one target says nothing of its namesake."""
    world = World(boxes={"old": {"k": "v"}, "new": {}}, identities={"old": 1, "new": 7})
    places = [Location(name, "111122223333", "eu-central-1") for name in ("old", "new")]
    facts = world.facts("new")
    facts = type(facts)(facts.name, facts.existence, facts.content, identity=identity)
    migration = Migration(box_kind(world), CopyOrder(*places), PLAIN, marker, facts)
    begun = migration.begin_marker("second")
    assert (begun.state, begun.run, begun.source) == (MarkerState.RUNNING, run, "old")
    assert (begun.created, begun.batches, begun.detail) == (created, False, detail)
    assert migration.checkpoint_into(identity) == detail.get("checkpoint")
