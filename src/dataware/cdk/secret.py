"""A secret that is looked at first, without its value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Unpack

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from dataware.cdk.options import DataAwareOptions
from dataware.cdk.properties import SecretProperties
from dataware.cdk.reference import NOTHING
from dataware.cdk.resource import CHILD, DataAwareResource
from dataware.core.names import is_arn


class SecretOptions(DataAwareOptions, SecretProperties):
    """The options of a data-aware secret, and the properties of `aws_secretsmanager.Secret`."""


class DataAwareSecret(DataAwareResource):
    """A secret: kept, adopted, referenced or created by what is found under its names.

    A secret that exists outside of the stack is adopted by `dataware deploy`, by its ARN, and
    referenced by a plain `cdk deploy`. Its value stays as it is; a value that is declared, or a
    rotation that would begin at once, stops the adoption.
    """

    _cfn_type = "AWS::SecretsManager::Secret"
    _l2 = secretsmanager.Secret
    _name_argument = "secret_name"
    _powerless: ClassVar[Mapping[str, str]] = {"add_to_resource_policy": NOTHING}

    def __init__(
        self, scope: Construct, id: str, *, preferred_name: str, **options: Unpack[SecretOptions]
    ) -> None:
        """Declare the secret, or refer to it.

        The options are those of `DataAwareOptions`, and the properties of
        `aws_secretsmanager.Secret`. Raises ValueError for a name that cannot be used.
        """
        super().__init__(scope, id, preferred_name, options)

    @property
    def secret(self) -> secretsmanager.ISecret:
        """The secret: declared by this stack, or referenced."""
        return self._resource

    def _refer(self, name: str, properties: dict[str, Any]) -> secretsmanager.ISecret:
        del properties
        arn = self._entry.physical_id
        if arn is not None and is_arn(arn):
            return secretsmanager.Secret.from_secret_complete_arn(self, CHILD, arn)
        return secretsmanager.Secret.from_secret_name_v2(self, CHILD, name)
