"""A KMS key that is adopted by its id, or referenced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import KeyProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource


class KeyOptions(DataAwareOptions, KeyProperties):
    """The options of a data-aware key, and the properties of `aws_kms.Key`."""


class DataAwareKey(DataAwareResource):
    """A KMS key that exists: adopted by `dataware deploy`, or referenced.

    A key has no name, so it goes by its id, or by an alias that leads to it. One that does not
    exist, or is pending deletion, is an error: nothing could read what it has encrypted.
    """

    _cfn_type = "AWS::KMS::Key"
    _l2 = kms.Key
    _name_argument = None
    _powerless: ClassVar[Mapping[str, str]] = {"add_to_resource_policy": NOTHING}

    def __init__(
        self, scope: Construct, id: str, *, physical_id: str, **options: Unpack[KeyOptions]
    ) -> None:
        """Declare the key, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of `aws_kms.Key`. Raises
        ValueError for what is neither an id nor an alias.
        """
        super().__init__(scope, id, physical_id, options)

    @property
    def key(self) -> kms.IKey:
        """The key: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> kms.IKey:
        del properties
        identifier = self._entry.physical_id or name
        arn = Stack.of(self).format_arn(service="kms", resource="key", resource_name=identifier)
        return kms.Key.from_key_arn(self, CHILD, arn)
