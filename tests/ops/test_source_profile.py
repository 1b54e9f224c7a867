"""A plan whose sources another profile reads: each side by its own credentials, or not at all."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dataware.core.copier import CopyOrder, CopyTools
from dataware.core.engines.card import EngineName
from dataware.core.engines.port import CreationProgress, Preparation
from dataware.core.errors import InputError, RefusedError
from dataware.core.estimate import Prices
from dataware.core.kind import Kind
from dataware.core.model import (
    Action,
    Existence,
    Facts,
    Location,
    Marker,
    MarkerState,
    OnFallbackData,
    Owner,
    Ownership,
    Wanted,
)
from dataware.core.plan import Plan
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.engines import EXPORT_IMPORT
from dataware.kinds.dynamodb_table.export.table_import import TableImport
from dataware.ops.apply import apply_plan
from dataware.ops.context import Context, CopySettings
from dataware.ops.engine_choice import EngineDemand
from dataware.ops.engine_steps import make_steps
from dataware.ops.plan import make_plan
from dataware.ops.rehearse_plan import rehearse_plan
from support.world import BoxCopier, BoxReader, World, WorldAws, WorldMarkers, install

OURS, THEIRS = "111122223333", "444455556666"
THEIR_OLD = f"arn:aws:box:eu-central-1:{THEIRS}:box/old"
BOX = Wanted("Box", "Memory::Box", "new", ("old",))
PLAIN = CopySettings()
NO_PRICES = Prices("", "", "", "", {})


@dataclass
class TwoAccounts:
    """Ours, in which a run is at home, and theirs, which a profile reads; no ARN is shared."""

    ours: World = field(default_factory=World)
    theirs: World = field(default_factory=World)
    reader: str = THEIRS
    region: str = "eu-central-1"
    names_region: bool = True
    looked: list[tuple[str, str]] = field(default_factory=list)

    def world(self, account: str) -> World:
        """The world of an account."""
        return self.ours if account == OURS else self.theirs

    def install(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Kind:
        """Boxes whose ARNs hold account and region, and which other credentials may read."""

        def probe(aws: Aws, name: str) -> Facts:
            self.looked.append((aws.account, name))
            return self.world(aws.account).facts(name)

        def copier(_tools: CopyTools, order: CopyOrder) -> BoxCopier:
            assert order.source.profile == ("partner" if order.source.owner == THEIRS else "")
            both = World({**self.ours.boxes, "source": self.side(order.source)}, log=self.ours.log)
            both.boxes[order.target.name] = self.side(order.target)
            return BoxCopier(both, replace(order, source=replace(order.source, name="source")))

        def reader(aws: Aws, place: Location, *, all_versions: bool, deep: bool) -> BoxReader:
            del all_versions, deep
            assert aws.account == place.owner
            return BoxReader(self.world(place.owner), place)

        def arns(name: str, account: str, region: str, partition: str) -> tuple[str, ...]:
            return (f"arn:{partition}:box:{region}:{account}:box/{name}",)

        parts = {"copier": copier, "reader": reader, "relays": True, "arns": arns}
        return install(monkeypatch, self.ours, **{**parts, "probe": probe, **changes})

    def side(self, place: Location) -> dict[str, str]:
        """The box of a place, by its plain name."""
        return self.world(place.owner).boxes[place.name]

    def context(self, profile: str = "partner") -> Context:
        """A run at home, with a profile of theirs."""

        def open_profile(name: str) -> Any:
            assert name == "partner"
            return WorldAws(self.world(self.reader), account=self.reader, region=self.region)

        def move(context: Context, region: str) -> Context:
            aws: Any = replace(context.aws, region=region)  # type: ignore[type-var]
            return replace(context, aws=aws, markers=WorldMarkers(self.world(aws.account)))

        there = replace(self.ours.context(), open_profile=open_profile, move=move)
        region = self.region if self.names_region else ""
        return replace(there, source_profile=profile, source_region=region)

    def plan(self, *wanted: Wanted, profile: str = "partner") -> Plan:
        """What is decided, by way of its file."""
        plan = make_plan(self.context(profile), wanted, report=False)
        return Plan.from_json(json.loads(json.dumps(plan.to_json())))


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> TwoAccounts:
    """Data in theirs; in ours a box of the same name, which is another one."""
    data = {f"k{n}": "v" for n in range(5)}
    there = TwoAccounts(
        World(boxes={"old": {"ours": "x"}}, identities={"old": 7}),
        World(boxes={"old": data}, identities={"old": 1}),
    )
    there.install(monkeypatch)
    return there


def test_a_plan_looks_at_each_side_with_its_own_credentials(both: TwoAccounts) -> None:
    """A plain name of a fallback is one of the profile's account, and is shown by its ARN."""
    (planned,) = both.plan(BOX).resources
    assert sorted(both.looked) == [(OURS, "new"), (THEIRS, "old")]
    assert planned.decision.action is Action.MIGRATE
    assert planned.decision.source == THEIR_OLD
    assert planned.wanted.fallbacks == ("old",)


