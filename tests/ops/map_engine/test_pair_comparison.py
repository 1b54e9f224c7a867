"""`verify --engine map`: workers of their own compare one pair, and are removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from dataware.core.engines.card import ENGINE
from dataware.core.engines.map_card import MAP
from dataware.core.engines.unfinished_work import COMPARISON
from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    LookupFailedError,
    RefusedError,
    ServiceError,
)
from dataware.core.kind import Kind, Permissions
from dataware.core.model import Location, Marker, MarkerState
from dataware.ops.context import ComparisonSpec, Context
from dataware.ops.forget import find_record, forget, give_up_work, report_record
from dataware.ops.map_engine import pair_comparison, stack
from dataware.ops.map_engine.pair_comparison import compare_by_workers, name_comparison
from dataware.ops.migration_job import MigrationJob
from dataware.ops.run_control import pause, resume
from dataware.ops.status import status
from dataware.state import ParameterMarkers
from dataware.state.holder import Holder
from dataware.state.markers import ALIVE_SECONDS
from dataware.verify.verdict import Verdict
from support.copying import Killed
from support.map_account import MapAccount, refusal
from support.parameters import FakeParameters
from support.world import World, box_kind, change_card

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")
PAIR = ComparisonSpec("Memory::Box", OLD, NEW)
CONTENT = {f"k{n:02}": f"v{n}" for n in range(11)}
LIED = {**CONTENT, "k03": "other", "new": "more"}
del LIED["k05"]
LIES = {("different", "k03"), ("missing", "k05"), ("extra", "new")}


@dataclass
class Desk:
    """A person who compares two boxes by workers."""

    target: dict[str, str] = field(default_factory=lambda: dict(LIED))
    pair: ComparisonSpec = PAIR
    stop: Callable[[], bool] = lambda: False
    world: World = field(init=False)
    account: MapAccount = field(init=False)

    def __post_init__(self) -> None:
        boxes = {"old": dict(CONTENT), "new": self.target}
        self.world = World(boxes=boxes, identities={"old": 1, "new": 2})
        self.account = MapAccount.of(self.world, self.asks_to_stop)

    def asks_to_stop(self) -> bool:
        """Whether the person asks to stop by now."""
        return self.stop()

    @property
    def context(self) -> Context:
        """The outside of the next command."""
        made = self.world.context(self.asks_to_stop)
        return replace(made, aws=self.account)  # type: ignore[arg-type]  # as for runs

    @property
    def kind(self) -> Kind:
        """A box that workers compare."""
        access = Permissions(
            phases={"read": ("box:Read",), "write": ("box:Write",), "verify": ("box:Look",)},
            arns=lambda name, owner, region, part: (f"arn:{part}:box:{region}:{owner}:{name}",),
        )
        return change_card(box_kind(self.world), access=access, engines=lambda: (MAP,))

    def run(self) -> Verdict:
        """One command."""
        return compare_by_workers(self.context, self.kind, self.pair)

    def texts(self, code: str) -> list[str]:
        """The lines of one code."""
        return self.world.events.texts(code)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told at every look, and nobody needs the real code."""
    monkeypatch.setattr(pair_comparison, "TELL_SECONDS", 0.0)
    monkeypatch.setattr(stack, "make_zip", lambda: b"code")


def lies_of(verdict: Verdict) -> set[tuple[str, str]]:
    """The differences that are named."""
    return {(one.kind.value, one.label) for one in verdict.listed}


def test_workers_find_the_lies_and_are_removed() -> None:
    """They may read both sides and write neither, and nothing of them is left."""
    desk = Desk()
    desk.account.states.looks = 3
    assert lies_of(desk.run()) == LIES
    assert list(desk.account.left_over()) == []
    (template,) = desk.account.stacks.templates
    assert "box:Look" in template
    assert "box:Write" not in template and "box:Read" not in template
    assert "ssm:" not in template and "kms:Encrypt" not in template
    assert desk.texts("job-progress")[0].endswith("parts by the job (RUNNING)")
    (execution,) = desk.account.states.executions.values()
    job = MigrationJob.from_json(execution["input"]["job"])
    assert (job.compares_only, job.by_command, job.pair) == (True, False, desk.pair)
    assert not desk.world.markers


