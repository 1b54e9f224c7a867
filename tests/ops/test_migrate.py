"""What is looked at before a copy by hand, and what refuses it while nothing is changed."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from dataware.core.errors import InputError, LookupFailedError, RefusedError
from dataware.core.model import (
    Content,
    Existence,
    Facts,
    Location,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Size,
)
from dataware.ops.context import Context, CopySettings
from dataware.ops.migrate import prepare_migration, report_target, with_recorded_depth
from dataware.ops.migration_policy import DEEP, FOLLOWED
from support.world import World, WorldAws, install

BOX = "Memory::Box"
OURS, THEIRS = "111122223333", "444455556666"
OLD, NEW = (Location(name, OURS, "eu-central-1") for name in ("old", "new"))
PLAIN = CopySettings()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """Two boxes, one of them full."""
    world = World(boxes={"old": {"k": "v"}, "new": {}}, identities={"old": 1, "new": 2})
    install(monkeypatch, world)
    return world


def prepare(there: World, source: Location = OLD, settings: CopySettings = PLAIN) -> Any:
    """The migration between both."""
    return prepare_migration(there.context(), BOX, source, NEW, settings)


def see(monkeypatch: pytest.MonkeyPatch, there: World, **more: Any) -> None:
    """Let the probe see some of the boxes so, by name; the others as they are."""

    def probe(_aws: object, name: str) -> Facts:
        facts = there.facts(name)
        return replace(facts, **more[name]) if name in more else facts

    install(monkeypatch, there, probe=probe)


def test_both_sides_and_the_record_are_looked_at_and_nothing_is_changed(there: World) -> None:
    """What is empty need not be copied."""
    found = prepare(there)
    assert (found.order.source, found.order.target) == (OLD, NEW)
    assert found.target.name == "new"
    assert not found.nothing_to_copy
    assert there.log == []
    there.boxes["old"].clear()
    assert prepare(there).nothing_to_copy
    there.markers["new"] = Marker(MarkerState.RUNNING, "old", "run-1")
    assert not prepare(there).nothing_to_copy


def test_a_type_that_is_not_copied_is_told_with_those_that_are() -> None:
    """Whatever stands there."""
    context = World().context()
    with pytest.raises(InputError, match="dataware cannot copy an SQS queue; it copies buckets"):
        prepare_migration(context, "AWS::SQS::Queue", OLD, NEW, PLAIN)


@pytest.mark.parametrize(("old", "new", "fits"), [("a", "b", False), ("a", "a", True)])
def test_keys_that_do_not_fit_are_refused(
    there: World, monkeypatch: pytest.MonkeyPatch, old: str, new: str, fits: bool
) -> None:
    """Where either side tells of none, nothing is known against it."""
    see(monkeypatch, there, old={"schema": old}, new={"schema": new})
    if fits:
        prepare(there)
    else:
        with pytest.raises(InputError, match="items cannot be copied as they are"):
            prepare(there)
    see(monkeypatch, there, old={"schema": old}, new={"schema": ""})
    prepare(there)


def test_what_goes_away_is_neither_read_nor_filled(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason."""
    for name in ("old", "new"):
        see(monkeypatch, there, **{name: {"obstacle": "is being deleted"}})
        with pytest.raises(RefusedError, match=f"^{name} is being deleted; nothing was changed"):
            prepare(there)