@pytest.mark.parametrize("again", [False, True])
def test_a_saved_plan_reads_with_its_profile_and_needs_no_option(
    both: TwoAccounts, again: bool
) -> None:
    """What is copied is theirs, verified by their credentials; carried out again, it is done."""
    plan = both.plan(BOX)
    assert plan.source_profile is not None
    told = "Reading sources with the profile partner (account 444455556666, eu-central-1)"
    make_plan(both.context(), [BOX])
    assert both.ours.events.texts("note").count(told) == 1
    for _ in range(1 + again):
        apply_plan(both.context(""), plan, PLAIN, saved=True)
        assert both.ours.boxes["new"] == both.theirs.boxes["old"]
    assert both.ours.boxes["old"] == {"ours": "x"}
    record = both.ours.markers["new"]
    assert (record.state, record.source) == (MarkerState.COMPLETE, THEIR_OLD)
    assert both.theirs.markers == {}
    assert both.ours.events.texts("note").count(told) == 2 + again


def test_a_plan_of_one_profile_is_not_applied_with_another(both: TwoAccounts) -> None:
    """Nor with one where it was made without, nor where the profile has moved to elsewhere."""
    plan = both.plan(BOX)
    with pytest.raises(RefusedError, match="made with --source-profile partner: carry it out so"):
        apply_plan(both.context("other"), plan, PLAIN, saved=True)
    plain = both.plan(BOX, profile="")
    assert plain.source_profile is None
    with pytest.raises(RefusedError, match="made without --source-profile"):
        apply_plan(both.context(), plain, PLAIN, saved=True)
    both.region = "us-east-1"
    with pytest.raises(
        RefusedError, match="the profile partner is now of account 444455556666, us-"
    ):
        apply_plan(both.context(""), plan, PLAIN, saved=True)
    both.region, both.reader = "eu-central-1", OURS
    with pytest.raises(RefusedError, match="the profile partner is now of account 111122223333"):
        apply_plan(both.context(""), plan, PLAIN, saved=True)
    assert both.ours.log == []


@pytest.mark.parametrize("part", [{"profile": ""}, {"account": 4}])
def test_a_plan_whose_profile_was_damaged_is_refused(
    both: TwoAccounts, part: dict[str, object]
) -> None:
    """It would be read with whatever there is."""
    data = both.plan(BOX).to_json()
    data["source_profile"] |= part
    with pytest.raises(InputError, match="the plan is damaged"):
        Plan.from_json(data)
    del data["source_profile"]["account"]
    with pytest.raises(InputError, match="the plan is damaged"):
        Plan.from_json(data)


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        (CopySettings(follow=True), "--follow"),
        (CopySettings(engine=EngineName.MAP), "--engine"),
    ],
)
def test_what_cannot_pass_through_this_machine_is_refused(
    both: TwoAccounts, settings: CopySettings, option: str
) -> None:
    """Also of a saved plan, whose profile nobody typed."""
    plan = both.plan(BOX)
    with pytest.raises((InputError, RefusedError), match=f"{option}|source-profile copies"):
        apply_plan(both.context(""), plan, settings, saved=True)
    with pytest.raises(InputError, match="takes no --rehearse"):
        rehearse_plan(both.context(""), plan, PLAIN, NO_PRICES, lambda _: lambda *_: None)
    assert both.ours.log == []


def test_a_fallback_of_the_runs_own_account_is_read_by_its_own_credentials(
    both: TwoAccounts,
) -> None:
    """An ARN says whose it is, and the profile is not asked for it."""
    own = replace(BOX, fallbacks=(f"arn:aws:box:eu-central-1:{OURS}:box/old",))
    plan = both.plan(own)
    assert {account for account, _ in both.looked} == {OURS}
    apply_plan(both.context(), plan, PLAIN, saved=True)
    assert both.ours.boxes["new"] == {"ours": "x"}
    assert both.ours.markers["new"].source == "old"


def test_a_profile_of_the_very_same_account_reads_as_well(both: TwoAccounts) -> None:
    """Other permissions, the same names."""
    both.reader = OURS
    plan = both.plan(BOX)
    assert plan.resources[0].decision.source == "old"
    assert plan.source_profile is not None


