"""Data that moves while its stack is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as custom
from constructs import Construct

from dataware.cdk.code import handler_code
from dataware.cdk.machine import state_machine
from dataware.cdk.resource import Copy
from dataware.cdk.sides import (
    MARKER,
    Resource,
    Side,
    copy_policy,
    look_policy,
    record_policy,
    sides,
)
from dataware.core.model import OnConflict
from dataware.kinds import load

RUNTIME = lambda_.Runtime.PYTHON_3_13
MEMORY = 1769
"""Megabytes at which Lambda gives a function one whole processor."""

LONGEST = Duration.hours(1)
"""What CloudFormation waits for a custom resource at most."""

ENDING_SECONDS = 120
"""How long before the end the copy gives up, so that it ends in order and can be continued."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How a deployment copies; see `DataMigration`."""

    on_conflict: OnConflict | None
    all_versions: bool
    accept_left: bool
    max_rate: float | None
    max_concurrency: int
    total_timeout: Duration
    query_interval: Duration

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

    def properties(self) -> dict[str, str]:
        """The settings as properties of the custom resource."""
        chosen = {
            "OnConflict": self.on_conflict.value if self.on_conflict else None,
            "AllVersions": "true" if self.all_versions else None,
            "AcceptLeft": "true" if self.accept_left else None,
            "MaxRate": str(self.max_rate) if self.max_rate else None,
        }
        words = {"Workers": str(self.max_concurrency), "Seconds": str(self.seconds)}
        return words | {name: value for name, value in chosen.items() if value}


class DataMigration(Construct):
    """Copies one bucket or table into another and verifies it, while the stack is deployed.

    Nothing in the target is ever replaced, unless `on_conflict` says so, and nothing is ever
    deleted: not when it fails, and not when it is removed from the stack. A failure rolls the
    stack back with its reason, and the next deployment goes on from there.

    `source` and `target` are buckets or tables of CDK, or addresses such as ``s3://name`` and
    ``dynamodb://name``; `on_conflict` is "source", "target" or "stop"; `accept_left` lets it end
    well though keys were left behind; `max_rate` is in items or objects a second. `total_timeout`
    is an hour at most (default: 55 minutes). `environment` is given to the Lambda functions.
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
        accept_left: bool = False,
        max_rate: float | None = None,
        max_concurrency: int = 10,
        total_timeout: Duration | None = None,
        query_interval: Duration | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Declare the migration. Raises ValueError for what cannot be copied."""
        super().__init__(scope, id)
        settings = Settings(
            OnConflict(on_conflict) if on_conflict else None,
            all_versions,
            accept_left,
            max_rate,
            max_concurrency,
            total_timeout or Duration.minutes(55),
            query_interval or Duration.seconds(10),
        )
        both = sides(self, source, target, source_owner, source_region)
        provider = _Functions(self, dict(environment or {})).provider(both, settings)
        self._declare(both, settings, provider)

    def _declare(
        self, both: tuple[Side, Side], settings: Settings, provider: custom.Provider
    ) -> None:
        """The custom resource, which comes after what it copies."""
        resource = CustomResource(
            self,
            "Resource",
            service_token=provider.service_token,
            resource_type="Custom::DataMigration",
            service_timeout=settings.service_timeout,
            properties={
                "Type": both[0].kind.cfn_type,
                **both[0].properties("Source"),
                **both[1].properties("Target"),
                **settings.properties(),
            },
        )
        for side in both:
            if side.construct is not None:
                resource.node.add_dependency(side.construct)

    @staticmethod
    def of(scope: Construct, id: str, copy: Copy, /, **settings: Any) -> DataMigration:
        """The migration of a data-aware resource: give it as its `migration` argument.

        ``partial(DataMigration.of, max_rate=100)`` is one with settings.
        """
        scheme = load(copy.cfn_type).scheme
        source, target = (f"{scheme}://{name}" for name in (copy.source, copy.target))
        return DataMigration(scope, id, source=source, target=target, **settings)


class _Functions:
    """The Lambda functions of one migration, in two roles: one looks, the other one copies."""

    def __init__(self, scope: Construct, environment: dict[str, str]) -> None:
        self._scope = scope
        self._environment = environment
        self._log = logs.LogGroup(
            scope,
            "Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self._looks, self._copies = self._role("LookRole"), self._role("CopyRole")

    def provider(self, both: tuple[Side, Side], settings: Settings) -> custom.Provider:
        """The provider of the custom resource, with all that works behind it."""
        with handler_code() as code:
            machine = state_machine(
                self._scope,
                begin=self._function(code, "shards", self._copies),
                worker=self._function(code, "worker", self._copies),
                finish=self._function(code, "finish", self._copies),
                max_concurrency=settings.max_concurrency,
                timeout=settings.total_timeout,
            )
            on_event = self._function(code, "on_event", self._looks)
            is_complete = self._function(code, "is_complete", self._looks)
        on_event.add_environment("STATE_MACHINE", machine.state_machine_arn)
        machine.grant_start_execution(on_event)
        machine.grant_execution(is_complete, "states:DescribeExecution")
        self._allow(both, all_versions=settings.all_versions)
        provider = custom.Provider(
            self._scope,
            "Provider",
            on_event_handler=on_event,
            is_complete_handler=is_complete,
            query_interval=settings.query_interval,
            total_timeout=settings.total_timeout,
            log_group=self._log,
            disable_waiter_state_machine_logging=True,
        )
        # Without its permissions the first call fails, and CloudFormation knows of no such order.
        provider.node.add_dependency(self._looks, self._copies, machine)
        return provider

    def _role(self, id: str) -> iam.Role:
        """A role without AWS's managed policy, which would grant the log groups of the account."""
        role = iam.Role(self._scope, id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self._log.grant_write(role)
        return role

    def _function(self, code: lambda_.Code, module: str, role: iam.Role) -> lambda_.Function:
        return lambda_.Function(
            self._scope,
            "".join(word.capitalize() for word in module.split("_")),
            code=code,
            handler=f"dataware.handler.{module}.handler",
            runtime=RUNTIME,
            memory_size=MEMORY,
            timeout=Duration.minutes(15),
            environment=self._environment,
            role=role,
            log_group=self._log,
        )

    def _allow(self, both: tuple[Side, Side], *, all_versions: bool) -> None:
        """Grant what the kinds declare, on these two resources and on the migration's record."""
        stack = Stack.of(self._scope)
        source, target = both
        granted = {
            self._looks: [
                *look_policy(both, stack.partition),
                record_policy(stack, target, MARKER),
                # A source that is being filled itself is refused.
                record_policy(stack, source, MARKER[:1]),
            ],
            self._copies: [
                *copy_policy(source, target, stack.partition, all_versions=all_versions),
                record_policy(stack, target, MARKER[:1]),
            ],
        }
        for role, statements in granted.items():
            for statement in statements:
                role.add_to_policy(statement)
            if source.key is not None:
                source.key.grant_decrypt(role)
            if target.key is not None:
                target.key.grant_encrypt_decrypt(role)


def _seconds(duration: Duration) -> int:
    return int(duration.to_seconds())
