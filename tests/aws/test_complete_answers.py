"""An answer that lacks what its service always says is no answer: it never stands for "nothing"."""

from __future__ import annotations

from typing import Any

import pytest

from dataware.aws import complete_answers
from dataware.aws.complete_answers import whole
from dataware.core.errors import LookupFailedError

USER = {"Username": "ada", "Enabled": True}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits between two tries."""
    monkeypatch.setattr(complete_answers, "PAUSE_SECONDS", 0.0)


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("AdminGetUser", {"Username": "ada"}),
        ("BatchGetImage", {"failures": []}),
        ("CreateJob", {}),
        ("DescribeBulkOperation", {"BulkOperationDescription": {"ProcessedItemCount": 3}}),
        ("DescribeExport", {"ExportDescription": {"ExportArn": "arn"}}),
        ("DescribeImages", {"imageDetails": [{"imageTags": ["v1"]}]}),
        ("DescribeImport", {"ImportTableDescription": {"TableId": "id"}}),
        ("DescribeJob", {"Job": {"JobId": "job-1"}}),
        ("DescribeMapRun", {"status": "RUNNING"}),
        ("DescribeStream", {"StreamDescription": {"StreamStatus": "ENABLED", "KeySchema": []}}),
        ("GetParameterHistory", {}),
        ("GetParameterHistory", {"Parameters": [{"Version": 1, "Type": "String"}]}),
        ("ListJobs", {"Jobs": [{"Description": "dataware"}]}),
        ("ListMapRuns", {}),
        ("ListSecretVersionIds", {"Versions": [{"VersionId": "one"}]}),
        ("ListUsers", {"Users": [USER, {"Username": "bob"}]}),
        ("ListUsersInGroup", {"Users": [{"Username": "bob"}]}),
        ("StartBulkPutItems", {}),
        ("StartExecution", {"startDate": 1}),
    ],
)
def test_an_answer_of_an_engine_or_a_copy_without_a_field_is_refused(
    operation: str, answer: dict[str, Any]
) -> None:
    """A user who is blocked would be copied as one who is not, a job that goes on forgotten."""
    with pytest.raises(LookupFailedError, match=f"{operation} returned an incomplete"):
        whole(operation, {}, lambda: answer)


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("ListJobs", {}),
        ("ListMapRuns", {"mapRuns": []}),
        ("ListUsers", {"Users": [USER]}),
        ("ListSecretVersionIds", {"Versions": [{"VersionId": "one", "VersionStages": []}]}),
    ],
)
def test_an_answer_with_all_that_is_always_said_is_taken(
    operation: str, answer: dict[str, Any]
) -> None:
    """Also one that lists nothing."""
    assert whole(operation, {}, lambda: answer) == answer
