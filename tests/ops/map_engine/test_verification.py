"""A comparison by workers: the verdict of this machine, and no green without every result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import IncompleteError, LookupFailedError
from dataware.core.model import Location
from dataware.ops.context import Context, CopySettings
from dataware.ops.map_engine import verification
from dataware.ops.map_engine.execution import MapExecution
from dataware.ops.map_engine.template import WorkersLocation
from dataware.ops.map_engine.verification import (
    MOST_PARTS,
    MapVerification,
    StepPlan,
    StepResult,
    VerificationDesk,
)
from dataware.ops.migration_job import MigrationJob
from dataware.verify.comparison import Comparison
from dataware.verify.merge import DifferenceKind
from dataware.verify.run import compare
from dataware.verify.steps import Readers, TaskResult, VerifyStep, VerifyTask
from dataware.verify.task_state import TaskState
from dataware.verify.verdict import Side, Verdict
from support.copying import Killed
from support.held import Held
from support.map_account import MapAccount
from support.world import World

PLACE = WorkersLocation("111122223333", "eu-central-1", "aws", "0123456789ab")
OLD = Location("old", PLACE.account, PLACE.region)
NEW = Location("new", PLACE.account, PLACE.region)
SOURCE = {f"k{n:03}": f"v{n}" for n in range(200)}
TARGET = {**SOURCE, "k007": "other", "new": "more"}
del TARGET["k011"]
LIES = {("different", "k007"), ("missing", "k011"), ("extra", "new")}
"""One item changed, one missing, one extra."""


@dataclass
class Desk:
    """A command that compares two sides by workers, as often as it is asked to."""

    source: Mapping[str, str] = field(default_factory=lambda: SOURCE)
    target: Mapping[str, str] = field(default_factory=lambda: TARGET)
    ordered: bool = False
    spelt: str = ""
    begun: int = 0
    account: MapAccount = field(init=False)

    def __post_init__(self) -> None:
        self.account = MapAccount.of(World())
        self.account.objects.buckets[PLACE.bucket] = {}
        self.account.states.read_sides = lambda _job: self.sides

    @property
    def sides(self) -> Readers:
        """Both sides, as anybody reads them."""
        mine = Held(self.source, self.ordered)
        return Readers(mine, Held(self.target, self.ordered, spelt=self.spelt))

    @property
    def context(self) -> Context:
        """The outside of a command."""
        return replace(self.account.world.context(), aws=self.account)  # type: ignore[arg-type]  # as for runs

    @property
    def objects(self) -> dict[str, bytes]:
        """What lies in the bucket of the workers."""
        return self.account.objects.buckets[PLACE.bucket]

    def open(self, name: str) -> MapExecution:
        """An execution by its name."""
        return MapExecution(self.account, PLACE, name)  # type: ignore[arg-type]  # as for runs

    def begin(self) -> MapExecution:
        """The next one."""
        self.begun += 1
        return self.open(f"v{self.begun}")

    def watch(self, execution: MapExecution) -> str:
        """Look until it has ended, or for long enough; why it ended early."""
        looks = (execution.look() for _ in range(9))
        return next((seen.problem for seen in looks if seen is not None and seen.ended), "")

    def describe(self, workers: int) -> MigrationJob:
        """The job of some workers."""
        return MigrationJob("Box", OLD, NEW, CopySettings(), f"v{self.begun}", 1e9, workers=workers)

    def run(self) -> Verdict:
        """One command."""
        desk = VerificationDesk(
            lambda: self.open(f"v{self.begun}") if self.begun else None,
            self.begin,
            self.open,
            self.describe,
            self.watch,
        )
        made = MapVerification(self.context, self.sides, desk, {"name": "new"})
        return made.compare(ordered=self.ordered)

    def tasks_of(self, number: int) -> list[str]:
        """The parts that an execution was given."""
        items = json.loads(self.objects[f"v{number}/shards.json"])
        return [f"{one['task']['side']} {one['task']['part']}" for one in items]


def lies_of(verdict: Verdict) -> set[tuple[str, str]]:
    """The differences that are named."""
    return {(one.kind.value, one.label) for one in verdict.listed}


@pytest.mark.parametrize("ordered", [True, False])
def test_an_item_changed_one_missing_and_one_extra_are_named(ordered: bool) -> None:
    """Workers find them, and this machine reads no more than a sample."""
    desk = Desk(ordered=ordered)
    verdict = desk.run()
    assert lies_of(verdict) == LIES
    assert verdict.compared == len(SOURCE)
    steps = {json.loads(desk.objects[f"v{n}/before.json"])["comparison"]["step"] for n in (1, 2)
             if f"v{n}/before.json" in desk.objects}  # fmt: skip
    assert steps == ({"merge"} if ordered else {"digest", "resolve"})
    texts = desk.account.world.events.texts("note")
    assert texts[0].startswith("workers compare both sides (")


contents = st.dictionaries(st.text("abc", max_size=3), st.sampled_from("xyz"), max_size=25)


@settings(deadline=None, max_examples=40)
@given(contents, contents, st.booleans(), st.sampled_from(["", "!"]))
def test_workers_find_what_this_machine_finds(
    source: dict[str, str], target: dict[str, str], ordered: bool, spelt: str
) -> None:
    """Whatever the sides hold, and however a service spells it."""
    desk = Desk(source, target, ordered, spelt)
    here = compare(desk.sides.source, desk.sides.target, ordered=ordered)
    there = desk.run()
    assert lies_of(there) == lies_of(here)
    assert (there.compared, there.counts, there.evidence, there.read, there.changed_sides) == (
        here.compared,
        here.counts,
        here.evidence,
        here.read,
        here.changed_sides,
    )


@pytest.mark.parametrize("how", ["broken", "held"])
def test_a_worker_that_died_makes_it_incomplete_and_the_next_command_does_its_part(
    how: str,
) -> None:
    """Both sides are equal, and nobody may say so before every part was read."""
    desk = Desk(target=SOURCE)
    getattr(desk.account.states, how)["1"] = "out of memory"
    with pytest.raises(IncompleteError, match=r"2 parts of 6 parts not compared: .*out of memory"):
        desk.run()
    getattr(desk.account.states, how).clear()
    verdict = desk.run()
    assert (verdict.compared, verdict.differs) == (len(SOURCE), False)
    assert desk.tasks_of(2) == ["source 1", "target 1"]


def test_a_worker_that_was_never_run_makes_it_incomplete() -> None:
    """An execution that ended well, without a word on one part of each side, is not green."""
    desk = Desk(target=SOURCE)
    desk.account.states.unreported = {"2"}
    for _ in range(2):
        with pytest.raises(IncompleteError, match="not compared: no worker reported on them"):
            desk.run()
    desk.account.states.unreported = set()
    assert not desk.run().differs
    assert desk.tasks_of(3) == ["source 2", "target 2"]


def test_results_that_were_never_written_are_no_results() -> None:
    """Without a manifest every part is still to be read."""
    desk = Desk(target=SOURCE)
    desk.account.states.lost = "it took too long"
    with pytest.raises(IncompleteError, match="6 parts of 6 parts not compared"):
        desk.run()
    desk.account.states.lost = ""
    for key in [key for key in desk.objects if key.endswith("manifest.json")]:
        del desk.objects[key]
    assert not desk.run().differs


def test_parts_of_a_step_that_differ_stay_found_when_the_rest_comes_later() -> None:
    """What some parts have found is taken in with what the next command finds in others."""
    desk = Desk(ordered=True)
    parts = list(desk.sides.source.parts())
    desk.account.states.broken = {parts[0]: "dead"}
    with pytest.raises(IncompleteError, match="1 part of 3 parts not compared: failed: Lambda"):
        desk.run()
    desk.account.states.broken = {}
    assert lies_of(desk.run()) == LIES
    assert desk.tasks_of(2) == [f"source {parts[0]}"]


def test_a_killed_command_goes_on_with_its_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while it watches: the same execution is watched, and nothing is read twice."""
    desk = Desk()

    watch, fatal = Desk.watch, {"v1"}

    def watch_or_die(self: Desk, execution: MapExecution) -> str:
        if execution.name in fatal:
            raise Killed("now")
        return watch(self, execution)

    for name in ("v1", "v2"):
        fatal = {name}
        with monkeypatch.context() as patch:
            patch.setattr(Desk, "watch", watch_or_die)
            with pytest.raises(Killed):
                desk.run()
    assert desk.begun == 2
    assert lies_of(desk.run()) == LIES
    assert lies_of(desk.run()) == LIES
    assert desk.begun == 2


