"""Which items only wait to be deleted by the service."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

import pytest
from tests.support.dynamo import place

from dataware.aws.errors import translate_errors
from dataware.core.errors import LookupFailedError
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.expiry import find_expired
from dataware.kinds.dynamodb_table.follow.keys import encode_key

ITEMS = {
    "past": {"pk": {"S": "past"}, "end": {"N": "99"}},
    "now": {"pk": {"S": "now"}, "end": {"N": "100"}},
    "later": {"pk": {"S": "later"}, "end": {"N": "100.5"}},
    "text": {"pk": {"S": "text"}, "end": {"S": "99"}},
    "none": {"pk": {"S": "none"}},
}


class Tables:
    """A source with items, and a target with a setting; `stuck` leaves every key unprocessed."""

    def __init__(self, status: str = "ENABLED", stuck: bool = False) -> None:
        self.status, self.stuck = status, stuck
        self.half = True

    def client(self, _service: str) -> Tables:
        return self

    def translate_errors(
        self, what: str, permission: str | None = None
    ) -> AbstractContextManager[None]:
        return translate_errors(what, permission)

    def describe_time_to_live(self, TableName: str) -> Mapping[str, Any]:  # noqa: N803 - the SDK's
        assert TableName == "new"
        return {"TimeToLiveDescription": {"TimeToLiveStatus": self.status, "AttributeName": "end"}}

    def batch_get_item(self, RequestItems: Any) -> Mapping[str, Any]:  # noqa: N803 - the SDK's
        wanted = RequestItems["old"]["Keys"]
        assert RequestItems["old"]["ConsistentRead"]
        now = [] if self.stuck else wanted[: (len(wanted) + 1) // 2]
        left = wanted[len(now) :]
        found = [ITEMS[key["pk"]["S"]] for key in now if key["pk"]["S"] in ITEMS]
        return {
            "Responses": {"old": found},
            "UnprocessedKeys": {"old": {"Keys": left}} if left else {},
        }


def expired(tables: Tables) -> set[str]:
    """Which of all items, and of one that is gone, have expired at 100."""
    aws = cast("Aws", tables)
    names = {encode_key({"pk": {"S": name}}, ("pk",)): name for name in (*ITEMS, "gone")}
    found = find_expired((aws, place("old")), (aws, place("new")), list(names), 100.0)
    return {names[key] for key in found}


def test_items_expire_by_the_number_in_the_attribute_of_the_target() -> None:
    """Whatever the source's own setting is; keys that are left unprocessed are read again."""
    assert expired(Tables()) == {"past", "now"}


@pytest.mark.parametrize("status", ["DISABLED", "ENABLING", "DISABLING"])
def test_nothing_expires_where_the_target_does_not_delete(status: str) -> None:
    """Then a missing item is a difference."""
    assert expired(Tables(status)) == set()


def test_keys_that_stay_unprocessed_are_an_error_and_not_taken_for_unexpired() -> None:
    """The comparison is made again."""
    with pytest.raises(LookupFailedError, match="unprocessed"):
        expired(Tables(stuck=True))