def test_a_resource_that_both_accounts_name_alike_is_told_apart(both: TwoAccounts) -> None:
    """Theirs goes by its ARN, so it is no fallback of itself, nor a link of a chain."""
    same = replace(BOX, preferred="old", fallbacks=(THEIR_OLD,))
    both.ours.boxes["old"] = {}
    (planned, other) = both.plan(same, replace(BOX, id="Other")).resources
    assert planned.decision.action is Action.MIGRATE
    assert other.decision.action is Action.MIGRATE
    assert other.decision.source == THEIR_OLD


def test_what_a_stack_of_theirs_owns_is_not_ours(both: TwoAccounts) -> None:
    """Stacks and records are asked where they are."""
    both.theirs.markers["old"] = Marker(MarkerState.RUNNING, source="older", run="r")
    (planned,) = both.plan(BOX).resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 7)
    assert "holds only part of the data" in planned.decision.reason
    both.theirs.markers.clear()
    both.theirs.owners["old"] = Owner(Ownership.OTHER_STACK, "Legacy", "Box")
    (planned,) = both.plan(BOX).resources
    assert planned.fallbacks[0].owner.stack == "Legacy"


def test_what_is_theirs_is_never_imported(both: TwoAccounts) -> None:
    """A stack refers to what is in its own account alone."""
    (planned,) = both.plan(replace(BOX, on_fallback_data=OnFallbackData.IMPORT)).resources
    assert planned.decision.action is Action.STOP
    assert "in another account or region" in planned.decision.reason


def test_an_interrupted_copy_is_gone_on_with(both: TwoAccounts) -> None:
    """The record names their box by its ARN, and the same plan finds it again."""
    plan = both.plan(BOX)
    both.ours.kill_at = 3
    with pytest.raises(BaseException):  # noqa: B017 - the process dies
        apply_plan(both.context(""), plan, PLAIN, saved=True)
    both.ours.kill_at = None
    assert both.ours.markers["new"].state is MarkerState.RUNNING
    (planned,) = both.plan(BOX).resources
    assert (planned.decision.action, planned.decision.source) == (Action.RESUME, THEIR_OLD)
    apply_plan(both.context(""), plan, PLAIN, saved=True)
    assert both.ours.boxes["new"] == both.theirs.boxes["old"]


def test_what_a_profile_began_is_no_loss_for_who_does_not_see_the_source(
    both: TwoAccounts,
) -> None:
    """Without the profile it is unknown, not gone, and nobody is told to forget the record."""
    plan = both.plan(BOX)
    both.ours.kill_at = 3
    with pytest.raises(BaseException):  # noqa: B017 - the process dies
        apply_plan(both.context(""), plan, PLAIN, saved=True)
    both.ours.kill_at = None
    (planned,) = both.plan(BOX, profile="").resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 14)
    assert "give --source-profile as before" in planned.decision.reason
    assert "dataware forget" not in planned.decision.reason
    both.theirs.boxes.clear()
    (planned,) = both.plan(BOX).resources
    assert (planned.decision.action, planned.decision.rule) == (Action.STOP, 7)
    assert "no longer exists" in planned.decision.reason


