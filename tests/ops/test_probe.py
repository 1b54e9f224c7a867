"""From names to facts: whose each is, where it lies, and what nobody could tell is unknown."""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from dataware.core.errors import LookupFailedError
from dataware.core.model import (
    NOT_ASKED,
    NOT_SHOWN,
    Content,
    Existence,
    Facts,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Problem,
    Wanted,
    absent,
)
from dataware.core.ports import Aws
from dataware.ops import probe
from dataware.ops.context import Context
from dataware.ops.probe import UNKNOWN_OWNER, _in_parallel, probe_all, probe_name
from support.world import World, box_kind, install

TYPE = "Memory::Box"
OURS, THEIRS = "111122223333", "444455556666"
FULL = Facts("new", Existence.EXISTS, Content.DATA)
STACK = "arn:aws:cloudformation:{}:{}:stack/App/1"


@dataclass
class Place:
    """An account whose boxes, owners and records are what a test says."""

    facts: dict[str, Facts] = field(default_factory=dict)
    owners: dict[str, Owner] = field(default_factory=dict)
    markers: dict[str, Marker] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    account: str = OURS
    region: str = "eu-central-1"
    partition: str = "aws"

    def probe(self, _aws: Aws, name: str) -> Facts:
        """What stands under a name."""
        self.asked.append(name)
        if f"look {name}" in self.denied:
            raise LookupFailedError(f"look {name}: denied")
        return self.facts.get(name, absent(name))

    def for_region(self, _region: str) -> Place:
        """The same."""
        return self

    def owner_of(self, _types: Collection[str], physical_id: str) -> Owner:
        """Who owns it."""
        if f"owner {physical_id}" in self.denied:
            raise LookupFailedError("denied")
        return self.owners.get(physical_id, Owner(Ownership.UNMANAGED))

    def get(self, _slug: str, name: str) -> Marker:
        """Its record."""
        if f"marker {name}" in self.denied:
            raise LookupFailedError("denied")
        return self.markers.get(name, Marker(MarkerState.NONE))

    def look(self, *fallbacks: str, **wanted: Any) -> tuple[Facts, tuple[Facts, ...]]:
        """The facts of what stack App wants as `new`."""
        given = {"stack": "App", "logical_id": "Box", "preferred": "new", **wanted}
        item = Wanted("App/Box", TYPE, fallbacks=fallbacks, **given)
        context = replace(World().context(), aws=cast("Any", self), markers=cast("Any", self))
        (found,) = probe_all(context, [item])
        return found


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Place:
    """An account with nothing in it."""
    place = Place()
    install(monkeypatch, World(), probe=place.probe)
    return place


def test_every_name_is_looked_at_once_and_stays_in_its_place(there: Place) -> None:
    """The preferred one first, then fallbacks in their order."""
    there.facts = {name: replace(FULL, name=name) for name in ("new", "old", "older")}
    preferred, fallbacks = there.look("older", "old", "gone")
    assert preferred.name == "new"
    assert [one.name for one in fallbacks] == ["older", "old", "gone"]
    assert fallbacks[2].existence is Existence.ABSENT
    assert sorted(there.asked) == ["gone", "new", "old", "older"]


def test_an_estimate_is_believed_of_the_preferred_one_alone(there: Place) -> None:
    """What would be left behind may hold something."""
    empty = Facts("new", Existence.EXISTS, Content.EMPTY, is_estimate=True)
    there.facts = {"new": empty, "old": replace(empty, name="old")}
    preferred, (fallback,) = there.look("old")
    assert (preferred.content, fallback.content) == (Content.EMPTY, Content.UNKNOWN)


def test_a_question_that_a_kind_does_not_answer_itself_is_a_problem(there: Place) -> None:
    """And the existence is unknown, never absent."""
    there.denied = {"look new"}
    preferred, _ = there.look()
    assert preferred.existence is Existence.UNKNOWN
    (problem,) = preferred.problems
    assert (problem.call, problem.decides) == ("probe", True)
    assert "look new: denied" in problem.detail


