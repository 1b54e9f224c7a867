"""Asks CloudFormation by a change set what it would do to a stack; carries nothing out.

The change set has one name, so that one which a killed run left over is found and deleted by the
next. Sources: AWS CloudFormation API Reference, CreateChangeSet, DescribeChangeSet and
DeleteChangeSet (which deletes those of nested stacks, too); User Guide, "CloudFormation quotas"
(the size of a template) and "Change sets for nested stacks".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from dataware.core.change_set import (
    ChangeSetUse,
    PlannedChange,
    changes_data,
    find_further_threats,
    holds_data,
    mentions_lookups,
    remove_all,
)
from dataware.core.destructive_change import DestructiveChange
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.guard import AppIndex
from dataware.core.page_cursor import PageCursor
from dataware.core.parameters import GivenParameters, declared_parameters
from dataware.core.ports import Aws
from dataware.core.stack_template import StackTemplate
from dataware.ops.inputs.template import NESTED
from dataware.ops.stack_review import StackReview

NAME = "dataware-guard"
CREATE, DESCRIBE, DELETE = PERMISSIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DeleteChangeSet",
)
TEMPLATE_LIMIT = 51_200
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
"""Those with which CDK deploys."""

ALREADY_THERE = "AlreadyExistsException"
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
LEFT_OVER = timedelta(minutes=10)
PAUSES = (0.2, 0.5, 1.0, *(2.0 for _ in range(60)))
"""Seconds between two looks; after the last one the change set counts as not to be had."""


@dataclass(frozen=True, slots=True)
class ChangeSetCheck:
    """When CloudFormation is asked, and with which parameters."""

    use: ChangeSetUse = ChangeSetUse.NEVER
    given: GivenParameters = field(default_factory=GivenParameters)

    def find_threats(
        self, aws: Aws, outlook: AppIndex, review: StackReview
    ) -> tuple[list[DestructiveChange], list[str]]:
        """The threats beyond those that are known, and in a sentence what could not be asked."""
        if self.use is ChangeSetUse.NEVER or not _hold_data(outlook, review):
            return [], []
        if self.use is ChangeSetUse.WHERE_CHANGED and not _is_touched(outlook, review):
            return [], []
        remarks: list[str] = []
        changes: list[PlannedChange] = []
        try:
            changes = plan_changes(aws, review.stack, self.given, remarks, _has_nested(review))
        except (LookupFailedError, NotFoundError) as error:
            text = f"cannot make a change set of stack {review.stack.name}, so the guard compares "
            remarks.insert(0, f"{text}templates only: {error}")
        return list(_find_threats(outlook, review, changes)), remarks


def _hold_data(outlook: AppIndex, review: StackReview) -> bool:
    return any(holds_data(outlook, one.deployed) for one in review.walk())


def _has_nested(review: StackReview) -> bool:
    """Whether a stack has nested ones now, or will have."""
    declared = review.stack.resources.values()
    return bool(review.nested) or any(one.type == NESTED for one in declared)


def _is_touched(outlook: AppIndex, review: StackReview) -> bool:
    """Whether what may hold data is changed in a stack or in one inside of it, or may be."""
    for one in review.walk():
        if changes_data(outlook, one.stack, one.resources_before, one.deployed):
            return True
        for logical_id, inner in one.nested.items():
            declared = one.stack.resources.get(logical_id)
            passed = declared.value("Parameters") if declared else None
            if mentions_lookups(passed) and _hold_data(outlook, inner):
                return True
    return False


def _find_threats(
    outlook: AppIndex, review: StackReview, changes: Sequence[PlannedChange]
) -> Iterator[DestructiveChange]:
    """What a change set loses of a stack, and of those inside of it under their own names."""
    yield from find_further_threats(outlook, review.stack, review.deployed, changes, review.lost)
    for change in changes:
        inner = review.nested.get(change.logical_id)
        if inner is None:
            continue
        if change.is_destructive:
            lost = remove_all(inner.deployed, inner.resources_before)
            yield from _find_threats(outlook, inner, lost)
        elif change.nested is not None:
            yield from _find_threats(outlook, inner, change.nested)


def plan_changes(
    aws: Aws,
    stack: StackTemplate,
    given: GivenParameters,
    remarks: list[str],
    has_nested: bool = False,
) -> list[PlannedChange]:
    """What CloudFormation would do to a deployed stack and the stacks nested in it.

    Adds to `remarks` what is left behind, and why nested stacks could not be asked about, in which
    case the stack alone is. Raises LookupFailedError and NotFoundError.
    """
    request = {**_find_template(aws, stack), "Parameters": _parameters(aws, stack, given)}
    if has_nested:
        try:
            return _ask(aws, stack, {**request, "IncludeNestedStacks": True}, remarks)
        except LookupFailedError as error:
            remarks.append(
                f"cannot make a change set of the stacks nested in {stack.name}, so only templates "
                f"are compared: {error}; if they are not uploaded yet, run `cdk publish-assets "
                f"{stack.key}`"
            )
    return _ask(aws, stack, request, remarks)


def _ask(
    aws: Aws, stack: StackTemplate, request: Mapping[str, Any], remarks: list[str]
) -> list[PlannedChange]:
    change_set = _ChangeSet(aws, stack, request)
    change_set.create()
    try:
        return change_set.changes()
    finally:
        try:
            change_set.delete()
        except LookupFailedError as error:
            remarks.append(f"delete change set {NAME} of stack {stack.name} by hand: {error}")


def _find_template(aws: Aws, stack: StackTemplate) -> dict[str, str]:
    """How a request gives the template: as it is, or by where CDK has uploaded it.

    Nothing is uploaded here. Raises LookupFailedError where neither will do.
    """
    if not stack.text:
        raise LookupFailedError("its template is not a file, which could be read again")
    size = len(stack.text.encode())
    if size <= TEMPLATE_LIMIT:
        return {"TemplateBody": stack.text}
    large = f"its template is larger than the {TEMPLATE_LIMIT:,} bytes that a request takes"
    if not stack.uploaded_to:
        raise LookupFailedError(f"{large}, and the app does not say where it is uploaded")
    upload = aws.find_upload(stack.uploaded_to)
    # The key is a hash of the template, so that what stands under it is this template.
    if upload.size != size:
        raise LookupFailedError(
            f"{large}, and it is not in {upload.address} yet: run `cdk publish-assets {stack.key}`"
        )
    return {"TemplateURL": upload.url}


def _parameters(
    aws: Aws, stack: StackTemplate, given: GivenParameters
) -> list[dict[str, str | bool]]:
    """The parameters as CDK hands them on: what is not given keeps its value, or its default."""
    declared = declared_parameters(stack.document)
    deployed = aws.stack_parameters(stack.name) if declared else {}
    values = given.values_for(stack.name)
    parameters: list[dict[str, str | bool]] = []
    for name in declared:
        if name in values:
            parameters.append({"ParameterKey": name, "ParameterValue": values[name]})
        elif name in deployed and given.keeps_others:
            parameters.append({"ParameterKey": name, "UsePreviousValue": True})
    return parameters


class _ChangeSet:
    """The calls on the change set of one stack."""

    def __init__(self, aws: Aws, stack: StackTemplate, request: Mapping[str, Any]) -> None:
        self._aws = aws
        self._api = aws.client("cloudformation")
        self._request = request
        self._names = {"StackName": stack.name, "ChangeSetName": NAME}
        self._what = f"change set {NAME} of stack {stack.name}"

    def create(self) -> None:
        """Create it, in the place of one that a killed run left over."""
        try:
            self._create()
        except LookupFailedError as error:
            if error.code != ALREADY_THERE:
                raise
            age = datetime.now(UTC) - self._describe(**self._names)["CreationTime"]
            if age < LEFT_OVER:
                raise LookupFailedError(f"{self._what} is in use by another run") from error
            self.delete()
            self._create()

    def changes(self) -> list[PlannedChange]:
        """What it says, once it is complete, and what those of nested stacks say."""
        return self._changes(self._names)

    def _changes(self, names: Mapping[str, str]) -> list[PlannedChange]:
        page = self._await_complete(names)
        changes = list(page.get("Changes", ()))
        cursor = PageCursor("DescribeChangeSet", self._what)
        while token := page.get("NextToken"):
            cursor.advance(token)
            page = self._describe(**names, NextToken=token)
            changes += page.get("Changes", ())
        return [self._read(one["ResourceChange"]) for one in changes if "ResourceChange" in one]

    def _read(self, change: Mapping[str, Any]) -> PlannedChange:
        """A change, with those of a nested stack, whose change set it names.

        Source: AWS CloudFormation API Reference, ResourceChange, `ChangeSetId`, and
        ResourceTargetDefinition, `RequiresRecreation`.
        """
        inner = change.get("ChangeSetId")
        return PlannedChange(
            change["LogicalResourceId"],
            change["Action"],
            change.get("Replacement", "False"),
            change.get("PolicyAction", ""),
            tuple(_recreating(change)),
            tuple(self._changes({"ChangeSetName": inner})) if inner else None,
        )

    def delete(self) -> None:
        """Delete it. Raises LookupFailedError, as does what is left behind."""
        with self._aws.translate_errors(self._what, DELETE):
            self._api.delete_change_set(**self._names)

    def _create(self) -> None:
        with self._aws.translate_errors(self._what, CREATE):
            answer = self._api.create_change_set(
                **self._names,
                # A call that is made again after a lost answer then meets itself.
                ClientToken=uuid4().hex,
                ChangeSetType="UPDATE",
                **self._request,
                Capabilities=CAPABILITIES,
                ImportExistingResources=True,
                Description="Made by dataware to look at; it is not executed",
            )
        self._names["ChangeSetName"] = answer["Id"]

    def _await_complete(self, names: Mapping[str, str]) -> Mapping[str, Any]:
        for seconds in PAUSES:
            page = self._describe(**names)
            status, reason = page["Status"], str(page.get("StatusReason") or "")
            if status == "CREATE_COMPLETE":
                return page
            if status == "FAILED":
                if any(text in reason for text in NO_CHANGES):
                    return {}
                raise LookupFailedError(" ".join(reason.split()) or f"{self._what} failed")
            self._aws.pause(seconds)
        raise LookupFailedError(f"{self._what} is not complete after {sum(PAUSES):.0f} seconds")

    def _describe(self, **query: str) -> Mapping[str, Any]:
        with self._aws.translate_errors(self._what, DESCRIBE):
            answer: Mapping[str, Any] = self._api.describe_change_set(**query)
        return answer


def _recreating(change: Mapping[str, Any]) -> Iterator[str]:
    """The properties whose change replaces a resource, or may; "" for what is no property."""
    for detail in change.get("Details") or ():
        target = detail.get("Target") or {}
        if target.get("RequiresRecreation", "Never") != "Never":
            yield str(target.get("Name") or "")
