"""Planning: every name is looked at, contradictions are refused, weaker targets are told."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import replace

import pytest

from dataware.core.errors import InputError, LookupFailedError
from dataware.core.estimate import Prices, Throughput
from dataware.core.events import Event
from dataware.core.model import (
    Action,
    Facts,
    Marker,
    MarkerState,
    OnError,
    Owner,
    Ownership,
    Problem,
    Setting,
    Wanted,
)
from dataware.core.plan import Plan
from dataware.core.protection import weaker_settings
from dataware.ops import probe
from dataware.ops.plan import make_plan
from support.world import World, WorldAws, WorldMarkers, install

BOX = "Memory::Box"


def wanted(preferred: str = "new", *fallbacks: str, **more: object) -> Wanted:
    """A wanted box."""
    return Wanted(f"id-{preferred}", BOX, preferred, fallbacks, **more)


def world(**boxes: int) -> World:
    """A world of boxes by their number of keys."""
    contents = {name: {f"k{n}": "v" for n in range(keys)} for name, keys in boxes.items()}
    return World(boxes=contents, identities=dict.fromkeys(boxes, 1))


def plan_of(there: World, *items: Wanted) -> Plan:
    """The plan for some boxes."""
    return make_plan(there.context(), items)


def test_decisions_come_in_the_order_of_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at many names at once does not mix up the answers."""
    there = world(a=1, b=0, old=3)
    install(monkeypatch, there)
    plan = plan_of(there, wanted("a"), wanted("c", "old"), wanted("b", "none"), wanted("d", "b"))
    assert [p.decision.action for p in plan.resources] == [
        Action.IMPORT,
        Action.MIGRATE,
        Action.CREATE,
        Action.CREATE,
    ]
    assert [p.preferred.name for p in plan.resources] == ["a", "c", "b", "d"]


def test_a_fallback_that_is_not_there_is_asked_for_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is read from there, whoever had it; that spares two of its calls of three."""
    there = world(old=3)
    install(monkeypatch, there)
    asked: list[str] = []

    def owner_of(self: WorldAws, types: Collection[str], physical_id: str) -> Owner:
        asked.append(physical_id)
        return ask(self, types, physical_id)

    def get(self: WorldMarkers, kind: str, target: str) -> Marker:
        asked.append(target)
        return read(self, kind, target)

    ask, read = WorldAws.owner_of, WorldMarkers.get
    monkeypatch.setattr(WorldAws, "owner_of", owner_of)
    monkeypatch.setattr(WorldMarkers, "get", get)
    plan_of(there, wanted("new", "old", "older"))
    assert sorted(asked) == ["new", "new", "old", "old"]


def test_planning_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan is made by looking alone."""
    there = world(old=3)
    install(monkeypatch, there)
    plan_of(there, wanted("new", "old"))
    assert there.log == []
    assert there.boxes.keys() == {"old"}


def test_advice_for_a_target_to_be_created_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would make the copy quicker is told beside the facts, where the target is not there."""
    there = world(old=78, there=0)
    install(monkeypatch, there, advice=lambda _properties, size: f"warm it for {size.items}")
    plan = plan_of(there, wanted("new", "old"), wanted("there", "old"))
    assert plan.resources[0].preferred.notes == ("warm it for 78",)
    assert plan.resources[1].preferred.notes == ()


def test_a_migration_has_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is copied is told in items, seconds and money."""
    there = world(old=78)
    install(monkeypatch, there, charges=lambda size: {"s3.put": size.items}, speed=Throughput(10))
    prices = Prices("list prices", "2026-11", "r", "a page", {"s3.put": 5e-6})
    plan = make_plan(there.context(), [wanted("new", "old")], prices=prices)
    (one,) = plan.resources
    assert plan.prices == prices
    assert one.estimate is not None
    assert (one.estimate.items, one.estimate.seconds, one.estimate.usd) == (78, 8, 0.00039)


def test_two_resources_cannot_prefer_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name is one resource."""
    there = world()
    install(monkeypatch, there)
    with pytest.raises(InputError, match="have the same preferred name new"):
        plan_of(there, wanted("new"), replace(wanted("new"), id="other"))


def test_a_name_is_not_its_own_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Preferred and fallback have to differ."""
    there = world()
    install(monkeypatch, there)
    with pytest.raises(InputError, match="as preferred and as fallback"):
        plan_of(there, wanted("new", "new"))


def test_shared_and_chained_fallbacks_are_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fallback that is another's preferred name, or that two share, is pointed out."""
    there = world()
    install(monkeypatch, there)
    plan = plan_of(there, wanted("a", "b"), wanted("b", "c"), wanted("d", "c"))
    assert plan.warnings == (
        "id-a falls back to b, which id-b prefers",
        "c is a fallback of 2 resources",
    )


