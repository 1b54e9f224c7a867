"""The helper methods of the older pattern, which found a name by hand at synth.

An existing stack changes one line, and declares the same resources under the same logical ids.
"""

from __future__ import annotations

from typing import Any

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3 as s3
from constructs import Construct

from dataware.cdk.bucket import DataAwareBucket
from dataware.cdk.repository import DataAwareRepository
from dataware.cdk.table import DataAwareTable
from dataware.cdk.user_pool import DataAwareUserPool


class DataAware:
    """Makes data-aware resources in a stack or construct.

    `settings` go to every construct that it makes (`on_error`, `on_fallback_data`, `import_mode`,
    `migration`).
    """

    def __init__(self, scope: Construct, **settings: Any) -> None:
        self._scope = scope
        self._settings = settings

    def get_or_create_s3_bucket(
        self, construct_id: str, preferred_name: str, fallback_name: str, **properties: Any
    ) -> s3.IBucket:
        """The bucket of the preferred name, with the data of the fallback if only that has any.

        `properties` are those of `aws_s3.Bucket`.
        """
        return DataAwareBucket(
            self._scope,
            construct_id,
            preferred_name=preferred_name,
            fallback_names=_others(preferred_name, fallback_name),
            **{**self._settings, **properties},
        ).bucket

    # The order of the older pattern's arguments, by which existing stacks call it.
    def get_or_create_dynamodb_table(  # noqa: PLR0917 - see above
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: str,
        partition_key_name: str,
        partition_key_type: dynamodb.AttributeType,
        sort_key_name: str | None = None,
        sort_key_type: dynamodb.AttributeType | None = None,
        **properties: Any,
    ) -> dynamodb.ITable:
        """The table of the preferred name, with the data of the fallback if only that has any.

        `properties` are those of `aws_dynamodb.Table`; a table pays per request by default.
        """
        if (sort_key_name is None) != (sort_key_type is None):
            raise ValueError(
                f"{construct_id}: sort_key_name and sort_key_type belong together: give both or "
                "neither"
            )
        partition_key = dynamodb.Attribute(name=partition_key_name, type=partition_key_type)
        keys = {"partition_key": partition_key}
        if sort_key_name is not None and sort_key_type is not None:
            keys["sort_key"] = dynamodb.Attribute(name=sort_key_name, type=sort_key_type)
        return DataAwareTable(
            self._scope,
            construct_id,
            preferred_name=preferred_name,
            fallback_names=_others(preferred_name, fallback_name),
            **{
                "billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST,
                **keys,
                **self._settings,
                **properties,
            },
        ).table

    def get_or_create_ecr_repository(
        self, construct_id: str, preferred_name: str, fallback_name: str, **properties: Any
    ) -> ecr.IRepository:
        """The repository of the preferred name, or the fallback if only that holds images.

        Images are not copied, so the fallback itself is referenced, as the older helpers did it.
        `properties` are those of `aws_ecr.Repository`.
        """
        return DataAwareRepository(
            self._scope,
            construct_id,
            preferred_name=preferred_name,
            fallback_names=_others(preferred_name, fallback_name),
            **{"on_fallback_data": "import", **self._without("migration"), **properties},
        ).repository

    def get_or_create_cognito_user_pool(
        self, construct_id: str, preferred_name: str, fallback_name: str, **properties: Any
    ) -> cognito.IUserPool:
        """The user pool of the preferred name, or the fallback if only that holds users.

        Users are not copied, so the fallback itself is referenced, as the older helpers did it.
        `properties` are those of `aws_cognito.UserPool`.
        """
        return DataAwareUserPool(
            self._scope,
            construct_id,
            preferred_name=preferred_name,
            fallback_names=_others(preferred_name, fallback_name),
            **{
                "on_fallback_data": "import",
                **self._without("migration", "import_mode"),
                **properties,
            },
        ).user_pool

    def _without(self, *names: str) -> dict[str, Any]:
        """The settings but those that a type does not have."""
        return {name: value for name, value in self._settings.items() if name not in names}


def _others(preferred: str, fallback: str) -> tuple[str, ...]:
    """The fallback, unless it is the preferred name, as in an environment without a suffix."""
    return () if fallback == preferred else (fallback,)
