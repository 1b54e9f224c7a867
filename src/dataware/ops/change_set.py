"""Asks CloudFormation by a change set what it would do to a stack; carries nothing out.

The change set has one name, so that one which a killed run left over is found and deleted by the
next. Sources: AWS CloudFormation API Reference, CreateChangeSet, DescribeChangeSet and
DeleteChangeSet; User Guide, "CloudFormation quotas" (the size of a template).
"""

from __future__ import annotations

from collections.abc import Mapping
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
)
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.guard import AppIndex, DestructiveChange
from dataware.core.model import Deployed
from dataware.core.parameters import GivenParameters, declared_parameters
from dataware.core.ports import Aws
from dataware.core.stack_template import DeclaredResource, StackTemplate

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
        self,
        aws: Aws,
        outlook: AppIndex,
        stack: StackTemplate,
        deployed: Mapping[str, Deployed],
        before: Mapping[str, DeclaredResource] | None,
        threats: list[DestructiveChange],
    ) -> tuple[list[DestructiveChange], list[str]]:
        """The threats beyond those that are known, and in a sentence what could not be asked."""
        if self.use is ChangeSetUse.NEVER or not holds_data(outlook, deployed):
            return [], []
        if self.use is ChangeSetUse.WHERE_CHANGED and not changes_data(
            outlook, stack, before, deployed
        ):
            return [], []
        remarks: list[str] = []
        changes: list[PlannedChange] = []
        try:
            changes = plan_changes(aws, stack, self.given, remarks)
        except (LookupFailedError, NotFoundError) as error:
            text = f"no change set of stack {stack.name} can be had, so the guard compares "
            remarks.insert(0, f"{text}templates only: {error}")
        return list(find_further_threats(outlook, stack, deployed, changes, threats)), remarks


def plan_changes(
    aws: Aws, stack: StackTemplate, given: GivenParameters, remarks: list[str]
) -> list[PlannedChange]:
    """What CloudFormation would do to a deployed stack; adds to `remarks` what is left behind.

    Raises LookupFailedError and NotFoundError.
    """
    if not stack.text:
        raise LookupFailedError("its template is not a file, which could be read again")
    if len(stack.text.encode()) > TEMPLATE_LIMIT:
        raise LookupFailedError(
            f"its template is larger than the {TEMPLATE_LIMIT:,} bytes that a request takes"
        )
    change_set = _ChangeSet(aws, stack)
    change_set.create(_parameters(aws, stack, given))
    try:
        return change_set.changes()
    finally:
        try:
            change_set.delete()
        except LookupFailedError as error:
            remarks.append(f"delete change set {NAME} of stack {stack.name} by hand: {error}")


def _parameters(
    aws: Aws, stack: StackTemplate, given: GivenParameters
) -> list[dict[str, str | bool]]:
    """The parameters as CDK hands them on: what is not given keeps its value, or its default."""
    declared = declared_parameters(stack)
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

    def __init__(self, aws: Aws, stack: StackTemplate) -> None:
        self._aws = aws
        self._api = aws.client("cloudformation")
        self._stack = stack
        self._names = {"StackName": stack.name, "ChangeSetName": NAME}
        self._what = f"change set {NAME} of stack {stack.name}"

    def create(self, parameters: list[dict[str, str | bool]]) -> None:
        """Create it, in the place of one that a killed run left over."""
        try:
            self._create(parameters)
        except LookupFailedError as error:
            if error.problem is None or error.problem.code != ALREADY_THERE:
                raise
            age = datetime.now(UTC) - self._describe()["CreationTime"]
            if age < LEFT_OVER:
                raise LookupFailedError(f"{self._what} is in use by another run") from error
            self.delete()
            self._create(parameters)

    def changes(self) -> list[PlannedChange]:
        """What it says, once it is complete, of all its pages."""
        page = self._await_complete()
        changes = list(page.get("Changes", ()))
        while token := page.get("NextToken"):
            page = self._describe(NextToken=token)
            changes += page.get("Changes", ())
        return [_read_change(one["ResourceChange"]) for one in changes if "ResourceChange" in one]

    def delete(self) -> None:
        """Delete it. Raises LookupFailedError, as does what is left behind."""
        with self._aws.translate_errors(self._what, DELETE):
            self._api.delete_change_set(**self._names)

    def _create(self, parameters: list[dict[str, str | bool]]) -> None:
        with self._aws.translate_errors(self._what, CREATE):
            answer = self._api.create_change_set(
                **self._names,
                # A call that is made again after a lost answer then meets itself.
                ClientToken=uuid4().hex,
                ChangeSetType="UPDATE",
                TemplateBody=self._stack.text,
                Parameters=parameters,
                Capabilities=CAPABILITIES,
                ImportExistingResources=True,
                Description="Made by dataware to look at; it is not executed",
            )
        self._names["ChangeSetName"] = answer["Id"]

    def _await_complete(self) -> Mapping[str, Any]:
        for seconds in PAUSES:
            page = self._describe()
            status, reason = page["Status"], str(page.get("StatusReason") or "")
            if status == "CREATE_COMPLETE":
                return page
            if status == "FAILED":
                if any(text in reason for text in NO_CHANGES):
                    return {}
                raise LookupFailedError(" ".join(reason.split()) or f"{self._what} failed")
            self._aws.pause(seconds)
        raise LookupFailedError(f"{self._what} is not complete after {sum(PAUSES):.0f} seconds")

    def _describe(self, **page: str) -> Mapping[str, Any]:
        with self._aws.translate_errors(self._what, DESCRIBE):
            answer: Mapping[str, Any] = self._api.describe_change_set(**self._names, **page)
        return answer


def _read_change(change: Mapping[str, Any]) -> PlannedChange:
    return PlannedChange(
        change["LogicalResourceId"],
        change["Action"],
        change.get("Replacement", "False"),
        change.get("PolicyAction", ""),
    )
