"""The helper methods of the older pattern, which found a name by hand at synth.

An existing stack changes one line, and declares the same resources under the same logical ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from dataware.cdk.bucket import DataAwareBucket
from dataware.cdk.key import DataAwareKey
from dataware.cdk.log_group import DataAwareLogGroup
from dataware.cdk.options import MigrationSetting
from dataware.cdk.queue import DataAwareQueue
from dataware.cdk.repository import DataAwareRepository
from dataware.cdk.resource import DataAwareResource
from dataware.cdk.secret import DataAwareSecret
from dataware.cdk.stream import DataAwareStream
from dataware.cdk.table import DataAwareTable
from dataware.cdk.user_pool import DataAwareUserPool
from dataware.core.kind import Kind
from dataware.kinds import load

if TYPE_CHECKING:
    from aws_cdk import aws_efs as efs
    from aws_cdk import aws_opensearchservice as opensearch
    from aws_cdk import aws_rds as rds

Fallback = str | Iterable[str] | None
"""One older name, several in order of preference, or None: no data comes from anywhere else."""

Resource = TypeVar("Resource", bound=DataAwareResource)


class HelperSettings(TypedDict, total=False):
    """What holds for all resources of a type, and for all of them.

    The words of types hold properties that an older helper set inside for each of them; the others
    go to every construct.
    """

    bucket: Mapping[str, Any]
    table: Mapping[str, Any]
    repository: Mapping[str, Any]
    user_pool: Mapping[str, Any]
    log_group: Mapping[str, Any]
    secret: Mapping[str, Any]
    queue: Mapping[str, Any]
    stream: Mapping[str, Any]
    key: Mapping[str, Any]
    instance: Mapping[str, Any]
    cluster: Mapping[str, Any]
    domain: Mapping[str, Any]
    file_system: Mapping[str, Any]
    on_error: str | None
    on_fallback_data: str | None
    import_mode: str | None
    migration: MigrationSetting


CONSTRUCTS: tuple[type[DataAwareResource], ...] = (
    DataAwareBucket,
    DataAwareTable,
    DataAwareRepository,
    DataAwareUserPool,
    DataAwareLogGroup,
    DataAwareSecret,
    DataAwareQueue,
    DataAwareStream,
    DataAwareKey,
)
"""What the helpers make, and is imported with them."""

LAZY_WORDS = ("instance", "cluster", "domain", "file_system")
"""The words of the types whose constructs are imported when a helper makes one."""


class DataAware:
    """Makes data-aware resources in a stack or construct.

    `bucket`, `table`, `repository`, `user_pool`, `log_group`, `secret`, `queue`, `stream`, `key`,
    `instance`, `cluster`, `domain` and `file_system` hold the properties that an older helper set
    inside for every resource of that type, such as ``bucket={"versioned": True}``; a call's own
    properties win. The other `settings` go to every construct (`on_error`, `on_fallback_data`,
    `import_mode`, `migration`).
    """

    def __init__(self, scope: Construct, **settings: Unpack[HelperSettings]) -> None:
        options: dict[str, Any] = {**settings}
        self._scope = scope
        words = (*(_word_of(made) for made in CONSTRUCTS), *LAZY_WORDS)
        defaults = {word: options.pop(word, None) or {} for word in words}
        mode = {"billing_mode": dynamodb.BillingMode.PAY_PER_REQUEST}
        table = _word_of(DataAwareTable)
        defaults[table] = {**mode, **defaults[table]}
        self._defaults: Mapping[str, Mapping[str, Any]] = defaults
        self._settings = options
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

    def get_or_create_log_group(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> logs.ILogGroup:
        """The log group of the preferred name, or the fallback if only that holds events.

        `properties` are those of `aws_logs.LogGroup`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareLogGroup, construct_id, names, properties).log_group

    def get_or_create_secret(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> secretsmanager.ISecret:
        """The secret of the preferred name, whose value is neither read nor changed.

        `properties` are those of `aws_secretsmanager.Secret`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareSecret, construct_id, names, properties).secret

    def get_or_create_sqs_queue(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> sqs.IQueue:
        """The queue of the preferred name, or the fallback if only that shows messages.

        `properties` are those of `aws_sqs.Queue`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareQueue, construct_id, names, properties).queue

    def get_or_create_kinesis_stream(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> kinesis.IStream:
        """The stream of the preferred name, or the fallback if only that holds records.

        `properties` are those of `aws_kinesis.Stream`.
        """
        names = (preferred_name, fallback_name)
        return self._make(DataAwareStream, construct_id, names, properties).stream

    def get_or_create_rds_instance(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> rds.IDatabaseInstance:
        """The RDS instance of the preferred name, or the fallback if only that exists.

        `properties` are those of `DataAwareDatabaseInstance`.
        """
        from dataware.cdk.database import DataAwareDatabaseInstance  # noqa: PLC0415 - half a second

        names = (preferred_name, fallback_name)
        return self._make(DataAwareDatabaseInstance, construct_id, names, properties).instance

    def get_or_create_rds_cluster(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> rds.IDatabaseCluster:
        """The cluster of the preferred name, or the fallback if only that exists.

        `properties` are those of `DataAwareDatabaseCluster`.
        """
        from dataware.cdk.database import DataAwareDatabaseCluster  # noqa: PLC0415 - half a second

        names = (preferred_name, fallback_name)
        return self._make(DataAwareDatabaseCluster, construct_id, names, properties).cluster

    def get_or_create_opensearch_domain(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> opensearch.IDomain:
        """The search domain of the preferred name, or the fallback if only that exists.

        `properties` are those of `DataAwareDomain`.
        """
        from dataware.cdk.domain import DataAwareDomain  # noqa: PLC0415 - half a second

        names = (preferred_name, fallback_name)
        return self._make(DataAwareDomain, construct_id, names, properties).domain

    def get_or_create_efs_file_system(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: Fallback = None,
        **properties: Any,
    ) -> efs.IFileSystem:
        """The file system with this tag `Name`, or the fallback if only that holds files.

        `properties` are those of `DataAwareFileSystem`.
        """
        from dataware.cdk.file_system import DataAwareFileSystem  # noqa: PLC0415 - half a second

        names = (preferred_name, fallback_name)
        return self._make(DataAwareFileSystem, construct_id, names, properties).file_system

    def get_kms_key(self, construct_id: str, physical_id: str, **properties: Any) -> kms.IKey:
        """The key of an id or alias, which has to exist.

        `properties` are those of `aws_kms.Key`.
        """
        names = (physical_id, None)
        return self._make(DataAwareKey, construct_id, names, properties).key

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
            **{"physical_id" if construct is DataAwareKey else "preferred_name": preferred},
            fallback_names=_other_names(preferred, fallback),
            **{
                **self._defaults.get(_word_of(construct), {}),
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


def _word_of(construct: type[DataAwareResource]) -> str:
    """The word for a type among the settings: what people call it."""
    return load(construct._cfn_type).short.replace(" ", "_")


def _other_names(preferred: str, fallback: Fallback) -> tuple[str, ...]:
    """The fallbacks, less the preferred name, as in an environment without a suffix."""
    names = (fallback,) if isinstance(fallback, str) else tuple(fallback or ())
    return tuple(name for name in dict.fromkeys(names) if name != preferred)
