"""What a declared time to live would delete, as a clause for people."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.kinds.dynamodb_table.comparison import find_expiry

TTL = "TimeToLiveSpecification"


@pytest.mark.parametrize(
    ("declared", "clause"),
    [
        (
            {"Enabled": True, "AttributeName": "until"},
            "items expire by until, without a date that keeps them",
        ),
        (
            {"Enabled": "true", "AttributeName": {"Ref": "Attribute"}},
            "items expire by Ref: Attribute, without a date that keeps them",
        ),
        (
            {"Enabled": True},
            "its declared time to live names no attribute, and may expire items",
        ),
        (
            {"Enabled": {"Ref": "On"}},
            "its declared time to live cannot be read, and may expire items",
        ),
        ({"Enabled": False, "AttributeName": "until"}, None),
        (None, None),
    ],
)
def test_a_time_to_live_that_deletes_says_what_is_known_of_it(
    declared: Any, clause: str | None
) -> None:
    """An attribute that is not named is not called None."""
    assert find_expiry(TTL, None, declared) == clause
