"""The IAM actions of a restore, for the card and for the engine."""

from __future__ import annotations

RESTORE_ACTIONS = (
    "dynamodb:RestoreTableToPointInTime",
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
)
"""What a restore and its repair take beside creating and copying (Developer Guide, "Using IAM with
DynamoDB backup and restore": a restore needs the actions on items of the new table)."""
