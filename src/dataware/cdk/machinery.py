"""What carries out the migrations of one stack: two functions, a state machine, their roles.

However many migrations a stack has, this stands in it once. Roles hold the union of what its
migrations need, each permission scoped to the resources that some migration names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import ArnFormat, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as states
from constructs import Construct

from dataware.cdk.change_carrier import require_feed
from dataware.cdk.code_asset import handler_code
from dataware.cdk.migration_sides import (
    MARKER,
    MigrationSide,
    copy_permissions,
    look_permissions,
    record_permission,
)
from dataware.cdk.stack_scope import number_of, stack_of
from dataware.cdk.versions import PYTHON
from dataware.core.phases import ENABLE_FEED
from dataware.core.stack_template import OWN
from dataware.ops.map_engine.state_machine import definition
from dataware.ops.policy import Permission

ID = "DataMigrations"
MEMORY = 1769
"""Megabytes at which Lambda gives a function one whole processor."""

LOOK_MEMORY = 512


class Machinery:
    """The machinery of one stack; `of` gives the one that a stack has."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._scope = Construct(stack, ID)
        self._statements: dict[tuple[str, tuple[str, ...]], iam.PolicyStatement] = {}
        self._scoped: set[tuple[str, tuple[str, ...], str]] = set()
        self._log = logs.LogGroup(
            self._scope,
            "Log",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        # The guard lets it go with the machinery, whatever it holds.
        self._log.node.default_child.add_metadata(OWN, value=True)
        self._looks, self._copies = self._role("LookRole"), self._role("CopyRole")
        with handler_code() as code:
            self._look = self._function(code, "look", self._looks, LOOK_MEMORY)
            self._work = self._function(code, "work", self._copies, MEMORY)
        self._runs = self._states_role()
        self._machine = self._state_machine()
        self._start = self._start_policies()

    @staticmethod
    def of(scope: Construct) -> Machinery:
        """The machinery of the stack of a scope, made if need be."""
        stack = stack_of(scope)
        key = number_of(stack)
        if key not in _BY_STACK:
            _BY_STACK[key] = Machinery(stack)
        return _BY_STACK[key]

    @property
    def service_token(self) -> str:
        """The ARN of the function that CloudFormation calls."""
        return str(self._look.function_arn)

    @property
    def machine_arn(self) -> str:
        """The ARN of the state machine."""
        return str(self._machine.attr_arn)

    @property
    def permissions(self) -> tuple[Construct, ...]:
        """What has to be there before the first call, and that no reference leads to."""
        return self._start

    def allow(self, source: MigrationSide, target: MigrationSide, *, all_versions: bool) -> None:
        """Grant what the kinds declare, on these two resources and on the migration's record."""
        stack, partition = self._stack, self._stack.partition
        looking = [
            *look_permissions((source, target), partition),
            record_permission(stack, target, MARKER),
            # A source that is being filled itself is refused.
            record_permission(stack, source, MARKER[:1]),
        ]
        copying = [
            *copy_permissions(source, target, partition, all_versions=all_versions),
            record_permission(stack, target, MARKER[:1]),
        ]
        for role, permissions in ((self._looks, looking), (self._copies, copying)):
            self._grant(role, permissions)
            for key in (source.key, target.key):
                if key is not None:
                    key.grant_decrypt(role)
        if target.key is not None:
            target.key.grant_encrypt(self._copies)

    def allow_follow(self, source: MigrationSide, *, enable: bool) -> None:
        """Grant what it takes to find the stream of a source; to `enable` one is a change of it."""
        tables = source.arns(self._stack.partition)
        feed = require_feed(source.kind)
        self._grant(self._looks, [(feed.poll[:1], tuple(map(feed.feed_arn, tables)))])
        if enable:
            self._grant(self._looks, [(source.kind.access.phases[ENABLE_FEED], tables)])

    def _grant(self, role: iam.Role, permissions: Iterable[Permission]) -> None:
        """Add to a role's policy; the same actions are one statement, however many resources."""
        for actions, resources in permissions:
            key = (role.node.id, actions)
            new = [one for one in resources if (*key, one) not in self._scoped]
            self._scoped |= {(*key, one) for one in new}
            if key in self._statements:
                self._statements[key].add_resources(*new)
            elif new:
                statement = iam.PolicyStatement(actions=list(actions), resources=new)
                self._statements[key] = statement
                role.add_to_policy(statement)

    def _role(self, id: str) -> iam.Role:
        """A role without AWS's managed policy, which would grant the log groups of the account."""
        role = iam.Role(self._scope, id, assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self._log.grant_write(role)
        return role

    def _function(
        self, code: lambda_.Code, module: str, role: iam.Role, memory: int
    ) -> lambda_.Function:
        function = lambda_.Function(
            self._scope,
            module.capitalize(),
            code=code,
            handler=f"dataware.handler.{module}.handler",
            runtime=PYTHON,
            memory_size=memory,
            timeout=Duration.minutes(15),
            role=role,
        )
        # As the argument `log_group` does it, which versions before 2.115 do not have.
        element = function.node.default_child
        element.add_property_override("LoggingConfig.LogGroup", self._log.log_group_name)
        return function

    def _states_role(self) -> iam.Role:
        arns = [self._look.function_arn, self._work.function_arn]
        invoke = iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=arns)
        return iam.Role(
            self._scope,
            "StatesRole",
            assumed_by=iam.ServicePrincipal("states.amazonaws.com"),
            inline_policies={"Invoke": iam.PolicyDocument(statements=[invoke])},
        )

    def _state_machine(self) -> states.CfnStateMachine:
        states_of = definition(self._look.function_arn, self._work.function_arn)
        return states.CfnStateMachine(
            self._scope,
            "StateMachine",
            definition_string=self._stack.to_json_string(states_of),
            role_arn=self._runs.role_arn,
        )

    def _start_policies(self) -> tuple[Construct, ...]:
        """Who may start and see executions; apart from the roles, which the machine rests on.

        Source: AWS Step Functions Developer Guide, "IAM policies for using Distributed Map
        states".
        """
        started = {"states:StartExecution": self._machine.attr_arn}
        allowed = {"states:DescribeExecution": self._executions(":")}
        mapped = dict.fromkeys(
            ("states:DescribeExecution", "states:StopExecution"), self._executions("/")
        )
        return (
            self._policy("Start", self._looks, {**started, **allowed}),
            self._policy("Map", self._runs, {**started, **mapped}),
        )

    def _executions(self, separator: str) -> str:
        """The ARNs of executions of the machine; those of a map stand behind a slash."""
        arn: str = self._stack.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{self._machine.attr_name}{separator}*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        return arn

    def _policy(self, id: str, role: iam.Role, allowed: Mapping[str, str]) -> iam.Policy:
        statements = [
            iam.PolicyStatement(actions=[action], resources=[arn])
            for action, arn in allowed.items()
        ]
        return iam.Policy(self._scope, id, roles=[role], statements=statements)


# Whoever makes a second migration in a stack needs the first one's machinery, and Python objects
# of constructs come and go.
_BY_STACK: dict[str, Machinery] = {}
