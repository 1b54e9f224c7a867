"""A migration by workers in the account: whatever ends it, the same command goes on, and cleans up.

The workers are those of a world in memory; tests/e2e/test_map.py has the real ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import ENGINE, EngineName
from dataware.core.engines.port import WORK
from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.kind import Kind, Permissions
from dataware.core.model import Location, Marker, MarkerState, OnConflict, Wanted
from dataware.ops import engine_run
from dataware.ops.context import Context, CopySettings
from dataware.ops.engine_leftovers import explain_leftovers, remove_leftovers
from dataware.ops.engine_steps import make_pair_steps
from dataware.ops.map_engine import stack
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import run_migration
from dataware.verify import pausable_stop
from dataware.verify.verdict import Verdict
from support.asked_pause import AskedMarkers, PauseWish, note_work
from support.copying import Killed
from support.map_account import MapAccount, refusal
from support.world import World, WorldHold, box_kind, change_card

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")
MAP = CopySettings(engine=EngineName.MAP)


@dataclass
class Desk:
    """A person who migrates one box by workers; `settings` are those of the next command."""

    keys: int = 11
    settings: CopySettings = MAP
    stop: Callable[[], bool] = lambda: False
    markers: AskedMarkers | None = None
    world: World = field(init=False)
    account: MapAccount = field(init=False)

    def __post_init__(self) -> None:
        content = {f"k{n:02}": f"v{n}" for n in range(self.keys)}
        self.world = World(boxes={"old": content}, identities={"old": 1})
        self.account = MapAccount.of(self.world, self.asks_to_stop)

    def asks_to_stop(self) -> bool:
        """Whether the person asks to stop by now."""
        return self.stop()

    @property
    def context(self) -> Context:
        """The outside of the next command."""
        context = replace(self.world.context(self.asks_to_stop), aws=self.account)
        return replace(context, markers=self.markers) if self.markers else context

    @property
    def kind(self) -> Kind:
        """A box whose resource has an ARN."""
        access = Permissions(
            phases={"read": ("box:Read",), "write": ("box:Write",)},
            arns=lambda name, owner, region, part: (f"arn:{part}:box:{region}:{owner}:{name}",),
        )
        return change_card(box_kind(self.world), access=access)

    def run(self) -> Verdict:
        """One command."""
        kind, facts = self.kind, self.world.facts("new")
        wanted = Wanted("Box", kind.cfn_type, "new", ("old",))
        missing = "new" not in self.world.boxes
        migration = Migration(
            kind,
            CopyOrder(OLD, NEW, on_conflict=self.settings.on_conflict),
            self.settings,
            facts.marker,
            facts,
            create=(lambda: WorldHold(self.world).create(kind, wanted)) if missing else None,
        )
        return run_migration(self.context, migration, make_run=make_pair_steps(self.settings))

    @property
    def record(self) -> Marker:
        """The record of the migration."""
        return self.world.markers["new"]

    @property
    def copies(self) -> list[str]:
        """The executions that copy, by their ARNs."""
        return [arn for arn in self.account.states.executions if "-v" not in arn]

    def texts(self, code: str) -> list[str]:
        """The lines of one code."""
        return self.world.events.texts(code)

    def check_whole(self) -> None:
        """Everything arrived, the record says so, and nothing of the workers is left."""
        assert self.world.boxes["new"] == self.world.boxes["old"]
        assert self.record.state is MarkerState.COMPLETE
        assert list(self.account.left_over()) == []


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told at every look, and nobody needs the real code."""
    monkeypatch.setattr(engine_run, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(stack, "make_zip", lambda: b"code")


def test_workers_copy_and_workers_verify() -> None:
    """The attempt is on record before anything is made; in the end nothing is left."""
    desk = Desk()
    desk.account.states.looks = 3
    verdict = desk.run()
    assert (verdict.compared, verdict.differences) == (11, 0)
    desk.check_whole()
    log = desk.world.log
    assert log.index("beat") < log.index("create") < log.index("create stack")
    assert log.index("start") < log.index("write k00") < log.index("verify old")
    assert log.index("verify new") < log.index("delete stack") < log.index("complete")
    execution, comparing = desk.account.states.executions.values()
    assert execution["input"]["job"]["workers"] == 2
    assert comparing["input"]["job"]["workers"] == 1
    assert execution["input"]["batch"] == comparing["input"]["batch"] == 1
    assert desk.texts("job-progress")[0].endswith("parts by the job (RUNNING)")
    (totals,) = [one for one in desk.world.events if one.code == "copy-totals"]
    assert (totals.data["copied"], totals.data["skipped"]) == (11, 0)
    begun = [one["type"] for one in desk.world.journals["new"].kept]
    assert begun == ["run", "restored", "checkpoint", "checkpoint"]


def test_every_byte_is_read_by_this_machine() -> None:
    """A worker has minutes, and an object may take longer than that."""
    desk = Desk(settings=replace(MAP, deep=True))
    desk.run()
    desk.check_whole()
    assert list(desk.account.states.executions) == desk.copies


def test_a_stop_while_workers_compare_ends_them_and_the_next_command_compares() -> None:
    """What is copied stays copied; the comparison goes on under another name."""
    desk = Desk()
    desk.account.states.looks = 3
    desk.stop = lambda: any("-v" in arn for arn in desk.account.states.executions)
    with pytest.raises(IncompleteError, match=r"stopped the workers of the execution .*-1-v1; wh"):
        desk.run()
    assert desk.record.detail[ENGINE]["execution"] is None
    desk.stop = lambda: False
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 1
    assert desk.world.log.count("write k00") == 1


def test_a_worker_that_died_while_it_compared_leaves_the_record_open() -> None:
    """Copied and not verified is not complete; the same command has only that part read again."""
    desk = Desk()
    desk.account.states.broken[""] = "out of memory"
    with pytest.raises(IncompleteError, match="1 part of 1 part not compared: failed: Lambda: out"):
        desk.run()
    assert desk.record.state is MarkerState.RUNNING
    assert list(desk.account.left_over())
    desk.account.states.broken.clear()
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 1


def test_status_tells_parts_and_about_how_many_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the execution, as long as it goes on; then it tells of the verification."""
    told, desk = note_work(monkeypatch), Desk()
    desk.account.states.looks = 3
    desk.account.states.broken = {"1": "no memory"}
    with pytest.raises(IncompleteError, match="no memory"):
        desk.run()
    assert "RUNNING, 0 of 2 parts done, 1 under way, about 0 of 12 keys" in told
    assert "SUCCEEDED, 2 of 2 parts done, 1 failed, about 12 of 12 keys" in told[-2]
    desk.account.states.broken = {}
    desk.run()
    assert told[-1] == ""
    desk.check_whole()


def test_workers_wait_for_themselves_and_nothing_is_begun_during_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command watches on, and a pause before workers copy or compare keeps them away."""
    desk, wish = Desk(), PauseWish(is_paused=True)

    begun: list[int] = []

    def resume(_seconds: float) -> None:
        begun.append(len(desk.account.states.executions))
        wish.is_paused = False

    def pause(what: str) -> None:
        wish.is_paused = wish.is_paused or what in ("create", "write k10")

    monkeypatch.setattr(pausable_stop, "time", SimpleNamespace(sleep=resume))
    desk.world.meddle = pause
    desk.markers = AskedMarkers(desk.world, wish)
    desk.run()
    desk.check_whole()
    assert begun == [0, 0, 1]


def test_a_command_that_is_killed_anywhere_is_finished_by_the_same_command() -> None:
    """At every step outside of it: one more command, and everything is there once."""
    for at in count():
        desk = Desk()
        desk.world.kill_at = at
        try:
            desk.run()
        except Killed:
            desk.world.kill_at = None
            desk.run()
            desk.check_whole()
        else:
            break
    assert at > 15


def test_after_a_kill_the_same_execution_is_watched() -> None:
    """Its workers went on meanwhile, so nothing is started twice."""
    desk = Desk()
    desk.account.states.looks = 2
    log_of_start = Desk()
    log_of_start.account.states.looks = 2
    log_of_start.run()
    desk.world.kill_at = log_of_start.world.log.index("start") + 1
    with pytest.raises(Killed):
        desk.run()
    desk.world.kill_at = None
    assert desk.record.detail[ENGINE]["execution"].endswith("-1")
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 1
    assert desk.world.log.count("write k00") == 1


def test_a_stop_ends_the_workers_and_the_same_command_goes_on() -> None:
    """The record names no execution any more, which its workers look at; what is done stays."""
    desk = Desk()
    desk.account.states.looks = 5
    desk.stop = lambda: bool(desk.account.states.executions)
    with pytest.raises(IncompleteError, match=r"stopped the workers of the execution .*-1; what"):
        desk.run()
    assert desk.record.detail[ENGINE]["execution"] is None
    assert not desk.record.detail[WORK]
    assert "stop" in desk.world.log
    desk.stop = lambda: False
    desk.account.states.looks = 1
    desk.run()
    desk.check_whole()
    assert not [text for text in desk.texts("warning") if "ended early" in text]
    names = [arn.rpartition("-")[2] for arn in desk.copies]
    assert names == ["1", "2"]
    second = desk.account.states.executions[desk.copies[1]]["input"]
    assert second["job"]["workers"] == 1
    assert desk.world.log.count("write k00") == 1


def test_workers_that_cannot_be_stopped_end_by_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """A denial of StopExecution is told, and the record names no execution all the same."""
    desk = Desk()
    desk.account.states.looks = 5
    desk.stop = lambda: bool(desk.account.states.executions)

    def denied(*_one: object, **_more: object) -> None:
        raise refusal("AccessDeniedException", "StopExecution")

    monkeypatch.setattr(type(desk.account.states), "stop_execution", denied)
    with pytest.raises(IncompleteError, match=r"StopExecution failed: .*states:StopExecution"):
        desk.run()
    assert desk.record.detail[ENGINE]["execution"] is None
    assert desk.record.detail[WORK]["state"] == "RUNNING"


def test_an_execution_that_ended_early_is_told_and_followed_by_another_one() -> None:
    """Without results every part is still to be done."""
    desk = Desk()
    desk.account.states.lost = "it took too long"
    with pytest.raises(IncompleteError, match=r"2 parts of old not copied: the execution .* ended"):
        desk.run()
    assert "ended early (failed: States.Timeout: it took too long)" in desk.texts("warning")[0]
    desk.account.states.lost = ""
    desk.run()
    desk.check_whole()


def test_a_start_whose_answer_was_lost_is_no_second_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's second try is refused where the execution has ended by then."""
    desk = Desk()
    start = desk.account.states.start_execution

    def start_unheard(**given: Any) -> None:
        start(**given)
        raise refusal("ExecutionAlreadyExists", "StartExecution")

    monkeypatch.setattr(desk.account.states, "start_execution", start_unheard)
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 1


def test_a_start_that_is_refused_ends_the_command_and_the_next_one_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as for a quota, which says that nothing was begun."""
    desk = Desk()

    def refuse(**_given: Any) -> None:
        raise refusal("ExecutionLimitExceeded", "StartExecution")

    with monkeypatch.context() as patch:
        patch.setattr(desk.account.states, "start_execution", refuse)
        with pytest.raises(IncompleteError, match="ExecutionLimitExceeded"):
            desk.run()
    desk.run()
    desk.check_whole()


@pytest.mark.parametrize("how", ["broken", "held"])
def test_a_part_that_failed_is_said_with_its_reason_and_copied_by_the_next_command(
    how: str,
) -> None:
    """Be it that its worker died, or that it said why it ended."""
    desk = Desk()
    cause = json.dumps({"errorMessage": "out of memory"}) if how == "broken" else "out of memory"
    getattr(desk.account.states, how)["1"] = cause
    with pytest.raises(IncompleteError, match=r"1 part of old not copied: .*memory"):
        desk.run()
    getattr(desk.account.states, how).clear()
    desk.run()
    desk.check_whole()
    assert desk.world.log.count("write k00") == 1


def test_what_is_skipped_is_named_and_not_taken_for_copied() -> None:
    """Of a part five keys are named, and the rest is counted; accepted, it is complete."""
    desk = Desk(keys=30)
    desk.world.archived = {f"k{n:02}" for n in range(0, 16)}
    with pytest.raises(IncompleteError, match="16 keys not copied to new"):
        desk.run()
    assert len(desk.texts("skipped")) == 10
    assert desk.record.state is MarkerState.RUNNING
    assert list(desk.account.left_over())
    desk.settings = replace(MAP, allow_skipped=True)
    desk.run()
    assert desk.record.state is MarkerState.COMPLETE
    assert len(desk.world.boxes["new"]) == 14
    assert list(desk.account.left_over()) == []


def test_what_changed_meanwhile_is_copied_by_another_execution() -> None:
    """A second round reads everything again."""
    desk = Desk()
    desk.world.changing = {"k03": 1}
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 2


def test_a_conflict_is_never_replaced() -> None:
    """What the target has under a key stays, and is said."""
    desk = Desk()
    desk.world.make("new")
    desk.world.boxes["new"]["k01"] = "mine"
    with pytest.raises(IncompleteError, match="1 key not copied"):
        desk.run()
    assert desk.world.boxes["new"]["k01"] == "mine"
    assert not desk.record.created
    desk.settings = replace(MAP, on_conflict=OnConflict.TARGET, allow_skipped=True)
    desk.run()
    assert desk.world.boxes["new"]["k01"] == "mine"
    assert not desk.record.created


def test_workers_that_cannot_be_made_are_made_by_the_next_command() -> None:
    """The reason of CloudFormation is told, and what it left is deleted first."""
    desk = Desk()
    desk.account.stacks.refused = "the role is not allowed"
    with pytest.raises(IncompleteError, match=r"did not create the workers .*the role is not all"):
        desk.run()
    desk.account.stacks.refused = ""
    desk.run()
    desk.check_whole()


def test_what_is_left_is_said() -> None:
    """A stack that cannot be deleted is no success."""
    desk = Desk()
    desk.account.stacks.stays = True
    with pytest.raises(IncompleteError, match=r"cannot be deleted .*: a bucket is in use"):
        desk.run()
    assert desk.record.state is MarkerState.RUNNING
    desk.account.stacks.stays = False
    desk.run()
    desk.check_whole()


def test_a_bucket_that_stays_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look afterwards decides, not the answer of the call."""
    desk = Desk()
    with monkeypatch.context() as patch:
        patch.setattr(type(desk.account.objects), "delete_bucket", lambda *_one, **_more: None)
        with pytest.raises(IncompleteError, match="are not gone yet"):
            desk.run()
    desk.run()
    desk.check_whole()


def test_results_that_cannot_be_read_are_no_results(monkeypatch: pytest.MonkeyPatch) -> None:
    """A torn file ends the run, and is read again by the next one."""
    desk = Desk()
    read = type(desk.account.objects).get_object
    with monkeypatch.context() as patch:

        def torn(self: object, **given: str) -> object:
            if given["Key"].endswith("SUCCEEDED_0.json"):
                desk.account.objects.buckets[given["Bucket"]]["torn"] = b"[{"
                given = {**given, "Key": "torn"}
            return read(desk.account.objects, **given)

        patch.setattr(type(desk.account.objects), "get_object", torn)
        with pytest.raises(IncompleteError, match="results of the workers cannot be read"):
            desk.run()
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 1


def test_results_that_are_gone_are_copied_again_and_nobody_is_stuck(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Somebody has deleted one file of them; what it told of is found equal."""
    desk = Desk()
    read = type(desk.account.objects).get_object
    with monkeypatch.context() as patch:

        def delete_first(self: object, **given: str) -> object:
            if given["Key"].endswith("SUCCEEDED_0.json"):
                del desk.account.objects.buckets[given["Bucket"]][given["Key"]]
            return read(desk.account.objects, **given)

        patch.setattr(type(desk.account.objects), "get_object", delete_first)
        with pytest.raises(IncompleteError, match="a file with results of the workers is gone"):
            desk.run()
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 2


def test_what_only_this_machine_does_is_refused() -> None:
    """A source of other credentials cannot be read by workers, so nothing is begun."""
    desk = Desk()
    migration = Migration(
        desk.kind, CopyOrder(replace(OLD, profile="partner"), NEW), MAP, Marker(MarkerState.NONE),
        desk.world.facts("new"), create=lambda: None,
    )  # fmt: skip
    with pytest.raises(RefusedError, match="take no --source-profile"):
        run_migration(desk.context, migration, make_run=make_pair_steps(MAP))
    assert not desk.account.states.executions
    assert make_pair_steps(CopySettings()) is None


def test_workers_of_a_migration_that_is_given_up_are_removed() -> None:
    """What runs is stopped; a record of another engine, or without workers, changes nothing."""
    desk = Desk()
    desk.account.states.looks = 99
    desk.stop = lambda: desk.world.log[-1:] == ["start"]
    with pytest.raises(IncompleteError):
        desk.run()
    running = Marker(MarkerState.RUNNING, "old", run=desk.record.run, detail=desk.record.detail)
    named = {**running.detail[ENGINE], "execution": f"{running.run}-1"}
    desk.account.states.executions[next(iter(desk.account.states.executions))]["status"] = "RUNNING"
    remove_leftovers("memory-box", replace(running, detail={ENGINE: named}), desk.context)
    assert list(desk.account.left_over()) == []
    assert [one["status"] for one in desk.account.states.executions.values()] == ["ABORTED"]
    remove_leftovers("memory-box", replace(running, detail={ENGINE: named}), desk.context)
    text = explain_leftovers(
        "memory-box", "new", replace(running, detail={ENGINE: named}), desk.context
    )
    assert text.startswith(
        f"stopping the workers dataware-map-{running.run}, and removing them with"
    )
    told = len(desk.world.events)
    for detail in ({}, {ENGINE: {"name": "batch"}}):
        remove_leftovers("memory-box", replace(running, detail=detail), desk.context)
    assert len(desk.world.events) == told


def test_workers_that_cannot_be_removed_keep_their_record() -> None:
    """Nothing else knows of them, so whoever gives up is told what is in the way."""
    desk = Desk()
    desk.account.stacks.stays = True
    with pytest.raises(IncompleteError):
        desk.run()
    named = rf"the stack dataware-map-{desk.record.run} and the bucket dataware-map-1.*is kept"
    with pytest.raises(IncompleteError, match=named):
        remove_leftovers("memory-box", desk.record, desk.context)


def test_an_unknown_state_of_an_execution_is_no_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that is denied ends the run, and starts nothing."""
    desk = Desk()

    def denied(*_one: object, **_more: object) -> None:
        raise refusal("AccessDeniedException", "DescribeExecution")

    monkeypatch.setattr(type(desk.account.states), "describe_execution", denied)
    with pytest.raises(IncompleteError, match="states:DescribeExecution"):
        desk.run()


def test_an_execution_that_is_not_seen_yet_is_not_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look may be behind the start; one that is never seen is left to the next command."""
    desk = Desk()
    look = type(desk.account.states).describe_execution
    unseen = [3]

    def late(self: object, **given: str) -> object:
        if unseen[0]:
            unseen[0] -= 1
            raise refusal("ExecutionDoesNotExist", "DescribeExecution")
        return look(desk.account.states, **given)

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.account.states), "describe_execution", late)
        desk.run()
    desk.check_whole()
    assert len(desk.copies) == 1


def test_an_execution_that_is_never_seen_is_not_taken_for_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is believed of what its workers did."""
    desk = Desk()

    def never(_self: object, **_given: str) -> object:
        raise refusal("ExecutionDoesNotExist", "DescribeExecution")

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.account.states), "describe_execution", never)
        with pytest.raises(IncompleteError, match="was begun and is not seen"):
            desk.run()
    assert "read" not in desk.record.detail[ENGINE]
    desk.account.states.executions.clear()
    desk.run()
    desk.check_whole()


def test_a_bucket_that_somebody_removed_ends_no_migration_for_good() -> None:
    """Its results are gone, so everything is looked at once more."""
    desk = Desk()
    desk.account.states.looks = 3
    desk.stop = lambda: "start" in desk.world.log
    with pytest.raises(IncompleteError, match="stopped the workers"):
        desk.run()
    desk.stop = lambda: False
    for content in desk.account.objects.buckets.values():
        content.clear()
    desk.run()
    desk.check_whole()
    assert len(desk.copies) == 2
