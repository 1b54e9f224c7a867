"""Answers to the SDK's clients that are what was asked for, and all of it.

The SDK's parsers make an empty answer of a body that they do not know (the page of a proxy, a torn
document, an answer to something else), and other errors of it than its own. Here such an answer is
asked for again where nothing is lost by that, then reported in one sentence: it never passes for
"nothing is there".
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

# Bodies are small here, and expat resolves no external entities.
from xml.etree.ElementTree import Element, ParseError, XMLPullParser, fromstring

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from dataware.aws.fetch import BODY
from dataware.aws.interruptible_calls import LOOKS
from dataware.core.errors import LookupFailedError
from dataware.core.model import Problem

TRIES = 3
PAUSE_SECONDS = 0.2

NEEDED: Mapping[str, tuple[str, ...]] = {
    "AdminGetUser": ("Username", "Enabled"),
    "AdminListGroupsForUser": ("Groups",),
    "BatchGetImage": ("images",),
    "BatchGetItem": ("Responses",),
    "CreateJob": ("JobId",),
    "CreateStack": ("StackId",),
    "DescribeBackupPolicy": ("BackupPolicy",),
    "DescribeBulkOperation": ("BulkOperationDescription",),
    "DescribeContinuousBackups": ("ContinuousBackupsDescription",),
    "DescribeDBClusters": ("DBClusters",),
    "DescribeDBInstances": ("DBInstances",),
    "DescribeDomain": ("DomainStatus",),
    "DescribeEvents": ("OperationEvents",),
    "DescribeExecution": ("status", "input"),
    "DescribeExport": ("ExportDescription",),
    "DescribeFileSystems": ("FileSystems",),
    "DescribeImages": ("imageDetails",),
    "DescribeImport": ("ImportTableDescription",),
    "DescribeJob": ("Job",),
    "DescribeKey": ("KeyMetadata",),
    "DescribeLifecycleConfiguration": ("LifecyclePolicies",),
    "DescribeLogGroups": ("logGroups",),
    "DescribeLogStreams": ("logStreams",),
    "DescribeMapRun": ("itemCounts",),
    "DescribeRepositories": ("repositories",),
    "DescribeSecret": ("ARN", "Name"),
    "DescribeStackEvents": ("StackEvents",),
    "DescribeStackResources": ("StackResources",),
    "DescribeStacks": ("Stacks",),
    "DescribeStream": ("StreamDescription",),
    "DescribeStreamSummary": ("StreamDescriptionSummary",),
    "DescribeTable": ("Table",),
    "DescribeTimeToLive": ("TimeToLiveDescription",),
    "DescribeUserPool": ("UserPool",),
    "DescribeUserPoolClient": ("UserPoolClient",),
    "ExportTableToPointInTime": ("ExportDescription",),
    "FilterLogEvents": ("events",),
    "GetBucketCors": ("CORSRules",),
    "GetBucketEncryption": ("ServerSideEncryptionConfiguration",),
    "GetBucketOwnershipControls": ("OwnershipControls",),
    "GetBucketTagging": ("TagSet",),
    "GetCallerIdentity": ("Account", "Arn"),
    "GetObjectTagging": ("TagSet",),
    "GetParameter": ("Parameter",),
    "GetParameterHistory": ("Parameters",),
    "GetParametersByPath": ("Parameters",),
    "GetKeyPolicy": ("Policy",),
    "GetKeyRotationStatus": ("KeyRotationEnabled",),
    "GetQueueAttributes": ("Attributes",),
    "GetQueueUrl": ("QueueUrl",),
    "GetRecords": ("Records",),
    "GetRole": ("Role",),
    "GetShardIterator": ("ShardIterator",),
    "GetTemplate": ("TemplateBody",),
    "ImportTable": ("ImportTableDescription",),
    "ListBuckets": ("Buckets",),
    "ListBulkOperations": ("BulkOperationsSummaryList",),
    "ListGroups": ("Groups",),
    "ListImages": ("imageIds",),
    "ListMapRuns": ("mapRuns",),
    "ListMultipartUploads": ("IsTruncated",),
    "ListObjectVersions": ("IsTruncated",),
    "ListObjectsV2": ("IsTruncated",),
    "ListSecretVersionIds": ("Versions",),
    "ListShards": ("Shards",),
    "ListStackResources": ("StackResourceSummaries",),
    "ListTags": ("TagList",),
    "ListTagsForStream": ("Tags",),
    "ListTagsOfResource": ("Tags",),
    "ListUserPoolClients": ("UserPoolClients",),
    "ListUserPools": ("UserPools",),
    "ListUsers": ("Users",),
    "ListUsersInGroup": ("Users",),
    "PutParameter": ("Version",),
    "Scan": ("Items", "Count"),
    "SimulatePrincipalPolicy": ("EvaluationResults",),
    "StartBulkPutItems": ("BulkOperationDescription",),
    "StartExecution": ("executionArn",),
}
"""What each answer has at least, by operation."""

NEVER_EMPTY: Mapping[str, tuple[str, str]] = {
    "DescribeDBClusters": ("DBClusterIdentifier", "DBClusters"),
    "DescribeDBInstances": ("DBInstanceIdentifier", "DBInstances"),
    "DescribeFileSystems": ("FileSystemId", "FileSystems"),
    "DescribeRepositories": ("repositoryNames", "repositories"),
    "DescribeStackResources": ("PhysicalResourceId", "StackResources"),
    "DescribeStacks": ("StackName", "Stacks"),
}
"""What names a thing in a question, and the list in which it stands: without it comes an error."""

ROWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "DescribeDBClusters": ("DBClusters", ("DBClusterIdentifier", "Status")),
    "DescribeDBInstances": ("DBInstances", ("DBInstanceIdentifier", "DBInstanceStatus")),
    "DescribeFileSystems": ("FileSystems", ("FileSystemId", "SizeInBytes", "LifeCycleState")),
    "DescribeImages": ("imageDetails", ("imageDigest",)),
    "DescribeLogGroups": ("logGroups", ("logGroupName",)),
    "DescribeLogStreams": ("logStreams", ("logStreamName",)),
    "DescribeRepositories": ("repositories", ("repositoryName",)),
    "DescribeStackEvents": ("StackEvents", ("ResourceStatus",)),
    "DescribeStackResources": (
        "StackResources",
        ("StackId", "StackName", "ResourceType", "LogicalResourceId", "ResourceStatus"),
    ),
    "DescribeStacks": ("Stacks", ("StackId", "StackStatus")),
    "FilterLogEvents": ("events", ("timestamp",)),
    "GetParameterHistory": ("Parameters", ("Version", "Type", "Value")),
    "GetParametersByPath": ("Parameters", ("Name", "Value", "Version", "LastModifiedDate")),
    "ListBuckets": ("Buckets", ("Name", "CreationDate")),
    "ListBulkOperations": ("BulkOperationsSummaryList", ("BulkOperationArn",)),
    "ListGroups": ("Groups", ("GroupName",)),
    "ListImages": ("imageIds", ()),
    "ListJobs": ("Jobs", ("JobId",)),
    "ListMapRuns": ("mapRuns", ("mapRunArn", "startDate")),
    "ListObjectVersions": ("Versions", ("Key", "VersionId", "IsLatest")),
    "ListObjectsV2": ("Contents", ("Key", "Size")),
    "ListShards": ("Shards", ("ShardId",)),
    "ListStackResources": (
        "StackResourceSummaries",
        ("LogicalResourceId", "ResourceType", "ResourceStatus"),
    ),
    "ListSecretVersionIds": ("Versions", ("VersionId", "VersionStages")),
    "ListUserPoolClients": ("UserPoolClients", ("ClientId", "ClientName")),
    "ListUserPools": ("UserPools", ("Id", "Name")),
    "ListUsers": ("Users", ("Username", "Enabled")),
    "ListUsersInGroup": ("Users", ("Username", "Enabled")),
    "SimulatePrincipalPolicy": ("EvaluationResults", ("EvalActionName", "EvalDecision")),
}
"""What each row of an answer has at least, by operation."""

PARTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "DescribeBulkOperation": ("BulkOperationDescription", ("BulkOperationStatus",)),
    "DescribeDomain": ("DomainStatus", ("DomainName", "ARN")),
    "DescribeExport": ("ExportDescription", ("ExportStatus",)),
    "DescribeImport": ("ImportTableDescription", ("ImportStatus",)),
    "DescribeJob": ("Job", ("JobId", "Status")),
    "DescribeKey": ("KeyMetadata", ("KeyId",)),
    "DescribeStream": ("StreamDescription", ("StreamStatus", "KeySchema", "Shards")),
    "DescribeStreamSummary": (
        "StreamDescriptionSummary",
        ("StreamName", "StreamStatus", "RetentionPeriodHours"),
    ),
    "DescribeTable": (
        "Table",
        ("TableStatus", "KeySchema", "AttributeDefinitions", "CreationDateTime"),
    ),
    "DescribeUserPool": ("UserPool", ("Id",)),
    "GetBucketEncryption": ("ServerSideEncryptionConfiguration", ("Rules",)),
    "GetParameter": ("Parameter", ("Name", "Value", "Version", "LastModifiedDate")),
    "GetRole": ("Role", ("Arn",)),
}
"""What the part that an answer consists of has at least, by operation."""

ROOTS: Mapping[str, str] = {
    "DescribeJob": "DescribeJobResult",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketEncryption": "ServerSideEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketOwnershipControls": "OwnershipControls",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectLockConfiguration": "ObjectLockConfiguration",
    "GetObjectTagging": "Tagging",
    "GetPublicAccessBlock": "PublicAccessBlockConfiguration",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListJobs": "ListJobsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjectsV2": "ListBucketResult",
}
"""The documents of S3, which the SDK reads without looking at their root."""

LISTED: Mapping[str, frozenset[str]] = {
    "ListMultipartUploads": frozenset({"Upload"}),
    "ListObjectVersions": frozenset({"Version", "DeleteMarker"}),
    "ListObjectsV2": frozenset({"Contents"}),
}
"""The rows of S3's listings; the SDK passes over those of another name, or at another place."""

