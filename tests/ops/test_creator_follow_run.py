"""A service makes the target of a follow: every change since the time it is of is carried."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataware.core.copier import CopyOrder
from dataware.core.engines.card import EngineName
from dataware.core.engines.port import (
    CreationProgress,
    CreatorWords,
    FailedItem,
    Preparation,
    Record,
)
from dataware.core.errors import IncompleteError, RefusedError
from dataware.core.follow import loop
from dataware.core.follow.feed import CarryOutcome, FeedRound, Gap
from dataware.core.follow.following import Following
from dataware.core.kind import Kind
from dataware.core.model import Location, MarkerState, Wanted
from dataware.kinds.dynamodb_table.export.table_import import TableImport
from dataware.kinds.dynamodb_table.restore import TableRestore
from dataware.ops.context import CopySettings
from dataware.ops.creator_follow_run import CreatorFollowRun, NoCarrier
from dataware.ops.creator_run import make_creator_run
from dataware.ops.follow import difference, follow_run
from dataware.ops.migration_policy import Migration
from dataware.ops.run_migration import run_migration
from dataware.state.follow_file import FollowFile
from support.copying import Killed
from support.world import World, WorldAws, box_kind, change_card

OLD = Location("old", "111122223333", "eu-central-1")
NEW = Location("new", "111122223333", "eu-central-1")


ENGINES = (EngineName.RESTORE, EngineName.EXPORT_IMPORT)


@dataclass
class LiveBox:
    """A box that is written to, a log of its changed keys, and a service that restores it.

    `meddle` is called at every step, and may write. A restore gives the box as it was when its time
    was chosen, after `patience` looks; an import takes an export first, keeps its request on
    record, and leaves out the keys of `unfit`.
    """

    world: World
    log: list[str] = field(default_factory=list)
    chosen: dict[int, dict[str, str]] = field(default_factory=dict)
    meddle: Callable[[str], None] = lambda _step: None
    has_feed: bool = True
    engine: EngineName = EngineName.RESTORE
    unfit: frozenset[str] = frozenset()
    patience: int = 2
    looks: int = 0
    pauses: int = 0

    def write(self, key: str, value: str | None) -> None:
        """What an app does with the source."""
        box = self.world.boxes["old"]
        if value is None:
            box.pop(key, None)
        else:
            box[key] = value
        self.log.append(key)

    def step(self, what: str) -> None:
        """One step in the outside world."""
        self.world.moment(what)
        self.meddle(what)

    # --- the creator

    @property
    def words(self) -> CreatorWords:
        """Those of a restore, or of an import."""
        return TableImport.words if self.exports else TableRestore.words

    @property
    def exports(self) -> bool:
        """Whether the target is made out of an export."""
        return self.engine is EngineName.EXPORT_IMPORT

    def find_problem(self, _source: Location, _properties: Mapping[str, Any]) -> str:
        """Nothing stands against it."""
        return ""

    def find_request(
        self, _source: Location, _target: Location, _since: float, before: Record
    ) -> Record:
        """The box as it is now, or as it was when it was exported."""
        if self.exports and before.get("time"):
            return dict(before)
        number = len(self.chosen) + 1
        self.chosen[number] = dict(self.world.boxes["old"])
        self.step("chosen")
        return {"time": number, "times": [*before.get("times", []), number]}

    def prepare(self, record: Record, _source: Location) -> Preparation:
        """An export, which is there at the second look; a restore needs none."""
        if not self.exports or record.get("ready"):
            return Preparation(record)
        self.step("prepared")
        done = bool(record.get("export"))
        return Preparation({**record, "export": True, "ready": done}, ready=done)

    def list_parts(self, _record: Record) -> list[str]:
        """Nothing beside the target."""
        return []

    def clean(self, _record: Record) -> None:
        """Nothing is left."""

    def begin(
        self, record: Record, _source: Location, _target: Location, _given: Mapping[str, Any]
    ) -> Record:
        """Make the target."""
        if "new" not in self.world.boxes:
            self.world.make("new")
            chosen = self.chosen[record["time"]].items()
            self.world.boxes["new"].update({k: v for k, v in chosen if k not in self.unfit})
            self.looks = 0
        self.step("asked")
        return record

    def look(self, _record: Record, _target: Location) -> CreationProgress:
        """Whole after some looks."""
        self.step("looked")
        exists = "new" in self.world.boxes
        self.looks += exists
        problem = "some did not fit" if self.unfit else ""
        counts = {"imported": 5, "errors": len(self.unfit)} if self.exports else {}
        done = exists and self.looks > self.patience
        return CreationProgress(exists, done, problem=problem * exists, counts=counts)

    def read_failures(self, _record: Record, _target: Location) -> Iterator[FailedItem]:
        """Nothing is reported."""
        return iter(())

    def repair(self, _target: Location, _properties: Mapping[str, Any]) -> list[str]:
        """Something is set."""
        self.step("repaired")
        return ["tags"]

    def describe(self, record: Record) -> str:
        """The number of the choice."""
        return f"time {record['time']}"

    # --- the feed and the carrier

    def open(self, position: Mapping[str, Any] | None, _now: float) -> Mapping[str, Any]:
        """From the end of the log on."""
        return position or {"at": len(self.log)}

    def poll(self, _now: float) -> FeedRound:
        """What was logged since; the log is never cut."""
        return FeedRound(frozenset(key.encode() for key in self.log), {"at": 0})

    async def carry(self, keys: Collection[bytes]) -> CarryOutcome:
        """The current state of each key."""
        self.step("carried")
        for key in keys:
            text = key.decode()
            if text in self.world.boxes["old"]:
                self.world.boxes["new"][text] = self.world.boxes["old"][text]
            else:
                self.world.boxes["new"].pop(text, None)
        return CarryOutcome(carried=frozenset(keys))


class CutFeed:
    """The feed of a box from a place in its log on, as a stream is read."""

    def __init__(self, box: LiveBox) -> None:
        self._box = box
        self._at = 0

    def open(self, position: Mapping[str, Any] | None, _now: float) -> Mapping[str, Any]:
        """From a position, or from now on."""
        self._at = int(position["at"]) if position else len(self._box.log)
        return {"at": self._at}

    def poll(self, _now: float) -> FeedRound:
        """What was logged since the last round."""
        keys = frozenset(key.encode() for key in self._box.log[self._at :])
        self._at = len(self._box.log)
        return FeedRound(keys, {"at": self._at})


@dataclass(frozen=True)
class BusyAws(WorldAws):
    """A control plane in which time passes only by pauses, which end on a wish to stop."""

    box: LiveBox | None = None
    stop: Callable[[], bool] = lambda: False

    def pause(self, _seconds: float) -> None:
        """Count. Raises IncompleteError on a stop."""
        assert self.box is not None
        self.box.pauses += 1
        if not self.box.has_feed:
            time.sleep(0.001)
        if self.stop():
            raise IncompleteError("stopped")


@dataclass(frozen=True)
class Files:
    """The states of follows in a folder."""

    folder: Path

    def open(self, kind: str, target: str, run: str, lost: Collection[Gap]) -> FollowFile:
        """Go on with what is there."""
        return FollowFile(self.folder / f"{kind}-{target}", run, lost)


def kind_of(box: LiveBox) -> Kind:
    """A card whose boxes can be followed."""
    following = Following(
        feed_noun="log",
        find_feed=lambda _aws, _name: "log" if box.has_feed else None,
        enable_feed=lambda _aws, _name: "log",
        disable_feed=lambda _aws, _name, _id: True,
        make_feed=lambda _aws, _name: CutFeed(box),
        make_carrier=lambda *_given: box,
        find_expired=lambda *_given: frozenset(),
        forecast=lambda *_given: pytest.fail("nobody asks for a forecast"),
    )
    return change_card(box_kind(box.world), following=lambda: following)


def live_box(**more: Any) -> LiveBox:
    """A source with five keys."""
    boxes = {"old": {f"k{n}": f"v{n}" for n in range(5)}}
    return LiveBox(World(boxes=boxes, identities={"old": 1}), **more)


def run(box: LiveBox, folder: Path, pauses: int = 30, until_equal: bool = False) -> None:
    """One run, as `apply --engine restore --follow` starts it; ended after some pauses."""
    there, kind = box.world, kind_of(box)
    facts = there.facts("new")
    missing = "new" not in there.boxes
    box.pauses = 0

    def stop() -> bool:
        # A comparison runs on a thread of its own: pauses are short, and it may take many of them.
        waits = until_equal or not box.has_feed
        there_yet = not waits or there.boxes.get("new") == there.boxes["old"]
        return box.pauses >= (pauses if there_yet else 100 * pauses)

    migration = Migration(
        kind,
        CopyOrder(OLD, NEW),
        CopySettings(follow=True),
        facts.marker,
        facts,
        create=(lambda: None) if missing else None,
    )
    context = replace(
        there.context(stop),
        aws=BusyAws(there, box=box, stop=stop),
        follow_states=Files(folder),
    )
    wanted = Wanted("Box", kind.cfn_type, "new", ("old",))
    steps = make_creator_run(box.engine, box, wanted, CreatorFollowRun)
    run_migration(context, migration, make_run=steps)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is on its way for a minute here, and nobody waits for a feed."""
    for module in (follow_run, loop):
        monkeypatch.setattr(module, "UNKNOWN_OUTCOME_SECONDS", 0.0)
    monkeypatch.setattr(follow_run, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(difference, "LEAST_PAUSE", 0.0)


def write_at_each_step(box: LiveBox) -> None:
    """Put, change and delete in the source at every step of the service and of the carrying."""
    numbers = iter(range(1000))

    def meddle(step: str) -> None:
        if step in ("chosen", "prepared", "asked", "looked", "repaired", "verify old", "carried"):
            number = next(numbers)
            if number < 25:
                box.write(f"k{number % 7}", None if number % 3 == 2 else f"new-{number}")

    box.meddle = meddle


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("has_feed", [True, False])
def test_what_changes_while_the_target_is_made_is_carried(
    tmp_path: Path, has_feed: bool, engine: EngineName
) -> None:
    """By the feed, which is opened before the time is chosen; or by comparing again and again."""
    box = live_box(has_feed=has_feed, engine=engine)
    write_at_each_step(box)
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path, pauses=400)
    assert box.world.boxes["new"] == box.world.boxes["old"]
    assert box.world.markers["new"].state is MarkerState.RUNNING
    codes, words = box.world.events.codes, box.words
    assert codes.index(words.begins) < codes.index(words.ends) < codes.index("following")
    assert "found" not in codes, "nothing is copied that the service has brought"
    told = f"the log is read during the {words.noun}, so leave this command running"
    assert (told in " ".join(box.world.events.texts("note"))) is has_feed


