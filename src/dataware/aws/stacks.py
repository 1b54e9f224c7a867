"""What a deployed stack has, and the template it was deployed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dataware.aws.errors import translate_errors
from dataware.aws.ownership import RELEASED, list_rows
from dataware.aws.uploads import find_upload
from dataware.core.errors import NotFoundError
from dataware.core.model import Deployed, Upload
from dataware.core.ports import Aws

PERMISSIONS = (
    "cloudformation:GetTemplate",
    "cloudformation:ListStackResources",
    "cloudformation:DescribeStacks",
)
UNSETTLED = ("_FAILED", "_IN_PROGRESS")
LIST_EXPORTS, GET_PARAMETER = "cloudformation:ListExports", "ssm:GetParameter"


def stack_resources(aws: Aws, stack: str) -> dict[str, Deployed]:
    """What a stack, by name or id, has now, by logical id; empty if there is none.

    A stack that only waits for its first change set to be carried out has nothing either. Raises
    LookupFailedError.
    """
    rows = list_rows(aws.client("cloudformation"), stack)
    is_unsettled = any(row["ResourceStatus"].endswith(UNSETTLED) for row in rows)
    return {
        row["LogicalResourceId"]: Deployed(
            row["ResourceType"],
            row["PhysicalResourceId"],
            is_half_deleted=row["ResourceStatus"] == "DELETE_FAILED",
            is_unsettled=is_unsettled,
        )
        for row in rows
        if row["ResourceStatus"] not in RELEASED and row.get("PhysicalResourceId")
    }


def stack_template(aws: Aws, stack: str) -> Mapping[str, Any] | str:
    """The template that was deployed, as it was sent: a document, or the text of YAML.

    Raises LookupFailedError; NotFoundError without the stack.
    """
    with translate_errors(f"the template of stack {stack}", PERMISSIONS[0]):
        answer = aws.client("cloudformation").get_template(
            StackName=stack, TemplateStage="Original"
        )
    body: Mapping[str, Any] | str = answer["TemplateBody"]
    return body


def stack_parameters(aws: Aws, stack: str) -> dict[str, str]:
    """The values that the parameters of a stack have; empty if there is no stack.

    A secret one (`NoEcho`) answers with stars, and so equals nothing that is given. Raises
    LookupFailedError.
    """
    try:
        with translate_errors(f"the parameters of stack {stack}", PERMISSIONS[2]):
            (answer,) = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except NotFoundError:
        return {}
    return {
        one["ParameterKey"]: one.get("ParameterValue", "") for one in answer.get("Parameters", ())
    }


def stack_id(aws: Aws, stack: str) -> str | None:
    """The id of a stack; None if there is no stack. Raises LookupFailedError."""
    try:
        with translate_errors(f"stack {stack}", PERMISSIONS[2]):
            (description,) = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except NotFoundError:
        return None
    return str(description["StackId"])


def stack_status(aws: Aws, stack: str) -> str | None:
    """The status of a stack; None if there is no stack. Raises LookupFailedError."""
    try:
        with translate_errors(f"stack {stack}", PERMISSIONS[2]):
            (description,) = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except NotFoundError:
        return None
    return str(description["StackStatus"])


def stack_outputs(aws: Aws, stack: str) -> dict[str, str]:
    """The outputs of a stack, by name or id; empty if there is no stack. Raises LookupFailedError.

    Source: AWS CloudFormation API Reference, DescribeStacks.
    """
    try:
        with translate_errors(f"the outputs of stack {stack}", PERMISSIONS[2]):
            (answer,) = aws.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except NotFoundError:
        return {}
    return {one["OutputKey"]: one.get("OutputValue", "") for one in answer.get("Outputs", ())}


def exported_values(aws: Aws) -> dict[str, str]:
    """The exports of all stacks of the account and region. Raises LookupFailedError.

    Source: AWS CloudFormation API Reference, ListExports.
    """
    pages = aws.client("cloudformation").get_paginator("list_exports")
    with translate_errors("the exports of stacks", LIST_EXPORTS):
        return {one["Name"]: one["Value"] for page in pages.paginate() for one in page["Exports"]}


def stored_parameter(aws: Aws, name: str) -> str | None:
    """The value of an SSM parameter; None for a secret (SecureString), which is not decrypted.

    `name` may end in ``:VERSION`` (AWS Systems Manager API Reference, GetParameter). Raises
    LookupFailedError, and NotFoundError without it.
    """
    with translate_errors(f"SSM parameter {name}", GET_PARAMETER):
        parameter = aws.client("ssm").get_parameter(Name=name)["Parameter"]
    return None if parameter["Type"] == "SecureString" else str(parameter["Value"])


class DeployedValues:
    """What an account answers of the values that templates rest on, as `Aws` asks for them."""

    def stack_id(self: Aws, stack: str) -> str | None:
        """The id of a stack; None without it."""
        return stack_id(self, stack)

    def stack_status(self: Aws, stack: str) -> str | None:
        """The status of a stack; None without it."""
        return stack_status(self, stack)

    def stack_outputs(self: Aws, stack: str) -> Mapping[str, str]:
        """The outputs of a stack, empty without it."""
        return stack_outputs(self, stack)

    def find_upload(self: Aws, address: str) -> Upload:
        """What CDK has uploaded under an address of an assembly."""
        return find_upload(self, address)

    def exported_values(self: Aws) -> Mapping[str, str]:
        """The exports of all stacks of the account and region."""
        return exported_values(self)

    def stored_parameter(self: Aws, name: str) -> str | None:
        """The value of an SSM parameter; None for a secret."""
        return stored_parameter(self, name)