# What the SDK's parsers raise for values that are none, such as a time that is no time.
_UNREADABLE = (
    ResponseParserError,
    ArithmeticError,
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


def whole(operation: str, request: Mapping[str, Any], call: Callable[[], Any]) -> Any:
    """What `call` answers, if that is a whole answer; a look is asked for `TRIES` times.

    `request` are the parameters of the question.

    Raises what `call` raises, and LookupFailedError when no try brings a whole answer.
    """
    tries = TRIES if operation.startswith(LOOKS) else 1
    flaw = ""
    for tries_left in reversed(range(tries)):
        try:
            answer = call()
        except sdk.BotoCoreError:
            raise
        except _UNREADABLE as error:
            flaw = f"{type(error).__name__} while it was read"
        else:
            if (missing := _missing(operation, request, answer)) is None:
                return answer
            flaw = missing
        if tries_left:
            time.sleep(PAUSE_SECONDS)
    raise LookupFailedError(
        f"{operation} returned an incomplete or invalid AWS response ({flaw}): check proxies "
        "and --endpoint-url, and run the same command again",
        Problem(operation, "GarbledAnswer", None, flaw),
    )


def _missing(operation: str, request: Mapping[str, Any], answer: Any) -> str | None:
    """What an answer lacks; None for a whole one, or one that was not parsed."""
    if not isinstance(answer, Mapping) or BODY in answer:
        return None
    for name in NEEDED.get(operation, ()):
        if answer.get(name) is None:
            return f"without {name}"
    named, listed = NEVER_EMPTY.get(operation, ("", ""))
    if named in request and not answer[listed]:
        return f"{listed} without anything"
    if operation in PARTS:
        part, names = PARTS[operation]
        if lacks := _lacking([answer[part]], names):
            return f"{part} without {lacks}"
    if operation in ROWS:
        rows, names = ROWS[operation]
        if lacks := _lacking(answer.get(rows) or (), names):
            return f"a row of {rows} without {lacks}"
    return _describe_miscount(answer)


def _lacking(rows: Any, names: tuple[str, ...]) -> str | None:
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        return "rows"
    return next((name for row in rows for name in names if row.get(name) is None), None)


def _describe_miscount(answer: Mapping[str, Any]) -> str | None:
    """What an answer counts otherwise than it lists."""
    if "KeyCount" in answer:
        listed = len(answer.get("Contents", ())) + len(answer.get("CommonPrefixes", ()))
        if answer["KeyCount"] != listed:
            return f"{listed} keys, and it counts {answer['KeyCount']}"
    if "Items" in answer and answer.get("Count") != len(answer["Items"]):
        return f"{len(answer['Items'])} items, and it counts {answer.get('Count')}"
    return None


def correct_errors(client: Any) -> None:
    """Let a client keep nothing but the status of an error answer that names no error of AWS.

    So the SDK does by itself from status 500 on.
    """
    client.meta.events.register_first("before-parse.*.*", _correct)


def require_documents(client: Any) -> None:
    """Let a client refuse a success that is no document, or another one than S3 answers with."""
    client.meta.events.register_first("before-parse.*.*", _require)


def _correct(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    body, status = response_dict.get("body"), response_dict["status_code"]
    if status < 300 or not isinstance(body, bytes):
        return
    if not body and operation_model.service_model.resolved_protocol != "query":
        return
    is_json = _speaks_json(operation_model)
    if not (_is_json_error(body) if is_json else _is_xml_error(body)):
        response_dict["body"] = b"{}" if is_json else _error_document(status)


def _require(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    body, status = response_dict.get("body"), response_dict["status_code"]
    if status >= 300 or not isinstance(body, bytes):
        return
    if _speaks_json(operation_model):
        json.loads(body)
    elif (root := ROOTS.get(operation_model.name)) and _root_of(body) != root:
        raise ResponseParserError(f"not a {root}")
    if (rows := LISTED.get(operation_model.name)) and not _shows_every_row(body, rows):
        raise ResponseParserError("rows of another form")


def _speaks_json(operation_model: Any) -> bool:
    return "json" in operation_model.service_model.resolved_protocol


def _is_json_error(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    names = ("__type", "code", "message", "Message")
    return isinstance(answer, dict) and all(isinstance(answer.get(name, ""), str) for name in names)


def _is_xml_error(body: bytes) -> bool:
    """Whether this is a document with one error, which has one code."""
    try:
        root = fromstring(body)  # noqa: S314 - see the import
    except (ParseError, LookupError, ValueError):
        return False
    if _local(root) not in ("Error", "ErrorResponse"):
        return False
    errors = [root] if _local(root) == "Error" else [e for e in root if _local(e) == "Error"]
    codes = [child for error in errors for child in error if _local(child) == "Code"]
    return len(errors) == 1 and len(codes) == 1 and not len(codes[0]) and bool(codes[0].text)


def _error_document(status: int) -> bytes:
    """An error that says nothing but a status."""
    return b"<ErrorResponse><Error><Code>%d</Code></Error></ErrorResponse>" % status


def _shows_every_row(body: bytes, rows: frozenset[str]) -> bool:
    """Whether the rows of a listing stand right under its root, and nothing else may be one."""
    try:
        root = fromstring(body)  # noqa: S314 - see the import
    except (ParseError, LookupError, ValueError):
        return False
    listed = [child for child in root if _local(child) in rows]
    others = [child for child in root if _local(child) not in rows]
    return len(listed) == sum(_local(element) in rows for element in root.iter()) and not any(
        _local(child) == "CommonPrefixes" or any(_local(each).lower() == "key" for each in child)
        for child in others
    )


def _root_of(body: bytes) -> str | None:
    parser: XMLPullParser[Any] = XMLPullParser(["start"])
    try:
        parser.feed(body)
        events: Any = parser.read_events()
        return next((_local(element) for _, element in events), None)
    except (ParseError, LookupError, ValueError):
        return None


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