def test_a_weaker_target_is_a_warning_and_under_strict_a_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is created is never silently weaker than its source."""
    there = world(old=1)
    strong = {"versioning": Setting(1, "on"), "encryption": Setting(2, "KMS")}
    weak = {"versioning": Setting(0, "off"), "encryption": Setting(2, "KMS")}

    def probe(_aws: object, name: str) -> Facts:
        return replace(there.facts(name), settings=strong)

    install(monkeypatch, there, probe=probe, declared_settings=lambda _properties: weak)
    (one,) = plan_of(there, wanted("new", "old")).resources
    assert one.decision.action is Action.MIGRATE
    assert "versioning: off instead of on" in one.decision.warnings[-1]
    (one,) = plan_of(there, wanted("new", "old", on_error=OnError.STOP)).resources
    assert (one.decision.action, one.decision.rule) == (Action.STOP, 17)


def test_a_setting_that_cannot_be_read_is_a_stop_under_strict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Any uncertain thing stops there: also whether the target would be weaker."""
    there = world(old=1)
    denied = Problem("GetVersioning", "AccessDenied", "box:GetVersioning", "", "x", False)

    def probe(_aws: object, name: str) -> Facts:
        return replace(there.facts(name), problems=(denied,))

    known = {"versioning": Setting(0, "off")}
    install(monkeypatch, there, probe=probe, declared_settings=lambda _properties: known)
    (one,) = plan_of(there, wanted("new", "old")).resources
    assert one.decision.action is Action.MIGRATE
    (one,) = plan_of(there, wanted("new", "old", on_error=OnError.STOP)).resources
    assert (one.decision.action, one.decision.rule) == (Action.STOP, 17)
    assert "whose versioning cannot be read (GetVersioning" in one.decision.reason


def test_a_fallback_that_may_be_half_filled_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without sight of the record of the source, it may be a copy that was cut short."""
    there = world(old=3)
    install(monkeypatch, there)
    get = WorldMarkers.get

    def deny(markers: WorldMarkers, kind: str, target: str) -> Marker:
        if target == "old":
            raise LookupFailedError(
                "denied", Problem("GetParameter", "AccessDenied", "ssm:GetParameter")
            )
        return get(markers, kind, target)

    monkeypatch.setattr(WorldMarkers, "get", deny)
    (one,) = plan_of(there, wanted("new", "old")).resources
    assert (one.decision.action, one.decision.rule) == (Action.STOP, 14)
    (one,) = plan_of(there, wanted("new", "old", on_error=OnError.NO_DATA)).resources
    assert one.decision.action is Action.MIGRATE


def test_only_what_both_sides_know_is_compared() -> None:
    """A setting that was not seen on the target is no weakness."""
    source = {"a": Setting(2, "high"), "b": Setting(1, "on")}
    assert weaker_settings(source, {"b": Setting(1, "on")}) == []
    assert weaker_settings(source, {"a": Setting(3, "higher")}) == []


def test_a_kind_without_a_copier_never_migrates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 18: an ability that a card lacks is never planned."""
    there = world(old=1)
    install(monkeypatch, there, copying=None)
    (one,) = plan_of(there, wanted("new", "old")).resources
    assert (one.decision.action, one.decision.rule) == (Action.STOP, 18)


def test_creating_without_a_schema_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table without properties cannot be created, and that is said before anything starts."""
    there = world()
    install(monkeypatch, there, declared_schema=lambda _properties: None)
    with pytest.raises(InputError, match="declares no key schema, so it cannot be created"):
        plan_of(there, wanted("new"))


def test_a_denied_question_is_unknown_and_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Denied is neither absent nor empty, for the resource, its owner and its marker."""
    there = world(new=1)

    def deny(*_question: object) -> object:
        raise LookupFailedError("denied", Problem("Describe", "AccessDenied", "box:Describe"))

    for what in ("probe", "owner", "marker"):
        with monkeypatch.context() as patch:
            install(patch, there, **({"probe": deny} if what == "probe" else {}))
            if what == "owner":
                patch.setattr(WorldAws, "owner_of", deny)
            if what == "marker":
                patch.setattr(WorldMarkers, "get", deny)
            (one,) = plan_of(there, wanted("new")).resources
        assert one.preferred.unseen
        assert any("box:Describe" in warning for warning in one.decision.warnings)


def test_the_source_of_a_running_migration_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration goes on from its source even when the app no longer lists it."""
    there = world(new=1, old=3)
    there.markers["new"] = Marker(MarkerState.RUNNING, source="old", run="r")
    install(monkeypatch, there)
    (one,) = plan_of(there, wanted("new", "other")).resources
    assert (one.decision.action, one.decision.source) == (Action.RESUME, "old")


def test_a_source_that_was_migrated_to_another_name_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new suffix in place of an old one would copy what is older by now."""
    there = world(old=3, **{"old-prod": 4})
    there.markers["old-prod"] = Marker(MarkerState.COMPLETE, source="old", run="r")
    install(monkeypatch, there)
    live, prod = plan_of(there, wanted("old-live", "old"), wanted("old-prod", "old")).resources
    assert live.decision.action is Action.MIGRATE
    assert live.decision.warnings == (
        "old was already migrated to old-prod, so it may be out of date: to fill old-live from "
        "there, name old-prod as its fallback",
    )
    assert (prod.decision.action, prod.decision.warnings) == (Action.IMPORT, ())


