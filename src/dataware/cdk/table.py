"""Tables that look at their data first: `Table` and `TableV2`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, Unpack

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from dataware.cdk.properties import TableProperties, TableV2Properties
from dataware.cdk.reference import TABLE, report_unused, warn_on_use
from dataware.cdk.resource import AUTO, CHILD, DataAwareResource, MigrationSetting

L2: TypeAlias = "type[dynamodb.Table] | type[dynamodb.TableV2]"

TYPES = {
    dynamodb.AttributeType.STRING: "S",
    dynamodb.AttributeType.NUMBER: "N",
    dynamodb.AttributeType.BINARY: "B",
}
KEYS = (("partition_key", "HASH"), ("sort_key", "RANGE"))
ABOUT = ("encryption_key",)
"""What a reference can be told about a table, so that grants reach its key."""


class _AnyTable(DataAwareResource):
    """A table, by either of CDK's constructs for it."""

    _l2: L2
    _cfn_type: str

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        fallback_names: Iterable[str],
        on_error: str | None,
        on_fallback_data: str | None,
        import_mode: str | None,
        migration: MigrationSetting,
        properties: dict[str, Any],
    ) -> None:
        super().__init__(
            scope,
            id,
            cfn_type=self._cfn_type,
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
            schema=key_schema(properties),
        )
        self._refuse(properties, "table_name")
        self._table = self._build(properties, migration, self._declare_resource, self._reference)

    @property
    def table(self) -> dynamodb.ITable:
        """The table: declared by this stack, or referenced."""
        return self._table

    def _declare_resource(self, properties: dict[str, Any]) -> dynamodb.ITable:
        return self._l2(self, CHILD, table_name=self._asked.preferred, **properties)

    def _reference(self, name: str, properties: dict[str, Any]) -> dynamodb.ITable:
        about = {word: properties.pop(word) for word in ABOUT if word in properties}
        table = self._l2.from_table_attributes(
            self, CHILD, table_name=name, grant_index_permissions=True, **about
        )
        report_unused(self, name, properties.keys() - dict(KEYS).keys())
        warn_on_use(self, table, name, TABLE)
        return table


class DataAwareTable(_AnyTable):
    """A DynamoDB table (`aws_dynamodb.Table`) that is kept, imported, created or filled."""

    _l2 = dynamodb.Table
    _cfn_type = "AWS::DynamoDB::Table"

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        fallback_names: Iterable[str] = (),
        on_error: str | None = None,
        on_fallback_data: str | None = None,
        import_mode: str | None = None,
        migration: MigrationSetting = AUTO,
        **properties: Unpack[TableProperties],
    ) -> None:
        """Declare the table, or refer to it; `properties` are those of `aws_dynamodb.Table`.

        `on_error` is "safe", "no-data" or "stop", `on_fallback_data` "migrate" or "import",
        `import_mode` "adopt" or "reference"; `migration` makes what copies during a deployment, and
        None forbids that. Raises ValueError for a name that cannot be used.
        """
        super().__init__(
            scope,
            id,
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
            migration=migration,
            properties={**properties},
        )


class DataAwareTableV2(_AnyTable):
    """A DynamoDB table (`aws_dynamodb.TableV2`) that is kept, imported, created or filled."""

    _l2 = getattr(dynamodb, "TableV2", dynamodb.Table)
    _cfn_type = "AWS::DynamoDB::GlobalTable"

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        preferred_name: str,
        fallback_names: Iterable[str] = (),
        on_error: str | None = None,
        on_fallback_data: str | None = None,
        import_mode: str | None = None,
        migration: MigrationSetting = AUTO,
        **properties: Unpack[TableV2Properties],
    ) -> None:
        """Declare the table, or refer to it; `properties` are those of `aws_dynamodb.TableV2`.

        `on_error` is "safe", "no-data" or "stop", `on_fallback_data` "migrate" or "import",
        `import_mode` "adopt" or "reference"; `migration` makes what copies during a deployment, and
        None forbids that. Raises ValueError for a name that cannot be used.
        """
        if not hasattr(dynamodb, "TableV2"):
            raise ValueError(f"{id}: TableV2 needs aws-cdk-lib 2.95 or newer: use DataAwareTable")
        super().__init__(
            scope,
            id,
            preferred_name=preferred_name,
            fallback_names=fallback_names,
            on_error=on_error,
            on_fallback_data=on_fallback_data,
            import_mode=import_mode,
            migration=migration,
            properties={**properties},
        )


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
