"""Items that only wait to be deleted by the service, on both sides at different times.

Amazon DynamoDB Developer Guide, "Using time to live (TTL) in DynamoDB": an item whose time has come
is deleted within a few days, and may still be read until then.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.core.model import Location
from dataware.core.ports import Aws
from dataware.kinds.dynamodb_table.follow.carrier import READ_TOGETHER
from dataware.kinds.dynamodb_table.follow.keys import decode_key, encode_key

READ_AGAIN = 10


def find_expired(
    source: tuple[Aws, Location],
    target: tuple[Aws, Location],
    keys: Collection[bytes],
    now: float,
) -> frozenset[bytes]:
    """Of `keys` that only the source has, those that expire by the settings of the target."""
    attribute = _expiry_attribute(*target)
    if attribute is None:
        return frozenset()
    waiting = list(keys)
    expired: set[bytes] = set()
    for at in range(0, len(waiting), READ_TOGETHER):
        for key, item in _read_items(*source, waiting[at : at + READ_TOGETHER]):
            try:
                time = float(item[attribute]["N"])
            except (KeyError, ValueError):
                continue
            if time <= now:
                expired.add(key)
    return frozenset(expired)


def _expiry_attribute(aws: Aws, place: Location) -> str | None:
    with aws.translate_errors(f"table {place.name}", "dynamodb:DescribeTimeToLive"):
        answer = aws.client("dynamodb").describe_time_to_live(TableName=place.name)
    setting = answer["TimeToLiveDescription"]
    name: str | None = setting.get("AttributeName")
    return name if setting["TimeToLiveStatus"] == "ENABLED" else None


def _read_items(
    aws: Aws, place: Location, keys: Sequence[bytes]
) -> list[tuple[bytes, Mapping[str, Any]]]:
    wanted: list[Any] = [_for_sdk(key) for key in keys]
    names = tuple(wanted[0])
    items: list[tuple[bytes, Mapping[str, Any]]] = []
    for _ in range(READ_AGAIN):
        request = {place.name: {"Keys": wanted, "ConsistentRead": True}}
        with aws.translate_errors(f"table {place.name}", "dynamodb:BatchGetItem"):
            answer = aws.client("dynamodb").batch_get_item(RequestItems=request)
        rows = [item for some in answer["Responses"].values() for item in some]
        items += [(encode_key(item, names), item) for item in rows]
        wanted = [key for some in answer["UnprocessedKeys"].values() for key in some["Keys"]]
        if not wanted:
            return items
    raise LookupFailedError(f"table {place.name}: BatchGetItem leaves keys unprocessed")


def _for_sdk(key: bytes) -> Mapping[str, Mapping[str, Any]]:
    """A key as the SDK takes it: binary as bytes."""
    return {
        name: {"B": b64decode(value["B"])} if "B" in value else value
        for name, value in decode_key(key).items()
    }
