"""A rehearsal leaves no trace, wherever it is killed, and removes nothing that it has not made."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.errors import (
    DatawareError,
    IncompleteError,
    InputError,
    LookupFailedError,
    RefusedError,
)
from dataware.core.kind import DescribedProperties, Kind
from dataware.core.model import Location, Marker, MarkerState
from dataware.core.ports import Aws
from dataware.core.rehearsal import Rehearsal
from dataware.kinds import kinds, load
from dataware.ops.context import Context, CopySettings, CreationWatch, TargetToMake
from dataware.ops.inputs.prices import list_prices
from dataware.ops.rehearse import rehearse
from support.copying import Events
from support.rehearsals import kill_at_every_step
from support.world import World, WorldHold, install

BOX = "Memory::Box"
OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
PLAIN = CopySettings()


@dataclass(frozen=True)
class StackHold(WorldHold):
    """Creates boxes by a stack that stays until what it made is on record."""

    stacks: set[str] = field(default_factory=set)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """The stack is there before the box is."""
        names = {target.wanted.preferred for target in targets}
        self.stacks.update(names)
        for _, wanted in targets:
            tags = {one["Key"]: one["Value"] for one in wanted.properties["Tags"]}
            self.tags[wanted.preferred] = tags
        super().create_together(targets, watch, filled=filled)
        self.stacks.difference_update(names)

    def release(self, _kind: Kind, name: str) -> bool:
        """Remove the stack; whether it had made the box."""
        left = name in self.stacks
        self.stacks.discard(name)
        return left and name in self.world.boxes


class Stage:
    """A full box, an empty one, one of somebody else, and a rehearsal of the first two."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = World(
            boxes={"old": {f"k{n}": "v" for n in range(7)}, "new": {}, "other": {"a": "b"}},
            identities={"old": 1, "new": 2, "other": 3},
        )
        self.hold: StackHold = StackHold(self.world)
        self.rehearsal = Rehearsal(
            ("Size",), 40, "a-z0-9-", lambda _aws, name: self.hold.tags.get(name, {}), self._remove
        )
        install(
            monkeypatch,
            self.world,
            rehearsal=lambda: self.rehearsal,
            describe=lambda _aws, _name: DescribedProperties({"Size": 3, "Lock": True}),
        )
        self.before = copy.deepcopy(self.world.boxes)

    def _remove(self, _aws: Aws, name: str) -> None:
        assert name == self.scratch
        self.world.moment(f"remove {name}")
        del self.world.boxes[name], self.hold.tags[name]
        self.world.moment(f"removed {name}")

    @property
    def scratch(self) -> str:
        """The name of the scratch box."""
        return self.rehearsal.name_scratch(OLD, NEW)

    def context(self) -> Context:
        """The world as a run is given it."""
        return replace(self.world.context(), hold=self.hold)

    def rehearse(self) -> None:
        """Rehearse as one process would."""

        def forget(_kind: str, name: str) -> None:
            self.world.moment("forget")
            del self.world.markers[name]

        try:
            rehearse(self.context(), BOX, (OLD, NEW), PLAIN, list_prices(), forget)
        finally:
            # Whatever a process held is free once it is gone.
            for name, marker in self.world.markers.items():
                self.world.markers[name] = replace(marker, alive=False)

    def check_clean(self) -> None:
        """Nothing is there that was not there before, and nothing of that has changed."""
        assert self.world.boxes == self.before
        assert not self.hold.stacks


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A stage before the rehearsal."""
    return Stage(monkeypatch)


def test_a_rehearsal_says_what_it_took_and_leaves_nothing(stage: Stage) -> None:
    """The whole job: made, copied, verified, removed, and forgotten."""
    stage.rehearse()
    stage.check_clean()
    assert stage.world.markers == {}
    writes = [step for step in stage.world.log if step.startswith("write")]
    assert len(writes) == 7
    assert f"verify {stage.scratch}" in stage.world.log
    codes = stage.world.events.codes
    assert codes.index("rehearsing") < codes.index("migrated") < codes.index("rehearsed")
    (text,) = stage.world.events.texts("rehearsed")
    assert text.startswith("Rehearsed old → new in ")
    assert "7 keys copied in 1 s (7/s) and verified in 1 s" in text


def test_wherever_it_is_killed_the_same_command_cleans_up_and_rehearses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At every single step outside of its own memory, also twice in a row."""
    assert kill_at_every_step(lambda: Stage(monkeypatch)) > 30


def test_a_resource_of_the_scratch_name_that_no_rehearsal_made_is_left_alone(stage: Stage) -> None:
    """Nothing but the record tells what may be removed."""
    stage.world.make(stage.scratch)
    stage.world.boxes[stage.scratch]["theirs"] = "kept"
    with pytest.raises(RefusedError, match="no rehearsal on record made it"):
        stage.rehearse()
    assert stage.world.boxes[stage.scratch] == {"theirs": "kept"}


@pytest.mark.parametrize("created", [True, False])
def test_one_that_was_made_anew_since_is_left_alone(stage: Stage, created: bool) -> None:
    """The record tells of another resource under the same name, or of none that it had made."""
    stage.world.make(stage.scratch)
    identity = str(stage.world.identities[stage.scratch])
    detail = {"identity": f"{identity}0" if created else identity}
    stage.world.markers[stage.scratch] = Marker(
        MarkerState.RUNNING, "old", "run-1", created=created, detail=detail
    )
    with pytest.raises(RefusedError, match="no rehearsal on record made it"):
        stage.rehearse()
    assert stage.scratch in stage.world.boxes


