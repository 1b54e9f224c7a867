"""The helper methods of the older pattern, which found a name by hand at synth.

An existing stack changes one line, and declares the same resources under the same logical ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3 as s3
from constructs import Construct

from dataware.cdk.bucket import DataAwareBucket
from dataware.cdk.repository import DataAwareRepository
from dataware.cdk.resource import DataAwareResource
from dataware.cdk.table import DataAwareTable
from dataware.cdk.user_pool import DataAwareUserPool
from dataware.core.kind import Kind
from dataware.kinds import load

Fallback = str | Iterable[str] | None
"""One older name, several in order of preference, or None: no data comes from anywhere else."""

Resource = TypeVar("Resource", bound=DataAwareResource)


class DataAware:
    """Makes data-aware resources in a stack or construct.

    `bucket`, `table`, `repository` and `user_pool` hold the properties that an older helper set
    inside for every resource of that type, such as ``bucket={"versioned": True}``; a call's own
    properties win. `settings` go to every construct (`on_error`, `on_fallback_data`,
    `import_mode`, `migration`).
    """

    def __init__(
        self,
        scope: Construct,
        *,
        bucket: Mapping[str, Any] | None = None,
        table: Mapping[str, Any] | None = None,
        repository: Mapping[str, Any] | None = None,
        user_pool: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self._scope = scope
        self._settings = settings
        self._defaults: Mapping[type[DataAwareResource], Mapping[str, Any]] = {
            DataAwareBucket: bucket or {},
            DataAwareTable: {"billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST, **(table or {})},
            DataAwareRepository: repository or {},
            DataAwareUserPool: user_pool or {},
        }
        self._made: dict[str, DataAwareResource] = {}

    def __getitem__(self, construct_id: str) -> DataAwareResource:
        """The construct made under an id, with its `decision` and `migration`. Raises KeyError."""
        return self._made[construct_id]

    def get_or_create_s3_bucket(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> s3.IBucket:
        """The bucket of the preferred name, with the data of the fallback if only that has any.

        `properties` are those of `aws_s3.Bucket`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareBucket, construct_id, names, properties).bucket

    # The order of the older pattern's arguments, by which existing stacks call it.
    def get_or_create_dynamodb_table(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback,
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
        names = (preferred_name, fallback_name)
        return self._make(DataAwareTable, construct_id, names, {**keys, **properties}).table

    def get_or_create_ecr_repository(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> ecr.IRepository:
        """The repository of the preferred name, or the fallback if only that holds images.

        No deployment copies images, so the fallback itself is referenced, as older helpers did it.
        `properties` are those of `aws_ecr.Repository`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareRepository, construct_id, names, properties).repository

    def get_or_create_cognito_user_pool(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> cognito.IUserPool:
        """The user pool of the preferred name, or the fallback if only that holds users.

        Users are not copied, so the fallback itself is referenced, as the older helpers did it.
        `properties` are those of `aws_cognito.UserPool`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareUserPool, construct_id, names, properties).user_pool

    def _make(
        self,
        construct: type[Resource],
        construct_id: str,
        names: tuple[str, Fallback],
        properties: Mapping[str, Any],
    ) -> Resource:
        """Make one construct: defaults of its type, then settings, then the call's properties."""
        preferred, fallback = names
        make: Any = construct
        resource: Resource = make(
            self._scope,
            construct_id,
            preferred_name=preferred,
            fallback_names=_other_names(preferred, fallback),
            **{
                **self._defaults[construct],
                **self._settings_for(load(construct._cfn_type)),
                **properties,
            },
        )
        self._made[construct_id] = resource
        return resource

    def _settings_for(self, kind: Kind) -> dict[str, Any]:
        """The settings that a type has; what no deployment copies is referred to."""
        without = set() if kind.template.is_adoptable else {"import_mode"}
        if kind.is_copied_in_deployments:
            return {name: one for name, one in self._settings.items() if name not in without}
        settings = {"on_fallback_data": "import", **self._settings}
        return {name: one for name, one in settings.items() if name not in {*without, "migration"}}


def _other_names(preferred: str, fallback: Fallback) -> tuple[str, ...]:
    """The fallbacks, less the preferred name, as in an environment without a suffix."""
    names = (fallback,) if isinstance(fallback, str) else tuple(fallback or ())
    return tuple(name for name in dict.fromkeys(names) if name != preferred)
