"""Names that CloudFormation finds taken before it changes anything."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dataware.ops.name_conflicts import VALIDATION, find_name_conflicts
from support.stubbed import StubbedAws

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CONFLICT = (
    "AWS::S3::Bucket Data of stack App has a name that is taken (Resource of type "
    "'AWS::S3::Bucket' with identifier 'data' already exists)"
)


def failure(name: str = VALIDATION, operation: str = "2", **more: Any) -> dict[str, Any]:
    """What a validation before a deployment found."""
    reason = "Resource of type 'AWS::S3::Bucket' with identifier 'data' already exists."
    return {
        "EventId": "1",
        "OperationId": operation,
        "EventType": "VALIDATION_ERROR",
        "LogicalResourceId": "Data",
        "ResourceType": "AWS::S3::Bucket",
        "Timestamp": NOW,
        "ValidationName": name,
        "ValidationStatusReason": reason,
        **more,
    }


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([failure()], [CONFLICT]),
        ([failure(), failure()], [CONFLICT]),
        ([failure(), failure(operation="1")], [CONFLICT]),
        ([failure("PROPERTY_VALIDATION"), failure(operation="1")], []),
        ([failure(Timestamp=NOW - timedelta(hours=1))], []),
        ([], []),
    ],
    ids=["one", "twice", "of an earlier operation", "another failure", "long ago", "none"],
)
def test_a_name_that_is_taken_is_told_of(events: list[dict[str, Any]], found: list[str]) -> None:
    """Only what the deployment just now failed by counts."""
    aws = StubbedAws("cloudformation")
    expected = {"StackName": "App", "Filters": {"FailedEvents": True}}
    aws.stubber.add_response("describe_events", {"OperationEvents": events}, expected)
    assert find_name_conflicts(aws, "App", NOW) == found


@pytest.mark.parametrize("code", ["AccessDenied", "ValidationError"])
def test_who_may_not_ask_sees_the_failure_as_cdk_tells_it(code: str) -> None:
    """The explanation is an addition, and never in the way of the error itself."""
    aws = StubbedAws("cloudformation")
    aws.stubber.add_client_error("describe_events", code, "no")
    assert find_name_conflicts(aws, "App", NOW) == []
