"""A source, or a target, that somebody writes to while it is copied.

Without writers that rest there is no moment at which both sides have to be equal. What is promised
is honesty: a run either ends verified equal, or it is incomplete and says how both sides differ.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from dataware.core.copier import CopyOrder, CopyOutcome, CopyTools, SkippedKey, SkipReason, Unit
from dataware.core.errors import IncompleteError
from dataware.core.model import MarkerState, OnConflict, Wanted
from dataware.ops.apply import apply_plan
from dataware.ops.context import CopySettings
from dataware.ops.plan import make_plan
from support.accounting import check_identity, check_sums, journal_of
from support.cli import run
from support.migrations import MIGRATIONS, Migration
from support.servers import FaultProxy, Forward, Reply, Seen, answer, xml_error
from support.world import BoxCopier, World, install
from support.worlds import client

WANTED = Wanted("Box", "Memory::Box", "new", ("old",))


class Pinned(BoxCopier):
    """Copies what was listed, or nothing, as pinned copies of objects do; replaces nothing."""

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write one key."""
        try:
            return await super().write(unit)
        except KeyError:
            left = SkippedKey(unit.payload, SkipReason.CHANGED, "it changed or went away")
            return CopyOutcome(skipped=(left,))


class Batching(BoxCopier):
    """Into a box of the run's own it writes what a page held, as batches do: unconditionally."""

    async def write(self, unit: Unit) -> CopyOutcome:
        """Write one key."""
        source, target = (
            self.world.boxes[place.name] for place in (self.order.source, self.order.target)
        )
        self.world.moment(f"write {unit.payload}")
        target[unit.payload] = source.get(unit.payload, "as it was on the page")
        return CopyOutcome(copied=1)


class Mutator:
    """Puts, updates and deletes keys of the source at random steps of a run, `share` of them.

    It rests after `until` steps; `seen` is the source as the last verification read it.
    """

    def __init__(self, world: World, seed: int, share: float, until: float) -> None:
        self.world = world
        self.chance = random.Random(seed)
        self.share = share
        self.until = until
        self.seen: dict[str, str] = {}
        self._step = world.moment
        world.moment = self.moment  # type: ignore[method-assign]  # every step is one for it, too

    def moment(self, what: str) -> None:
        """A step of the run; another writer may come just before it."""
        self.until -= 1
        if self.until > 0 and self.chance.random() < self.share:
            self.change()
        self._step(what)
        if what == "verify old":
            self.seen = dict(self.world.boxes["old"])

    def change(self) -> None:
        """One random put, update or delete."""
        box = self.world.boxes["old"]
        key = f"k{self.chance.randrange(30):02}"
        if self.chance.random() < 0.3 and len(box) > 1:
            box.pop(key, None)
        else:
            box[key] = f"v{self.chance.randrange(10**6)}"


def moving_world(monkeypatch: pytest.MonkeyPatch, *, batching: bool) -> World:
    """A world of one full box."""
    world = World(boxes={"old": {f"k{n:02}": f"v{n}" for n in range(20)}}, identities={"old": 1})

    def copier(_tools: CopyTools, order: CopyOrder) -> BoxCopier:
        return (Batching if batching and order.exclusive else Pinned)(world, order)

    install(monkeypatch, world, copier=copier)
    return world


def apply(world: World, on_conflict: OnConflict | None = None) -> bool:
    """One `dataware apply`; whether it ended complete."""
    world.events.clear()
    context = world.context()
    try:
        apply_plan(context, make_plan(context, [WANTED]), CopySettings(on_conflict))
    except IncompleteError as error:
        assert any(word in str(error) for word in ("differ", "not copied", "away")), error
        return False
    return True


