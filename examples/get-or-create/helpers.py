"""The helper as it was before: it looks for a name at synth, and refers to it or creates it.

It stands here for comparison; `stacks.py` does not use it any more. What it does not do: look at
the data, tell a denied call from an absent name, keep in a stack what a stack has created (the
second deployment finds the name, refers to it, and the stack lets go of it).
"""

from collections.abc import Callable
from typing import Any

import boto3
from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from botocore.exceptions import ClientError
from constructs import Construct


class GetOrCreate:
    """Finds the preferred name, else the fallback, else creates the preferred one."""

    def __init__(self, scope: Construct) -> None:
        self._scope = scope

    def get_or_create_s3_bucket(
        self, construct_id: str, preferred_name: str, fallback_name: str
    ) -> s3.IBucket:
        """The first bucket that exists, else a new one."""
        heads = boto3.client("s3").head_bucket
        name = _first(lambda name: heads(Bucket=name), preferred_name, fallback_name)
        if name:
            return s3.Bucket.from_bucket_name(self._scope, construct_id, name)
        return s3.Bucket(
            self._scope,
            construct_id,
            bucket_name=preferred_name,
            versioned=True,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def get_or_create_dynamodb_table(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: str,
        partition_key_name: str,
        partition_key_type: dynamodb.AttributeType,
        sort_key_name: str | None = None,
        sort_key_type: dynamodb.AttributeType = dynamodb.AttributeType.STRING,
    ) -> dynamodb.ITable:
        """The first table that exists, else a new one."""
        describe = boto3.client("dynamodb").describe_table
        name = _first(lambda name: describe(TableName=name), preferred_name, fallback_name)
        if name:
            return dynamodb.Table.from_table_name(self._scope, construct_id, name)
        sort_key = None
        if sort_key_name:
            sort_key = dynamodb.Attribute(name=sort_key_name, type=sort_key_type)
        return dynamodb.Table(
            self._scope,
            construct_id,
            table_name=preferred_name,
            partition_key=dynamodb.Attribute(name=partition_key_name, type=partition_key_type),
            sort_key=sort_key,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            deletion_protection=True,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def get_or_create_ecr_repository(
        self, construct_id: str, preferred_name: str, fallback_name: str
    ) -> ecr.IRepository:
        """The first repository that exists, else a new one."""
        describe = boto3.client("ecr").describe_repositories
        name = _first(lambda name: describe(repositoryNames=[name]), preferred_name, fallback_name)
        if name:
            return ecr.Repository.from_repository_name(self._scope, construct_id, name)
        return ecr.Repository(
            self._scope,
            construct_id,
            repository_name=preferred_name,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def get_or_create_cognito_user_pool(
        self, construct_id: str, preferred_name: str, fallback_name: str
    ) -> cognito.IUserPool:
        """The first pool of the name among the first sixty pools, else a new one."""
        pools = boto3.client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
        ids = {pool["Name"]: pool["Id"] for pool in pools}
        found = ids.get(preferred_name) or ids.get(fallback_name)
        if found:
            return cognito.UserPool.from_user_pool_id(self._scope, construct_id, found)
        return cognito.UserPool(
            self._scope,
            construct_id,
            user_pool_name=preferred_name,
            removal_policy=RemovalPolicy.RETAIN,
        )

    def get_or_create_log_group(
        self,
        construct_id: str,
        preferred_name: str,
        fallback_name: str,
        retention: logs.RetentionDays,
    ) -> logs.ILogGroup:
        """The first log group that exists, else a new one."""
        find = boto3.client("logs").describe_log_streams
        name = _first(lambda name: find(logGroupName=name), preferred_name, fallback_name)
        if name:
            return logs.LogGroup.from_log_group_name(self._scope, construct_id, name)
        return logs.LogGroup(
            self._scope, construct_id, log_group_name=preferred_name, retention=retention
        )

    def get_or_create_secret(
        self, construct_id: str, preferred_name: str, fallback_name: str
    ) -> secretsmanager.ISecret:
        """The first secret that exists, else a new one."""
        describe = boto3.client("secretsmanager").describe_secret
        name = _first(lambda name: describe(SecretId=name), preferred_name, fallback_name)
        if name:
            return secretsmanager.Secret.from_secret_name_v2(self._scope, construct_id, name)
        return secretsmanager.Secret(self._scope, construct_id, secret_name=preferred_name)

    def get_or_create_sqs_queue(
        self, construct_id: str, preferred_name: str, fallback_name: str
    ) -> sqs.IQueue:
        """The first queue that exists, else a new one."""
        find = boto3.client("sqs").get_queue_url
        name = _first(lambda name: find(QueueName=name), preferred_name, fallback_name)
        if name:
            arn = Stack.of(self._scope).format_arn(service="sqs", resource=name)
            return sqs.Queue.from_queue_arn(self._scope, construct_id, arn)
        return sqs.Queue(self._scope, construct_id, queue_name=preferred_name)

    def get_or_create_kinesis_stream(
        self, construct_id: str, preferred_name: str, fallback_name: str, **properties: Any
    ) -> kinesis.IStream:
        """The first stream that exists, else a new one."""
        describe = boto3.client("kinesis").describe_stream_summary
        name = _first(lambda name: describe(StreamName=name), preferred_name, fallback_name)
        if name:
            stack = Stack.of(self._scope)
            arn = stack.format_arn(service="kinesis", resource="stream", resource_name=name)
            return kinesis.Stream.from_stream_arn(self._scope, construct_id, arn)
        return kinesis.Stream(self._scope, construct_id, stream_name=preferred_name, **properties)


def _first(look: Callable[[str], Any], *names: str) -> str | None:
    """The first name for which the look does not fail; any error counts as absent."""
    for name in names:
        try:
            look(name)
        except ClientError:
            continue
        return name
    return None
