"""Keys of items as canonical bytes: compact JSON, partition key first, numbers by value."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from dataware.kinds.dynamodb_table.copy.items import key_text


def name_keys(schema: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    """The key attributes of a schema, partition key first."""
    ordered = sorted(schema, key=lambda key: key["KeyType"] != "HASH")
    return tuple(key["AttributeName"] for key in ordered)


def encode_key(item: Mapping[str, Any], names: Sequence[str]) -> bytes:
    """The key of an item, whose binary values are Base64 or the bytes that the SDK gives."""
    plain = {name: _plain(item[name]) for name in names}
    return key_text(plain, names).encode("utf-8", "surrogatepass")


def decode_key(key: bytes) -> dict[str, dict[str, str]]:
    """The attributes of a key, as DynamoDB's JSON has them."""
    attributes: dict[str, dict[str, str]] = json.loads(key.decode("utf-8", "surrogatepass"))
    return attributes


def _plain(value: Mapping[str, Any]) -> Mapping[str, str]:
    binary = value.get("B")
    return {"B": b64encode(binary).decode()} if isinstance(binary, bytes) else value
