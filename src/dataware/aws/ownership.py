"""Which CloudFormation stack owns a resource, by its physical id."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from dataware.aws.errors import translate_errors
from dataware.aws.holding_stack import HOLDING_PREFIX
from dataware.core.errors import NotFoundError
from dataware.core.model import UNMANAGED, Owner, Ownership
from dataware.core.ports import Aws

PERMISSIONS = (
    "cloudformation:DescribeStackResources",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
)

RELEASED = frozenset({"DELETE_COMPLETE", "DELETE_SKIPPED", "IMPORT_ROLLBACK_COMPLETE"})
"""Statuses of a resource that a stack lists but no longer has: deleted, retained when it was let
go, or never taken in."""


def owner_of(aws: Aws, types: Collection[str], physical_id: str) -> Owner:
    """The stack that has the resource now, as OTHER_STACK, or UNMANAGED. Raises LookupFailedError.

    The service answers for deleted stacks too, for 90 days, and looks at the physical id alone,
    so type and status are compared here. `types` are all that declare such a resource.
    """
    cloudformation = aws.client("cloudformation")
    try:
        with translate_errors(f"the stack of {physical_id}", PERMISSIONS[0]):
            answer = cloudformation.describe_stack_resources(PhysicalResourceId=physical_id)
    except NotFoundError:
        return UNMANAGED
    stacks: dict[str, list[Mapping[str, Any]]] = {}
    for row in answer["StackResources"]:
        stacks.setdefault(row["StackId"], []).append(row)
    for stack_id, rows in sorted(stacks.items()):
        name = rows[0]["StackName"]
        if name.startswith(HOLDING_PREFIX):
            continue
        match = _find(rows, types, physical_id) or _find(
            list_rows(cloudformation, stack_id), types, physical_id
        )
        if not match or match["ResourceStatus"] in RELEASED:
            continue
        if stack := _find_living(cloudformation, stack_id):
            logical_id, alias = match["LogicalResourceId"], stack.get("AliasName")
            return Owner(Ownership.OTHER_STACK, name, logical_id, stack_id, alias)
    return UNMANAGED


def _find(
    rows: Iterable[Mapping[str, Any]], types: Collection[str], physical_id: str
) -> Mapping[str, Any] | None:
    """The row of a resource; one that the stack still has goes before one it let go."""
    owner = None
    for row in rows:
        if row["ResourceType"] in types and row.get("PhysicalResourceId") == physical_id:
            owner = row
            if row["ResourceStatus"] not in RELEASED:
                return row
    return owner


def list_rows(cloudformation: Any, stack_id: str) -> list[Mapping[str, Any]]:
    """Every resource of a stack, by name or id, in pages; empty if there is none.

    The answer by physical id stops after the first 100. Raises LookupFailedError.
    """
    pages = cloudformation.get_paginator("list_stack_resources")
    try:
        with translate_errors(f"the resources of stack {stack_id}", PERMISSIONS[2]):
            return [
                row
                for page in pages.paginate(StackName=stack_id)
                for row in page["StackResourceSummaries"]
            ]
    except NotFoundError:
        return []


def _find_living(cloudformation: Any, stack_id: str) -> Mapping[str, Any] | None:
    """A stack that still exists; a deleted one owns nothing."""
    try:
        with translate_errors(f"stack {stack_id}", PERMISSIONS[1]):
            stack: Mapping[str, Any] = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][
                0
            ]
    except NotFoundError:
        return None
    return stack if stack["StackStatus"] != "DELETE_COMPLETE" else None
