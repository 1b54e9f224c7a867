"""The short-lived CloudFormation stacks that create resources and let them go again.

CloudFormation's own handlers make a resource, exactly as the app's stack would; the holding stack
retains it and is deleted, so the resource is in no stack and can be adopted. Every step can be
repeated: a holding stack that a killed run left over is waited for and deleted first.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import uuid4

from dataware.aws.errors import one_line, translate_errors
from dataware.core.errors import (
    DatawareError,
    HalfMadeError,
    IncompleteError,
    InputError,
    LookupFailedError,
    NotFoundError,
    ServiceError,
)
from dataware.core.model import Problem
from dataware.core.ports import Aws
from dataware.core.tags import HOLDING
from dataware.core.values import mask_texts

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


ALREADY_THERE = "AlreadyExistsException"
"""The refusal of a stack whose name another one has."""

INITIATED = "Resource creation Initiated"
"""The reason in the event of a resource that is there by now and still has to be set up."""


class CreationFailure(NamedTuple):
    """Why a resource was not created, and whether something of it is there nevertheless."""

    reason: str
    half_made: bool


def _silent(_status: str) -> None:
    """Progress that nobody asked for."""


@dataclass(frozen=True, slots=True)
class WaitIntervals:
    """How a stack is waited for: the pause grows from `first` to `longest` seconds.

    Without a `sleep` of its own it is the account's, which ends when a person asks to stop.
    """

    seconds: float = 1800.0
    first: float = 0.5
    longest: float = 3.0
    sleep: Callable[[float], None] | None = None
    monotonic: Callable[[], float] = time.monotonic
    progress: Callable[[str], None] = _silent


def creation_error(name: str, status: str, reason: str, *, half_made: bool = False) -> ServiceError:
    """The error for a resource that CloudFormation did not create, or only in part."""
    problem = Problem("CreateStack", status, None, reason)
    if half_made:
        return HalfMadeError(
            f"CloudFormation created only a part of {name}: {reason}; delete what is left, fix the "
            "cause, and run the same command again",
            problem,
        )
    return ServiceError(
        f"CloudFormation did not create {name}: {reason}; correct its properties and run the"
        " same command again",
        problem,
    )


def release_leftovers(
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
    """The calls on one holding stack; `what` says what it makes.

    CloudFormation repeats values in its reasons, so no `hidden` text is passed on. Where the values
    of a stack are not known, no reason of a creation is asked for.
    """

    def __init__(
        self,
        aws: Aws,
        name: str,
        what: str,
        patience: WaitIntervals,
        hidden: Sequence[str] = (),
    ) -> None:
        self._hidden = hidden
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

    def create(self, template: str, *, keeps_made: bool = False) -> str:
        """Start the creation; a failed one leaves no half-made resource behind.

        With `keeps_made` a failure takes nothing away: "A failure in one path doesn't affect other
        provisioning paths" (AWS CloudFormation User Guide, "Choose how to handle failures when
        provisioning resources").
        """
        failing: dict[str, Any] = {"OnFailure": "ROLLBACK", "RetainExceptOnCreate": True}
        return self.ask_for(
            f"the holding stack of {self._what}",
            TemplateBody=template,
            Tags=[HOLDING],
            **({"OnFailure": "DO_NOTHING"} if keeps_made else failing),
        )

    def ask_for(self, what: str, **request: Any) -> str:
        """Ask for the stack; its id, also where the answer to a first try was lost.

        Raises LookupFailedError, also where somebody else has made a stack of that name.
        """
        token = uuid4().hex
        try:
            with self._mask_errors(), translate_errors(what, "cloudformation:CreateStack"):
                answer = self._api.create_stack(
                    StackName=self._name, ClientRequestToken=token, **request
                )
            return str(answer["StackId"])
        except ServiceError as error:
            # The SDK asks again where no answer came, and then may hear of the stack of before.
            if error.code != ALREADY_THERE:
                raise
            stack = self.find()
            if stack is None or not self._is_asked_by(stack, token):
                raise
            return stack

    def _is_asked_by(self, stack_id: str, token: str) -> bool:
        """Whether a request with this token made the stack, as each of its events says.

        Source: AWS CloudFormation API Reference, StackEvent (ClientRequestToken).
        """
        return any(one.get("ClientRequestToken") == token for one in self._events(stack_id))

    @contextmanager
    def _mask_errors(self) -> Iterator[None]:
        """Pass no hidden text on in an error, nor what it came from."""
        try:
            yield
        except DatawareError as error:
            text = self._mask(str(error))
            if text == str(error):
                raise
            masked = type(error)(text)
        else:
            return
        masked.__suppress_context__ = True
        masked.__context__ = None
        raise masked from None

    def _mask(self, text: str) -> str:
        return mask_texts(text, self._hidden)

    def _write_reason(self, reason: object) -> str:
        """A reason in one line, without the values that must not be shown."""
        return one_line(self._mask(str(reason)))

    def find_decision(self, stack_id: str, look: Callable[[], None] = lambda: None) -> str:
        """Wait until nothing is in progress, and `look` before each wait; returns the status."""
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
            look()
            self._sleep(pause)
            pause = min(pause * 1.5, patience.longest)

    def made(self, stack_id: str) -> bool:
        """Whether the stack made the resource, and it was not rolled back."""
        return any(status in STANDS for status in self.statuses(stack_id).values())

    def statuses(self, stack_id: str) -> Mapping[str, str]:
        """The status of each resource that was begun, by logical id."""
        with translate_errors(f"stack {self._name}", "cloudformation:ListStackResources"):
            rows = self._api.list_stack_resources(StackName=stack_id)["StackResourceSummaries"]
        return {row.get("LogicalResourceId", LOGICAL_ID): row["ResourceStatus"] for row in rows}

    def failures(self, stack_id: str) -> Mapping[str, CreationFailure]:
        """What failed on its own, by logical id."""
        begun: set[str] = set()
        failures: dict[str, CreationFailure] = {}
        for event in self._events(stack_id):
            logical_id, status = event["LogicalResourceId"], event["ResourceStatus"]
            reason = str(event.get("ResourceStatusReason") or "")
            if reason == INITIATED:
                begun.add(logical_id)
            if status == "CREATE_FAILED" and reason and event.get("PhysicalResourceId") != stack_id:
                half_made = logical_id in begun
                failures.setdefault(
                    logical_id, CreationFailure(self._write_reason(reason), half_made)
                )
        return failures

    def _events(self, stack_id: str) -> Sequence[Mapping[str, Any]]:
        """What happened to a stack, the oldest first."""
        pages = self._api.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        with translate_errors(f"stack {self._name}", "cloudformation:DescribeStackEvents"):
            return [event for page in pages for event in page["StackEvents"]][::-1]

    def failure(self, stack_id: str, of: str = "_FAILED") -> str:
        """The reason of the first event that failed, by the end of its status."""
        for event in self._events(stack_id):
            reason = event.get("ResourceStatusReason")
            if event["ResourceStatus"].endswith(of) and reason:
                refused = event.get("DetailedStatus") == "VALIDATION_FAILED"
                cause = self._refusal(stack_id) if refused else None
                return cause or self._write_reason(reason)
        stack = self._describe(stack_id)
        return self._write_reason(stack.get("StackStatusReason") or stack["StackStatus"])

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
        return "; ".join(self._write_reason(reason) for reason in reasons if reason) or None

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
                f" {self.failure(stack_id, 'DELETE_FAILED')}; delete it by hand, it retains "
                f"{self._what}",
                Problem("DeleteStack", status),
            )

    def _describe(self, name_or_id: str) -> Mapping[str, Any]:
        with translate_errors(f"stack {self._name}", "cloudformation:DescribeStacks"):
            stacks = self._api.describe_stacks(StackName=name_or_id)["Stacks"]
        stack: Mapping[str, Any] = stacks[0]
        return stack


def declare_resource(
    cfn_type: str, identifier: str, name: str, properties: Mapping[str, Any]
) -> Mapping[str, Any]:
    """A resource of a template, which its stack retains. Raises InputError if it is too large."""
    resource = {
        "Type": cfn_type,
        "Properties": {**properties, identifier: name},
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    }
    if len(template_of({LOGICAL_ID: resource}).encode()) > TEMPLATE_LIMIT:
        raise InputError(
            f"the properties of {cfn_type} are larger than a template may be"
            f" ({TEMPLATE_LIMIT} bytes): leave its creation to the deployment"
        )
    return resource


def template_of(resources: Mapping[str, Mapping[str, Any]]) -> str:
    """The template of a holding stack around some resources, by logical id."""
    return json.dumps({"Resources": resources}, separators=(",", ":"))
