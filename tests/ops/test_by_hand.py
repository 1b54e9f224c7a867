"""The commands by hand: migrate, verify, iam-policy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from dataware.core.errors import InputError, NotFoundError, RefusedError
from dataware.core.model import Facts, Location, Marker, MarkerState, Wanted
from dataware.kinds import load
from dataware.ops.context import CopySettings
from dataware.ops.migrate_by_hand import migrate
from dataware.ops.policy import iam_policy
from dataware.ops.verify import describe_key, name_keys_in_target, verify
from dataware.verify.merge import DifferenceKind, KeyDifference
from dataware.verify.verdict import Verdict
from support.world import World, install

BOX = "Memory::Box"
OLD, NEW = (Location(name, "111122223333", "eu-central-1") for name in ("old", "new"))
PLAIN = CopySettings()


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> World:
    """Two boxes, one of them full."""
    world = World(
        boxes={"old": {f"k{n}": "v" for n in range(5)}, "new": {}},
        identities={"old": 1, "new": 2},
    )
    install(monkeypatch, world)
    return world


@pytest.mark.parametrize("name", ["old", "new"])
def test_a_side_of_a_comparison_that_is_not_there_says_where_to_look(
    there: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A mistyped name, another region and another account look the same."""

    def read(*_arguments: object) -> None:
        raise NotFoundError(f"box {name} does not exist")

    monkeypatch.setattr("dataware.ops.verify.run_comparison", read)
    with pytest.raises(NotFoundError, match=f"box {name} does not exist; check the name, the reg"):
        verify(there.context(), BOX, OLD, NEW)


def test_a_copy_by_hand_is_verified_and_recorded(there: World) -> None:
    """`migrate` does what `apply` does, between two places that exist."""
    migrate(there.context(), BOX, OLD, NEW, PLAIN)
    assert there.boxes["new"] == there.boxes["old"]
    assert there.markers["new"].state is MarkerState.COMPLETE
    assert "copying" in there.events.codes


@pytest.mark.parametrize("name", ["old", "new"])
def test_both_sides_have_to_exist(there: World, name: str) -> None:
    """A side that is not there is bad input that names it."""
    del there.boxes[name]
    with pytest.raises(InputError, match=f"there is no memory box {name}"):
        migrate(there.context(), BOX, OLD, NEW, PLAIN)
    assert there.log == []


def test_an_unfinished_migration_from_elsewhere_is_not_mixed_up(there: World) -> None:
    """A target holds one migration at a time."""
    there.markers["new"] = Marker(MarkerState.RUNNING, source="third", run="r")
    with pytest.raises(RefusedError, match="from third into new is unfinished"):
        migrate(there.context(), BOX, OLD, NEW, PLAIN)


def test_a_source_that_is_being_filled_is_not_copied(there: World) -> None:
    """A part of the data is not taken for the whole by the next one in a chain."""
    there.markers["old"] = Marker(MarkerState.RUNNING, source="older", run="r")
    with pytest.raises(RefusedError, match="old holds only part of the data"):
        migrate(there.context(), BOX, OLD, NEW, PLAIN)
    assert there.boxes["new"] == {}


