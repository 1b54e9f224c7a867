"""The engine of each migration: what is asked for, what has begun, and by which steps it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from dataware.core.engines.card import ENGINE, EngineCard, EngineName
from dataware.core.errors import InputError, RefusedError
from dataware.core.kind import Kind
from dataware.core.model import (
    Action,
    Content,
    Decision,
    Existence,
    Facts,
    Location,
    Marker,
    MarkerState,
    Setting,
    Size,
    Wanted,
    absent,
)
from dataware.core.plan import Planned
from dataware.kinds import load
from dataware.ops import (
    bulk_load_run,
    copy_job_run,
    creator_follow_run,
    creator_run,
    engine_choice,
    engine_steps,
)
from dataware.ops.bulk_load_run import BulkLoadRun
from dataware.ops.context import Context, CopySettings
from dataware.ops.creator_follow_run import CreatorFollowRun
from dataware.ops.creator_run import CreatorRun
from dataware.ops.engine_choice import (
    RECOVERY,
    EngineDemand,
    check_pair,
    choose_engines,
    find_unfinished_engine,
    table_of,
)
from dataware.ops.engine_steps import make_pair_steps, make_steps
from dataware.ops.map_engine.run import make_map_run
from support.plans import PRICES
from support.world import World, install

TABLE, BUCKET = load("AWS::DynamoDB::Table"), load("AWS::S3::Bucket")
TYPE = "Memory::Box"
PLAIN = CopySettings()
NAMES = {card.name for kind in (TABLE, BUCKET) for card in table_of(kind).cards}
RESTORE = next(one for one in table_of(TABLE).own if one.name is EngineName.RESTORE)
HERE = Location("old", "111122223333", "eu-central-1")


def running(detail: Any = None) -> Marker:
    """The record of a migration that has not ended."""
    return Marker(MarkerState.RUNNING, "old", "run-1", detail={} if detail is None else detail)


@pytest.mark.parametrize("is_new", [False, True])
def test_what_has_begun_goes_on_with_the_engine_on_record(is_new: bool) -> None:
    """Without one this machine copies, unless there is nothing yet into which it could have."""
    for name in NAMES:
        recorded = running({ENGINE: {"name": name.value}})
        assert find_unfinished_engine(recorded, is_new=is_new) is name
    ours = None if is_new else EngineName.LOCAL
    for detail in ({}, {ENGINE: "restore"}, {ENGINE: {}}, {ENGINE: {"name": "unheard"}}):
        assert find_unfinished_engine(running(detail), is_new=is_new) is ours
    damaged = running({ENGINE: {"name": ["restore"]}})
    assert find_unfinished_engine(damaged, is_new=is_new) is ours
    for state in (MarkerState.NONE, MarkerState.COMPLETE, MarkerState.UNKNOWN):
        ended = Marker(state, "old", detail={ENGINE: {"name": "restore"}})
        assert find_unfinished_engine(ended, is_new=is_new) is None


def copied(engine: EngineName | None = None, cfn_type: str = TYPE, **facts: Any) -> Planned:
    """What is filled from its fallback."""
    wanted = Wanted("App/It", cfn_type, "new", ("old",))
    source = Facts("old", Existence.EXISTS, Content.DATA, size=Size(7, 700), **facts)
    decision = Decision(Action.MIGRATE, 3, "because", "old")
    return Planned(wanted, absent("new"), (source,), decision, engine=engine)


def test_an_engine_is_that_of_the_command_or_of_the_saved_plan() -> None:
    """Where the one of the command does not carry a type, that of the plan counts."""
    table, bucket = table_of(TABLE), table_of(BUCKET)
    saved = {"App/It": EngineName.LOCAL}
    both = EngineDemand(EngineName.RESTORE, saved=saved)
    assert both.find(copied(), table) is EngineName.RESTORE
    assert both.find(copied(), bucket) is EngineName.LOCAL
    assert EngineDemand(saved=saved).find(copied(), table) is EngineName.LOCAL
    assert EngineDemand().find(copied(), table) is None


def test_settings_of_a_run_are_what_it_asks_of_an_engine() -> None:
    """Each by itself."""
    assert EngineDemand.of(PLAIN) == EngineDemand()
    settings = CopySettings(
        engine=EngineName.BATCH, follow=True, service_role="arn:role", export_to="exports"
    )
    assert EngineDemand.of(settings, {"a": EngineName.MAP}) == EngineDemand(
        EngineName.BATCH,
        followed=True,
        has_role=True,
        exported=True,
        saved={"a": EngineName.MAP},
    )


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Kind]:
    """Makes the card of boxes, carried by engines as the test says."""

    def make(*cards: EngineCard, **more: Any) -> Kind:
        return install(monkeypatch, World(), engines=lambda: cards, **more)

    return make


def choose(
    *planned: Planned, demand: EngineDemand | None = None, prices: Any = None
) -> tuple[Planned, ...]:
    """The same with their engines."""
    context = World().context()
    return choose_engines(context, planned, demand or EngineDemand(), prices, all_versions=False)


def test_what_is_not_copied_has_no_engine(box: Callable[..., Kind]) -> None:
    """Nor what has no source."""
    box()
    kept = replace(copied(), decision=Decision(Action.KEEP, 6, "because"))
    lost = replace(copied(), decision=Decision(Action.MIGRATE, 3, "because"))
    assert choose(kept, lost) == (kept, lost)


def test_a_copy_has_its_engine_with_lines_and_costs_where_prices_are_known(
    box: Callable[..., Kind],
) -> None:
    """Before an apply the engine alone is enough."""
    box()
    (quick,) = choose(copied())
    assert (quick.engine, quick.engines, quick.estimate) == (EngineName.LOCAL, (), None)
    (whole,) = choose(copied(), prices=PRICES)
    assert whole.engine is EngineName.LOCAL
    assert whole.engines
    assert whole.estimate is not None
    assert whole.estimate.items == 7


def test_an_engine_that_carries_none_of_the_types_is_a_mistake(box: Callable[..., Kind]) -> None:
    """One of them is enough; without a copy there is nothing to carry."""
    box()
    asked = EngineDemand(EngineName.RESTORE)
    with pytest.raises(InputError, match="the engine restore does not carry a box; choose from"):
        choose(copied(), demand=asked)
    kept = replace(copied(), decision=Decision(Action.KEEP, 6, "because"))
    assert choose(kept, demand=asked) == (kept,)


class Creator:
    """A service that makes targets, with something against one of them."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.asked: list[Any] = []

    def find_problem(self, place: Location, properties: Any) -> str:
        """What stands against it."""
        self.asked.append((place.name, dict(properties)))
        return self.problem