def test_a_command_that_is_killed_anywhere_is_finished_by_the_same_command() -> None:
    """At every step outside of it: one more command finds the lies, and leaves nothing.

    Whatever a killed one has made is on record.
    """
    for at in count():
        desk = Desk()
        desk.world.kill_at = at
        try:
            desk.run()
        except Killed:
            desk.world.kill_at = None
            assert desk.world.markers or not list(desk.account.left_over())
            assert lies_of(desk.run()) == LIES
            assert list(desk.account.left_over()) == []
            assert not desk.world.markers
            assert len(desk.account.states.executions) <= 2
        else:
            break
    assert at > 6


def test_after_a_kill_the_same_execution_is_watched() -> None:
    """Its workers went on meanwhile, so nothing is read twice."""
    desk = Desk()
    desk.account.states.looks = 2
    desk.run()
    at = desk.world.log.index("start") + 1
    desk = Desk()
    desk.account.states.looks = 2
    desk.world.kill_at = at
    with pytest.raises(Killed):
        desk.run()
    desk.world.kill_at = None
    assert lies_of(desk.run()) == LIES
    assert len(desk.account.states.executions) == 1


def test_a_stop_ends_the_workers_and_says_how_to_give_up() -> None:
    """The same command goes on under another name."""
    desk = Desk()
    desk.account.states.looks = 5
    desk.stop = lambda: bool(desk.account.states.executions)
    with pytest.raises(
        IncompleteError, match=r"stopped the workers .*v1-.*`dataware forget verify-"
    ):
        desk.run()
    assert [one["status"] for one in desk.account.states.executions.values()] == ["ABORTED"]
    desk.stop = lambda: False
    desk.account.states.looks = 1
    assert lies_of(desk.run()) == LIES
    assert list(desk.account.left_over()) == []


@dataclass
class RecordingDesk(Desk):
    """The same person, whose records lie in a Parameter Store."""

    store: FakeParameters = field(default_factory=FakeParameters)

    @property
    def context(self) -> Context:
        """The outside of the next command."""
        return replace(super().context, markers=self.markers("desk"), command_run="run-7")

    def markers(self, machine: str) -> ParameterMarkers:
        """The records, as a machine reads and writes them."""
        holder = Holder(machine, f"a boot of {machine}", 7, "1")
        return ParameterMarkers(self.store, self.store.clock, holder)

    def stop_it(self) -> None:
        """Begin, and stop when the workers are at work."""
        self.account.states.looks = 5
        self.stop = lambda: bool(self.account.states.executions)
        with pytest.raises(IncompleteError):
            self.run()
        self.stop = lambda: False
        self.account.states.looks = 1

    def statuses(self) -> list[str]:
        """What `dataware status` tells."""
        status(self.context)
        return self.texts("migration-status")


def test_a_stopped_comparison_is_on_record_until_it_is_forgotten() -> None:
    """`status` names both sides and why it ended; `forget` removes workers and record."""
    desk = RecordingDesk()
    desk.stop_it()
    name = name_comparison(PAIR)
    (shown,) = desk.statuses()
    assert shown.startswith(f"old → new (comparison {name}): incomplete: stopped the workers of")
    assert f"`dataware forget {name}` to give up" in shown
    record = find_record(desk.context, name)
    report_record(desk.context, record)
    warned = desk.texts("warning")
    assert "without the record, the same `dataware verify` compares old from the start" in warned
    assert any(f"stopping the workers dataware-map-{name}" in one for one in warned)
    give_up_work(desk.context, record)
    forget(desk.context, desk.markers("desk"), record, lambda _parameter: None)
    assert desk.texts("done")[-1] == f"Deleted the record of the comparison {name}"
    assert list(desk.account.left_over()) == []
    assert not desk.store.stored


def test_workers_that_never_began_are_forgotten_with_their_record() -> None:
    """The execution is on record before it is asked for, and may never have been."""
    desk = RecordingDesk()

    def die(what: str) -> None:
        if what.endswith("/shards.json"):
            raise Killed(what)

    desk.world.meddle = die
    with pytest.raises(Killed):
        desk.run()
    desk.world.meddle = lambda _what: None
    record = find_record(desk.context, name_comparison(PAIR))
    assert record.marker.detail[ENGINE]["execution"]
    give_up_work(desk.context, record)
    assert list(desk.account.left_over()) == []


def test_a_stopped_comparison_is_gone_on_with_and_leaves_no_record() -> None:
    """The same command; nothing of it is left."""
    desk = RecordingDesk()
    desk.stop_it()
    assert lies_of(desk.run()) == LIES
    assert list(desk.account.left_over()) == []
    assert not desk.store.stored


