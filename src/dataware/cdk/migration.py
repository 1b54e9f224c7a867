"""Data that moves while its stack is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Annotations, CfnResource, Duration, Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from dataware.cdk.change_carrier import ChangeCarrier, require_feed
from dataware.cdk.dependents import Dependents
from dataware.cdk.machinery import Machinery
from dataware.cdk.migration_sides import MigrationSide, Resource, sides
from dataware.cdk.pending_copy import PendingCopy
from dataware.core.estimate import estimate_deployment
from dataware.core.model import OnConflict
from dataware.core.names import is_arn
from dataware.kinds import load

LONGEST = Duration.hours(1)
"""What CloudFormation waits for a custom resource at most."""

ENDING_SECONDS = 120
"""How long before the end the copy gives up, so that it ends in order and can be continued."""


@dataclass(frozen=True, slots=True)
class MigrationSettings:
    """How a deployment copies; see `DataMigration`."""

    on_conflict: OnConflict | None
    all_versions: bool
    allow_skipped: bool
    max_rate: float | None
    max_concurrency: int
    total_timeout: Duration
    query_interval: Duration
    environment: Mapping[str, str]
    if_needed: bool
    enable_stream: bool = False

    @property
    def seconds(self) -> int:
        """How long workers copy, so that the end and the last polls come in time."""
        polls = 3 * _seconds(self.query_interval)
        return max(ENDING_SECONDS, _seconds(self.total_timeout) - ENDING_SECONDS - polls)

    @property
    def service_timeout(self) -> Duration:
        """How long CloudFormation waits, should nobody ever answer."""
        seconds = _seconds(self.total_timeout) + ENDING_SECONDS
        return Duration.seconds(min(seconds, _seconds(LONGEST)))

    def properties(self) -> dict[str, Any]:
        """The settings as properties of the custom resource."""
        chosen = {
            "OnConflict": self.on_conflict.value if self.on_conflict else None,
            "AllVersions": "true" if self.all_versions else None,
            "AllowSkipped": "true" if self.allow_skipped else None,
            "IfNeeded": "true" if self.if_needed else None,
            "EnableStream": "true" if self.enable_stream else None,
            "MaxRate": str(self.max_rate) if self.max_rate else None,
            "Environment": dict(self.environment),
        }
        words = {
            "Workers": str(self.max_concurrency),
            "Seconds": str(self.seconds),
            "Every": str(_seconds(self.query_interval)),
        }
        return words | {name: value for name, value in chosen.items() if value}


class DataMigration(Construct):
    """Copies one bucket or table into another and verifies it, while the stack is deployed.

    Nothing in the target is ever replaced, unless `on_conflict` says so, and nothing is ever
    deleted: not when it fails, and not when it is removed from the stack. A failure rolls the
    stack back with its reason, and the next deployment resumes there.

    `source` and `target` are buckets or tables of CDK, or addresses such as ``s3://name`` and
    ``dynamodb://name``; `on_conflict` is "source", "target" or "stop"; `allow_skipped` lets it end
    well though keys were skipped; `max_rate` is in items or objects a second. `total_timeout`
    is an hour at most (default: 55 minutes). `environment` are variables for the Lambda functions
    while they work on this migration; `source_key` and `target_key` encrypt a side that is given
    by its address. With `if_needed` it ends well where the source is absent or
    empty, or the target has data of its own.

    With `follow` the changes and deletes of a table are carried into the target after the copy, by
    a function that reads the source's stream, until `dataware cutover` switches. The source needs a
    stream: set `stream=` in its own stack, or allow with `enable_stream` that one is switched on,
    which changes the source; it is switched off when the migration is removed. No one else may
    write to the target until the cut-over, and it is compared with the source only then.

    Everything in the stack that uses the target waits for the data. All migrations of a stack
    share one machinery.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        source: Resource,
        target: Resource,
        source_owner: str | None = None,
        source_region: str | None = None,
        on_conflict: str | None = None,
        all_versions: bool = False,
        allow_skipped: bool = False,
        max_rate: float | None = None,
        max_concurrency: int = 10,
        total_timeout: Duration | None = None,
        query_interval: Duration | None = None,
        environment: Mapping[str, str] | None = None,
        source_key: kms.IKey | None = None,
        target_key: kms.IKey | None = None,
        if_needed: bool = False,
        follow: bool = False,
        enable_stream: bool = False,
    ) -> None:
        """Declare the migration. Raises ValueError for what cannot be copied, or followed."""
        super().__init__(scope, id)
        self._settings = MigrationSettings(
            OnConflict(on_conflict) if on_conflict else None,
            all_versions,
            allow_skipped,
            max_rate,
            max_concurrency,
            total_timeout or Duration.minutes(55),
            query_interval or Duration.seconds(5),
            environment or {},
            if_needed,
            enable_stream,
        )
        one, other = sides(self, source, target, source_owner, source_region)
        self._source, self._target = one.with_key(source_key), other.with_key(target_key)
        self._declare_all(source, follow=follow)

    def _declare_all(self, source: Resource, *, follow: bool) -> None:
        check_followed(self, self._source, source, follow=follow, settings=self._settings)
        both = self._source, self._target
        carrier = ChangeCarrier(self, "Follower", *both) if follow else None
        copied = self._declare(carrier)
        Dependents.of(self).add(copied, self._target)
        if carrier is not None:
            carrier.follow(copied)

    def _declare(self, carrier: ChangeCarrier | None) -> CfnResource:
        """The custom resource, which comes after what it copies."""
        machinery = Machinery.of(self)
        machinery.allow(self._source, self._target, all_versions=self._settings.all_versions)
        if carrier is not None:
            machinery.allow_follow(self._source, enable=self._settings.enable_stream)
        resource = CfnResource(
            self,
            "Resource",
            type="Custom::DataMigration",
            properties={
                "ServiceToken": machinery.service_token,
                "ServiceTimeout": str(_seconds(self._settings.service_timeout)),
                "Machine": machinery.machine_arn,
                "Type": self._source.kind.cfn_type,
                **self._source.properties("Source"),
                **self._target.properties("Target"),
                **self._settings.properties(),
                **({"Carrier": carrier.function_arn} if carrier else {}),
            },
        )
        resource.node.add_dependency(*machinery.permissions)
        for side in (self._source, self._target):
            if side.construct is not None:
                # Not the whole construct: what it has beside the resource itself may need what
                # waits for the data, as a notification needs the function that it calls.
                resource.node.add_dependency(side.construct.node.default_child or side.construct)
        return resource

    @staticmethod
    def of(scope: Construct, id: str, copy: PendingCopy, /, **settings: Any) -> DataMigration:
        """The migration of a data-aware resource: give it as its `migration` argument.

        ``partial(DataMigration.of, max_rate=100)`` is one with settings. What by its estimate
        takes longer than a deployment may is an error on the construct, and so is what takes
        nothing of a bucket that holds only older versions.
        """
        kind = load(copy.cfn_type)
        source, target = (
            name if is_arn(name) else f"{kind.require_copying().scheme}://{name}"
            for name in (copy.source, copy.target)
        )
        settings = {"target_key": copy.key, "if_needed": copy.if_needed, **settings}
        migration = DataMigration(scope, id, source=source, target=target, **settings)
        migration.check_time(copy)
        migration.check_versions(copy)
        return migration

    def check_versions(self, copy: PendingCopy) -> None:
        """Add an error if the copy would take nothing, because only older versions are there."""
        if copy.size is not None and copy.size.is_zero and not self._settings.all_versions:
            holds = load(copy.cfn_type).require_copying().history
            Annotations.of(self).add_error(
                f"{copy.source} {holds}, so nothing would be copied to {copy.target}; "
                "give migration=partial(DataMigration.of, all_versions=True)"
            )

    def check_time(self, copy: PendingCopy) -> None:
        """Add an error if the copy does not fit into a deployment, by its estimate."""
        if copy.size is None:
            return
        kind, settings = self._source.kind, self._settings
        copying = kind.require_copying()
        seconds = estimate_deployment(
            copy.size,
            copying.charges(copy.size),
            copying.speed,
            workers=settings.max_concurrency,
            max_rate=settings.max_rate,
        )
        if seconds > settings.seconds:
            Annotations.of(self).add_error(
                f"copying {copy.size.items:,} {kind.unit}s from {copy.source} to {copy.target} "
                f"takes about {seconds // 60:,} minutes, and a deployment may take "
                f"{settings.seconds // 60}: {copy.advice}"
            )


def check_followed(
    scope: Construct,
    source: MigrationSide,
    given: Resource,
    *,
    follow: bool,
    settings: MigrationSettings,
) -> None:
    """Raise ValueError for a source that no function can follow, as far as a synth can see."""
    path, stack = scope.node.path, Stack.of(scope)
    if settings.enable_stream and not follow:
        raise ValueError(f"{path}: enable_stream needs follow=True")
    if not follow:
        return
    try:
        require_feed(source.kind)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if (source.owner, source.region) != (stack.account, stack.region):
        raise ValueError(
            f"{path}: the source is in another account or region, from where no stream can be read "
            "here; use `dataware migrate --follow`"
        )
    own = source.construct is not None and not isinstance(given, str)
    is_off = own and getattr(given, "table_stream_arn", None) is None
    if is_off and not settings.enable_stream:
        raise ValueError(
            f"{path}: the source has no stream to carry its changes from; set `stream=` in its own "
            "stack, or pass enable_stream=True"
        )


def _seconds(duration: Duration) -> int:
    return int(duration.to_seconds())
