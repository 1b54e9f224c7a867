"""How the contract suite makes, fills and damages a resource of each kind.

A bench is all that a new kind brings to the suite: its class, and one line in `BENCHES`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol
from uuid import UUID

from dataware.aws import Account
from support.dynamo import everything, make_table
from support.images import PushTo, image_of, images_of, push_image, push_manifest
from support.log_events import put_events
from support.servers import FaultProxy, Forward, Reply, Seen, json_error, xml_error


class Bench(Protocol):
    """What the suite does to a resource of one kind.

    `names` are two valid names; `content_calls` are the operations that the probe's view of
    content rests on (none where existing means having data); `name_in_arn` is False where ARNs hold
    an id that the service makes up; `has_keys` is False where units of data have no keys of their
    own; `actions` gives the IAM actions of operations whose action has another name.
    """

    names: tuple[str, str]
    content_calls: tuple[str, ...] = ()
    name_in_arn: bool = True
    has_keys: bool = True
    actions: Mapping[str, tuple[str, ...]] = {}

    def deny(self, seen: Seen, forward: Forward) -> Reply:
        """Answer any call with "access denied"."""
        ...

    def make(self, aws: Account, name: str) -> None:
        """Create the resource, as empty as its kind can be."""
        ...

    def fill(self, aws: Account, name: str, count: int) -> None:
        """Put `count` units of data into it, at least 2."""
        ...

    def change(self, aws: Account, name: str) -> str:
        """Change one unit of data and answer with a part of its label."""
        ...

    def remove(self, aws: Account, name: str) -> str:
        """Remove one unit of data and answer with a part of its label."""
        ...

    def add(self, aws: Account, name: str) -> str:
        """Add one unit of data and answer with a part of its label."""
        ...

    def content(self, aws: Account, name: str) -> object:
        """Everything that is in it, in a form that compares."""
        ...

    def shrink_pages(self, proxy: FaultProxy) -> None:
        """Make listings come back in small pages."""
        ...


class TableBench(Bench):
    """AWS::DynamoDB::Table."""

    names = ("bench-old", "bench-new")
    content_calls = ("Scan",)

    def deny(self, seen: Seen, forward: Forward) -> Reply:
        return json_error("AccessDeniedException")(seen, forward)

    def make(self, aws: Account, name: str) -> None:
        make_table(aws, name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        items = [{"pk": {"S": f"key-{i}"}, "v": {"NS": [str(i), "0.5"]}} for i in range(count)]
        for start in range(0, count, 25):
            requests = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
            aws.client("dynamodb").batch_write_item(RequestItems={name: requests})

    def change(self, aws: Account, name: str) -> str:
        item = {"pk": {"S": "key-1"}, "v": {"NS": ["1", "0.25"]}}
        aws.client("dynamodb").put_item(TableName=name, Item=item)
        return '"key-1"'

    def remove(self, aws: Account, name: str) -> str:
        aws.client("dynamodb").delete_item(TableName=name, Key={"pk": {"S": "key-0"}})
        return '"key-0"'

    def add(self, aws: Account, name: str) -> str:
        aws.client("dynamodb").put_item(TableName=name, Item={"pk": {"S": "key-new"}})
        return '"key-new"'

    def content(self, aws: Account, name: str) -> object:
        return everything(aws, name)

    def shrink_pages(self, proxy: FaultProxy) -> None:
        def fault(seen: Seen, forward: Forward) -> Reply:
            return forward(seen.with_body(json.dumps({**seen.json(), "Limit": 7}).encode()))

        proxy.add(fault, operation="Scan")


class BucketBench(Bench):
    """AWS::S3::Bucket."""

    names = ("bench-old", "bench-new")
    content_calls = ("ListObjectsV2", "ListObjectVersions")
    actions = {  # noqa: RUF012 - a Protocol's attribute
        "HeadBucket": ("s3:ListBucket",),
        "ListObjects": ("s3:ListBucket",),
        "ListObjectsV2": ("s3:ListBucket",),
        "ListObjectVersions": ("s3:ListBucketVersions",),
        "ListBuckets": ("s3:ListAllMyBuckets",),
        "ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
        "ListParts": ("s3:ListMultipartUploadParts",),
        "GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
        "GetBucketCors": ("s3:GetBucketCORS",),
        "GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
        "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
        "GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
        "GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
        "HeadObject": ("s3:GetObject",),
        "CopyObject": ("s3:GetObject", "s3:PutObject"),
        "UploadPartCopy": ("s3:GetObject", "s3:PutObject"),
        "UploadPart": ("s3:PutObject",),
        "CreateMultipartUpload": ("s3:PutObject",),
        "CompleteMultipartUpload": ("s3:PutObject",),
    }

    def deny(self, seen: Seen, forward: Forward) -> Reply:
        return xml_error("AccessDenied", 403)(seen, forward)

    def make(self, aws: Account, name: str) -> None:
        aws.client("s3").create_bucket(Bucket=name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        for i in range(count):
            aws.client("s3").put_object(Bucket=name, Key=f"key-{i}", Body=b"%d" % i)

    def change(self, aws: Account, name: str) -> str:
        aws.client("s3").put_object(Bucket=name, Key="key-1", Body=b"changed")
        return "key-1"

    def remove(self, aws: Account, name: str) -> str:
        aws.client("s3").delete_object(Bucket=name, Key="key-0")
        return "key-0"

    def add(self, aws: Account, name: str) -> str:
        aws.client("s3").put_object(Bucket=name, Key="key-new", Body=b"new")
        return "key-new"

    def content(self, aws: Account, name: str) -> object:
        s3 = aws.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=name)
        keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
        return {key: s3.get_object(Bucket=name, Key=key)["Body"].read() for key in keys}

    def shrink_pages(self, proxy: FaultProxy) -> None:
        def fault(seen: Seen, forward: Forward) -> Reply:
            kept = [part for part in seen.query.split("&") if not part.startswith("max-keys=")]
            target = "&".join([f"{seen.path}?{kept[0]}", *kept[1:], "max-keys=7"])
            head = seen.head.replace(seen.target.encode(), target.encode(), 1)
            return forward(replace(seen, target=target, head=head))

        proxy.add(fault, operation="ListObjectsV2")


class LookedAtBench(Bench):
    """A type that is not copied, so only making and filling one is needed."""

    def deny(self, seen: Seen, forward: Forward) -> Reply:
        return json_error("AccessDeniedException")(seen, forward)

    def fill(self, aws: Account, name: str, count: int) -> None:
        return

    def change(self, aws: Account, name: str) -> str:
        raise AssertionError("its units of data are not compared")

    remove = add = change

    def content(self, aws: Account, name: str) -> object:
        raise AssertionError("its content is not copied")

    def shrink_pages(self, proxy: FaultProxy) -> None:
        return


class ParameterBench(LookedAtBench):
    """AWS::SSM::Parameter: a history of values, without keys of their own.

    One that exists holds a value, so the target of a copy is one that is not there.
    """

    names = ("/bench/old", "/bench/new")
    has_keys = False

    def make(self, aws: Account, name: str) -> None:
        aws.client("ssm").put_parameter(Name=name, Value="v", Type="String")

    def fill(self, aws: Account, name: str, count: int) -> None:
        for each in self.names:
            aws.client("ssm").delete_parameter(Name=each)
        for number in range(count):
            aws.client("ssm").put_parameter(
                Name=name, Value=f"value {number}", Type="SecureString", Overwrite=number > 0
            )
            if number % 3 == 0:
                aws.client("ssm").label_parameter_version(Name=name, Labels=[f"label-{number}"])

    def change(self, aws: Account, name: str) -> str:
        aws.client("ssm").put_parameter(Name=name, Value="another", Overwrite=True)
        return "the newest value"

    def content(self, aws: Account, name: str) -> object:
        pages = aws.client("ssm").get_paginator("get_parameter_history")
        return [
            (row["Type"], row["Value"], sorted(row["Labels"]))
            for page in pages.paginate(Name=name, WithDecryption=True)
            for row in page["Parameters"]
        ]


class RepositoryBench(LookedAtBench):
    """AWS::ECR::Repository: images with a layer each, under the tags ``v0``, ``v1``, …."""

    names = ("bench/old", "bench/new")
    content_calls = ("DescribeImages",)

    def make(self, aws: Account, name: str) -> None:
        aws.client("ecr").create_repository(repositoryName=name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        push_image(PushTo(aws, name), "0", tags=["v0"])
        for i in range(1, count):
            push_manifest(PushTo(aws, name), image_of(f"{i}"), f"v{i}")

    def change(self, aws: Account, name: str) -> str:
        push_manifest(PushTo(aws, name), image_of("2"), "v1")
        return image_of("1").digest

    def remove(self, aws: Account, name: str) -> str:
        gone = image_of("0").digest
        aws.client("ecr").batch_delete_image(repositoryName=name, imageIds=[{"imageDigest": gone}])
        return gone

    def add(self, aws: Account, name: str) -> str:
        return push_image(PushTo(aws, name), "new").digest

    def content(self, aws: Account, name: str) -> object:
        return images_of(aws, name)


class UserPoolBench(LookedAtBench):
    """AWS::Cognito::UserPool: an added attribute, a group, a client, users, and members."""

    names = ("bench-old", "bench-new")
    content_calls = ("ListUsers",)
    name_in_arn = False

    def make(self, aws: Account, name: str) -> None:
        aws.client("cognito-idp").create_user_pool(PoolName=name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        idp, pool = aws.client("cognito-idp"), self._id(aws, name)
        where, members = {"UserPoolId": pool}, 4 if count > 10 else 0
        if members:
            row = {"Name": "team", "AttributeDataType": "String"}
            idp.add_custom_attributes(**where, CustomAttributes=[row])
            idp.create_group(**where, GroupName="staff", Description="of the bench")
            idp.create_user_pool_client(**where, ClientName="web", GenerateSecret=True)
        for i in range(count - members - (3 if members else 0)):
            rows = [{"Name": "email", "Value": f"{i}@example.com"}]
            idp.admin_create_user(**where, Username=f"user-{i}", UserAttributes=rows)
            if i < members:
                idp.admin_add_user_to_group(**where, Username=f"user-{i}", GroupName="staff")

    def change(self, aws: Account, name: str) -> str:
        rows = [{"Name": "email", "Value": "changed@example.com"}]
        aws.client("cognito-idp").admin_update_user_attributes(
            UserPoolId=self._id(aws, name), Username="user-9", UserAttributes=rows
        )
        return "user-9"

    def remove(self, aws: Account, name: str) -> str:
        pool = self._id(aws, name)
        aws.client("cognito-idp").admin_delete_user(UserPoolId=pool, Username="user-8")
        return "user-8"

    def add(self, aws: Account, name: str) -> str:
        pool = self._id(aws, name)
        aws.client("cognito-idp").admin_create_user(UserPoolId=pool, Username="user-new")
        return "user-new"

    def content(self, aws: Account, name: str) -> object:
        idp, where = aws.client("cognito-idp"), {"UserPoolId": self._id(aws, name)}
        made_up = ("sub",)
        users = {
            row["Username"]: sorted(
                (one["Name"], one["Value"])
                for one in row["Attributes"]
                if one["Name"] not in made_up
            )
            for row in idp.list_users(**where)["Users"]
        }
        rows = idp.list_users_in_group(**where, GroupName="staff")["Users"]
        members = {row["Username"] for row in rows}
        clients = idp.list_user_pool_clients(**where)["UserPoolClients"]
        return users, members, [row["ClientName"] for row in clients]

    def shrink_pages(self, proxy: FaultProxy) -> None:
        def fault(seen: Seen, forward: Forward) -> Reply:
            return forward(seen.with_body(json.dumps({**seen.json(), "Limit": 7}).encode()))

        proxy.add(fault, operation="ListUsers")

    def _id(self, aws: Account, name: str) -> str:
        pages = aws.client("cognito-idp").get_paginator("list_user_pools").paginate(MaxResults=60)
        (pool,) = [p["Id"] for page in pages for p in page["UserPools"] if p["Name"] == name]
        return str(pool)


class LogGroupBench(LookedAtBench):
    """AWS::Logs::LogGroup: looked into, not copied."""

    names = ("/bench/old", "/bench/new")
    content_calls = ("DescribeLogStreams", "FilterLogEvents")

    def make(self, aws: Account, name: str) -> None:
        aws.client("logs").create_log_group(logGroupName=name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        now = int(time.time() * 1000)
        put_events(aws.client("logs"), name, [now - number for number in range(count)])


class SecretBench(LookedAtBench):
    """AWS::SecretsManager::Secret: looked into without its value, copied with it."""

    names = ("bench/old", "bench/new")
    content_calls = ("ListSecretVersionIds",)

    def make(self, aws: Account, name: str) -> None:
        aws.client("secretsmanager").create_secret(Name=name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        for number in range(count):
            self._put(aws, name, number, f"value {number}")

    def change(self, aws: Account, name: str) -> str:
        version = str(UUID(int=1))
        aws.client("secretsmanager").update_secret_version_stage(
            SecretId=name, VersionStage="another-label", MoveToVersionId=version
        )
        return version

    def remove(self, aws: Account, name: str) -> str:
        gone = UUID(int=0)
        aws.client("secretsmanager").update_secret_version_stage(
            SecretId=name, VersionStage="label-0", RemoveFromVersionId=str(gone)
        )
        return str(gone)

    def add(self, aws: Account, name: str) -> str:
        return self._put(aws, name, 1000, "a new value")

    def content(self, aws: Account, name: str) -> object:
        manager = aws.client("secretsmanager")
        rows = manager.list_secret_version_ids(SecretId=name)["Versions"]
        return {
            row["VersionId"]: (
                sorted(row["VersionStages"]),
                manager.get_secret_value(SecretId=name, VersionId=row["VersionId"])["SecretString"],
            )
            for row in rows
            if row["VersionStages"]
        }

    def _put(self, aws: Account, name: str, number: int, value: str) -> str:
        version = str(UUID(int=number))
        aws.client("secretsmanager").put_secret_value(
            SecretId=name,
            SecretString=value,
            ClientRequestToken=version,
            VersionStages=[f"label-{number}"],
        )
        return version


class QueueBench(LookedAtBench):
    """AWS::SQS::Queue: its messages are counted by the service."""

    names = ("bench-old", "bench-new")
    content_calls = ("GetQueueAttributes",)

    def make(self, aws: Account, name: str) -> None:
        aws.client("sqs").create_queue(QueueName=name)

    def fill(self, aws: Account, name: str, count: int) -> None:
        url = aws.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
        for number in range(count):
            aws.client("sqs").send_message(QueueUrl=url, MessageBody=str(number))


class StreamBench(LookedAtBench):
    """AWS::Kinesis::Stream: read from its oldest record on."""

    names = ("bench-old", "bench-new")
    content_calls = ("GetRecords",)

    def make(self, aws: Account, name: str) -> None:
        aws.client("kinesis").create_stream(StreamName=name, ShardCount=2)

    def fill(self, aws: Account, name: str, count: int) -> None:
        for number in range(count):
            aws.client("kinesis").put_record(
                StreamName=name, Data=b"record", PartitionKey=str(number)
            )


class FileSystemBench(LookedAtBench):
    """AWS::EFS::FileSystem: known by a tag, or by its id; its size is that of the service."""

    names = ("bench-old", "bench-new")
    name_in_arn = False

    def make(self, aws: Account, name: str) -> None:
        aws.client("efs").create_file_system(
            CreationToken=name, Tags=[{"Key": "Name", "Value": name}]
        )


class InstanceBench(LookedAtBench):
    """AWS::RDS::DBInstance: existing means having data."""

    names = ("bench-old", "bench-new")

    def deny(self, seen: Seen, forward: Forward) -> Reply:
        return xml_error("AccessDenied", 403)(seen, forward)

    def make(self, aws: Account, name: str) -> None:
        aws.client("rds").create_db_instance(
            DBInstanceIdentifier=name,
            Engine="postgres",
            DBInstanceClass="db.t3.micro",
            MasterUsername="bench",
            MasterUserPassword="not-a-secret",
            AllocatedStorage=20,
        )


class ClusterBench(InstanceBench):
    """AWS::RDS::DBCluster: existing means having data."""

    def make(self, aws: Account, name: str) -> None:
        aws.client("rds").create_db_cluster(
            DBClusterIdentifier=name,
            Engine="aurora-postgresql",
            MasterUsername="bench",
            MasterUserPassword="not-a-secret",
        )


class KeyBench(LookedAtBench):
    """AWS::KMS::Key: known by its id, or by an alias."""

    names = ("alias/bench-old", "alias/bench-new")
    name_in_arn = False

    def make(self, aws: Account, name: str) -> None:
        kms = aws.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=name, TargetKeyId=key)


class DomainBench(LookedAtBench):
    """AWS::OpenSearchService::Domain: existing means having data."""

    names = ("bench-old", "bench-new")

    def make(self, aws: Account, name: str) -> None:
        aws.client("opensearch").create_domain(DomainName=name)


BENCHES: Mapping[str, Bench] = {
    "AWS::S3::Bucket": BucketBench(),
    "AWS::DynamoDB::Table": TableBench(),
    "AWS::DynamoDB::GlobalTable": TableBench(),
    "AWS::SSM::Parameter": ParameterBench(),
    "AWS::ECR::Repository": RepositoryBench(),
    "AWS::Cognito::UserPool": UserPoolBench(),
    "AWS::Logs::LogGroup": LogGroupBench(),
    "AWS::SecretsManager::Secret": SecretBench(),
    "AWS::SQS::Queue": QueueBench(),
    "AWS::Kinesis::Stream": StreamBench(),
    "AWS::EFS::FileSystem": FileSystemBench(),
    "AWS::RDS::DBInstance": InstanceBench(),
    "AWS::RDS::DBCluster": ClusterBench(),
    "AWS::KMS::Key": KeyBench(),
    "AWS::OpenSearchService::Domain": DomainBench(),
}