def test_what_may_belong_to_a_stranger_is_left_alone(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is read from it or written to it."""
    for name in ("old", "new"):
        see(monkeypatch, there, **{name: {"owner": Owner(Ownership.FOREIGN)}})
        with pytest.raises(RefusedError, match=f"memory box {name} belongs to account {OURS}"):
            prepare(there)


def test_a_target_that_a_copy_makes_need_not_be_there(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source has to."""
    install(monkeypatch, there, makes_target=True)
    del there.boxes["new"]
    assert prepare(there).target.existence is Existence.ABSENT
    del there.boxes["old"]
    with pytest.raises(InputError, match="there is no memory box old in account 111122223333, eu-"):
        prepare(there)


def test_a_whole_source_of_history_alone_is_refused(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part of it is looked at by itself."""
    history = {"content": Content.DATA, "size": Size(0, 0)}
    see(monkeypatch, there, old=history)
    with pytest.raises(RefusedError, match="old holds no current data, so nothing would be copied"):
        prepare(there)
    prepare(there, replace(OLD, prefix="in/"))
    prepare(there, settings=replace(PLAIN, all_versions=True))


def test_a_source_that_is_being_filled_is_refused(there: World) -> None:
    """It holds a part of the data."""
    there.markers["old"] = Marker(MarkerState.RUNNING, "first", "run-1")
    with pytest.raises(RefusedError, match=r"from first has not ended \(run run-1\)"):
        prepare(there)
    there.markers["old"] = Marker(MarkerState.COMPLETE, "first", "run-1")
    prepare(there)


def test_the_record_of_a_source_of_another_account_is_not_asked_for(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies there, and nobody here may see it."""
    monkeypatch.setattr(WorldAws, "expecting", lambda here, _owner: here, raising=False)
    there.markers["old"] = Marker(MarkerState.RUNNING, "first", "run-1")
    prepare(there, replace(OLD, owner=THEIRS))


class Reader:
    """The account of a profile, whose records a test may deny."""

    account, region = THEIRS, "us-east-1"

    def __init__(self, answer: Marker | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def get(self, slug: str, name: str) -> Marker:
        """The record, or why there is no answer."""
        self.asked.append((slug, name))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def read_by(there: World, reader: Reader, owner: str = THEIRS) -> Any:
    """Prepare a copy whose source a profile reads."""
    world = there.context()
    base = cast("Any", world.aws)

    class Profile:
        """The world, as the account of the profile."""

        def __getattr__(self, name: str) -> Any:
            return getattr(reader if name in ("account", "region") else base, name)

        def for_region(self, _region: str) -> Any:
            """The same."""
            return self

        def expecting(self, _owner: str) -> Any:
            """The same."""
            return self

    def move(context: Context, region: str) -> Context:
        assert region == "us-east-1"
        return replace(context, markers=cast("Any", reader))

    context = replace(world, open_profile=lambda _profile: cast("Any", Profile()), move=move)
    source = Location("old", owner, "us-east-1", profile="reader")
    return prepare_migration(context, BOX, source, NEW, PLAIN)


def test_a_profile_that_reads_a_source_sees_its_record(there: World) -> None:
    """In the region of the source; a source of a third account has none for it."""
    with pytest.raises(RefusedError, match="holds only part of the data"):
        read_by(there, Reader(Marker(MarkerState.RUNNING, "first", "run-1")))
    reader = Reader(Marker(MarkerState.RUNNING, "first", "run-1"))
    read_by(there, reader, owner="777788889999")
    assert reader.asked == []


def test_a_record_that_the_profile_may_not_see_is_a_warning(there: World) -> None:
    """Who only reads the source need not be allowed to."""
    read_by(there, Reader(LookupFailedError("denied")))
    assert [one.text() for one in there.events] == [
        "whether a migration into old is unfinished there is unknown: denied"
    ]


@pytest.mark.parametrize(
    ("follow", "detail", "deep"),
    [
        (True, {FOLLOWED: True, DEEP: True}, True),
        (True, {FOLLOWED: True}, False),
        (True, {DEEP: True}, False),
        (False, {FOLLOWED: True, DEEP: True}, False),
    ],
)
def test_a_follow_compares_as_deep_as_the_one_on_record(
    follow: bool, detail: dict[str, bool], deep: bool
) -> None:
    """Else the cut-over would miss what its rounds saw."""
    marker = Marker(MarkerState.RUNNING, "old", detail=detail)
    assert with_recorded_depth(CopySettings(follow=follow), marker).deep is deep


def test_a_follow_is_not_gone_on_with_as_a_copy(there: World) -> None:
    """Later changes would be left out."""
    there.markers["new"] = Marker(
        MarkerState.RUNNING, "old", "run-1", identity="2", detail={FOLLOWED: True}
    )
    with pytest.raises(RefusedError, match="run the same command with --follow"):
        prepare(there)
    prepare(there, settings=replace(PLAIN, follow=True))


def test_a_type_may_refuse_a_pair_of_places(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sees both as they will be copied."""
    asked: list[tuple[Location, Location]] = []
    indirect = SimpleNamespace(check_pair=lambda *pair: asked.append(pair))
    install(monkeypatch, there, indirect=indirect)
    found = prepare(there)
    assert asked == [(found.order.source, found.order.target)]


def test_what_is_known_of_a_target_is_told(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is copied."""
    see(monkeypatch, there, new={"notes": ("has uploads",)})
    report_target(there.context(), prepare(there))
    assert [one.text() for one in there.events] == ["new: has uploads"]