def restoring(creator: Creator, **more: Any) -> EngineCard:
    """A card by which that service makes targets."""
    fits: dict[str, Any] = {"needs": (), "is_better": lambda _situation: True, "why_asked": ""}
    return replace(RESTORE, **{**fits, "creator": lambda _aws: creator, **more})


def test_what_a_service_has_against_it_is_asked_before_it_is_picked(
    box: Callable[..., Kind],
) -> None:
    """Only of the one that would be, and of none once a migration has begun."""
    able, unable = Creator(), Creator("there is no room")
    box(restoring(able))
    assert choose(copied())[0].engine is EngineName.RESTORE
    assert able.asked == [("old", {})]
    box(restoring(unable))
    assert choose(copied())[0].engine is EngineName.LOCAL
    with pytest.raises(RefusedError, match="there is no room"):
        choose(copied(), demand=EngineDemand(EngineName.RESTORE))
    unasked = Creator("there is no room")
    box(restoring(unasked, is_better=lambda _situation: False))
    assert choose(copied())[0].engine is EngineName.LOCAL
    box(restoring(unasked))
    begun = replace(
        copied(), preferred=replace(absent("new"), marker=running({ENGINE: {"name": "restore"}}))
    )
    choose(begun)
    assert unasked.asked == []


@pytest.mark.parametrize(
    ("settings", "engine", "steps"),
    [
        (PLAIN, EngineName.RESTORE, CreatorRun),
        (PLAIN, EngineName.EXPORT_IMPORT, CreatorRun),
        (PLAIN, EngineName.BULK, BulkLoadRun),
        (CopySettings(follow=True), EngineName.RESTORE, CreatorFollowRun),
        (CopySettings(follow=True), EngineName.EXPORT_IMPORT, CreatorFollowRun),
    ],
)
def test_a_service_that_makes_the_target_has_steps_of_its_own(
    box: Callable[..., Kind],
    monkeypatch: pytest.MonkeyPatch,
    settings: CopySettings,
    engine: EngineName,
    steps: type,
) -> None:
    """Followed or not, and by what makes it."""
    creator, made = Creator(), []
    for module in (creator_run, creator_follow_run, bulk_load_run):
        monkeypatch.setattr(module, "make_creator_run", lambda *given: made.append(given))
    kind, planned = box(restoring(creator, name=engine)), copied(engine)
    make_steps(World().context(), kind, planned, settings)
    assert made == [(engine, creator, planned.wanted, steps)]