@pytest.mark.parametrize("ended_at", [-verification.FRESH_SECONDS - 1, None, 0.0])
def test_old_results_say_too_little_of_today(
    ended_at: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes back after more than an hour compares anew, and sees what has changed.

    Whatever the clock of the machine says, which may be slow.
    """
    desk = Desk(target=dict(SOURCE))
    assert not desk.run().differs
    desk.target = TARGET
    if ended_at is None:
        monkeypatch.setattr(MapExecution, "find_age", lambda *_given: None)
    elif not ended_at:
        desk.account.states.told_at = verification.FRESH_SECONDS + 1
    else:
        desk.account.states.ended_at = ended_at
    assert lies_of(desk.run()) == LIES


@pytest.mark.parametrize("plan", [None, b"{", b"{}", b"[1]"])
def test_without_a_plan_it_begins_anew(plan: bytes | None) -> None:
    """The bucket was emptied, or what lies there is no plan."""
    desk = Desk(target=dict(SOURCE))
    desk.run()
    desk.target = TARGET
    if plan is None:
        del desk.objects["v1/before.json"]
    else:
        desk.objects["v1/before.json"] = plan
    assert lies_of(desk.run()) == LIES


def test_an_execution_that_was_named_and_never_started_is_none() -> None:
    """The command was killed between its record and its request."""
    desk = Desk()
    desk.begun = 1
    assert lies_of(desk.run()) == LIES


def test_an_execution_that_still_runs_is_waited_for() -> None:
    """Whoever comes back while it goes on begins no other one."""
    desk = Desk(target=SOURCE)
    desk.account.states.looks = 12
    with pytest.raises(IncompleteError, match="6 parts of 6 parts not compared"):
        desk.run()
    assert not desk.run().differs
    assert desk.begun == 1


def change_results(desk: Desk, change: Mapping[str, Any]) -> None:
    """Change every task in the results."""
    (key,) = [key for key in desk.objects if key.endswith("SUCCEEDED_0.json")]
    rows = json.loads(desk.objects[key])
    for row in rows:
        row["Output"] = json.dumps([{**json.loads(row["Output"])[0], **change}])
    desk.objects[key] = json.dumps(rows).encode()


@pytest.mark.parametrize(
    "change", [{"slots": None}, {"slots": "AAAAAAAAAAA="}, {"slots": 5}, {"verdict": {}}]
)
def test_a_result_that_lacks_its_sums_is_an_error(change: Mapping[str, Any]) -> None:
    """Two sides without sums would be equal."""
    desk = Desk(target=SOURCE)
    desk.run()
    change_results(desk, change)
    with pytest.raises(LookupFailedError, match="results of the workers cannot be read"):
        desk.run()


def test_a_file_of_results_that_is_gone_makes_it_incomplete_and_is_read_again() -> None:
    """Both sides are equal, and nobody says so of parts whose results somebody has deleted."""
    desk = Desk(target=SOURCE)
    desk.run()
    for key in [key for key in desk.objects if key.endswith("SUCCEEDED_0.json")]:
        del desk.objects[key]
    assert not desk.run().differs
    assert len(desk.tasks_of(2)) == len(desk.tasks_of(1))
    notes = desk.account.world.events.texts("note")
    assert notes[1].startswith("resuming the execution v1 of an earlier command; what it has ")


def test_results_of_another_comparison_are_an_error() -> None:
    """A part that nobody has planned counts for nothing."""
    desk = Desk(target=SOURCE)
    desk.run()
    stranger = VerifyTask(VerifyStep.MERGE, "elsewhere").to_json()
    change_results(desk, {"task": stranger, "slots": None})
    with pytest.raises(LookupFailedError, match="another comparison: source elsewhere"):
        desk.run()


def result_of(tasks: Iterable[VerifyTask]) -> StepResult:
    """Nothing has come back yet."""
    return StepResult(StepPlan(Comparison(VerifyStep.MERGE).to_json(0), tuple(tasks)))


def test_a_part_that_two_executions_have_read_counts_once() -> None:
    """A worker that was given up may have ended all the same."""
    task = VerifyTask(VerifyStep.MERGE, "a")
    result = result_of([task])
    for _ in range(2):
        found = TaskResult(done=True)
        found.verdict.note(*Held.difference("a"))
        result.take(TaskState(task, 0, found))
    assert result.comparison.verdict.counts == {DifferenceKind.MISSING: 1}
    assert not result.left


def test_a_part_of_the_other_side_is_another_part() -> None:
    """Each side of each part has to be seen."""
    both = [VerifyTask(VerifyStep.RESOLVE, "a", side) for side in Side]
    result = result_of(both)
    result.take(TaskState(both[0], 0, TaskResult(done=True)))
    result.take(TaskState(both[1], 0))
    assert list(result.left) == both[1:]
    assert result.reasons == ["a worker ended without a reason"]


def test_a_plan_survives_its_file() -> None:
    """Tasks are compared by value, so they have to come back as they were."""
    comparison = Comparison(VerifyStep.DIGEST)
    tasks = tuple(comparison.tasks(Desk().sides))
    plan = StepPlan(comparison.to_json(9), tasks, ("v1", "v2"))
    assert StepPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_many_workers_get_many_parts() -> None:
    """A side is cut finer than for one machine, also where the parts are listed again."""
    desk = Desk()
    sides = desk.sides
    made = MapVerification(
        desk.context,
        sides,
        VerificationDesk(lambda: None, desk.begin, desk.open, desk.describe, desk.watch),
        {},
    )
    made.compare(ordered=False)
    assert sides.source.most_parts == sides.target.most_parts == MOST_PARTS
