"""The table of the serverless model, and the properties of the table that it stands for.

Source: AWS SAM Developer Guide, "AWS::Serverless::SimpleTable" and "Generated CloudFormation
resources".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dataware.core.kind import ShortForm
from dataware.core.values import FUNCTION

_TYPES = {"String": "S", "Number": "N", "Binary": "B"}


def _table_properties(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    others = dict(properties)
    key = others.pop("PrimaryKey", {"Name": "id", "Type": "String"})
    tags = others.pop("Tags", None)
    if isinstance(key, Mapping) and key.keys() <= {"Name", "Type"}:
        name, kind = key.get("Name"), key.get("Type")
        of_type = _TYPES.get(kind, kind) if isinstance(kind, str) else kind
        yield "AttributeDefinitions", [{"AttributeName": name, "AttributeType": of_type}]
        yield "KeySchema", [{"AttributeName": name, "KeyType": "HASH"}]
    else:
        yield "KeySchema", key
    if "ProvisionedThroughput" not in others:
        yield "BillingMode", "PAY_PER_REQUEST"
    if isinstance(tags, Mapping) and not any(str(one).startswith(FUNCTION) for one in tags):
        yield "Tags", [{"Key": one, "Value": value} for one, value in tags.items()]
    elif tags is not None:
        yield "Tags", tags
    yield from others.items()


SIMPLE_TABLE = ShortForm(
    "AWS::Serverless::SimpleTable", "AWS::Serverless-2016-10-31", _table_properties
)