@pytest.mark.parametrize("batching", [True, False], ids=["batches", "conditions"])
@pytest.mark.parametrize("seed", range(60))
def test_a_mutated_source_never_ends_complete_while_it_differs(
    seed: int, batching: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complete means: every key that the verification saw in the source was in the target."""
    chance = random.Random(seed)
    world = moving_world(monkeypatch, batching=batching)
    until = chance.choice([5, 20, 60, float("inf")])
    mutator = Mutator(world, seed, chance.choice([0.02, 0.1, 0.5]), until)
    complete = apply(world)
    marker = world.markers["new"]
    assert complete == (marker.state is MarkerState.COMPLETE)
    if complete:
        target = world.boxes["new"]
        assert {key: target.get(key) for key in mutator.seen} == mutator.seen
        extra = len(target.keys() - mutator.seen.keys())
        told = [text for text in world.events.texts("warning") if "copying again" not in text]
        assert told == ([f"differences: {extra:,} extra"] if extra else [])


@pytest.mark.parametrize("seed", range(60))
def test_once_its_writers_rest_the_next_run_completes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It brings what lacks and replaces nothing unasked; the source wins once a person says so."""
    chance = random.Random(seed)
    world = moving_world(monkeypatch, batching=True)
    mutator = Mutator(world, seed, 0.4, chance.choice([30, 100, float("inf")]))
    finished = apply(world)
    mutator.until = 0
    if not finished:
        begun = dict(world.boxes["new"])
        finished = apply(world)
        assert {key: world.boxes["new"][key] for key in begun} == begun
        finished = finished or apply(world, OnConflict.SOURCE)
    assert finished
    assert world.markers["new"].state is MarkerState.COMPLETE
    source, target = mutator.seen, world.boxes["new"]
    assert {key: target.get(key) for key in source} == source


KEY = "4/x//y/4"


def meanwhile(change: Callable[[], None]) -> Callable[[Seen, Forward], Reply]:
    """Somebody makes a change just before the first copy reaches the service."""
    waiting = [change]

    def fault(seen: Seen, forward: Forward) -> Reply:
        with suppress(IndexError):
            waiting.pop()()
        return forward(seen)

    return fault


def about_key(seen: Seen) -> bool:
    """Whether a request is about the key that changes."""
    return seen.path.endswith(KEY)


def replace_object() -> None:
    """A new content under a key that is already listed."""
    client("s3").put_object(Bucket="old-one", Key=KEY, Body=b"newer", ContentType="text/new")


def delete_object() -> None:
    """A key that is already listed goes away."""
    client("s3").delete_object(Bucket="old-one", Key=KEY)


@pytest.mark.parametrize("change", [replace_object, delete_object], ids=["changed", "deleted"])
def test_an_object_that_changes_after_it_was_listed_is_planned_again(
    change: Callable[[], None], fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """It is told of, listed again and brought over as it is now, in the same run."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    assert KEY in migration.content("old-one")
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    fault_proxy.add(meanwhile(change), operation="CopyObject", when=about_key)
    ran = run("apply", app)
    assert ran.code == 0, ran
    assert "it changed or was deleted since it was listed" in ran.out
    fault_proxy.clear()
    assert migration.arrived()
    check_identity(journal_of(clean_environment), len(migration.content("old-one")))


def test_an_object_that_never_rests_ends_incomplete(
    fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """After some rounds the key is left behind with its reason, and the rest is copied."""
    migration = MIGRATIONS["bucket"]
    migration.fill()
    app = migration.write_app(tmp_path)
    fault_proxy.clear()
    changed = xml_error("PreconditionFailed", 412)
    fault_proxy.add(changed, operation="CopyObject", when=about_key)
    another = answer(200, b"", {"ETag": '"another"'})
    fault_proxy.add(another, operation="HeadObject", when=about_key)
    ran = run("apply", app)
    assert ran.code == 4, ran
    assert "1 source-changed" in ran.err
    fault_proxy.clear()
    check_identity(journal_of(clean_environment), 60)
    assert len(migration.content("new-one")) == 59
    assert run("apply", app).code == 0
    assert migration.arrived()


def put_their_own(migration: Migration) -> dict[str, object]:
    """Somebody else writes to the target, under a key of the source."""
    if migration.write == "CopyObject":
        client("s3").put_object(Bucket="new-one", Key=KEY, Body=b"theirs")
    else:
        key = {"S": "000007 é \U0001f680"}
        client("dynamodb").put_item(TableName="new-one", Item={"pk": key, "ours": {"S": "theirs"}})
    return migration.content("new-one")


@pytest.mark.parametrize("policy", [None, *OnConflict])
@pytest.mark.parametrize("kind", MIGRATIONS)
def test_what_the_target_has_got_of_its_own_follows_the_policy(
    kind: str,
    policy: OnConflict | None,
    fault_proxy: FaultProxy,
    tmp_path: Path,
    clean_environment: Path,
) -> None:
    """Newer or other data of the target is replaced only where `--on-conflict source` says so."""
    migration = MIGRATIONS[kind]
    migration.fill()
    migration.make("new-one")
    ((key, theirs),) = put_their_own(migration).items()
    scheme = {"bucket": "s3", "table": "dynamodb"}[kind]
    option = ("--on-conflict", policy.value) if policy else ()
    ran = run("migrate", f"{scheme}://old-one", f"{scheme}://new-one", *option)
    codes = {None: 4, OnConflict.SOURCE: 0, OnConflict.TARGET: 0, OnConflict.STOP: 3}
    assert ran.code == codes[policy], ran
    source, target = migration.content("old-one"), migration.content("new-one")
    assert target[key] == (source[key] if policy is OnConflict.SOURCE else theirs)
    if policy is OnConflict.STOP:
        check_sums(journal_of(clean_environment), len(source))
        return
    check_identity(journal_of(clean_environment), len(source))
    assert {**target, key: source[key]} == source


def before_each_verification(change: Callable[[], None]) -> Callable[[Seen, Forward], Reply]:
    """Somebody makes a change when everything is copied and nothing is compared yet."""
    copied = False

    def fault(seen: Seen, forward: Forward) -> Reply:
        nonlocal copied
        asked = seen.json()
        if "ReturnConsumedCapacity" in asked:
            copied = True
        elif copied and "TotalSegments" in asked:
            copied = False
            change()
        return forward(seen)

    return fault


@pytest.mark.parametrize(
    ("moving", "said"),
    [
        ("old-one", "the source has changed since it was read, so pause its writers"),
        ("new-one", "the target is not as it was written, so pause whatever else writes to it"),
    ],
)
def test_which_side_has_changed_since_the_copy_is_told(
    moving: str, said: str, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """The tally of what was copied is that of the other side, so nobody has to guess."""
    migration = MIGRATIONS["table"]
    migration.fill()
    app = migration.write_app(tmp_path)

    def change() -> None:
        client("dynamodb").update_item(
            TableName=moving,
            Key={"pk": {"S": "000007 é \U0001f680"}},
            UpdateExpression="SET moved = :now",
            ExpressionAttributeValues={":now": {"S": str(random.random())}},
        )

    fault_proxy.clear()
    fault_proxy.add(before_each_verification(change), operation="Scan")
    ran = run("apply", app)
    fault_proxy.clear()
    assert ran.code == 4, ran
    assert ran.err.count(said) == 1, ran
    assert ran.out.count(f"{said}; copying again") == 2, (
        "each further copy is announced with its reason"
    )
    # A later run cannot know who wrote the value in the target, so it replaces it only when told.
    kept = run("apply", app)
    assert kept.code == 4, kept
    assert "1 item not copied to new-one" in kept.err
    assert not migration.arrived()
    assert run("apply", app, "--on-conflict", "source").code == 0
    assert migration.arrived()


def come(number: int) -> None:
    """An item of the target's own."""
    client("dynamodb").put_item(TableName="new-one", Item={"pk": {"S": f"own {number}"}})


def expire(number: int) -> None:
    """An item of the source goes away, as those with a time to live do."""
    key = {"pk": {"S": f"{number:06} é \U0001f680"}}
    client("dynamodb").delete_item(TableName="old-one", Key=key)


@pytest.mark.parametrize("change", [come, expire])
def test_a_side_that_never_rests_in_what_the_other_need_not_have_is_verified(
    change: Callable[[int], None], fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """New items of a target in use, and items of the source that expire, leave nothing to copy."""
    migration = MIGRATIONS["table"]
    migration.fill()
    migration.make("new-one")
    come(0)
    numbers = iter(range(1, 600))

    def fault(seen: Seen, forward: Forward) -> Reply:
        if "ReturnConsumedCapacity" not in seen.json():
            change(next(numbers))
        return forward(seen)

    fault_proxy.clear()
    fault_proxy.add(fault, operation="Scan")
    ran = run("migrate", "dynamodb://old-one", "dynamodb://new-one")
    fault_proxy.clear()
    assert ran.code == 0, ran
    assert next(numbers) > 9, "it changed all the time"
    assert "differences: " in ran.out
    source, target = migration.content("old-one"), migration.content("new-one")
    assert {key: target.get(key) for key in source} == source


def test_a_table_that_is_written_to_during_the_copy_keeps_what_it_got(
    fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """A put that comes in the middle of the copy wins over the copy, and is told of."""
    migration = MIGRATIONS["table"]
    migration.fill()
    migration.make("new-one")
    fault_proxy.clear()
    fault_proxy.add(meanwhile(lambda: put_their_own(migration)), operation="PutItem")
    ran = run("migrate", "dynamodb://old-one", "dynamodb://new-one")
    fault_proxy.clear()
    check_identity(journal_of(clean_environment), 600)
    kept = [item for item in migration.content("new-one").values() if "ours" in item]
    assert (ran.code, len(kept)) == (4, 1), ran
    assert "1 conflict" in ran.err


@pytest.mark.parametrize("seed", range(3))
def test_a_real_table_under_mutation_is_never_complete_while_it_differs(
    seed: int, fault_proxy: FaultProxy, tmp_path: Path, clean_environment: Path
) -> None:
    """Items come, change and go while pages are read; in the end both sides are the same."""
    chance = random.Random(seed)
    migration = MIGRATIONS["table"]
    migration.fill()
    app = migration.write_app(tmp_path)
    dynamodb = client("dynamodb")

    def mutate(seen: Seen, forward: Forward) -> Reply:
        key = {"S": f"{chance.randrange(700):06} é \U0001f680"}
        if chance.random() < 0.7:
            value = {"N": str(chance.randrange(10**6))}
            dynamodb.put_item(TableName="old-one", Item={"pk": key, "value": value})
        else:
            dynamodb.delete_item(TableName="old-one", Key={"pk": key})
        return forward(seen)

    fault_proxy.clear()
    fault_proxy.add(mutate, operation="BatchWriteItem", times=20)
    first = run("apply", app)
    fault_proxy.clear()
    assert first.code in {0, 4}, first
    source, target = migration.content("old-one"), migration.content("new-one")
    if first.code == 0:
        assert {key: target.get(key) for key in source} == source
        extra = len(target) - len(source)
        assert extra == 0 or f"{extra} extra" in first.out
    else:
        assert "differ" in first.err or "not copied" in first.err
