"""What a deployed stack has: by logical id, without what it let go, and nothing without a stack."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from dataware.aws.stacks import (
    PERMISSIONS,
    stack_parameters,
    stack_resources,
    stack_template,
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.model import Deployed
from dataware.embedded import EmbeddedAws
from support.accounts import open_account

BUCKET = "AWS::S3::Bucket"
BODY = {"Resources": {"Data": {"Type": BUCKET, "Properties": {"BucketName": "data-1"}}}}
YAML = "Resources: {Data: {Type: AWS::S3::Bucket, Properties: {BucketName: data-1}}}"


def row(status: str, physical_id: str | None = "data") -> dict[str, Any]:
    """A resource in the answer of the service."""
    named = {"PhysicalResourceId": physical_id} if physical_id else {}
    return {
        "LogicalResourceId": "Data",
        "ResourceType": BUCKET,
        "ResourceStatus": status,
        **named,
    }


class FakeAws:
    """Answers with pages of rows, or with an error."""

    def __init__(self, *pages: list[Mapping[str, Any]], code: str = "") -> None:
        self.pages, self.code = pages, code

    def client(self, _service: str) -> FakeAws:
        return self

    def get_paginator(self, _operation: str) -> FakeAws:
        return self

    def paginate(self, **_given: str) -> Iterator[Mapping[str, Any]]:
        self._answer("ListStackResources")
        yield from ({"StackResourceSummaries": page} for page in self.pages)

    def get_template(self, **_given: str) -> Mapping[str, Any]:
        self._answer("GetTemplate")
        return {"TemplateBody": {}}

    def describe_stacks(self, **_given: str) -> Mapping[str, Any]:
        self._answer("DescribeStacks")
        return {"Stacks": [{}]}

    def _answer(self, operation: str) -> None:
        if self.code:
            answer = {"Error": {"Code": self.code, "Message": "Stack with id App does not exist"}}
            raise ClientError(answer, operation)


@pytest.mark.parametrize(
    ("found", "has"),
    [
        (row("CREATE_COMPLETE"), True),
        (row("UPDATE_ROLLBACK_COMPLETE"), True),
        (row("DELETE_FAILED"), True),
        (row("IMPORT_COMPLETE"), True),
        (row("DELETE_COMPLETE"), False),
        (row("DELETE_SKIPPED"), False),
        (row("IMPORT_ROLLBACK_COMPLETE"), False),
        (row("CREATE_FAILED", None), False),
    ],
)
def test_what_was_let_go_or_never_made_is_left_out(found: Mapping[str, Any], has: bool) -> None:
    """The status tells whether the stack has it; the page on which it stands does not."""
    aws: Any = FakeAws([{**row("CREATE_COMPLETE"), "LogicalResourceId": "First"}], [found])
    assert ("Data" in stack_resources(aws, "App")) is has


@pytest.mark.parametrize(
    ("status", "is_unsettled"),
    [
        ("CREATE_FAILED", True),
        ("UPDATE_FAILED", True),
        ("UPDATE_IN_PROGRESS", True),
        ("UPDATE_COMPLETE", False),
        ("DELETE_SKIPPED", False),
    ],
)
def test_what_failed_or_goes_on_beside_it_is_told_of_each(status: str, is_unsettled: bool) -> None:
    """Also what has no physical id yet, such as the one that could not be made."""
    beside = {**row(status, None), "LogicalResourceId": "Beside"}
    aws: Any = FakeAws([row("CREATE_COMPLETE")], [beside])
    assert stack_resources(aws, "App")["Data"].is_unsettled is is_unsettled


@pytest.mark.parametrize("look", [stack_template, stack_resources, stack_parameters])
def test_a_denial_is_not_an_empty_stack(look: Any) -> None:
    """What may not be seen is an error that names the permission."""
    permission = PERMISSIONS[[stack_template, stack_resources, stack_parameters].index(look)]
    with pytest.raises(LookupFailedError, match=f"it needs {permission}"):
        look(FakeAws(code="AccessDenied"), "App")


def test_without_a_stack_there_is_nothing() -> None:
    """A stack that is not there has no resources, and no template."""
    aws: Any = FakeAws(code="ValidationError")
    assert stack_resources(aws, "App") == {}
    assert stack_parameters(aws, "App") == {}
    with pytest.raises(NotFoundError):
        stack_template(aws, "App")


@pytest.mark.parametrize(("body", "read"), [(json.dumps(BODY), BODY), (YAML, YAML)])
def test_a_server_tells_resources_and_template(
    aws_server: EmbeddedAws, body: str, read: object
) -> None:
    """On a server: JSON comes as a document, YAML as the text that was sent."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(StackName="app", TemplateBody=body)
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName="app", WaiterConfig={"Delay": 1})
    account = open_account()
    assert account.stack_resources("app") == {"Data": Deployed(BUCKET, "data-1")}
    assert account.stack_template("app") == read
    assert account.stack_resources("never-was") == {}
    assert account.stack_parameters("app") == {}


def test_a_server_tells_the_values_of_parameters(aws_server: EmbeddedAws) -> None:
    """On a server: what was given, and the defaults of the rest."""
    names = ("Stage", "Owner")
    parameters = {name: {"Type": "String", "Default": "dev"} for name in names}
    boto3.client("cloudformation").create_stack(
        StackName="app",
        TemplateBody=json.dumps({**BODY, "Parameters": parameters}),
        Parameters=[{"ParameterKey": "Stage", "ParameterValue": "prod"}],
    )
    assert open_account().stack_parameters("app") == {"Stage": "prod", "Owner": "dev"}