def test_of_many_earlier_migrations_the_latest_is_the_one_to_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the names are; a long history stays a sentence."""
    ages = {"old-a": 20.0, "old-b": 10.0, "old-c": 30.0, "old-d": None}
    there = world(old=3, **dict.fromkeys(ages, 4))
    for name, age in ages.items():
        there.markers[name] = Marker(MarkerState.COMPLETE, "old", "r", heartbeat_age=age)
    install(monkeypatch, there)
    (live,) = plan_of(there, wanted("old-live", "old")).resources
    assert live.decision.warnings == (
        "old was already migrated to old-b, old-a, old-c and 1 more, so it may be out of date: to "
        "fill old-live from there, name old-b as its fallback",
    )


def test_without_sight_of_the_records_the_plan_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """No decision rests on where a fallback was migrated to; that it is not known is said."""
    there = world(old=3)
    install(monkeypatch, there)

    def deny(_markers: WorldMarkers) -> object:
        raise LookupFailedError("cannot access the migration markers")

    monkeypatch.setattr(WorldMarkers, "all", deny)
    (one,) = plan_of(there, wanted("new", "old")).resources
    assert (one.decision.action, one.decision.warnings) == (Action.MIGRATE, ())
    assert any("migrated to another name" in text for text in there.events.texts("note"))


def test_a_running_migration_without_its_source_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule 7: a partial copy whose source is gone is not taken for the data."""
    there = world(new=1)
    there.markers["new"] = Marker(MarkerState.RUNNING, source="old", run="r")
    install(monkeypatch, there)
    (one,) = plan_of(there, wanted("new")).resources
    assert (one.decision.action, one.decision.rule) == (Action.STOP, 7)


@pytest.mark.parametrize(
    ("stack", "logical_id", "ownership"),
    [
        ("Demo", "Box", Ownership.THIS_STACK),
        ("Demo", "OldBox", Ownership.MOVED),
        ("Other", "Box", Ownership.OTHER_STACK),
    ],
)
def test_the_owner_is_seen_from_the_declaring_stack(
    monkeypatch: pytest.MonkeyPatch, stack: str, logical_id: str, ownership: Ownership
) -> None:
    """The same stack under the same id is this stack; everything else is told apart."""
    there = world(new=1)
    there.owners["new"] = Owner(Ownership.OTHER_STACK, stack, logical_id)
    install(monkeypatch, there)
    (one,) = plan_of(there, wanted("new", stack="Demo", logical_id="Box")).resources
    assert one.preferred.owner == Owner(ownership, stack, logical_id)


@pytest.mark.parametrize(
    ("declared", "ownership"),
    [
        ("App", Ownership.THIS_STACK),
        ("App-prod", Ownership.THIS_STACK),
        ("Other", Ownership.OTHER_STACK),
    ],
)
def test_a_stack_is_the_same_under_its_alias(
    monkeypatch: pytest.MonkeyPatch, declared: str, ownership: Ownership
) -> None:
    """A stack that was renamed by an alias is not taken for another that owns the resource."""
    there = world(new=1)
    owner = Owner(Ownership.OTHER_STACK, "App", "Box", "arn:app", "App-prod")
    there.owners["new"] = owner
    install(monkeypatch, there)
    (one,) = plan_of(there, wanted("new", stack=declared, logical_id="Box")).resources
    assert one.preferred.owner.ownership is ownership


def test_a_look_that_takes_long_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that is over at once tells nothing."""
    there = world(new=1, old=1)
    monkeypatch.setattr(probe, "TICK_SECONDS", 0.01)
    install(monkeypatch, there)
    told = threading.Event()

    def emit(happened: Event) -> None:
        there.events(happened)
        if happened.code == "look-progress":
            told.set()

    def owner_of(_aws: WorldAws, _types: object, _id: str) -> Owner:
        assert told.wait(30)
        return Owner(Ownership.UNMANAGED)

    monkeypatch.setattr(WorldAws, "owner_of", owner_of)
    make_plan(replace(there.context(), emit=emit), [wanted("new", "old")])
    assert there.events.texts("look-progress")[0] == "Looked at 0 of 2 names, 0 s"


@pytest.mark.parametrize("alive", [True, False])
def test_a_plan_says_that_a_run_is_at_work_on_what_is_resumed(
    monkeypatch: pytest.MonkeyPatch, alive: bool
) -> None:
    """The next command would be refused, so another one is named."""
    there = world(old=3, new=1)
    install(monkeypatch, there)
    there.markers["new"] = Marker(MarkerState.RUNNING, source="old", run="r7", alive=alive)
    plan_of(there, wanted("new", "old"))
    text = "new is being migrated by run r7: `dataware status new --watch` follows it"
    assert any(text in told.text() for told in there.events) is alive
