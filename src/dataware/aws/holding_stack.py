"""Creates one resource by a short-lived CloudFormation stack that lets it go again.

CloudFormation's own handlers make the resource, exactly as the app's stack would; the holding
stack retains it and is deleted, so the resource belongs to nobody and can be adopted. Every step
can be repeated: a holding stack that a killed run left over is waited for and deleted first.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dataware.aws.errors import one_line, translate_errors
from dataware.core.errors import (
    IncompleteError,
    InputError,
    LookupFailedError,
    NotFoundError,
    ServiceError,
)
from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.core.tags import HOLDING

HOLDING_PREFIX = "dataware-holding-"
LOGICAL_ID = "Held"
TEMPLATE_LIMIT = 51_200
STANDS = frozenset({"CREATE_COMPLETE", "DELETE_SKIPPED"})
"""Statuses of the held resource that say it was made and still is there."""

PERMISSIONS = (
    "cloudformation:CreateStack",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeEvents",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStacks",
    "cloudformation:ListStackResources",
    "cloudformation:TagResource",
)


def _silent(_status: str) -> None:
    """Progress that nobody asked for."""


@dataclass(frozen=True, slots=True)
class WaitIntervals:
    """How a stack is waited for: the pause grows from `first` to `longest` seconds.

    Without a `sleep` of its own it is the account's, which ends when a person asks to stop.
    """

    seconds: float = 1800.0
    first: float = 0.5
    longest: float = 10.0
    sleep: Callable[[float], None] | None = None
    monotonic: Callable[[], float] = time.monotonic
    progress: Callable[[str], None] = _silent


def create_held(
    aws: Aws,
    cfn_type: str,
    identifier: str,
    name: str,
    properties: Mapping[str, Any],
    *,
    patience: WaitIntervals | None = None,
) -> None:
    """Create the resource `name` from its template properties and leave it owned by nobody.

    `identifier` is the property that holds the name. Returns without creating when a left-over
    holding stack has made the resource already. Raises ServiceError with CloudFormation's reason,
    and Incomplete when it takes longer than `patience` allows.
    """
    patience = patience or WaitIntervals()
    if release_left_over(aws, cfn_type, name, patience=patience):
        return
    stack = HoldingStack(aws, holding_name(cfn_type, name), name, patience)
    stack_id = stack.create(_template(cfn_type, {**properties, identifier: name}))
    status = stack.find_decision(stack_id)
    reason = None if status == "CREATE_COMPLETE" else stack.failure(stack_id)
    stack.delete(stack_id)
    if reason is not None:
        raise ServiceError(
            f"CloudFormation did not create {name}: {reason}; correct its properties and run the"
            " same command again",
            Problem("CreateStack", status, None, reason),
        )


def release_left_over(
    aws: Aws, cfn_type: str, name: str, *, patience: WaitIntervals | None = None
) -> bool:
    """Delete the holding stack that an earlier run left; True if it had made the resource."""
    stack = HoldingStack(aws, holding_name(cfn_type, name), name, patience or WaitIntervals())
    stack_id = stack.find()
    if stack_id is None:
        return False
    stack.find_decision(stack_id)
    made = stack.made(stack_id)
    stack.delete(stack_id)
    return made


def holding_name(cfn_type: str, name: str) -> str:
    """The name of the holding stack; the same for the same resource, so it is found again."""
    digest = hashlib.sha256(f"{cfn_type}\n{name}".encode()).hexdigest()
    return f"{HOLDING_PREFIX}{digest[:20]}"


class HoldingStack:
    """The calls on one holding stack; `what` is the resource that it makes."""

    def __init__(self, aws: Aws, name: str, what: str, patience: WaitIntervals) -> None:
        self._api = aws.client("cloudformation")
        self._sleep = patience.sleep or aws.pause
        self._name = name
        self._what = what
        self._patience = patience

    def find(self) -> str | None:
        """The id of the stack, if there is one."""
        try:
            return str(self._describe(self._name)["StackId"])
        except NotFoundError:
            return None

    def create(self, template: str) -> str:
        """Start the creation; a failed one leaves no half-made resource behind."""
        with translate_errors(f"the holding stack of {self._what}", "cloudformation:CreateStack"):
            answer = self._api.create_stack(
                StackName=self._name,
                TemplateBody=template,
                OnFailure="ROLLBACK",
                RetainExceptOnCreate=True,
                Tags=[HOLDING],
            )
        return str(answer["StackId"])

    def find_decision(self, stack_id: str) -> str:
        """Wait until nothing is in progress; returns the status."""
        patience = self._patience
        deadline = patience.monotonic() + patience.seconds
        pause = patience.first
        while True:
            status = str(self._describe(stack_id)["StackStatus"])
            patience.progress(status)
            if not status.endswith("_IN_PROGRESS"):
                return status
            if patience.monotonic() + pause > deadline:
                raise IncompleteError(
                    f"CloudFormation is still busy with {self._what} ({status}) after "
                    f"{patience.seconds:.0f} s; run the same command again to resume"
                )
            self._sleep(pause)
            pause = min(pause * 1.5, patience.longest)

    def made(self, stack_id: str) -> bool:
        """Whether the stack made the resource, and it was not rolled back."""
        with translate_errors(f"stack {self._name}", "cloudformation:ListStackResources"):
            rows = self._api.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
        return any(row["ResourceStatus"] in STANDS for row in rows)

    def failure(self, stack_id: str) -> str:
        """The reason of the first event that failed."""
        pages = self._api.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        with translate_errors(f"stack {self._name}", "cloudformation:DescribeStackEvents"):
            newest_first = [event for page in pages for event in page["StackEvents"]]
        for event in reversed(newest_first):
            reason = event.get("ResourceStatusReason")
            if event["ResourceStatus"].endswith("_FAILED") and reason:
                refused = event.get("DetailedStatus") == "VALIDATION_FAILED"
                return (self._refusal(stack_id) if refused else None) or one_line(str(reason))
        stack = self._describe(stack_id)
        return one_line(str(stack.get("StackStatusReason") or stack["StackStatus"]))

    def _refusal(self, stack_id: str) -> str | None:
        """What CloudFormation found before it began; its stack events only hint at it."""
        try:
            with translate_errors(f"stack {self._name}", "cloudformation:DescribeEvents"):
                events = self._api.describe_events(
                    StackName=stack_id, Filters={"FailedEvents": True}
                )["OperationEvents"]
        except LookupFailedError:
            return None
        reasons = [str(event.get("ValidationStatusReason") or "") for event in events]
        return "; ".join(one_line(reason) for reason in reasons if reason) or None

    def delete(self, stack_id: str) -> None:
        """Delete the stack, which retains what it made, and wait until it is gone."""
        with translate_errors(f"stack {self._name}", "cloudformation:DeleteStack"):
            self._api.delete_stack(StackName=stack_id)
        try:
            status = self.find_decision(stack_id)
        except NotFoundError:
            return
        if status != "DELETE_COMPLETE":
            raise ServiceError(
                f"the holding stack {self._name} of {self._what} cannot be deleted ({status}):"
                f" {self.failure(stack_id)}; delete it by hand, it retains {self._what}",
                Problem("DeleteStack", status),
            )

    def _describe(self, name_or_id: str) -> Mapping[str, Any]:
        with translate_errors(f"stack {self._name}", "cloudformation:DescribeStacks"):
            stacks = self._api.describe_stacks(StackName=name_or_id)["Stacks"]
        found: Mapping[str, Any] = stacks[0]
        return found


def _template(cfn_type: str, properties: Mapping[str, Any]) -> str:
    """The template of a holding stack around one resource."""
    resource = {
        "Type": cfn_type,
        "Properties": dict(properties),
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }
    text = json.dumps({"Resources": {LOGICAL_ID: resource}}, separators=(",", ":"))
    if len(text.encode()) > TEMPLATE_LIMIT:
        raise InputError(
            f"the properties of {cfn_type} are larger than a template may be"
            f" ({TEMPLATE_LIMIT} bytes): leave its creation to the deployment"
        )
    return text
