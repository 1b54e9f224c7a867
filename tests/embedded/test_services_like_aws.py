"""The embedded S3 and SSM refuse what AWS refuses, and forget what AWS forgets.

Each test guards a difference that the emulator alone would show.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

pytestmark = pytest.mark.usefixtures("aws_server")

STRANGER = "999999999999"


@pytest.fixture
def s3() -> Any:
    """A client, with a bucket ``source`` that holds ``key``, and an empty bucket ``target``."""
    client = boto3.client("s3")
    for bucket in ("source", "target"):
        client.create_bucket(Bucket=bucket)
    client.put_object(Bucket="source", Key="key", Body=b"data")
    return client


def _refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_copy_may_demand_a_free_key(s3: Any) -> None:
    """If-None-Match on CopyObject keeps what is there, and lets a copy to a free key pass."""
    copy = {"Bucket": "target", "Key": "copy", "CopySource": "source/key", "IfNoneMatch": "*"}
    s3.copy_object(**copy)
    s3.put_object(Bucket="target", Key="copy", Body=b"someone else's")
    assert _refusal(s3.copy_object, **copy) == ("PreconditionFailed", 412)
    assert s3.get_object(Bucket="target", Key="copy")["Body"].read() == b"someone else's"


def test_a_copy_may_demand_what_it_replaces(s3: Any) -> None:
    """If-Match on CopyObject replaces only the object that was seen."""
    seen = s3.put_object(Bucket="target", Key="copy", Body=b"seen")["ETag"]
    copy = {"Bucket": "target", "Key": "copy", "CopySource": "source/key"}
    s3.copy_object(**copy, IfMatch=seen)
    assert _refusal(s3.copy_object, **copy, IfMatch=seen) == ("PreconditionFailed", 412)


def test_a_copy_gets_the_standard_class_unless_asked(s3: Any) -> None:
    """The storage class does not travel with a copy."""
    s3.put_object(Bucket="source", Key="rare", Body=b"1", StorageClass="STANDARD_IA")
    s3.copy_object(Bucket="target", Key="plain", CopySource="source/rare")
    assert "StorageClass" not in s3.head_object(Bucket="target", Key="plain")
    s3.copy_object(
        Bucket="target", Key="asked", CopySource="source/rare", StorageClass="STANDARD_IA"
    )
    assert s3.head_object(Bucket="target", Key="asked")["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("versioned", [False, True])
def test_a_copy_gets_no_redirect_unless_asked(versioned: bool, s3: Any) -> None:
    """The website redirect does not travel with a copy, nor with its version."""
    if versioned:
        enabled = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket="target", VersioningConfiguration=enabled)
    s3.put_object(Bucket="source", Key="page", Body=b"1", WebsiteRedirectLocation="/elsewhere")
    for asked in ({}, {"WebsiteRedirectLocation": "/there"}):
        s3.copy_object(Bucket="target", Key="page", CopySource="source/page", **asked)
        head = s3.head_object(Bucket="target", Key="page")
        assert head.get("WebsiteRedirectLocation") == asked.get("WebsiteRedirectLocation")
        if versioned:
            old = s3.head_object(Bucket="target", Key="page", VersionId=head["VersionId"])
            assert old.get("WebsiteRedirectLocation") == asked.get("WebsiteRedirectLocation")


def test_an_archived_object_cannot_be_copied(s3: Any) -> None:
    """CopyObject and UploadPartCopy refuse to read GLACIER, like GetObject."""
    s3.put_object(Bucket="source", Key="cold", Body=b"1", StorageClass="GLACIER")
    copy = {"Bucket": "target", "Key": "cold", "CopySource": "source/cold"}
    assert _refusal(s3.copy_object, **copy) == ("InvalidObjectState", 403)
    upload = s3.create_multipart_upload(Bucket="target", Key="cold")["UploadId"]
    part = {**copy, "UploadId": upload, "PartNumber": 1}
    assert _refusal(s3.upload_part_copy, **part) == ("InvalidObjectState", 403)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("list_objects_v2", {}),
        ("list_object_versions", {}),
        ("get_bucket_versioning", {}),
        ("get_object", {"Key": "key"}),
        ("put_object", {"Key": "new", "Body": b"1"}),
        ("delete_object", {"Key": "key"}),
        ("create_multipart_upload", {"Key": "new"}),
        ("delete_bucket", {}),
    ],
)
def test_the_expected_owner_is_enforced(
    operation: str, arguments: dict[str, Any], s3: Any, aws_server: Any
) -> None:
    """A bucket of another account than expected answers 403, and nothing is done."""
    call, bucket = getattr(s3, operation), {"Bucket": "source"}
    refusal = _refusal(call, **bucket, ExpectedBucketOwner=STRANGER, **arguments)
    assert refusal == ("AccessDenied", 403)
    assert [each["Key"] for each in s3.list_objects_v2(**bucket)["Contents"]] == ["key"]
    if operation == "delete_bucket":
        s3.delete_object(**bucket, Key="key")
    assert call(**bucket, ExpectedBucketOwner=aws_server.account, **arguments)


def test_the_expected_owner_of_a_copys_source_is_enforced(s3: Any, aws_server: Any) -> None:
    """A copy names the owners of both sides, and each is checked."""
    copy = {"Bucket": "target", "Key": "copy", "CopySource": "source/key"}
    denied = ("AccessDenied", 403)
    assert _refusal(s3.copy_object, **copy, ExpectedSourceBucketOwner=STRANGER) == denied
    assert _refusal(s3.copy_object, **copy, ExpectedBucketOwner=STRANGER) == denied
    both = dict.fromkeys(("ExpectedBucketOwner", "ExpectedSourceBucketOwner"), aws_server.account)
    assert s3.copy_object(**copy, **both)


def test_a_missing_bucket_is_missing_whoever_should_own_it(s3: Any) -> None:
    """The expected owner does not turn 404 into 403."""
    missing = {"Bucket": "nowhere", "ExpectedBucketOwner": STRANGER}
    assert _refusal(s3.head_bucket, **missing) == ("404", 404)


def test_a_key_has_at_most_1024_bytes(s3: Any) -> None:
    """The limit counts bytes, not characters."""
    s3.put_object(Bucket="target", Key="é" * 512, Body=b"1")
    too_long = {"Bucket": "target", "Key": "é" * 512 + "x", "Body": b"1"}
    assert _refusal(s3.put_object, **too_long) == ("KeyTooLongError", 400)


def test_a_parameter_is_not_overwritten_by_mistake() -> None:
    """Overwrite is off by default, and every overwrite counts the version up."""
    ssm = boto3.client("ssm")
    put = {"Name": "/dataware/x", "Type": "String"}
    assert ssm.put_parameter(**put, Value="1")["Version"] == 1
    assert _refusal(ssm.put_parameter, **put, Value="2") == ("ParameterAlreadyExists", 400)
    assert ssm.put_parameter(**put, Value="2", Overwrite=True)["Version"] == 2
    assert ssm.get_parameter(Name="/dataware/x")["Parameter"]["Value"] == "2"


def test_every_version_of_a_parameter_is_kept() -> None:
    """A version is read by its number; one that is not there is told apart from no parameter."""
    ssm = boto3.client("ssm")
    for number in range(3):
        put = {"Name": "/dataware/x", "Type": "String", "Value": f"v{number}"}
        ssm.put_parameter(**put, Overwrite=True)
    found = ssm.get_parameter(Name="/dataware/x:2")["Parameter"]
    assert (found["Name"], found["Value"], found["Version"]) == ("/dataware/x", "v1", 2)
    assert _refusal(ssm.get_parameter, Name="/dataware/x:9") == ("ParameterVersionNotFound", 400)
    assert _refusal(ssm.get_parameter, Name="/dataware/y:1") == ("ParameterNotFound", 400)


def test_a_parameters_length_is_limited_by_its_tier() -> None:
    """4,096 bytes in the standard tier, 8,192 in the advanced one, which it then keeps."""
    ssm = boto3.client("ssm")
    put = {"Name": "/dataware/x", "Type": "String", "Overwrite": True}
    ssm.put_parameter(**put, Value="x" * 4096)
    too_long = ("ValidationException", 400)
    assert _refusal(ssm.put_parameter, **put, Value="x" * 4097) == too_long
    ssm.put_parameter(**put, Value="x" * 8192, Tier="Advanced")
    ssm.put_parameter(**put, Value="x" * 8192)
    assert _refusal(ssm.put_parameter, **put, Value="x" * 8193) == too_long


MEGABYTE = 1024 * 1024


def _upload(s3: Any, key: str, *, tagging: str = "", algorithm: str = "CRC32") -> None:
    """Put an object of two parts into ``source``."""
    place = {"Bucket": "source", "Key": key}
    upload = s3.create_multipart_upload(**place, Tagging=tagging, ChecksumAlgorithm=algorithm)
    place["UploadId"] = upload["UploadId"]
    parts = []
    for number, body in ((1, b"a" * 5 * MEGABYTE), (2, b"b")):
        part = s3.upload_part(**place, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        told = {name: part[name] for name in ("ETag", f"Checksum{algorithm}")}
        parts.append({"PartNumber": number, **told})
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})


def test_a_copy_of_parts_is_one_part(s3: Any) -> None:
    """CopyObject makes one part of many: another ETag, and a checksum of the whole."""
    _upload(s3, "parts")
    copied = s3.copy_object(Bucket="target", Key="copy", CopySource="source/parts")
    s3.put_object(
        Bucket="target", Key="put", Body=b"a" * 5 * MEGABYTE + b"b", ChecksumAlgorithm="CRC32"
    )
    source = s3.head_object(Bucket="source", Key="parts", ChecksumMode="ENABLED")
    copy, put = (
        s3.head_object(Bucket="target", Key=key, ChecksumMode="ENABLED") for key in ("copy", "put")
    )
    assert source["ETag"].endswith('-2"')
    assert copied["CopyObjectResult"]["ETag"] == copy["ETag"] == put["ETag"]
    assert copy["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert copy["ChecksumType"] == "FULL_OBJECT"


def test_a_copy_may_ask_for_another_checksum(s3: Any) -> None:
    """ChecksumAlgorithm of CopyObject replaces the source's."""
    s3.put_object(Bucket="source", Key="key", Body=b"data", ChecksumAlgorithm="CRC32")
    s3.copy_object(Bucket="target", Key="key", CopySource="source/key", ChecksumAlgorithm="SHA256")
    head = s3.head_object(Bucket="target", Key="key", ChecksumMode="ENABLED")
    assert "ChecksumSHA256" in head
    assert "ChecksumCRC32" not in head


