"""The IAM actions of an export and of what reads it, each with its resource.

Sources: Service Authorization Reference, "Actions, resources, and condition keys for Amazon
DynamoDB"; Amazon DynamoDB Developer Guide, "Requesting a table export in DynamoDB" and "Requesting
a table import in DynamoDB" ("Setting up permissions").
"""

from __future__ import annotations

from dataware.core.engines.card import EngineScope
from dataware.core.engines.work_bucket import EXPORT_WRITES
from dataware.core.phases import PolicySide

BUCKET_PREFIX = "dataware-export-"
_BUCKET = f"arn:{{partition}}:s3:::{BUCKET_PREFIX}{{account}}-*"

_BY_SOURCE = (PolicySide.BOTH, PolicySide.SOURCE)

_EXPORT = (
    EngineScope(
        "{source}",
        (
            "dynamodb:ExportTableToPointInTime",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTable",
        ),
        _BY_SOURCE,
    ),
    EngineScope("{source}/export/*", ("dynamodb:DescribeExport",), _BY_SOURCE),
    EngineScope(
        _BUCKET,
        (
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
        ),
    ),
    EngineScope(f"{_BUCKET}/*", EXPORT_WRITES, _BY_SOURCE),
    EngineScope(f"{_BUCKET}/*", ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject")),
)

IMPORT_SCOPES = (
    *_EXPORT,
    EngineScope(_BUCKET, ("s3:DeleteBucketPolicy", "s3:PutBucketPolicy"), (PolicySide.TARGET,)),
    EngineScope("{target}", ("dynamodb:ImportTable", "dynamodb:DescribeTable")),
    EngineScope("{target}/import/*", ("dynamodb:ImportTable", "dynamodb:DescribeImport")),
    EngineScope("*", ("dynamodb:ListImports",)),
    EngineScope(
        "{target}",
        (
            "dynamodb:GetResourcePolicy",
            "dynamodb:PutResourcePolicy",
            "dynamodb:UpdateContributorInsights",
        ),
    ),
    EngineScope(
        "arn:{partition}:logs:{region}:{account}:log-group:/aws-dynamodb/*",
        (
            "logs:CreateLogGroup",
            "logs:CreateLogStream",
            "logs:DescribeLogGroups",
            "logs:DescribeLogStreams",
            "logs:GetLogEvents",
            "logs:PutLogEvents",
            "logs:PutRetentionPolicy",
        ),
    ),
)
"""Of an export, an import, and the repair of the imported table; where a profile asks for the
export, the target's credentials let it into the bucket."""

BULK_SCOPES = (
    *_EXPORT,
    EngineScope("{target}", ("dynamodb:StartBulkPutItems",)),
    EngineScope(
        "*",
        (
            "dynamodb:CancelBulkOperation",
            "dynamodb:DescribeBulkOperation",
            "dynamodb:ListBulkOperations",
        ),
    ),
)
"""Of an export and a bulk put; on which resource IAM checks the last three is not documented."""