@pytest.mark.parametrize("trouble", ["archived", "dropped"])
def test_a_rehearsal_that_fails_removes_what_it_made_and_says_why(
    stage: Stage, trouble: str
) -> None:
    """What would end the real job ends this one, and nothing stays."""
    getattr(stage.world, trouble).update({"k1"})
    if trouble == "dropped":
        stage.rehearse()
    else:
        with pytest.raises(IncompleteError, match="1 key not copied"):
            stage.rehearse()
        assert "rehearsed" not in stage.world.events.codes
    stage.check_clean()
    assert stage.world.markers == {}


@dataclass(frozen=True)
class LostHold(StackHold):
    """Hears nothing of the end of its first creation; nor of what is left, while it is `silent`."""

    late: set[str] = field(default_factory=set)
    silent: list[bool] = field(default_factory=lambda: [False])

    def create_together(
        self, targets: Sequence[TargetToMake], watch: CreationWatch, *, filled: bool
    ) -> None:
        """The stack goes on when nobody looks any more."""
        if "lost" in self.world.log:
            super().create_together(targets, watch, filled=filled)
            return
        self.world.moment("lost")
        for _, wanted in targets:
            self.stacks.add(wanted.preferred)
            self.late.add(wanted.preferred)
            tags = {one["Key"]: one["Value"] for one in wanted.properties["Tags"]}
            self.tags[wanted.preferred] = tags
            watch.report_failed(wanted, LookupFailedError("no answer"))

    def release(self, kind: Kind, name: str) -> bool:
        """Wait until the stack has made the box, and remove the stack."""
        if self.silent[0] and "lost" in self.world.log:
            raise LookupFailedError("no answer")
        if name in self.late:
            self.late.discard(name)
            self.world.make(name)
        return super().release(kind, name)


@pytest.mark.parametrize("is_silent", [False, True])
def test_what_comes_of_a_creation_whose_end_nobody_saw_is_removed(
    stage: Stage, is_silent: bool
) -> None:
    """By the run itself, or, since it stays on record, by the same command."""
    lost = LostHold(stage.world, silent=[is_silent])
    stage.hold = lost
    with pytest.raises(DatawareError, match="no answer"):
        stage.rehearse()
    assert bool(stage.world.markers) is is_silent
    lost.silent[0] = False
    if is_silent:
        stage.rehearse()
    stage.check_clean()
    assert stage.world.markers == {}


def test_a_rehearsal_that_goes_on_elsewhere_keeps_its_record_and_its_stack(stage: Stage) -> None:
    """Whoever rehearses the same pair beside it is refused, and touches nothing."""
    stage.hold.stacks.add(stage.scratch)
    stage.world.markers[stage.scratch] = Marker(
        MarkerState.RUNNING, "old", "run-1", created=True, alive=True
    )
    with pytest.raises(RefusedError, match="another run is alive"):
        stage.rehearse()
    assert stage.hold.stacks == {stage.scratch}
    assert stage.scratch in stage.world.markers


def test_the_scratch_resource_takes_over_what_decides_about_writing(stage: Stage) -> None:
    """And nothing that others hear of, or that would keep it from being removed."""
    chosen = stage.rehearsal.choose_properties({"Size": 3, "Lock": True, "Tags": []}, "scratch")
    tag = {"Key": "dataware-rehearsal", "Value": "scratch"}
    assert chosen == {"Size": 3, "Tags": [tag]}


def test_a_type_that_is_not_rehearsed_says_so(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bad input, with the way on."""
    install(monkeypatch, stage.world, rehearsal=None)
    with pytest.raises(InputError, match="without --rehearse"):
        stage.rehearse()
    assert stage.world.events == Events()


def rehearsed_kinds() -> Iterator[Kind]:
    """Every type that is rehearsed."""
    return (one for one in kinds() if one.copying is not None and one.copying.rehearsal is not None)


NAMES = st.text("abcXYZ09._-", min_size=3, max_size=255)


@given(NAMES, NAMES, st.sampled_from(["AWS::DynamoDB::Table", "AWS::S3::Bucket"]))
def test_a_scratch_name_keeps_the_law_of_its_type_and_is_that_of_one_pair(
    source: str, target: str, cfn_type: str
) -> None:
    """Whatever the names are; it is never that of the source or the target."""
    copying = load(cfn_type).require_copying()
    assert copying.rehearsal is not None
    rehearsal = copying.rehearsal()
    one, other = (Location(name, "1" * 12, "eu-central-1") for name in (source, target))
    name = rehearsal.name_scratch(one, other)
    assert name == rehearsal.name_scratch(one, other)
    assert name not in {source, target}
    assert name != rehearsal.name_scratch(one, replace(other, name=f"{target}x"))
    assert name != rehearsal.name_scratch(replace(one, region="eu-west-1"), other)
    assert len(name) <= rehearsal.longest_name
    plain = target.rstrip(".-").isalnum() and target[0].isalnum() and target == target.lower()
    if plain or cfn_type == "AWS::DynamoDB::Table":
        assert load(cfn_type).names.check(name) is None


def test_no_property_of_a_scratch_resource_keeps_it_or_acts_on_what_is_written() -> None:
    """Protection from deletion, locks, streams, notifications and lifecycles stay behind."""
    words = ("Deletion", "Lock", "Stream", "Notification", "Replica", "Lifecycle", "TimeToLive")
    for kind in rehearsed_kinds():
        make = kind.require_copying().rehearsal
        assert make is not None
        assert not [name for name in make().properties for word in words if word in name]