def test_the_comparison_that_ends_a_restore_finds_what_no_feed_tells(tmp_path: Path) -> None:
    """What a service left out is carried, and told."""
    box = live_box()

    def meddle(step: str) -> None:
        if step == "repaired":
            del box.world.boxes["new"]["k3"]

    box.meddle = meddle
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path)
    assert box.world.boxes["new"] == box.world.boxes["old"]
    assert "1 key changed since time 1" in " ".join(box.world.events.texts("note"))


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moments=st.lists(st.integers(0, 25), min_size=1, max_size=3), engine=st.sampled_from(ENGINES)
)
def test_killed_anywhere_no_change_is_lost(
    moments: list[int], engine: EngineName, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What changes between two runs, too; what others wrote to the whole target stays."""
    box, folder = live_box(engine=engine), tmp_path_factory.mktemp("follow")
    write_at_each_step(box)
    for number, moment in enumerate(moments):
        box.world.kill_at = moment
        try:
            run(box, folder)
        except (Killed, IncompleteError):
            box.world.kill_at = None
        box.write(f"between-{number}", "v")
        box.write(f"k{number}", f"between {number}")
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, folder, pauses=60, until_equal=True)
    assert box.world.boxes["new"] == box.world.boxes["old"]


def test_what_others_wrote_to_a_target_that_was_whole_is_no_change_of_the_source(
    tmp_path: Path,
) -> None:
    """Only what the feed tells of is carried then, though both sides differ."""
    box = live_box()
    box.world.kill_on = "repaired"
    with pytest.raises(Killed):
        run(box, tmp_path)
    box.world.boxes["new"]["theirs"] = "theirs"
    box.write("k1", "changed")
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path)
    assert box.world.boxes["new"] == {**box.world.boxes["old"], "theirs": "theirs"}


def test_what_an_import_left_out_is_carried_also_if_the_table_was_whole_before(
    tmp_path: Path,
) -> None:
    """What the table lacks comes from the source; what others wrote there stays."""
    box = live_box(engine=EngineName.EXPORT_IMPORT, unfit=frozenset({"k2"}))
    box.world.kill_on = "repaired"
    with pytest.raises(Killed):
        run(box, tmp_path)
    assert "k2" not in box.world.boxes["new"]
    box.world.boxes["new"] |= {"theirs": "theirs", "k3": "theirs"}
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path)
    assert box.world.boxes["new"] == {
        **box.world.boxes["old"], "theirs": "theirs", "k3": "theirs",
    }  # fmt: skip


@pytest.mark.parametrize("listed", [100_000, 1])
def test_a_target_that_was_whole_is_compared_as_well(
    listed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it lacks comes from the source, more than is listed as well; what it has is kept."""
    monkeypatch.setattr("dataware.verify.verdict.LISTED", listed)
    box = live_box()
    box.world.kill_on = "repaired"
    with pytest.raises(Killed):
        run(box, tmp_path)
    there = box.world.boxes["new"]
    del there["k2"], there["k4"]
    there |= {"theirs": "theirs", "k3": "theirs"}
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path)
    assert there == {**box.world.boxes["old"], "theirs": "theirs", "k3": "theirs"}
    assert "2 keys changed since time 1" in " ".join(box.world.events.texts("note"))
    assert "2 keys of new differ from old" in " ".join(box.world.events.texts("warning"))
    assert any(step.startswith("write") for step in box.world.log) is (listed == 1)