@pytest.mark.parametrize(
    ("owner", "seen"),
    [
        (Owner(Ownership.OTHER_STACK, "App", "Box"), Ownership.THIS_STACK),
        (Owner(Ownership.OTHER_STACK, "App", "Other"), Ownership.MOVED),
        (Owner(Ownership.OTHER_STACK, "Second", "Box"), Ownership.OTHER_STACK),
        (Owner(Ownership.OTHER_STACK, "Real", "Box", alias="App"), Ownership.THIS_STACK),
        (
            Owner(Ownership.OTHER_STACK, "App", "Box", STACK.format("eu-central-1", OURS)),
            Ownership.THIS_STACK,
        ),
        (
            Owner(Ownership.OTHER_STACK, "App", "Box", STACK.format("us-east-1", OURS)),
            Ownership.OTHER_STACK,
        ),
        (
            Owner(Ownership.OTHER_STACK, "App", "Box", STACK.format("eu-central-1", THEIRS)),
            Ownership.OTHER_STACK,
        ),
        (Owner(Ownership.UNMANAGED), Ownership.UNMANAGED),
    ],
)
def test_whose_a_resource_is_depends_on_the_stack_and_where_that_is(
    there: Place, owner: Owner, seen: Ownership
) -> None:
    """Two stacks of one name in two regions are two stacks."""
    there.facts, there.owners = {"new": FULL}, {"new": owner}
    home = {"account": OURS, "region": "eu-central-1"}
    preferred, _ = there.look(**home)
    assert preferred.owner.ownership is seen
    assert preferred.owner.stack == owner.stack
    loose, _ = there.look(**home, logical_id=None)
    expected = Ownership.THIS_STACK if seen is Ownership.MOVED else seen
    assert loose.owner.ownership is expected


def test_without_a_place_of_its_own_a_stack_of_that_name_is_the_one(there: Place) -> None:
    """A template alone does not say where it goes."""
    arn = STACK.format("us-east-1", OURS)
    there.facts = {"new": FULL}
    there.owners = {"new": Owner(Ownership.OTHER_STACK, "App", "Box", arn)}
    preferred, _ = there.look(account=OURS)
    assert preferred.owner.ownership is Ownership.THIS_STACK


def test_an_owner_is_looked_for_by_the_id_that_cloudformation_knows(there: Place) -> None:
    """Which is not the name of everything."""
    there.facts = {"new": replace(FULL, physical_id="box-1")}
    there.owners = {"box-1": Owner(Ownership.OTHER_STACK, "App", "Box")}
    preferred, _ = there.look()
    assert preferred.owner.ownership is Ownership.THIS_STACK


def test_an_owner_or_a_record_that_may_not_be_seen_is_unknown(there: Place) -> None:
    """Not nobody, and not none."""
    there.facts = {"new": FULL}
    there.denied = {"owner new", "marker new"}
    preferred, _ = there.look()
    assert preferred.owner.ownership is Ownership.UNKNOWN
    assert preferred.marker.state is MarkerState.UNKNOWN
    assert [(one.call, one.decides) for one in preferred.problems] == [
        ("DescribeStackResources", True),
        ("GetParameter", True),
    ]
    assert preferred.problems[0].consequence == UNKNOWN_OWNER