@pytest.mark.parametrize("versioned", [False, True])
def test_an_upload_in_parts_keeps_its_tags(versioned: bool, s3: Any) -> None:
    """Tags are given at the start of the upload; those of an earlier object do not stay."""
    if versioned:
        enabled = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket="source", VersioningConfiguration=enabled)
    place = {"Bucket": "source", "Key": "parts"}
    _upload(s3, "parts", tagging="a=1&b=%2F")
    assert s3.get_object_tagging(**place)["TagSet"] == [
        {"Key": "a", "Value": "1"},
        {"Key": "b", "Value": "/"},
    ]
    assert s3.head_object(**place)["TagCount"] == 2
    _upload(s3, "parts")
    assert s3.get_object_tagging(**place)["TagSet"] == []


def test_copied_parts_carry_the_checksum_of_the_upload(s3: Any) -> None:
    """UploadPartCopy computes what the upload asks for, and the object has it in the end."""
    _upload(s3, "parts")
    place = {"Bucket": "target", "Key": "copy"}
    upload = s3.create_multipart_upload(**place, ChecksumAlgorithm="CRC32")
    place["UploadId"] = upload["UploadId"]
    parts = []
    for number, area in ((1, f"0-{5 * MEGABYTE - 1}"), (2, f"{5 * MEGABYTE}-{5 * MEGABYTE}")):
        copied = s3.upload_part_copy(
            **place, PartNumber=number, CopySource="source/parts", CopySourceRange=f"bytes={area}"
        )["CopyPartResult"]
        told = {name: copied[name] for name in ("ETag", "ChecksumCRC32")}
        parts.append({"PartNumber": number, **told})
    s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    source, copy = (
        s3.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        for bucket, key in (("source", "parts"), ("target", "copy"))
    )
    assert copy["ETag"] == source["ETag"]
    assert copy["ChecksumCRC32"] == source["ChecksumCRC32"]


