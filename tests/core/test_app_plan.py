"""Several plans of one app, as one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from dataware.core.app_plan import AppPlan, group_by_place
from dataware.core.model import Wanted
from dataware.core.plan import Plan

HOME = ("000000000000", "us-east-1")
places = st.tuples(
    st.sampled_from([None, HOME[0], "222222222222"]), st.sampled_from([None, HOME[1], "eu-west-1"])
)


@given(st.lists(places, max_size=12))
def test_every_resource_is_in_the_place_it_is_meant_for(meant: list[tuple[str, str]]) -> None:
    """None is lost or stands twice, and each place keeps the order of the app."""
    wanted = [
        Wanted(f"r{number}", "T", f"n{number}", account=account, region=region)
        for number, (account, region) in enumerate(meant)
    ]
    groups = group_by_place(wanted, HOME)
    assert sorted(one.id for each in groups.values() for one in each) == sorted(
        one.id for one in wanted
    )
    for (account, region), some in groups.items():
        assert all(one.account in {None, account} for one in some)
        assert all(one.region in {None, region} for one in some)
        assert some == [one for one in wanted if one in some]
    if not wanted:
        assert groups == {HOME: []}


def test_warnings_say_of_which_place_they_are() -> None:
    """Those of the first, which is the command's own, need no word more."""
    plans = [
        Plan(account, "us-east-1", "now", (), (f"odd {account}",))
        for account in ("1" * 12, "2" * 12)
    ]
    app_plan = AppPlan(tuple(plans), ("whole",))
    assert app_plan.places == ["111111111111/us-east-1", "222222222222/us-east-1"]
    assert app_plan.join().warnings == (
        "whole",
        "odd 111111111111",
        "account 222222222222, us-east-1: odd 222222222222",
    )
