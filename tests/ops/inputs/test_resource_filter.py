"""Some resources of an app are chosen by name, and what is left out is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.errors import InputError
from dataware.core.model import Wanted
from dataware.ops.inputs.resource_filter import choose_resources
from dataware.ops.inputs.wanted import App, Unnamed

APP = App(
    [
        Wanted("App/Orders", "AWS::DynamoDB::Table", "orders-prod", logical_id="Orders1A"),
        Wanted("uploads-prod", "AWS::S3::Bucket", "uploads-prod"),
        *(Wanted(f"b{n}", "AWS::S3::Bucket", f"bucket-{n}") for n in range(6)),
    ]
)


@pytest.mark.parametrize("name", ["orders-prod", "Orders1A", "App/Orders"])
def test_a_resource_goes_by_each_of_its_names(name: str) -> None:
    """Preferred name, logical id and id mean the same."""
    chosen, left = choose_resources(APP, [name])
    assert [one.preferred for one in chosen.wanted] == ["orders-prod"]
    assert left == (
        "--only leaves out 7 resources: uploads-prod, bucket-0, bucket-1, bucket-2, bucket-3 and 2 "
        "more"
    )


def test_several_names_stay_in_the_order_of_the_app() -> None:
    """However they are typed."""
    chosen, _ = choose_resources(APP, ["bucket-3", "Orders1A", "bucket-3"])
    assert [one.preferred for one in chosen.wanted] == ["orders-prod", "bucket-3"]


def test_without_a_name_nothing_is_left_out() -> None:
    """The whole app, and not a word."""
    assert choose_resources(APP, []) == (APP, "")


def test_an_unknown_name_suggests_one() -> None:
    """Nothing is planned for a slip."""
    with pytest.raises(InputError, match="did you mean orders-prod"):
        choose_resources(APP, ["uploads-prod", "order-prod"])


def test_what_has_no_known_name_is_left_out_by_its_id() -> None:
    """It was not asked for, so that nobody needs to know its name."""
    app = replace(APP, wanted=APP.wanted[:2], unnamed=(Unnamed("App/Jobs", "nobody knows"),))
    chosen, left = choose_resources(app, ["orders-prod"])
    assert [one.preferred for one in chosen.wanted] == ["orders-prod"]
    assert left == "--only leaves out 2 resources: uploads-prod, App/Jobs (its name is unknown)"


def test_a_name_that_nobody_has_may_be_that_of_an_unnamed_resource() -> None:
    """Why it is unknown is said then, and nothing is suggested."""
    app = replace(APP, unnamed=(Unnamed("App/Jobs", "App/Jobs: its name is unknown"),))
    with pytest.raises(InputError, match="App/Jobs: its name is unknown"):
        choose_resources(app, ["jobs-prod"])
