"""What only a whole fleet shows: names wanted twice, chained copies, unequal decisions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataware.core.fleet.cross_checks import FindingKind, FleetFinding, check_fleet
from dataware.core.fleet.plan import TargetPlan
from dataware.core.model import Action, Content, Existence, ImportMode
from dataware.kinds import load
from support.fleets import BUCKET, ONE, TABLE, TWO, planned, target, target_plan

A, B = target("a", ONE), target("b", TWO)
US = target("a-us", ONE, "us-east-1")


def findings(*plans: TargetPlan, kind: FindingKind | None = None) -> list[FleetFinding]:
    """What is found, or what of one kind."""
    return [one for one in check_fleet(plans, load) if kind in {None, one.kind}]


@pytest.mark.parametrize("other", [B, US])
def test_a_bucket_name_that_two_targets_want_is_a_stop(other: object) -> None:
    """It is one name for all accounts and regions, so the second would be refused or be wrong."""
    plans = target_plan(A, planned("uploads")), target_plan(other, planned("uploads"))  # type: ignore[arg-type]
    (found,) = findings(*plans)
    assert (found.kind, found.stops) == (FindingKind.SHARED_NAME, True)
    assert found.text.startswith(f"a and {other.name} want the same S3 bucket uploads")  # type: ignore[attr-defined]


def test_a_table_name_is_another_one_in_another_place() -> None:
    """Accounts and regions keep tables apart, and nothing else does."""
    one = planned("Orders", cfn_type=TABLE)
    assert findings(target_plan(A, one), target_plan(B, one), target_plan(US, one)) == []
    again = target("again", ONE)
    (found,) = findings(target_plan(A, one), target_plan(again, one))
    assert found.stops
    assert "same account and region" in found.text


PLACES = st.tuples(st.sampled_from([ONE, TWO]), st.sampled_from(["eu-west-1", "us-east-1"]))
NAMES = st.sampled_from(["orders", "uploads", "parcels"])


@given(st.lists(st.tuples(PLACES, st.sampled_from([BUCKET, TABLE]), NAMES), max_size=8))
def test_two_targets_conflict_exactly_where_a_name_means_one_thing(
    wants: list[tuple[tuple[str, str], str, str]],
) -> None:
    """A bucket's name is one for the whole partition, a table's one for an account and region."""
    plans = [
        target_plan(target(f"t{n}", *place), planned(name, cfn_type=kind, logical_id=f"R{n}"))
        for n, (place, kind, name) in enumerate(wants)
    ]
    things = Counter((kind, name, None if kind == BUCKET else place) for place, kind, name in wants)
    found = findings(*plans, kind=FindingKind.SHARED_NAME)
    assert len(found) == sum(count > 1 for count in things.values())
    assert sorted(len(one.targets) for one in found) == sorted(n for n in things.values() if n > 1)
    assert all(one.stops for one in found)


def test_what_two_targets_only_refer_to_is_no_conflict() -> None:
    """A shared bucket that nobody owns is read by whoever likes to."""
    one = planned("shared", Action.IMPORT, import_mode=ImportMode.REFERENCE)
    assert findings(target_plan(A, one), target_plan(B, one)) == []


def test_a_source_that_another_target_fills_is_a_stop() -> None:
    """Half of the data would be copied, or none: the order is a person's to say."""
    first = target_plan(A, planned("uploads-eu", Action.MIGRATE, source="uploads"))
    second = target_plan(B, planned("uploads-us", Action.MIGRATE, source="uploads-eu"))
    (found,) = findings(first, second, kind=FindingKind.CHAINED_COPY)
    assert found.stops
    assert found.targets == ("b", "a")
    assert "apply a alone first" in found.text


@given(
    st.permutations(["uploads-eu", "uploads", "older"]),
    st.sampled_from([None, "uploads-eu", "uploads", "older"]),
    st.sampled_from(Content),
    st.sampled_from([Action.CREATE, Action.MIGRATE, Action.KEEP]),
)
def test_a_fallback_that_another_target_fills_is_a_stop_where_it_would_be_the_source(
    fallbacks: list[str], source: str | None, content: Content, theirs: Action
) -> None:
    """Who looks before it is filled makes an empty one, or takes older data for it."""
    first = target_plan(A, planned("uploads-eu", theirs, source="before"))
    mine = planned("uploads-us", Action.MIGRATE if source else Action.CREATE, source=source)
    mine = replace(
        mine,
        wanted=replace(mine.wanted, fallbacks=tuple(fallbacks)),
        preferred=replace(mine.preferred, content=content),
    )
    found = findings(first, target_plan(B, mine), kind=FindingKind.CHAINED_COPY)
    order = [*fallbacks, None]
    is_before = order.index("uploads-eu") < order.index(source) and content is not Content.DATA
    is_source = source == "uploads-eu" and theirs is not Action.KEEP
    stops = is_source or (is_before and theirs is Action.MIGRATE)
    assert [one.stops for one in found if one.stops] == [True] * stops
    assert all("apply a alone first" in one.text for one in found if one.stops)


def test_a_source_that_is_another_targets_own_is_told() -> None:
    """Data of production in a test: nothing is wrong with it, but somebody has to know."""
    theirs = planned("uploads-eu", Action.KEEP, existence=Existence.EXISTS)
    mine = planned("uploads-us", Action.MIGRATE, source="uploads-eu")
    (found,) = findings(target_plan(A, theirs), target_plan(B, mine), kind=FindingKind.CHAINED_COPY)
    assert not found.stops
    assert "is that of a: make sure" in found.text


def test_a_source_by_arn_is_found_in_the_target_that_owns_it() -> None:
    """A table of another account and region is named in full."""
    arn = f"arn:aws:dynamodb:us-east-1:{ONE}:table/Orders"
    theirs = planned("Orders", Action.CREATE, cfn_type=TABLE)
    mine = planned("Orders-new", Action.MIGRATE, source=arn, cfn_type=TABLE)
    assert (
        findings(target_plan(A, theirs), target_plan(B, mine), kind=FindingKind.CHAINED_COPY) == []
    )
    (found,) = findings(
        target_plan(US, theirs), target_plan(B, mine), kind=FindingKind.CHAINED_COPY
    )
    assert found.targets == ("b", "a-us")


def test_the_target_that_is_treated_otherwise_is_named() -> None:
    """Four import and one migrates: the odd one is what a person looks at."""
    plans = [
        target_plan(
            target(f"t{n}", ONE, region),
            planned(
                f"uploads-{n}", Action.MIGRATE if n == 3 else Action.IMPORT, logical_id="Uploads"
            ),
        )
        for n, region in enumerate(
            ["eu-west-1", "eu-west-2", "eu-west-3", "us-east-1", "us-west-2"]
        )
    ]
    (found,) = findings(*plans, kind=FindingKind.UNEQUAL)
    assert found.text == "Uploads: 4 import, 1 migrate (t3)"
    assert (found.targets, found.stops) == (("t3",), False)


def test_an_even_split_names_both_sides() -> None:
    """Nobody is the odd one then."""
    plans = (
        target_plan(A, planned("x", logical_id="X")),
        target_plan(B, planned("y", Action.IMPORT, logical_id="X")),
    )
    (found,) = findings(*plans)
    assert found.text == "X: 1 create (a), 1 import (b)"


def test_a_target_that_nobody_could_see_is_compared_with_nothing() -> None:
    """Unknown is not absent, and not unequal either; the plan says so by itself."""
    unknown = TargetPlan(B, None, "role cannot be assumed", 1)
    assert findings(target_plan(A, planned("x", logical_id="X")), unknown) == []
