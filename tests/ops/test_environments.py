"""Facts of different accounts, regions and stacks are never mixed up, whatever an app wants."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataware.core.errors import InputError, NotFoundError
from dataware.core.kind import Kind
from dataware.core.lock_file import lock_entries
from dataware.core.model import (
    NO_MARKER,
    UNMANAGED,
    Action,
    Content,
    Existence,
    Facts,
    Location,
    Marker,
    MarkerState,
    Owner,
    Ownership,
    Wanted,
    absent,
)
from dataware.core.names import is_arn, place_of
from dataware.core.plan import Plan
from dataware.ops.context import Context
from dataware.ops.inputs.wanted import App, StackEnvironment, check_together
from dataware.ops.plan import make_plan
from support.world import World, box_kind, change_card

ACCOUNTS = ("000000000000", "111122223333")
REGIONS = ("us-east-1", "eu-west-1", "ap-south-1")
STACKS = ("app", "web")
NAMES = ("old", "new", "other")

Key = tuple[str, str, str]
"""Account, region and name of a table; of a bucket the first two are empty."""


@dataclass
class Environments:
    """Tables and buckets of two accounts in three regions, and the stacks that own them."""

    content: dict[Key, Content] = field(default_factory=dict)
    regions: dict[Key, str] = field(default_factory=dict)
    owners: dict[Key, tuple[str, str]] = field(default_factory=dict)
    markers: dict[Key, Marker] = field(default_factory=dict)
    asked: set[Key] = field(default_factory=set)

    def facts(self, key: Key, name: str) -> Facts:
        """What is true of one resource."""
        self.asked.add(key)
        if key not in self.content:
            return absent(name)
        region = self.regions.get(key)
        return Facts(name, Existence.EXISTS, self.content[key], identity="1", region=region)

    def context(self, account: str, region: str) -> Context:
        """A context for a run in one environment."""
        base = World().context()
        there = EnvironmentAws(self, account, region)

        def move(context: Context, region: str) -> Context:
            aws = EnvironmentAws(self, account, region)
            return replace(context, aws=aws, markers=EnvironmentMarkers(aws))

        return replace(base, aws=there, markers=EnvironmentMarkers(there), move=move)


@dataclass(frozen=True)
class EnvironmentAws:
    """The control plane of one account and region."""

    world: Environments
    account: str
    region: str
    partition: str = "aws"

    def for_region(self, region: str) -> Any:
        """The same account in another region."""
        return replace(self, region=region)

    def owner_of(self, types: Collection[str], physical_id: str) -> Owner:
        """The stack of this account and region that has it."""
        assert not is_arn(physical_id)
        for key in (("", "", physical_id), (self.account, self.region, physical_id)):
            known = "Memory::Bucket" if key[0] == "" else "Memory::Table"
            home = self.world.regions.get(key, self.region)
            if known in types and key in self.world.owners and home == self.region:
                stack, logical_id = self.world.owners[key]
                arn = f"arn:aws:cloudformation:{self.region}:{self.account}:stack/{stack}/1"
                return Owner(Ownership.OTHER_STACK, stack, logical_id, arn)
        return UNMANAGED

    def stack_template(self, stack: str) -> Any:
        """No template is kept here."""
        raise NotFoundError(f"no stack {stack}")


@dataclass(frozen=True)
class EnvironmentMarkers:
    """The records that lie in one account and region."""

    aws: EnvironmentAws

    def get(self, kind: str, target: str) -> Marker:
        """The record of a target here."""
        assert not is_arn(target)
        return self.aws.world.markers.get((self.aws.account, self.aws.region, target), NO_MARKER)

    def all(self) -> list[tuple[str, str, Marker]]:
        """Nobody asks for what lies elsewhere."""
        return []

    def begin(self, *_begun: object) -> Any:
        """Planning begins nothing."""
        raise AssertionError(_begun)


def kinds_of(world: Environments) -> dict[str, Kind]:
    """A kind whose names mean something in one region only, and one whose names mean one thing."""

    def look_at_table(aws: Any, name: str) -> Facts:
        parts = name.split(":")
        key = (parts[4], parts[3], parts[5].partition("/")[2]) if is_arn(name) else None
        return world.facts(key or (aws.account, aws.region, name), name)

    def look_at_bucket(_aws: Any, name: str) -> Facts:
        return world.facts(("", "", name), name)

    def locate(_aws: Any, place: Location) -> str | None:
        return world.regions.get(("", "", place.name))

    base = box_kind(World())
    table = change_card(
        base, slug="table", cfn_type="Memory::Table", probe=look_at_table, short="table",
        arns=lambda name, account, region, partition: (
            f"arn:{partition}:table:{region}:{account}:table/{name}",
        ),
        types=("Memory::Table", "Memory::GlobalTable"),
    )  # fmt: skip
    return {
        "Memory::Table": table,
        "Memory::GlobalTable": replace(table, cfn_type="Memory::GlobalTable"),
        "Memory::Bucket": change_card(
            base, slug="bucket", cfn_type="Memory::Bucket", probe=look_at_bucket, locate=locate,
            short="bucket",
            arns=lambda name, _account, _region, partition: (f"arn:{partition}:bucket:::{name}",),
        ),
    }  # fmt: skip


def install(patch: pytest.MonkeyPatch, world: Environments) -> dict[str, Kind]:
    """Put these kinds into the catalogue."""
    cards = kinds_of(world)
    for number, kind in enumerate(cards.values()):
        module = ModuleType(f"dataware.kinds.memory_{number}")
        module.__dict__["KIND"] = kind
        patch.setitem(sys.modules, module.__name__, module)
    catalogue = {cfn_type: f"memory_{number}" for number, cfn_type in enumerate(cards)}
    patch.setattr("dataware.kinds.CATALOGUE", catalogue)
    return cards


def arn_of(account: str, region: str, name: str) -> str:
    """The ARN of a table."""
    return f"arn:aws:table:{region}:{account}:table/{name}"


def key_of(kind: Kind, name: str, account: str, region: str) -> Key:
    """Which resource a name means, by the words of the test alone."""
    if kind.names.slug == "bucket":
        return ("", "", name.rpartition(":")[2])
    if is_arn(name):
        _, _, _, at, owner, resource = name.split(":")
        return (owner, at, resource.partition("/")[2])
    return (account, region, name)


keys = st.tuples(st.sampled_from(ACCOUNTS), st.sampled_from(REGIONS), st.sampled_from(NAMES))
bucket_keys = st.sampled_from(NAMES).map(lambda name: ("", "", name))
contents = st.sampled_from([Content.DATA, Content.EMPTY])
owners = st.tuples(st.sampled_from(STACKS), st.sampled_from(["A", "B"]))

worlds = st.builds(
    Environments,
    st.dictionaries(keys | bucket_keys, contents, max_size=15),
    st.fixed_dictionaries({("", "", name): st.sampled_from(REGIONS) for name in NAMES}),
    st.dictionaries(keys | bucket_keys, owners, max_size=8),
    st.dictionaries(
        keys, st.builds(Marker, st.just(MarkerState.COMPLETE), source=st.just("old")), max_size=3
    ),
)
spellings = st.sampled_from(NAMES) | keys.map(lambda key: arn_of(*key))


@st.composite
def wanted_sets(draw: st.DrawFn) -> list[Wanted]:
    """What the stacks of an app want, each in its own environment; names are used again."""
    found = []
    for number in range(draw(st.integers(1, 6))):
        cfn_type = draw(st.sampled_from(["Memory::Table", "Memory::GlobalTable", "Memory::Bucket"]))
        names = st.sampled_from(NAMES) if cfn_type == "Memory::Bucket" else spellings
        found.append(
            Wanted(
                f"id{number}", cfn_type, draw(st.sampled_from(NAMES)),
                tuple(draw(st.lists(names, max_size=3, unique=True))),
                stack=draw(st.sampled_from(STACKS)), logical_id=draw(st.sampled_from(["A", "B"])),
                account=draw(st.sampled_from(ACCOUNTS)), region=draw(st.sampled_from(REGIONS)),
            )
        )  # fmt: skip
    return found


def check_facts(world: Environments, kind: Kind, one: Wanted, facts: Facts) -> None:
    """What was seen under a name is true of the resource that the name means there."""
    assert one.account is not None
    assert one.region is not None
    key = key_of(kind, facts.name, one.account, one.region)
    exists = facts.existence is Existence.EXISTS
    assert exists == (key in world.content)
    if exists:
        assert facts.content is world.content[key]
        assert facts.region == world.regions.get(key, key[1])
    if key[0] not in {"", one.account}:
        assert not exists or facts.owner.ownership is Ownership.UNKNOWN
        return
    home = world.regions.get(key, key[1]) if exists else (key[1] or one.region)
    if exists or key[0]:
        stack = world.owners.get(key)
        same = stack is not None and (stack[0], home) == (one.stack, one.region)
        ours = facts.owner.ownership in {Ownership.THIS_STACK, Ownership.MOVED}
        assert ours == same
        assert (facts.owner.ownership is Ownership.UNMANAGED) == (stack is None)
    expected = world.markers.get((one.account, home, key[2]), NO_MARKER)
    assert facts.marker == expected


@given(worlds, wanted_sets())
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=60)
def test_decisions_never_mix_environments(world: Environments, wanted: list[Wanted]) -> None:
    """Two accounts, three regions, stacks and tables of equal names: each fact is of its own."""
    with pytest.MonkeyPatch.context() as patch:
        cards = install(patch, world)
        for account in ACCOUNTS:
            for region in REGIONS:
                mine = [one for one in wanted if (one.account, one.region) == (account, region)]
                world.asked.clear()
                try:
                    check_together("app", mine, cards)
                    plan = make_plan(world.context(account, region), mine, report=False)
                except InputError:
                    continue
                check_plan(world, cards, plan)


def check_plan(world: Environments, cards: Mapping[str, Kind], plan: Plan) -> None:
    """Every fact and source is of the resource that is meant, also after a round through JSON."""
    meant = set()
    for planned in Plan.from_json(plan.to_json()).resources:
        one, kind = planned.wanted, cards[planned.wanted.type]
        assert (one.account, one.region) == (plan.account, plan.region)
        sides = (planned.preferred, *planned.fallbacks)
        for facts in sides:
            meant.add(key_of(kind, facts.name, plan.account, plan.region))
    for planned in plan.resources:
        one, kind = planned.wanted, cards[planned.wanted.type]
        # Of a fallback that is not there nothing more is asked.
        there = [one for one in planned.fallbacks if one.existence is not Existence.ABSENT]
        for facts in (planned.preferred, *there):
            check_facts(world, kind, one, facts)
        if planned.decision.source is not None:
            key = key_of(kind, planned.decision.source, plan.account, plan.region)
            assert world.content[key] is Content.DATA
            place = place_of(kind, planned.decision.source, plan.account, plan.region)
            assert key[0] in {"", place.owner}
            assert key[1] in {"", place.region}
        if planned.decision.action in {Action.KEEP, Action.IMPORT} and not planned.decision.source:
            assert key_of(kind, one.preferred, plan.account, plan.region) in world.content
    entries = lock_entries(plan)
    assert len(entries) == len(plan.resources)
    assert world.asked <= meant | {("", "", name) for name in NAMES} | _in_other_regions(meant)


def _in_other_regions(meant: Collection[Key]) -> set[Key]:
    """Where names are looked for once more, to see whether the region is the wrong one."""
    return {(account, region, name) for account, _, name in meant for region in REGIONS}


@given(wanted_sets())
def test_an_app_is_refused_outside_of_its_environment(wanted: list[Wanted]) -> None:
    """Whichever stack comes first or last, and whatever they are called."""
    environments = {one.id: StackEnvironment(one.account, one.region) for one in wanted}
    app = App(wanted, environments)
    here = (ACCOUNTS[0], REGIONS[0])
    fits = all((one.account, one.region) == here for one in wanted)
    try:
        app.check_environment(*here)
    except InputError as error:
        assert not fits
        assert "is meant for account" in str(error)
    else:
        assert fits


@given(wanted_sets())
def test_names_clash_exactly_within_one_environment(wanted: list[Wanted]) -> None:
    """A table's name may be used again elsewhere, a bucket's may not; both types are one kind."""
    cards = kinds_of(Environments())
    keys = [
        (cards[one.type].names.slug, key_of(cards[one.type], one.preferred, *_home_of(one)))
        for one in wanted
    ]
    try:
        check_together("app", wanted, cards)
    except InputError as error:
        assert len(set(keys)) < len(keys)
        assert "have the same preferred name" in str(error)
    else:
        assert len(set(keys)) == len(keys)


def _home_of(one: Wanted) -> tuple[str, str]:
    return str(one.account), str(one.region)