def test_what_lies_in_several_regions_has_the_owner_that_any_of_them_knows(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack elsewhere is another one, whatever it is called; one that may not be seen may be."""
    elsewhere = Place(owners={"new": Owner(Ownership.OTHER_STACK, "App", "Box")})
    regions = {"us-east-1": elsewhere}
    monkeypatch.setattr(Place, "for_region", lambda here, region: regions.get(region, here))
    there.facts = {"new": replace(FULL, other_regions=("eu-central-1", "us-east-1"))}
    assert there.look()[0].owner.ownership is Ownership.OTHER_STACK
    elsewhere.denied = {"owner new"}
    assert there.look()[0].owner.ownership is Ownership.UNKNOWN
    elsewhere.owners, elsewhere.denied = {}, set()
    assert there.look()[0].owner.ownership is Ownership.UNMANAGED


def test_a_resource_whose_region_was_not_seen_has_no_owner_that_is_known(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stack that is found is the owner; one that is not found proves nothing."""
    install(monkeypatch, World(), probe=there.probe, locate=lambda *_: None)
    there.facts = {"new": FULL}
    preferred, (gone,) = there.look("gone")
    assert preferred.owner.ownership is Ownership.UNKNOWN
    assert preferred.problems[0].code == NOT_ASKED
    assert "the region of the box" in preferred.problems[0].detail
    assert gone.owner.ownership is Ownership.UNMANAGED
    there.owners = {"new": Owner(Ownership.OTHER_STACK, "App", "Box")}
    assert there.look()[0].owner.ownership is Ownership.THIS_STACK
    there.owners, there.facts = {}, {"new": replace(FULL, region="eu-central-1")}
    assert there.look()[0].owner.ownership is Ownership.UNMANAGED


def test_what_a_stranger_owns_is_asked_for_nothing_more(there: Place) -> None:
    """Its stack and its record are none of ours."""
    there.facts = {"new": replace(FULL, owner=Owner(Ownership.FOREIGN))}
    there.denied = {"owner new", "marker new"}
    preferred, _ = there.look()
    assert preferred.owner.ownership is Ownership.FOREIGN
    assert preferred.problems == ()


SEVERAL = Facts("new", alike=("box-1", "box-2"))


def test_of_several_of_one_name_the_one_of_the_stack_is_meant(there: Place) -> None:
    """Under the name that the app has for it."""
    there.facts = {"new": SEVERAL, "box-2": replace(FULL, name="box-2", physical_id="box-2")}
    there.owners = {
        "box-1": Owner(Ownership.OTHER_STACK, "Second", "Box"),
        "box-2": Owner(Ownership.OTHER_STACK, "App", "Box"),
    }
    preferred, _ = there.look()
    assert (preferred.name, preferred.physical_id) == ("new", "box-2")
    assert preferred.owner.ownership is Ownership.THIS_STACK


@pytest.mark.parametrize("denied", [set(), {"owner box-1"}, {"owner box-1", "owner box-2"}])
def test_of_several_of_one_name_none_is_meant_where_the_stack_is_not_seen_to_have_one(
    there: Place, denied: set[str]
) -> None:
    """None of them is absent, either."""
    there.facts, there.denied = {"new": SEVERAL}, denied
    there.owners = {"box-2": Owner(Ownership.OTHER_STACK, "App", "Other")}
    preferred, _ = there.look()
    assert preferred.existence is Existence.UNKNOWN
    assert preferred.alike == SEVERAL.alike


def test_one_that_may_not_be_asked_for_hides_no_other(there: Place) -> None:
    """The next may be that of the stack."""
    there.facts = {"new": SEVERAL, "box-2": replace(FULL, name="box-2", physical_id="box-2")}
    there.denied = {"owner box-1"}
    there.owners = {"box-2": Owner(Ownership.OTHER_STACK, "App", "Box")}
    assert there.look()[0].physical_id == "box-2"


def elsewhere(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let some names be ARNs of another account."""
    real = probe.place_of

    def place_of(kind: Any, name: str, account: str, region: str) -> Any:
        found = real(kind, name, account, region)
        return replace(found, owner=THEIRS) if name in names else found

    monkeypatch.setattr(probe, "place_of", place_of)


def test_what_another_account_has_is_seen_without_its_stack_and_record(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are unknown, and what does not exist is absent all the same."""
    elsewhere(monkeypatch, "old", "gone")
    there.facts = {"old": replace(FULL, name="old")}
    _, (old, gone) = there.look("old", "gone")
    assert (old.account, old.content) == (THEIRS, Content.DATA)
    assert old.owner.ownership is Ownership.UNKNOWN
    assert old.marker.state is MarkerState.UNKNOWN
    assert old.problems[0].code == NOT_ASKED
    assert f"only account {THEIRS} can be asked" in str(old.problems[0])
    assert (gone.existence, gone.problems) == (Existence.ABSENT, ())


def running(source: str | None) -> Marker:
    """The record of a migration that goes on."""
    return Marker(MarkerState.RUNNING, source, "run-1")


def test_the_source_of_a_running_migration_is_looked_at_as_well(there: Place) -> None:
    """It stands last; one that the app names is not looked at twice."""
    there.facts = {"new": FULL, "first": replace(FULL, name="first")}
    there.markers = {"new": running("first")}
    _, fallbacks = there.look("old")
    assert [one.name for one in fallbacks] == ["old", "first"]
    assert fallbacks[1].content is Content.DATA
    _, named = there.look("first")
    assert [one.name for one in named] == ["first"]
    for marker in (running(None), Marker(MarkerState.COMPLETE, "first")):
        there.markers = {"new": marker}
        assert [one.name for one in there.look("old")[1]] == ["old"]


def test_a_source_that_is_gone_is_gone_but_for_one_of_another_account(
    there: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That may only not be shown."""
    there.facts, there.markers = {"new": FULL}, {"new": running("first")}
    (gone,) = there.look()[1]
    assert gone.existence is Existence.ABSENT
    elsewhere(monkeypatch, "first")
    (unseen,) = there.look()[1]
    assert (unseen.existence, unseen.account) == (Existence.UNKNOWN, THEIRS)
    assert unseen.problems[0].code == NOT_SHOWN
    assert "give --source-profile as before" in str(unseen.problems[0])
    there.facts["first"] = replace(FULL, name="first")
    (shown,) = there.look()[1]
    assert shown.owner.ownership is Ownership.UNKNOWN


def test_a_source_that_a_stranger_has_is_a_strangers(there: Place) -> None:
    """Nothing is read from it."""
    foreign = replace(FULL, name="first", owner=Owner(Ownership.FOREIGN))
    there.facts, there.markers = {"new": FULL, "first": foreign}, {"new": running("first")}
    there.denied = {"marker first"}
    (first,) = there.look()[1]
    assert first.owner.ownership is Ownership.FOREIGN
    assert first.marker.state is MarkerState.NONE


def test_the_first_error_ends_the_looks_that_have_not_begun() -> None:
    """Those that have begun end by themselves."""
    begun: list[int] = []
    ended = threading.Event()

    def work(number: int) -> None:
        begun.append(number)
        if number == 0:
            raise ZeroDivisionError
        assert ended.wait(30)

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(ZeroDivisionError):
            _in_parallel(pool, work, range(20))
        ended.set()
    assert begun in ([0], [0, 1])


def test_looks_that_take_long_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many of how many are done."""
    monkeypatch.setattr(probe, "TICK_SECONDS", 0.005)
    told: list[tuple[int, int]] = []
    slow = threading.Event()

    def report(done: int, total: int) -> None:
        told.append((done, total))
        if done == 1:
            slow.set()

    def work(number: int) -> int:
        if number:
            assert slow.wait(30)
        return number * 2

    with ThreadPoolExecutor(2) as pool:
        assert _in_parallel(pool, work, [0, 1], report) == [0, 2]
    assert (1, 2) in told


def test_a_long_look_is_an_event(there: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how long it takes by now."""
    monkeypatch.setattr(probe, "TICK_SECONDS", 0.005)
    world, told = World(), threading.Event()

    def emit(happened: Any) -> None:
        world.events(happened)
        told.set()

    def look(_aws: Aws, name: str) -> Facts:
        assert told.wait(30)
        return absent(name)

    install(monkeypatch, World(), probe=look)
    context: Context = replace(world.context(), aws=cast("Any", there), markers=cast("Any", there))
    probe_all(replace(context, emit=emit), [Wanted("id", TYPE, "new")])
    first = world.events[0]
    assert (first.code, first.data["done"], first.data["total"]) == ("look-progress", 0, 1)


def test_a_problem_of_a_denied_look_is_that_of_the_service(there: Place) -> None:
    """With the permission that it takes."""
    problem = Problem("GetBox", "AccessDenied", "box:Get")

    def fail(_aws: Aws, _name: str) -> Facts:
        raise LookupFailedError("denied", problem)

    kind = replace(box_kind(World()), probe=fail)
    (found,) = probe_name(cast("Aws", there), kind, "new").problems
    assert (found.call, found.permission, found.decides) == ("GetBox", "box:Get", True)
