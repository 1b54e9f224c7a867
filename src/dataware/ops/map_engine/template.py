"""The template of the short-lived stack that holds the workers of one migration.

Sources: AWS Step Functions Developer Guide, "IAM policies for using Distributed Map states" and
"ResultWriter (Map)"; AWS Lambda Developer Guide, "Configure Lambda function memory"; AWS KMS
Developer Guide, "kms:ViaService".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.core.copier import CopyOrder
from dataware.core.kind import Kind
from dataware.core.phases import COPIED_FROM, COPIED_TO, VERIFY, VERSIONS, VERSIONS_WRITE
from dataware.ops.map_engine.state_machine import batch_definition
from dataware.ops.marker_names import on_record
from dataware.ops.policy import Permission, list_permissions
from dataware.state.marker_value import parameter_name

PREFIX = "dataware-map-"
CODE = "code.zip"
RUNTIME = "python3.13"
MEMORY = 1769
"""Megabytes at which Lambda gives a function one whole processor."""

SECONDS = 900
KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey*",
    "kms:ReEncrypt*",
)
"""What reading and writing under keys of the customer takes, through the service of the data."""

READ_KEY_ACTIONS = ("kms:Decrypt", "kms:DescribeKey")
LOGGED = ("logs:CreateLogStream", "logs:PutLogEvents")


@dataclass(frozen=True, slots=True)
class WorkersLocation:
    """Where the workers of the migration `run` are, and what they are called."""

    account: str
    region: str
    partition: str
    run: str

    @property
    def stack(self) -> str:
        """The name of the stack, of its function and of its state machine."""
        return f"{PREFIX}{self.run}"

    @property
    def bucket(self) -> str:
        """The name of the bucket for the code, the shards and the results."""
        return f"{PREFIX}{self.account}-{self.run}"

    @property
    def function(self) -> str:
        """The ARN of the function."""
        return self._arn("lambda", f"function:{self.stack}")

    @property
    def machine(self) -> str:
        """The ARN of the state machine."""
        return self._arn("states", f"stateMachine:{self.stack}")

    def execution(self, name: str) -> str:
        """The ARN of an execution of the state machine."""
        return self._arn("states", f"execution:{self.stack}:{name}")

    @property
    def children(self) -> str:
        """The ARNs of the executions that a Distributed Map starts."""
        return self._arn("states", f"execution:{self.stack}/*")

    @property
    def log(self) -> str:
        """The name of the log group."""
        return f"/dataware/{self.stack}"

    @property
    def log_arn(self) -> str:
        """The ARN of the streams of the log group."""
        return self._arn("logs", f"log-group:{self.log}:*")

    def parameter(self, name: str) -> str:
        """The ARN of a parameter."""
        return self._arn("ssm", f"parameter{name}")

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


def list_copy_permissions(kind: Kind, order: CopyOrder, place: WorkersLocation) -> list[Permission]:
    """What the workers may do: read the source, write the target, and look at the record."""
    read, written = ((VERSIONS,), (VERSIONS, VERSIONS_WRITE)) if order.all_versions else ((), ())
    source, target = (
        kind.access.arns(one.name, one.owner, one.region, place.partition)
        for one in (order.source, order.target)
    )
    record = parameter_name(kind.names.slug, on_record(kind, order)[1])
    return [
        *list_permissions(kind.access, source, (*COPIED_FROM, *read)),
        *list_permissions(kind.access, target, (*COPIED_TO, *written)),
        (("ssm:GetParameter",), (place.parameter(record),)),
        (LOGGED, (place.log_arn,)),
    ]


def list_comparison_permissions(
    kind: Kind, order: CopyOrder, place: WorkersLocation
) -> list[Permission]:
    """What workers may do that only compare: read both sides."""
    phases = (VERIFY, VERSIONS) if order.all_versions else (VERIFY,)
    sides = (
        kind.access.arns(one.name, one.owner, one.region, place.partition)
        for one in (order.source, order.target)
    )
    return [
        *(one for arns in sides for one in list_permissions(kind.access, arns, phases)),
        (LOGGED, (place.log_arn,)),
    ]


def make_template(kind: Kind, order: CopyOrder, place: WorkersLocation) -> str:
    """The template of the workers that copy, as JSON."""
    copies = _list_statements(list_copy_permissions(kind, order, place))
    return _write_template(place, [*copies, _use_keys(kind, order, place, KEY_ACTIONS)])


def make_comparison_template(kind: Kind, order: CopyOrder, place: WorkersLocation) -> str:
    """The template of workers that only compare, as JSON."""
    reads = _list_statements(list_comparison_permissions(kind, order, place))
    return _write_template(place, [*reads, _use_keys(kind, order, place, READ_KEY_ACTIONS)])


def _write_template(place: WorkersLocation, allowed: list[dict[str, Any]]) -> str:
    resources = {
        "Log": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": place.log, "RetentionInDays": 30},
        },
        "CopyRole": _role("lambda", allowed),
        "Work": _function(place),
        "RunRole": _role("states", _list_statements(_list_run_permissions(place))),
        "Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "DependsOn": ["Work"],
            "Properties": {
                "StateMachineName": place.stack,
                "RoleArn": {"Fn::GetAtt": ["RunRole", "Arn"]},
                "DefinitionString": json.dumps(
                    batch_definition(place.function, place.bucket, place.partition)
                ),
            },
        },
    }
    text = "Workers of dataware for one pair of resources; the run that made them removes them."
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Description": text}
    return json.dumps({**template, "Resources": resources})


def _function(place: WorkersLocation) -> dict[str, Any]:
    return {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "FunctionName": place.stack,
            "Code": {"S3Bucket": place.bucket, "S3Key": CODE},
            "Handler": "dataware.handler.work.handler",
            "Runtime": RUNTIME,
            "MemorySize": MEMORY,
            "Timeout": SECONDS,
            "Role": {"Fn::GetAtt": ["CopyRole", "Arn"]},
            "LoggingConfig": {"LogGroup": {"Ref": "Log"}},
        },
    }


def _list_run_permissions(place: WorkersLocation) -> Iterable[Permission]:
    """What the state machine may do: call the function, start children, read and write shards."""
    objects = f"arn:{place.partition}:s3:::{place.bucket}/*"
    writing = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")
    yield ("lambda:InvokeFunction",), (place.function,)
    yield ("states:StartExecution",), (place.machine,)
    yield ("states:DescribeExecution", "states:StopExecution"), (place.children,)
    yield ("s3:GetObject", *writing), (objects,)


def _use_keys(
    kind: Kind, order: CopyOrder, place: WorkersLocation, actions: tuple[str, ...]
) -> dict[str, Any]:
    """Whose key encrypts a side is not known here, so its service is what is named."""
    arns = kind.access.arns("name", place.account, place.region, place.partition)
    service = arns[0].split(":")[2]
    regions = sorted({order.source.region, order.target.region})
    keys = [f"arn:{place.partition}:kms:{one}:{place.account}:key/*" for one in regions]
    via = [f"{service}.{one}.amazonaws.com*" for one in regions]
    (statement,) = _list_statements([(actions, tuple(keys))])
    return {**statement, "Condition": {"StringLike": {"kms:ViaService": via}}}


def _list_statements(permissions: Iterable[Permission]) -> list[dict[str, Any]]:
    return [
        {"Effect": "Allow", "Action": list(actions), "Resource": list(arns)}
        for actions, arns in permissions
    ]


def _role(service: str, statements: list[dict[str, Any]]) -> Mapping[str, Any]:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    document = {"Version": "2012-10-17", "Statement": statements}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "work", "PolicyDocument": document}],
        },
    }