@pytest.mark.parametrize("command", ["migrate", "verify"])
def test_a_kind_that_is_not_copied_says_so(
    there: World, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """What a card lacks is bad input, not a crash."""
    install(monkeypatch, there, copying=None)
    use: Callable[[], object] = {
        "migrate": lambda: migrate(there.context(), BOX, OLD, NEW, PLAIN),
        "verify": lambda: verify(there.context(), BOX, OLD, NEW),
    }[command]
    with pytest.raises(InputError, match="memory box"):
        use()


def test_verify_tells_every_difference(there: World) -> None:
    """Differences are listed by side and key, and summed up."""
    there.boxes["new"].update({"k0": "other", "z": "v"})
    verdict = verify(there.context(), BOX, OLD, NEW)
    assert verdict.differences == 6
    assert there.events.texts("difference")[0] == "different in box://new: k0"
    assert there.events.texts("differences") == [
        "old and new differ: 4 missing, 1 extra, 1 different"
    ]


def test_many_differences_are_grouped_the_rarest_first(there: World) -> None:
    """A single different key is seen beside a thousand missing ones, and the rest is counted."""
    there.boxes["old"] = {f"k{n:04}": "v" for n in range(1461)}
    there.boxes["new"] = {"k1000": "other", "x": "v", "y": "v"}
    verify(there.context(), BOX, OLD, NEW)
    told = there.events.texts("difference")
    assert told[:3] == [
        "different in box://new: k1000",
        "extra in box://new: x",
        "extra in box://new: y",
    ]
    assert told[3:] == [f"missing in box://new: k{n:04}" for n in range(10)]
    assert there.events.texts("difference-more") == [
        "missing in box://new: … and 1,450 more keys, which `dataware report` lists"
    ]


def test_keys_of_differences_are_those_of_the_target() -> None:
    """Where prefixes differ, the target's stands before what it lacks or has otherwise."""
    source, target = replace(OLD, prefix="a\n/"), replace(NEW, prefix="b/")
    kinds = (DifferenceKind.MISSING, DifferenceKind.DIFFERENT)
    verdict = Verdict(listed=[KeyDifference(kind, r"a\n/1") for kind in kinds])
    verdict.listed.append(KeyDifference(DifferenceKind.EXTRA, "b/2"))
    named = name_keys_in_target(verdict, source, target)
    assert [one.label for one in named.listed] == ["b/1", "b/1", "b/2"]
    assert name_keys_in_target(verdict, source, source) is verdict


def test_a_run_that_is_refused_by_the_lock_announces_nothing(there: World) -> None:
    """That a migration is resumed is told once it is."""
    there.markers["new"] = Marker(MarkerState.RUNNING, source="old", run="r", alive=True)
    with pytest.raises(RefusedError, match="another run is alive"):
        migrate(there.context(), BOX, OLD, NEW, PLAIN)
    assert "resuming" not in there.events.codes


def test_an_empty_source_is_told_as_empty(there: World) -> None:
    """Nothing is called migrated, and no record is begun."""
    there.boxes["old"] = {}
    migrate(there.context(), BOX, OLD, NEW, PLAIN)
    assert there.events.codes == ["nothing-to-do"]
    assert "old is empty" in there.events.texts("nothing-to-do")[0]
    assert there.markers == {}


def test_what_the_target_does_with_new_records_is_told(
    there: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notes of a plan are told by hand, too."""
    notes = ("it sends event notifications",)
    monkeypatch.setattr(there, "facts", lambda name, facts=there.facts: noted(facts(name), notes))
    migrate(there.context(), BOX, OLD, NEW, PLAIN)
    assert there.events.texts("note") == ["new: it sends event notifications"]


def noted(facts: Facts, notes: tuple[str, ...]) -> Facts:
    """Facts with notes."""
    return replace(facts, notes=notes)


def test_the_policy_scopes_actions_to_names(there: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The preferred name may be written, a fallback only read; the rest is for every resource."""
    phases = ("probe", "read", "write", "verify", "create")
    install(
        monkeypatch,
        there,
        phases={**{phase: (f"box:{phase}",) for phase in phases}, "account": ("box:List",)},
        arns=lambda name, account, region, partition: (f"{partition}/{region}/{account}/{name}",),
    )
    wanted = [Wanted("Box", BOX, "new", ("old",))]
    policy = iam_policy(
        wanted, account="1", region="r", partition="aws", shared={"marker": ("ssm:Get",)}
    )
    granted = {tuple(s["Resource"]): s["Action"] for s in policy["Statement"]}
    assert granted == {
        ("aws/r/1/new",): ["box:create", "box:probe", "box:read", "box:verify", "box:write"],
        ("aws/r/1/old",): ["box:probe", "box:read", "box:verify"],
        ("*",): ["box:List"],
        ("marker",): ["ssm:Get"],
    }


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ('{"email":{"S":"pilot7@example.com"}}', "email=pilot7@example.com"),
        ('{"orbit":{"S":"a"},"at":{"N":"5"}}', "orbit=a, at=5"),
        ('{"cut":{"S":"too lo', '{"cut":{"S":"too lo'),
        ("[1]", "[1]"),
        ('{"a":1}', '{"a":1}'),
    ],
)
def test_a_key_of_a_table_is_told_without_its_types(label: str, text: str) -> None:
    """Names and values are what people search for; what is no such key stays as it is."""
    assert describe_key(load("AWS::DynamoDB::Table"), label) == text


def test_a_key_of_a_bucket_that_looks_like_one_of_a_table_stays_as_it_is() -> None:
    """Any text may be a key of an object."""
    label = '{"email":{"S":"pilot7@example.com"}}'
    assert describe_key(load("AWS::S3::Bucket"), label) == label
