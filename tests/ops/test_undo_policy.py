"""The policy of an undo writes to one name: that to which it goes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dataware.core.errors import InputError
from dataware.core.kind import Kind
from dataware.core.model import Wanted
from dataware.core.phases import PolicyUse
from dataware.ops.policy import choose_undone, iam_policy

TABLE = "AWS::DynamoDB::Table"
ONE = Wanted("Orders", TABLE, "orders-prod", ("orders",))
TWO = replace(ONE, fallbacks=("orders", "orders-2"))


def source_of(found: str | None, *, kind: str = "dynamodb-table") -> object:
    """What the records say."""

    def find(asked: Kind, name: str) -> str | None:
        assert (asked.names.slug, name) == (kind, "orders-prod")
        return found

    return find


def writes_of(wanted: list[Wanted]) -> set[str]:
    """The tables to which the policy of an undo writes."""
    policy = iam_policy(
        wanted,
        account="111122223333",
        region="eu-central-1",
        partition="aws",
        shared={},
        use=PolicyUse.UNDO,
    )
    return {
        arn.partition(":table/")[2]
        for one in policy["Statement"]
        for arn in one["Resource"]
        if {"dynamodb:PutItem", "dynamodb:DeleteItem"} & set(one["Action"])
    }


@pytest.mark.parametrize(
    ("wanted", "found", "name"),
    [(ONE, None, "orders"), (ONE, "orders", "orders"), (TWO, "orders-2", "orders-2")],
)
def test_the_source_on_record_wins_and_a_single_fallback_needs_none(
    wanted: Wanted, found: str | None, name: str
) -> None:
    """Nothing else of the app is written to, nor the target."""
    chosen = choose_undone([wanted], source_of(found))  # type: ignore[arg-type]
    assert [one.fallbacks for one in chosen] == [(name,)]
    assert writes_of(chosen) == {name}


def test_of_several_fallbacks_without_a_record_none_is_guessed() -> None:
    """Else the policy would write to a name from which nothing was cut over."""
    with pytest.raises(InputError, match=r"orders-prod has 2 fallbacks.*--fallback"):
        choose_undone([TWO], source_of(None))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        [replace(ONE, fallbacks=())],
        [Wanted("Key", "AWS::SecretsManager::Secret", "key-prod", ("key",))],
        [Wanted("Queue", "AWS::SQS::Queue", "queue-prod", ("queue",))],
    ],
)
def test_an_app_without_anything_to_go_back_to_has_no_such_policy(wanted: list[Wanted]) -> None:
    """An empty policy would look like one that is enough."""
    with pytest.raises(InputError, match="nothing of this app can be undone"):
        choose_undone(wanted, source_of(None))  # type: ignore[arg-type]
