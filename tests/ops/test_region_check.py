"""Evidence of a wrong region: only what was seen, and only where nothing speaks for the region."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataware.core.errors import RefusedError
from dataware.core.model import Content, Wanted
from dataware.ops.plan import make_plan
from dataware.ops.region_check import RegionWarning, find_wrong_region
from ops.test_environments import ACCOUNTS, REGIONS, Environments, arn_of, install

HERE, THERE = REGIONS[:2]
ACCOUNT = ACCOUNTS[0]


def doubt_of(world: Environments, *wanted: Wanted) -> RegionWarning | None:
    """The doubt about a plan in `HERE`."""
    with pytest.MonkeyPatch.context() as patch:
        install(patch, world)
        context = world.context(ACCOUNT, HERE)
        return find_wrong_region(context, make_plan(context, wanted, report=False).resources)


def table(*fallbacks: str) -> Wanted:
    """A wanted table."""
    return Wanted("T", "Memory::Table", "new", fallbacks)


BUCKET = Wanted("B", "Memory::Bucket", "bucket")


def bucket_in(region: str) -> Environments:
    """A world with one bucket."""
    key = ("", "", "bucket")
    return Environments({key: Content.DATA}, {key: region})


def test_tables_that_are_all_elsewhere_are_found_there() -> None:
    """The sentence says how many names were looked for, and where they are."""
    world = bucket_in(THERE)
    doubt = doubt_of(world, table("old"), BUCKET)
    assert doubt is not None
    assert doubt.certain
    assert doubt.text == (
        f"none of 2 table names exists in {HERE}, but 1 bucket of the app is in {THERE}: "
        "is --region right?"
    )
    world.content[ACCOUNT, THERE, "old"] = Content.EMPTY
    doubt = doubt_of(world, table("old"), BUCKET)
    assert doubt is not None
    assert f"1 of them in {THERE}" in doubt.text


def test_buckets_alone_are_no_reason_to_stop() -> None:
    """Data may well move to another region on purpose."""
    doubt = doubt_of(bucket_in(THERE), BUCKET)
    assert doubt is not None
    assert not doubt.certain
    assert doubt_of(bucket_in(HERE), BUCKET) is None


def test_an_arn_of_another_region_is_no_evidence() -> None:
    """Who names a region means it."""
    world = Environments({(ACCOUNT, THERE, "old"): Content.DATA})
    assert doubt_of(world, table(arn_of(ACCOUNT, THERE, "old"))) is None


def test_any_doubt_stops_a_strict_run() -> None:
    """Before anything is created in the wrong place."""
    world = bucket_in(THERE)
    with pytest.MonkeyPatch.context() as patch:
        install(patch, world)
        context = replace(world.context(ACCOUNT, HERE), strict=True)
        with pytest.raises(
            RefusedError, match=r"nothing was changed, because none of 1 table names"
        ):
            make_plan(context, [table(), BUCKET], report=False)


@given(
    st.sets(st.sampled_from(["new", "old"]), min_size=1),
    st.sampled_from(REGIONS),
    st.sampled_from([Content.DATA, Content.EMPTY]),
)
@settings(max_examples=20)
def test_one_table_here_is_enough_to_trust_the_region(
    names: set[str], region: str, content: Content
) -> None:
    """Wherever the buckets are."""
    world = bucket_in(region)
    world.content.update({(ACCOUNT, HERE, name): content for name in names})
    assert doubt_of(world, table("old"), BUCKET) is None
