"""The IAM actions of a restore, for the card and for the engine.

Amazon DynamoDB Developer Guide, "Using IAM with DynamoDB backup and restore": the restore is
allowed on the source, and reading and writing items on the target, although nothing is deleted.
"""

from __future__ import annotations

RESTORED_FROM = (
    "dynamodb:RestoreTableToPointInTime",
    "dynamodb:BatchGetItem",
    "dynamodb:GetResourcePolicy",
)
RESTORED_TO = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
    "dynamodb:GetResourcePolicy",
    "dynamodb:PutResourcePolicy",
    "dynamodb:UpdateContributorInsights",
    "dynamodb:EnableKinesisStreamingDestination",
)
"""What a restore and its repair take beside creating and copying."""

RESTORE_ACTIONS = tuple(dict.fromkeys((*RESTORED_FROM, *RESTORED_TO)))
