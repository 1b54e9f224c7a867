"""Which answers of AWS mean that the named thing is not there; pure.

A status alone means nothing: gateways, proxies and stand-ins answer 404 to what they do not know.
Only the code that a service documents for the very call does, so a call that is not in this table
can never say that something is absent. Sources: Amazon S3 API Reference, "Error responses" and each
operation; the API References of Amazon CloudWatch Logs, Amazon Cognito, Amazon DynamoDB, Amazon
ECR, AWS CloudFormation, AWS Secrets Manager, AWS Step Functions, AWS Systems Manager and IAM, the
errors of each operation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_NO_BUCKET = frozenset({"NoSuchBucket"})
_NO_KEY = frozenset({"NoSuchBucket", "NoSuchKey", "NoSuchVersion"})
_NO_UPLOAD = frozenset({"NoSuchBucket", "NoSuchUpload"})
_NO_RESOURCE = frozenset({"ResourceNotFoundException"})
_NO_STACK = frozenset({"ValidationError"})
_NO_REPOSITORY = frozenset({"RepositoryNotFoundException"})
_NO_ENTITY = frozenset({"NoSuchEntity"})
# The second is the code of the older protocol, with which newer answers come, too.
_NO_QUEUE = frozenset({"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"})
_NO_FILE_SYSTEM = frozenset({"FileSystemNotFound"})
_NO_USER = frozenset({"UserNotFoundException"})
_NO_PARAMETER = frozenset({"ParameterNotFound"})
_NO_EXECUTION = frozenset({"ExecutionDoesNotExist"})
_NO_KMS_KEY = frozenset({"NotFoundException"})
# The first is that of the API, the others those of the User Guide, "Troubleshooting S3 Batch
# Operations", with and without the suffix that error codes of S3 lack.
_NO_JOB = frozenset({"NotFoundException", "NoSuchJobException", "NoSuchJob"})

HEADS = frozenset({"HeadBucket", "HeadObject"})
"""Calls whose answers have no body, and so no code: another call has to confirm their 404."""

CODES: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("DescribeTable", "Scan", "Query", "BatchGetItem"), _NO_RESOURCE),
    **dict.fromkeys(("PutItem", "GetItem", "BatchWriteItem"), _NO_RESOURCE),
    # DescribeContinuousBackups alone has an error of its own for a table that is not there.
    "DescribeContinuousBackups": frozenset({"TableNotFoundException"}),
    # That of a table or of its stream; a policy that was just put may not be found yet.
    "GetResourcePolicy": _NO_RESOURCE | {"PolicyNotFoundException"},
    "DescribeTimeToLive": _NO_RESOURCE,
    "DescribeExport": frozenset({"ExportNotFoundException"}),
    "DescribeImport": frozenset({"ImportNotFoundException"}),
    "DescribeBulkOperation": _NO_RESOURCE,
    "ListTagsOfResource": _NO_RESOURCE,
    **dict.fromkeys(("GetParameter", "GetParameterHistory", "DeleteParameter"), _NO_PARAMETER),
    "DescribeStackResources": _NO_STACK,
    "DescribeStacks": _NO_STACK,
    "DescribeStackEvents": _NO_STACK,
    "GetTemplate": _NO_STACK,
    "ListStackResources": _NO_STACK,
    **dict.fromkeys(("DescribeRepositories", "DescribeImages", "BatchGetImage"), _NO_REPOSITORY),
    "ListTagsForResource": _NO_REPOSITORY | _NO_RESOURCE,
    "GetLifecyclePolicy": _NO_REPOSITORY | {"LifecyclePolicyNotFoundException"},
    **dict.fromkeys(("DescribeUserPool", "ListUsers", "GetGroup"), _NO_RESOURCE),
    **dict.fromkeys(("AdminGetUser", "AdminListGroupsForUser"), _NO_USER),
    **dict.fromkeys(("DescribeLogStreams", "FilterLogEvents"), _NO_RESOURCE),
    **dict.fromkeys(
        ("DescribeSecret", "GetSecretValue", "ListSecretVersionIds", "PutSecretValue"), _NO_RESOURCE
    ),
    **dict.fromkeys(("GetQueueUrl", "GetQueueAttributes", "ListQueueTags"), _NO_QUEUE),
    **dict.fromkeys(("DescribeStreamSummary", "ListShards", "GetShardIterator"), _NO_RESOURCE),
    **dict.fromkeys(("GetRecords", "ListTagsForStream"), _NO_RESOURCE),
    **dict.fromkeys(("DescribeBackupPolicy", "DescribeFileSystems"), _NO_FILE_SYSTEM),
    "DescribeLifecycleConfiguration": _NO_FILE_SYSTEM,
    "DescribeDBInstances": frozenset({"DBInstanceNotFound"}),
    "DescribeDBClusters": frozenset({"DBClusterNotFoundFault"}),
    "DescribeDomain": _NO_RESOURCE,
    **dict.fromkeys(("DescribeKey", "GetKeyPolicy", "GetKeyRotationStatus"), _NO_KMS_KEY),
    "ListResourceTags": _NO_KMS_KEY,
    **dict.fromkeys(("DescribeJob", "UpdateJobStatus"), _NO_JOB),
    "GetRole": _NO_ENTITY,
    "SimulatePrincipalPolicy": _NO_ENTITY,
    **dict.fromkeys(("DescribeExecution", "StopExecution", "ListMapRuns"), _NO_EXECUTION),
    **dict.fromkeys(("ListObjectsV2", "ListObjectVersions", "ListMultipartUploads"), _NO_BUCKET),
    **dict.fromkeys(("DeleteBucket", "GetBucketLocation"), _NO_BUCKET),
    "GetBucketVersioning": _NO_BUCKET,
    "GetBucketEncryption": _NO_BUCKET | {"ServerSideEncryptionConfigurationNotFoundError"},
    "GetPublicAccessBlock": _NO_BUCKET | {"NoSuchPublicAccessBlockConfiguration"},
    "GetObjectLockConfiguration": _NO_BUCKET | {"ObjectLockConfigurationNotFoundError"},
    "GetBucketWebsite": _NO_BUCKET | {"NoSuchWebsiteConfiguration"},
    "GetBucketLifecycleConfiguration": _NO_BUCKET | {"NoSuchLifecycleConfiguration"},
    "GetBucketNotificationConfiguration": _NO_BUCKET,
    "GetBucketCors": _NO_BUCKET | {"NoSuchCORSConfiguration"},
    "GetBucketOwnershipControls": _NO_BUCKET | {"OwnershipControlsNotFoundError"},
    "GetBucketTagging": _NO_BUCKET | {"NoSuchTagSet"},
    **dict.fromkeys(("GetObject", "GetObjectTagging", "CopyObject", "UploadPartCopy"), _NO_KEY),
    # What a conditional delete finds nothing to delete with (User Guide, "conditional deletes").
    "DeleteObject": _NO_KEY,
    "CreateMultipartUpload": _NO_BUCKET,
    **dict.fromkeys(("ListParts", "AbortMultipartUpload"), _NO_UPLOAD),
    "CompleteMultipartUpload": _NO_UPLOAD | {"NoSuchKey"},
}

# CloudFormation has no code of its own for a stack that is not there, only this text: "Stack with
# id NAME", "Stack for PHYSICAL-ID", "Stack [NAME]".
_NO_SUCH_STACK = re.compile(r"Stack(?: with id| for|:)? \S.* does not exist")


def says_absent(operation: str, code: str, message: str = "") -> bool:
    """Whether an error answer of `operation` says that what it asks for is not there.

    False for anything that the service does not document for this call, whatever its status.
    """
    if code not in CODES.get(operation, ()):
        return False
    if code == "ValidationError":
        return _NO_SUCH_STACK.fullmatch(message.strip().rstrip(".")) is not None
    return True


def is_bare(operation: str, code: str) -> bool:
    """Whether this is the 404 of a call whose answers have no body, which proves nothing yet."""
    return operation in HEADS and code == "404"