def test_of_two_commands_at_once_the_second_is_refused() -> None:
    """Else one would remove the workers of the other."""
    desk = RecordingDesk()
    name = name_comparison(PAIR)
    lease = desk.markers("elsewhere").begin(
        COMPARISON, name, Marker(MarkerState.RUNNING, "old", name)
    )
    with pytest.raises(RefusedError, match=r"old and new are being compared by run verify-.* on "):
        desk.run()
    assert list(desk.account.left_over()) == []
    lease.release({})
    assert lies_of(desk.run()) == LIES


def test_workers_that_stay_after_a_verdict_stay_on_record() -> None:
    """With the reason; the next command removes them with the record."""
    desk = RecordingDesk(target=dict(CONTENT))
    desk.account.stacks.stays = True
    assert not desk.run().differs
    (shown,) = desk.statuses()
    assert "a bucket is in use" in shown
    desk.account.stacks.stays = False
    assert not desk.run().differs
    assert not desk.store.stored


def test_a_record_that_cannot_be_deleted_takes_nothing_from_the_verdict() -> None:
    """It says that nothing is left, and what deletes it."""
    desk = RecordingDesk()
    desk.store.denied.add("DeleteParameter")
    assert lies_of(desk.run()) == LIES
    (text,) = desk.texts("warning")
    assert f"`dataware forget {name_comparison(PAIR)}` deletes it" in text
    assert "(comparison verify-" in desk.statuses()[0] and ": complete" in desk.statuses()[0]
    desk.store.denied.clear()
    assert lies_of(desk.run()) == LIES
    assert not desk.store.stored


@pytest.mark.parametrize("ask", [pause, resume])
def test_a_comparison_is_asked_for_nothing(ask: Callable[..., None]) -> None:
    """It writes nothing, so a pause would only keep its workers alive."""
    desk = RecordingDesk()
    desk.stop_it()
    with pytest.raises(RefusedError, match="writes nothing, so it is neither paused nor thrott"):
        ask(desk.context, None, name_comparison(PAIR), "here")


def test_a_command_that_lost_its_record_ends_without_a_verdict() -> None:
    """Another one may have taken it, and removes the workers when it ends."""
    desk = RecordingDesk()
    desk.account.states.looks = 50

    def take_over(what: str) -> None:
        if what == "start":
            desk.store.clock.time += ALIVE_SECONDS
            markers, name = desk.markers("elsewhere"), name_comparison(PAIR)
            markers.begin(COMPARISON, name, Marker(MarkerState.RUNNING, "old", name))

    desk.world.meddle = take_over
    with pytest.raises(DatawareError, match=r"lost the lock on .*another run took it"):
        desk.run()
    assert list(desk.account.left_over())


def test_a_worker_that_died_is_no_verdict() -> None:
    """Equal sides, of which one part was not read: incomplete, and the workers stay."""
    desk = Desk(target=dict(CONTENT))
    desk.account.states.broken[""] = "out of memory"
    with pytest.raises(IncompleteError, match=r"1 part of 1 part not compared: .*out of memory"):
        desk.run()
    stack, bucket = desk.account.left_over()
    (text,) = desk.texts("warning")
    assert text.startswith(f"the stack {stack} and the bucket {bucket} stay, as far as ")
    desk.account.states.broken.clear()
    assert not desk.run().differs


def test_ctrl_c_names_what_stays_in_the_account() -> None:
    """It costs money until somebody runs the same command again, which goes on with it."""
    desk = Desk(target=dict(CONTENT))

    def interrupt(what: str) -> None:
        if what.startswith("start"):
            raise KeyboardInterrupt

    desk.world.meddle = interrupt
    with pytest.raises(KeyboardInterrupt):
        desk.run()
    stack, bucket = desk.account.left_over()
    (text,) = desk.texts("warning")
    assert text.startswith(f"the stack {stack} and the bucket {bucket} stay, as far as ")
    desk.world.meddle = lambda _what: None
    assert not desk.run().differs
    assert list(desk.account.left_over()) == []