def test_one_part_of_an_object_can_be_looked_at(s3: Any) -> None:
    """HEAD with a part number tells the part's length and how many there are."""
    _upload(s3, "parts")
    head = s3.head_object(Bucket="source", Key="parts", PartNumber=2)
    assert (head["ContentLength"], head["PartsCount"]) == (1, 2)


def test_a_billing_mode_that_does_not_exist_is_refused() -> None:
    """By DynamoDB itself, and by CloudFormation that asks it."""
    keys = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAYPERREQUEST",
    }
    dynamodb = boto3.client("dynamodb")
    call = partial(dynamodb.create_table, TableName="Waitlist", **keys)
    assert _refusal(call) == ("ValidationException", 400)
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "Waitlist", **keys}}
    stacks = boto3.client("cloudformation")
    stacks.create_stack(StackName="App", TemplateBody=json.dumps({"Resources": {"T": table}}))
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(
            StackName="App", WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
    assert dynamodb.list_tables()["TableNames"] == []


def test_a_secret_without_a_value_has_no_version(aws_server: object) -> None:
    """There is nothing to read in it (Secrets Manager API Reference, CreateSecret)."""
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="empty")
    manager.create_secret(Name="full", SecretString="value")
    versions = [
        len(manager.list_secret_version_ids(SecretId=name)["Versions"])
        for name in ("empty", "full")
    ]
    assert versions == [0, 1]
    with pytest.raises(ClientError) as raised:
        manager.get_secret_value(SecretId="empty")
    assert raised.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_an_image_is_listed_once_for_each_of_its_tags(aws_server: object) -> None:
    """ListImages has a row for each tag, and one without a tag for an image that has none."""
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName="app")
    manifests = [json.dumps({"schemaVersion": 2, "annotations": {"n": n}}) for n in "ab"]
    for tag in ("one", "two"):
        ecr.put_image(repositoryName="app", imageManifest=manifests[0], imageTag=tag)
    ecr.put_image(repositoryName="app", imageManifest=manifests[1])
    rows = ecr.list_images(repositoryName="app")["imageIds"]
    assert [row.get("imageTag") for row in rows] == ["one", "two", None]
    assert len({row["imageDigest"] for row in rows}) == 2
    untagged = ecr.list_images(repositoryName="app", filter={"tagStatus": "UNTAGGED"})
    assert [row["imageDigest"] for row in untagged["imageIds"]] == [rows[2]["imageDigest"]]


def test_a_version_of_a_secret_is_written_once_and_a_label_stands_on_one(
    aws_server: object,
) -> None:
    """The same value under a token is ignored, another one refused; labels are taken away."""
    manager = boto3.client("secretsmanager")
    manager.create_secret(Name="key")
    tokens = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(2)]
    put = partial(manager.put_secret_value, SecretId="key")
    for token in (*tokens, tokens[0]):
        put(ClientRequestToken=token, SecretString=token, VersionStages=["AWSCURRENT", "own"])
    refused = _refusal(put, ClientRequestToken=tokens[0], SecretString="x", VersionStages=["own"])
    assert refused == ("ResourceExistsException", 400)
    rows = manager.list_secret_version_ids(SecretId="key")["Versions"]
    assert {row["VersionId"]: set(row["VersionStages"]) for row in rows} == {
        tokens[0]: {"AWSPREVIOUS"},
        tokens[1]: {"AWSCURRENT", "own"},
    }
