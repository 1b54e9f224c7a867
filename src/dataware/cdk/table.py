"""Tables that look at their data first: `Table` and `TableV2`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from dataware.cdk.options import MigrationOptions
from dataware.cdk.properties import TableProperties, TableV2Properties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource

TYPES = {
    dynamodb.AttributeType.STRING: "S",
    dynamodb.AttributeType.NUMBER: "N",
    dynamodb.AttributeType.BINARY: "B",
}
KEYS = (("partition_key", "HASH"), ("sort_key", "RANGE"))
ABOUT = ("encryption_key",)
"""What a reference can be told about a table, so that grants reach its key."""


class TableOptions(MigrationOptions, TableProperties):
    """The options of a data-aware table, and the properties of `aws_dynamodb.Table`."""


class TableV2Options(MigrationOptions, TableV2Properties):
    """The options of a data-aware table, and the properties of `aws_dynamodb.TableV2`."""


class _AnyTable(DataAwareResource):
    """A table, by either of CDK's constructs for it."""

    _powerless: ClassVar[Mapping[str, str]] = {"add_to_resource_policy": NOTHING}

    @property
    def table(self) -> dynamodb.ITable:
        """The table: declared by this stack, or referenced."""
        return self._resource

    def _schema(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return key_schema(properties)

    def _refer(self, name: str, properties: dict[str, Any]) -> dynamodb.ITable:
        about = {word: properties.pop(word) for word in ABOUT if word in properties}
        for word, _ in KEYS:
            properties.pop(word, None)
        return self._l2.from_table_attributes(
            self, CHILD, table_name=name, grant_index_permissions=True, **about
        )


class DataAwareTable(_AnyTable):
    """A DynamoDB table (`aws_dynamodb.Table`) that is kept, imported, created or filled."""

    _cfn_type = "AWS::DynamoDB::Table"
    _l2 = dynamodb.Table

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[TableOptions]
    ) -> None:
        """Declare the table, or refer to it.

        The options are those of `MigrationOptions`, and the properties of `aws_dynamodb.Table`.
        Raises ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)


class DataAwareTableV2(_AnyTable):
    """A DynamoDB table (`aws_dynamodb.TableV2`) that is kept, imported, created or filled."""

    _cfn_type = "AWS::DynamoDB::GlobalTable"
    _l2 = getattr(dynamodb, "TableV2", dynamodb.Table)

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[TableV2Options]
    ) -> None:
        """Declare the table, or refer to it.

        The options are those of `MigrationOptions`, and the properties of `aws_dynamodb.TableV2`.
        Raises ValueError for a name that cannot be used, and with a CDK that has no `TableV2`.
        """
        if not hasattr(dynamodb, "TableV2"):
            raise ValueError(f"{id}: TableV2 needs aws-cdk-lib 2.95 or newer: use DataAwareTable")
        super().__init__(scope, id, preferred_name, options)


def key_schema(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The key schema in CloudFormation's form; empty if the properties name no key."""
    keys = [(properties[word], role) for word, role in KEYS if properties.get(word) is not None]
    if not keys:
        return {}
    named = [(_of(key, "name"), TYPES[_of(key, "type")], role) for key, role in keys]
    return {
        "KeySchema": [{"AttributeName": name, "KeyType": role} for name, _, role in named],
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind, _ in named
        ],
    }


def _of(key: Any, field: str) -> Any:
    """A field of a key, which CDK takes as an Attribute or as a mapping."""
    return key[field] if isinstance(key, Mapping) else getattr(key, field)