def test_a_stop_during_the_restore_says_that_it_goes_on(tmp_path: Path) -> None:
    """And the next run goes on with the same one."""
    box = live_box(patience=100)
    with pytest.raises(IncompleteError, match="the restore of new goes on in AWS, and cannot"):
        run(box, tmp_path, pauses=5)
    box.patience = 0
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path)
    assert len(box.chosen) == 1
    assert box.world.boxes["new"] == box.world.boxes["old"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_feed_that_breaks_ends_the_watching_at_once(
    tmp_path: Path, engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service takes hours, and a feed forgets within a day what nobody reads."""
    box = live_box(patience=5000, engine=engine)

    def let_others_run(_step: str) -> None:
        time.sleep(0.0002)

    def fail(_feed: CutFeed, _now: float) -> FeedRound:
        if not box.looks:
            return FeedRound(frozenset(), {"at": 0})
        raise RefusedError("the log is not what it was")

    box.meddle = let_others_run
    with monkeypatch.context() as patch:
        patch.setattr(CutFeed, "poll", fail)
        with pytest.raises(RefusedError, match="the log is not what it was"):
            run(box, tmp_path, pauses=10_000)
    assert 0 < box.looks < 1000
    box.patience, box.meddle = 0, lambda _step: None
    with pytest.raises(IncompleteError, match="stopped following"):
        run(box, tmp_path)
    assert len(box.chosen) == 1
    assert box.world.boxes["new"] == box.world.boxes["old"]


def test_nothing_is_carried_before_there_is_a_target() -> None:
    """A key that comes too early waits for the follow."""
    assert NoCarrier().carry([b"k"], 0.0) == CarryOutcome(failed=frozenset({b"k"}))


def test_a_target_that_others_made_is_refused(tmp_path: Path) -> None:
    """The service says that it is another one."""
    box = live_box()

    def meddle(step: str) -> None:
        if step == "asked":
            raise RefusedError("new exists, and is not what this migration restored")

    box.meddle = meddle
    with pytest.raises(RefusedError, match="is not what this migration restored"):
        run(box, tmp_path)
