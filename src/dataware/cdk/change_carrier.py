"""What carries changes of a table after the deployment has copied it: a function and its queues.

    stream ──event source──> Carrier ──(keys)──> Changes ──event source──> Carrier ──> target
      └── older than 20 hours ──> Lost

The event source of the stream is made after the custom resource has answered, which it does when
the copy has ended and nothing of it may arrive any more. Amazon SQS Developer Guide, "Configuring a
queue to use with Lambda"; AWS Lambda Developer Guide, "Using Lambda with Amazon DynamoDB",
on-failure destinations.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from dataware.cdk.code_asset import handler_code
from dataware.cdk.migration_sides import MARKER, MigrationSide, record_permission
from dataware.cdk.versions import PYTHON
from dataware.core.follow.following import FunctionFeed
from dataware.core.kind import Kind
from dataware.core.stack_template import OWN
from dataware.ops.policy import Permission

MEMORY = 512
CALL = Duration.seconds(60)
VISIBILITY = Duration.seconds(150)
"""Longer than a call and the minute in which a write without an answer may arrive."""

LONGEST_KEPT = Duration.days(14)
OLDEST_RECORD = 20 * 3600
"""Seconds after which a record that could not be queued is given up, and named in `Lost`: of what
is older than 24 hours nobody would hear."""

RECORDS, MESSAGES = 1000, 10
"""Of one call; a queue with an order gives ten messages at most."""

ENDED_LOGS = logs.RetentionDays.ONE_MONTH


def require_feed(kind: Kind) -> FunctionFeed:
    """How a function reads the changes of a type. Raises ValueError where none can."""
    following = kind.require_copying().following
    feed = None if following is None else following().in_account
    if feed is None:
        raise ValueError(
            f"a {kind.short} cannot be followed in the account; use `dataware migrate --follow`"
        )
    return feed


class ChangeCarrier(Construct):
    """The function that carries changes of `source` into `target`, and its queues.

    `function_arn` names it in the record of the migration; `follow` makes it begin.
    """

    def __init__(
        self, scope: Construct, id: str, source: MigrationSide, target: MigrationSide
    ) -> None:
        """Declare all but what reads the stream."""
        super().__init__(scope, id)
        self._changes = sqs.Queue(
            self,
            "Changes",
            fifo=True,
            visibility_timeout=VISIBILITY,
            retention_period=LONGEST_KEPT,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
        )
        self._lost = sqs.Queue(
            self,
            "Lost",
            retention_period=LONGEST_KEPT,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
        )
        self._source, self._target = source, target
        self._role = self._make_role()
        self._function = self._make_function()
        self._listen()

    @property
    def function_arn(self) -> str:
        """The ARN of the function."""
        return str(self._function.function_arn)

    def follow(self, copied: CfnResource) -> None:
        """Read the stream that the custom resource `copied` names, from when that has ended."""
        CfnResource(
            self,
            "Stream",
            type="AWS::Lambda::EventSourceMapping",
            properties={
                "EventSourceArn": copied.get_att("Stream"),
                "FunctionName": self.function_arn,
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": RECORDS,
                "BisectBatchOnFunctionError": True,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "MaximumRecordAgeInSeconds": OLDEST_RECORD,
                "DestinationConfig": {"OnFailure": {"Destination": self._lost.queue_arn}},
            },
        ).node.add_dependency(self._role)

    def _listen(self) -> None:
        CfnResource(
            self,
            "Keys",
            type="AWS::Lambda::EventSourceMapping",
            properties={
                "EventSourceArn": self._changes.queue_arn,
                "FunctionName": self.function_arn,
                "BatchSize": MESSAGES,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        ).node.add_dependency(self._role)

    def _make_role(self) -> iam.Role:
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for actions, resources in self._permissions():
            role.add_to_policy(iam.PolicyStatement(actions=list(actions), resources=[*resources]))
        self._changes.grant_send_messages(role)
        self._changes.grant_consume_messages(role)
        self._lost.grant_send_messages(role)
        if self._source.key is not None:
            self._source.key.grant_decrypt(role)
        if self._target.key is not None:
            self._target.key.grant_encrypt_decrypt(role)
        return role

    def _permissions(self) -> Iterable[Permission]:
        stack = Stack.of(self)
        source = self._source.arns(stack.partition)
        feed = require_feed(self._source.kind)
        yield feed.read, source
        yield feed.poll, tuple(map(feed.feed_arn, source))
        yield feed.anywhere, ("*",)
        yield feed.write, self._target.arns(stack.partition)
        yield record_permission(stack, self._target, MARKER[:1])

    def _make_function(self) -> lambda_.Function:
        log = logs.LogGroup(self, "Log", retention=ENDED_LOGS, removal_policy=RemovalPolicy.DESTROY)
        # The guard lets it go with the migration, whatever it holds.
        log.node.default_child.add_metadata(OWN, value=True)
        log.grant_write(self._role)
        with handler_code() as code:
            function = lambda_.Function(
                self,
                "Carrier",
                code=code,
                handler="dataware.handler.changes.handler",
                runtime=PYTHON,
                memory_size=MEMORY,
                timeout=CALL,
                role=self._role,
                environment={
                    "TYPE": self._source.kind.cfn_type,
                    "SOURCE": self._place(self._source),
                    "TARGET": self._place(self._target),
                    "QUEUE_URL": self._changes.queue_url,
                },
            )
        element = function.node.default_child
        element.add_property_override("LoggingConfig.LogGroup", log.log_group_name)
        return function

    def _place(self, side: MigrationSide) -> str:
        words = {"name": side.name, "owner": side.owner, "region": side.region}
        text: str = Stack.of(self).to_json_string(words)
        return text if "{" in text else json.dumps(words)