def test_a_verdict_is_given_where_the_workers_cannot_be_removed() -> None:
    """What stays is named, and the next command compares anew: the sides may differ by then."""
    desk = Desk(target=dict(CONTENT))
    desk.account.stacks.stays = True
    assert not desk.run().differs
    (text,) = desk.texts("warning")
    assert text.startswith("cannot remove the stack dataware-map-verify-")
    assert "a bucket is in use" in text
    del desk.target["k05"]
    desk.account.stacks.stays = False
    assert lies_of(desk.run()) == {("missing", "k05")}
    assert len(desk.account.states.executions) == 2
    assert list(desk.account.left_over()) == []


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket"])
def test_a_verdict_is_not_given_twice(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it cannot be noted that it was given, and a bucket stays that holds it, it is not."""
    desk = Desk(target=dict(CONTENT))
    desk.account.stacks.stays = True

    def deny(_self: object, **given: str) -> object:
        raise refusal(code, "CreateMultipartUpload")

    def refuse(what: str) -> None:
        if what == "delete stack":
            monkeypatch.setattr(type(desk.account.objects), "create_multipart_upload", deny)

    desk.world.meddle = refuse
    if code == "NoSuchBucket":
        assert not desk.run().differs
        return
    with pytest.raises(LookupFailedError, match="s3:PutObject"):
        desk.run()


def test_workers_that_cannot_be_made_are_named_with_what_is_left() -> None:
    """Nothing else has them on record; the next command deletes what failed, and goes on."""
    desk = Desk()
    desk.account.stacks.refused = "the role is not allowed"
    with pytest.raises(ServiceError, match="did not create the workers"):
        desk.run()
    (text,) = desk.texts("warning")
    assert all(part in text for part in desk.account.left_over())
    desk.account.stacks.refused = ""
    assert lies_of(desk.run()) == LIES
    assert list(desk.account.left_over()) == []


def test_an_execution_that_ended_early_is_told() -> None:
    """With the reason of Step Functions, and without a verdict."""
    desk = Desk(target=dict(CONTENT))
    desk.account.states.lost = "it took too long"
    wanted = r"1 part of 1 part not compared: the execution .* ended early"
    with pytest.raises(IncompleteError, match=wanted):
        desk.run()
    assert "ended early (failed: States.Timeout: it took too long)" in desk.texts("warning")[0]


def test_an_execution_that_is_never_seen_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """A look may be behind the start, but not for ever."""
    desk = Desk()

    def never(_self: object, **_given: str) -> object:
        raise refusal("ExecutionDoesNotExist", "DescribeExecution")

    with monkeypatch.context() as patch:
        patch.setattr(type(desk.account.states), "describe_execution", never)
        with pytest.raises(IncompleteError, match="was begun and is not seen"):
            desk.run()
    assert lies_of(desk.run()) == LIES


def test_an_error_that_is_no_stop_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asked to stop, so nothing is stopped."""
    desk = Desk()
    desk.account.states.looks = 5

    def fail(_self: object, _seconds: float) -> None:
        raise IncompleteError("something else")

    monkeypatch.setattr(type(desk.account), "pause", fail)
    with pytest.raises(IncompleteError, match="something else"):
        desk.run()
    assert "stop" not in desk.world.log


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"source": replace(OLD, owner="999988887777")}, "they do not read another account"),
        ({"source": replace(OLD, profile="partner")}, "with --source-profile"),
        ({"target": replace(NEW, requester_pays=True)}, "cannot compare new by workers"),
        ({"deep": True}, "leave out --deep or --engine"),
    ],
)
def test_what_workers_cannot_compare_is_refused_before_anything_is_made(
    change: dict[str, object], why: str
) -> None:
    """With what to leave out."""
    desk = Desk()
    desk.pair = replace(desk.pair, **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=why):
        desk.run()
    assert list(desk.account.left_over()) == []


def test_a_type_that_no_workers_carry_is_refused() -> None:
    """Its card lists no such engine."""
    desk = Desk()
    with pytest.raises(InputError, match="cannot compare a box by workers; leave out --engine"):
        compare_by_workers(desk.context, box_kind(desk.world), desk.pair)
    plain = replace(box_kind(desk.world), copying=None)
    with pytest.raises(InputError, match="cannot compare a box by workers"):
        compare_by_workers(desk.context, plain, desk.pair)


def test_each_pair_has_workers_of_its_own() -> None:
    """The same pair always the same, within what AWS allows for names."""
    pair = Desk().pair
    versions, swapped = replace(pair, all_versions=True), replace(pair, source=NEW, target=OLD)
    alike = replace(pair, target=OLD)
    names = {name_comparison(one) for one in (pair, versions, swapped, alike)}
    assert len(names) == 4
    assert name_comparison(pair) == name_comparison(Desk().pair)
    assert all(len(f"dataware-map-111122223333-{name}") <= 63 for name in names)
