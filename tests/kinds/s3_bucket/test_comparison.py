"""How much a declared lifetime would delete now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dataware.kinds.s3_bucket.comparison import count_expired
from support.buckets import account

AGES = {"a/1": 10, "a/2": 31, "a/3": 400, "b/1": 31, "b/2": 1}


class Listing:
    """A client whose bucket holds objects of different ages."""

    def __init__(self, *, more: bool = False) -> None:
        self.more = more

    def list_objects_v2(self, **_asked: Any) -> dict[str, Any]:
        """The only page."""
        now = datetime.now(UTC)
        rows = [
            {"Key": key, "Size": 5, "LastModified": now - timedelta(days=days)}
            for key, days in AGES.items()
        ]
        return {"Contents": rows, "IsTruncated": self.more}


@pytest.mark.parametrize(
    ("rule", "live", "more", "said"),
    [
        ({"ExpirationInDays": 30}, None, False, "3 of its 5 objects are that old now"),
        ({"ExpirationInDays": "30"}, None, True, "3 of the first 5 objects are that old now"),
        ({"ExpirationInDays": 30, "Prefix": "a/"}, None, False, "2 of its 5 objects are"),
        ({"ExpirationInDays": 30}, {"ExpirationInDays": 300}, False, "3 of its 5 objects are"),
        ({"ExpirationInDays": 30, "ObjectSizeGreaterThan": 5}, None, False, "0 of its 5 objects"),
        ({"NoncurrentVersionExpirationInDays": 3}, None, False, ""),
        ({"ExpirationInDays": {"Ref": "Days"}}, None, False, ""),
        (
            {"ExpirationInDays": 30, "TagFilters": [{"Key": "a", "Value": "b"}]},
            None,
            False,
            "",
        ),
    ],
)
def test_objects_that_are_old_enough_are_counted(
    rule: dict[str, Any], live: dict[str, Any] | None, more: bool, said: str
) -> None:
    """By prefix, size and age; what a listing does not show is not guessed."""
    aws: Any = SimpleNamespace(
        client=lambda _service: Listing(more=more),
        translate_errors=account().translate_errors,
    )
    declared = {"Rules": [{"Status": "Enabled", **rule}]}
    has = live and {"Rules": [{"Status": "Enabled", **live}]}
    found = count_expired(aws, "uploads", "LifecycleConfiguration", has, declared)
    assert found.startswith(said)
    assert bool(found) is bool(said)