@pytest.mark.parametrize("reads", ["", "reader"])
def test_a_target_of_another_profile_is_made_by_both(
    box: Callable[..., Kind], monkeypatch: pytest.MonkeyPatch, reads: str
) -> None:
    """Where that profile reads this source."""
    near, relayed, made = Creator(), Creator(), []
    monkeypatch.setattr(creator_run, "make_creator_run", lambda *given: made.append(given[1]))
    source = replace(HERE, profile=reads)
    monkeypatch.setattr(engine_steps, "find_source", lambda *_: source)
    opened: list[str] = []

    def open_profile(profile: str) -> Any:
        opened.append(profile)
        return None

    context = replace(World().context(), source_profile="reader", open_profile=open_profile)
    kind = box(restoring(near, relayed_creator=lambda _target, _source: relayed))
    make_steps(context, kind, copied(EngineName.RESTORE), PLAIN)
    assert made == [relayed if reads else near]
    assert opened == ([reads] if reads else [])
    make_steps(World().context(), kind, copied(EngineName.RESTORE), PLAIN)
    assert made[1] is near


def test_a_service_that_copies_needs_a_role(
    box: Callable[..., Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which it is given."""
    made: list[Any] = []
    monkeypatch.setattr(copy_job_run, "make_copy_job_run", lambda *given: made.append(given))
    job = replace(RESTORE, name=EngineName.BATCH, creator=None)
    kind = box(replace(job, copy_job=lambda _aws, role: f"job by {role}"))
    planned = copied(EngineName.BATCH)
    with pytest.raises(RefusedError, match="run the same command with --batch-role ARN"):
        make_steps(World().context(), kind, planned, PLAIN)
    make_steps(World().context(), kind, planned, CopySettings(service_role="arn:role"))
    assert made == [(EngineName.BATCH, "job by arn:role")]


def test_what_this_machine_or_workers_copy_has_the_usual_steps(box: Callable[..., Kind]) -> None:
    """Or those of the workers."""
    workers = table_of(BUCKET).find(EngineName.MAP)
    assert workers is not None
    kind = box(replace(RESTORE, creator=None, copy_job=None), workers)
    context = World().context()
    for engine in (None, EngineName.LOCAL):
        assert make_steps(context, kind, copied(engine), PLAIN) is None
    assert make_steps(context, kind, copied(EngineName.MAP), PLAIN) is make_map_run
    assert make_pair_steps(PLAIN) is None
    assert make_pair_steps(CopySettings(engine=EngineName.MAP)) is make_map_run


def test_two_places_are_copied_by_an_engine_that_can(
    box: Callable[..., Kind], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source is looked at for what the engine needs, and the target is no new one."""
    seen: list[Any] = []
    facts = Facts(
        "old",
        Existence.EXISTS,
        Content.DATA,
        size=Size(1, 1),
        settings={RECOVERY: Setting(1, "on")},
    )
    kind = box(probe=lambda *_: facts)
    real = engine_choice.EngineTable.choose

    def choose_and_keep(table: Any, situation: Any, wanted: Any = None) -> Any:
        seen.append(situation)
        return real(table, situation, wanted)

    monkeypatch.setattr(engine_choice.EngineTable, "choose", choose_and_keep)
    context: Context = World().context()
    new = replace(HERE, name="new")
    check_pair(context, kind, HERE, new, PLAIN)
    assert seen == []
    check_pair(context, kind, HERE, new, CopySettings(engine=EngineName.LOCAL))
    (one,) = seen
    assert (one.source, one.target, one.is_new, one.recovery) == ("old", "new", False, True)
    assert (one.same_account, one.same_region, one.followed) == (True, True, False)
    with pytest.raises(InputError, match="the engine restore does not carry a box"):
        check_pair(context, kind, HERE, new, CopySettings(engine=EngineName.RESTORE))
    far = replace(HERE, name="new", region="us-east-1", owner="444455556666")
    check_pair(context, kind, HERE, far, CopySettings(engine=EngineName.LOCAL, follow=True))
    assert (seen[1].same_account, seen[1].same_region, seen[1].followed) == (False, False, True)
    assert cast("Any", seen[1]).has_headers is False
