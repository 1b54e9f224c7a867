"""The helper as it was before: it looks for a name at synth, and refers to it or creates it.

It stands here for comparison; `stacks.py` does not use it any more. What it does not do: look at
the data, tell a denied call from an absent name, keep in a stack what a stack has created (the
second deployment finds the name, refers to it, and the stack lets go of it).
"""

from collections.abc import Callable
from typing import Any

import boto3
from aws_cdk import RemovalPolicy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_s3 as s3
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


def _first(look: Callable[[str], Any], *names: str) -> str | None:
    """The first name for which the look does not fail; any error counts as absent."""
    for name in names:
        try:
            look(name)
        except ClientError:
            continue
        return name
    return None
