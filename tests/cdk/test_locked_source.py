"""A lock file whose sources another profile saw, in a synth that has other credentials."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aws_cdk.assertions import Template

from cdk.apps import ENVIRONMENT, KEY, TABLE, entry, errors, make_stack, write_lock
from dataware.cdk import DataAwareTable, lookup
from dataware.core.lock_file import LockEntry, parse_entry

THEIRS = "arn:aws:dynamodb:eu-central-1:444455556666:table/orders"
LOCKED = {"fallbacks": ["orders"], "source": THEIRS, "content": "empty"}


def synthesize(monkeypatch: pytest.MonkeyPatch, **found: Any) -> tuple[str, list[str]]:
    """The template and the errors of a table whose data is theirs, as a look from here sees it."""
    locked = entry("migrate", 3, **LOCKED)
    write_lock({f"{TABLE} orders-prod": locked})
    seen: LockEntry = parse_entry("orders-prod", entry(**{"fallbacks": ["orders"], **found}))
    monkeypatch.setattr(lookup, "look_up", lambda *_: seen)
    stack = make_stack()
    DataAwareTable(
        stack,
        "Orders",
        preferred_name="orders-prod",
        fallback_names=["orders"],
        partition_key=KEY,
    )
    return json.dumps(Template.from_stack(stack).to_json()), errors(stack)


@pytest.mark.parametrize(
    "found",
    [
        {"content": "empty"},
        {"action": "migrate", "rule": 3, "source": "orders", "content": "empty"},
        {"action": "keep", "rule": 6, "exists": "yes", "content": "empty"},
    ],
    ids=["nothing of that name here", "another one of that name here", "still empty"],
)
def test_what_the_lock_file_copies_is_not_replaced_by_what_has_that_name_here(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]
) -> None:
    """Neither is the target left empty, nor is it filled with other data."""
    template, _ = synthesize(monkeypatch, **found)
    assert THEIRS in template or "444455556666" in template
    assert "Custom::DataMigration" in template


@pytest.mark.parametrize(
    ("found", "is_copied"),
    [
        ({"action": "keep", "rule": 6, "exists": "yes"}, False),
        ({"action": "stop", "rule": 7}, False),
        ({"action": "resume", "rule": 7, "source": THEIRS, "exists": "yes"}, True),
    ],
    ids=["kept with its data", "stopped", "begun"],
)
def test_what_is_true_by_now_wins_where_a_look_from_here_can_see_it(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], is_copied: bool
) -> None:
    """The copy was made, has begun, or must not begin."""
    template, told = synthesize(monkeypatch, **found)
    assert ("Custom::DataMigration" in template) == is_copied
    assert bool(told) == (found["action"] == "stop")


def test_an_arn_of_the_own_account_that_a_plan_with_a_profile_left_is_the_same_fallback() -> None:
    """With a profile a plain name means theirs, so the lock file keeps the ARN of ours."""
    account, region = ENVIRONMENT.split("/")
    ours = f"arn:aws:dynamodb:{region}:{account}:table/orders"
    kept = entry("keep", 6, exists="yes", fallbacks=[ours])
    write_lock({f"{TABLE} orders-prod": kept})
    stack = make_stack(lookup="never")
    DataAwareTable(
        stack, "Orders", preferred_name="orders-prod", fallback_names=[ours], partition_key=KEY
    )
    assert errors(stack) == []