def test_types_that_do_not_relay_are_looked_for_at_home(
    both: TwoAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their data cannot pass through here, which the plan says."""
    both.install(monkeypatch, relays=False)
    plan = both.plan(BOX)
    assert {account for account, _ in both.looked} == {OURS}
    (warning,) = plan.warnings
    assert warning == (
        "--source-profile reads no box, so the fallbacks of new were looked for in account "
        "111122223333"
    )


def test_one_fallback_twice_and_one_of_no_side_are_refused(both: TwoAccounts) -> None:
    """An ARN of another partition is read by nobody, unless the profile is of it."""
    with pytest.raises(InputError, match="gives one fallback twice"):
        both.plan(replace(BOX, fallbacks=("old", THEIR_OLD)))
    china = f"arn:aws-cn:box:cn-north-1:{THEIRS}:box/old"
    with pytest.raises(InputError, match="is in partition aws-cn"):
        both.plan(replace(BOX, fallbacks=(china,)))
    both.region = "cn-north-1"
    (planned,) = both.plan(replace(BOX, fallbacks=(china,))).resources
    assert planned.decision.source == china
    assert planned.fallbacks[0].existence is Existence.EXISTS


def test_names_that_mean_the_same_everywhere_are_the_profiles(
    both: TwoAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket says neither account nor region, so a plain name stays plain."""
    both.install(
        monkeypatch, arns=lambda name, _a, _r, partition: (f"arn:{partition}:box:::{name}",)
    )
    plan = both.plan(replace(BOX, fallbacks=("arn:aws:box:::old",)))
    (planned,) = plan.resources
    assert planned.decision.source == "old"
    assert planned.fallbacks[0].account == THEIRS
    apply_plan(both.context(""), plan, PLAIN, saved=True)
    assert both.ours.boxes["new"] == both.theirs.boxes["old"]


def test_a_copy_that_a_service_began_is_not_gone_on_with_here(
    both: TwoAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a service reads, it reads with the run's own credentials."""
    from dataware.core.engines.map_card import MAP

    both.install(monkeypatch, engines=lambda: (MAP,))
    detail = {"engine": {"name": "map"}}
    both.ours.make("new")
    both.ours.markers["new"] = Marker(MarkerState.RUNNING, source=THEIR_OLD, run="r", detail=detail)
    with pytest.raises(RefusedError, match="was begun with map, which reads no source with"):
        both.plan(BOX)
    both.ours.markers.clear()
    prices = make_plan(both.context(), [BOX], report=False, prices=NO_PRICES)
    (line,) = [one for one in prices.resources[0].engines if one.card.name is EngineName.MAP]
    assert line.why == "--source-profile copies through this machine"


class CarryingCreator:
    """Makes the box out of theirs, with the credentials of both sides."""

    words = TableImport.words

    def __init__(self, both: TwoAccounts, ours: Any, theirs: Any) -> None:
        assert (ours.account, theirs.account) == (OURS, THEIRS)
        self.both = both

    def find_problem(self, _source: Location, _properties: Any) -> str:
        """Nothing stands against it."""
        return ""

    def find_request(self, source: Location, *_given: Any) -> Any:
        """The same each time; the source is theirs."""
        assert (source.owner, source.profile) == (THEIRS, "partner")
        return {"token": "t"}

    def prepare(self, record: Any, source: Location) -> Preparation:
        """What was exported."""
        assert source.profile == "partner"
        return Preparation(record)

    def begin(self, record: Any, source: Location, target: Location, _properties: Any) -> Any:
        """All at once."""
        assert self.both.ours.markers[target.name].detail["engine"]["token"] == "t"
        self.both.ours.make(target.name)
        self.both.side(target).update(self.both.side(source))
        return {**record, "job": "j"}

    def look(self, record: Any, _target: Location) -> CreationProgress:
        """As soon as it was asked for."""
        return CreationProgress(exists="job" in record, done="job" in record)

    def repair(self, *_given: Any) -> Any:
        """Nothing."""
        return ()

    def list_parts(self, _record: Any) -> Any:
        """Nothing."""
        return ()

    def clean(self, _record: Any) -> None:
        """Nothing."""

    def describe(self, _record: Any) -> str:
        """When it was."""
        return "now"


@pytest.mark.parametrize("engine", [EngineName.EXPORT_IMPORT, None])
def test_an_engine_that_is_asked_for_gets_the_credentials_of_both_sides(
    both: TwoAccounts, monkeypatch: pytest.MonkeyPatch, engine: EngineName | None
) -> None:
    """As an option of `apply`, or out of the saved plan; the record is ours alone."""

    def make(ours: Any, theirs: Any = None) -> Any:
        return CarryingCreator(both, ours, theirs or both.context().open_profile("partner"))

    card = replace(EXPORT_IMPORT, needs=(), creator=make, relayed_creator=make)
    both.install(monkeypatch, engines=lambda: (card,))
    asked = EngineDemand(engine=EngineName.EXPORT_IMPORT) if engine is None else EngineDemand()
    plan = make_plan(both.context(), [BOX], report=False, engines=asked)
    plan = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    apply_plan(both.context(""), plan, CopySettings(engine=engine), saved=True)
    assert both.ours.boxes["new"] == both.theirs.boxes["old"]
    record = both.ours.markers["new"]
    assert (record.state, record.source) == (MarkerState.COMPLETE, THEIR_OLD)
    assert both.theirs.markers == {}


def test_a_fallback_of_the_runs_own_account_is_exported_without_the_profile(
    both: TwoAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The profile is not asked for what it does not read."""
    made: list[str] = []

    def make(ours: Any) -> Any:
        made.append("by ours alone")
        return CarryingCreator(both, ours, both.context().open_profile("partner"))

    def refuse(*_given: Any) -> Any:
        raise AssertionError("no profile reads it")

    card = replace(EXPORT_IMPORT, needs=(), creator=make, relayed_creator=refuse)
    kind = both.install(monkeypatch, engines=lambda: (card,))
    own = replace(BOX, fallbacks=(f"arn:aws:box:eu-central-1:{OURS}:box/old",))
    demand = EngineDemand(engine=EngineName.EXPORT_IMPORT)
    (planned,) = make_plan(both.context(), [own], report=False, engines=demand).resources
    assert make_steps(both.context(), kind, planned, PLAIN) is not None
    assert made[-1] == "by ours alone"
