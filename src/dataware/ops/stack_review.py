"""Looks at a deployed stack and at those nested in it, beside what the app declares for them.

Whether a resource that would be lost holds data is not looked at here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dataware.core.custom_deletions import find_custom_deletions, join_threats
from dataware.core.destructive_change import DestructiveChange
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.evaluation import NotKnownError
from dataware.core.guard import AppIndex, threats
from dataware.core.model import Deployed
from dataware.core.parameters import (
    GivenParameters,
    find_changed,
    find_changed_parameters,
    has_new_default,
    mark_changed,
)
from dataware.core.ports import Aws
from dataware.core.protection import WeakerProtection, find_weakened
from dataware.core.refused_update import (
    Refusal,
    find_half_deleted,
    find_refused_updates,
    find_unsettled,
)
from dataware.core.stack_template import (
    DeclaredResource,
    StackTemplate,
    is_retained,
    may_be_left_out,
)
from dataware.ops.deployed_template import read_deployed
from dataware.ops.inputs.template import NESTED
from dataware.ops.stack_values import DeployedStackValues


@dataclass(slots=True)
class StackReview:
    """A stack as the app declares it, and as it is deployed.

    `before` is None where the deployed template is not seen. `lost` are the resources that an
    update would lose, and `unseen` says in sentences what could not be looked at. `nested` holds
    the deployed stacks inside of it by logical id; `absent` says that none is deployed at all.
    """

    stack: StackTemplate
    deployed: Mapping[str, Deployed] = field(default_factory=dict)
    before: StackTemplate | None = None
    lost: list[DestructiveChange] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    weakened: list[WeakerProtection] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    nested: dict[str, StackReview] = field(default_factory=dict)
    absent: bool = False

    @property
    def resources_before(self) -> Mapping[str, DeclaredResource] | None:
        """The resources of the deployed template, None where it is not seen."""
        return self.before.resources if self.before else None

    def walk(self) -> Iterator[StackReview]:
        """The stack, and every one inside of it."""
        yield self
        for inner in self.nested.values():
            yield from inner.walk()


@dataclass(frozen=True, slots=True)
class StackReviewer:
    """Reviews stacks of one account and region; `given` are the parameters of the deployment."""

    aws: Aws
    outlook: AppIndex
    given: GivenParameters

    def review(self, stack: StackTemplate) -> StackReview:
        """A stack of the app."""
        return self._review(stack, stack.name, None)

    def _review(
        self, stack: StackTemplate, stack_id: str, nested: _NestedParameters | None
    ) -> StackReview:
        try:
            deployed = self.aws.stack_resources(stack_id)
        except LookupFailedError as error:
            text = f"the guard cannot list the resources of stack {stack.name}: {error}"
            return StackReview(stack, unseen=[text])
        if not deployed and not stack.id and stack_id == stack.name:
            # Nothing but the words of a person says how the stack of a template is called.
            return StackReview(stack, absent=True)
        values = DeployedStackValues(self.aws, self.outlook.kinds, stack_id, deployed)
        before, unseen = self._read_before(stack, stack_id, deployed, values)
        before, deployed = _leave_out_own(before, deployed)
        now = self._evaluate(stack, before, values, nested)
        was = before.resources if before else None
        review = StackReview(now, deployed, before, unseen=unseen)
        review.lost = self._list_lost(now, before, deployed)
        if nested is None and before and has_new_default(stack, before, self.given):
            # Whoever deploys keeps the values that the stack has, as CDK does, or does not.
            kept = self._evaluate(stack, None, values, nested)
            ids = {one.logical_id for one in review.lost}
            others = self._list_lost(kept, before, deployed)
            review.lost += [one for one in others if one.logical_id not in ids]
        review.weakened = list(find_weakened(self.outlook.kinds, now, was or {}))
        review.refused = [
            *self._find_obstacles(now, stack_id, deployed),
            *find_refused_updates(self.outlook.kinds, now, was or {}),
        ]
        review.nested = {
            logical_id: self._review_nested(now, logical_id, resource, (was or {}).get(logical_id))
            for logical_id, resource in deployed.items()
            if resource.type == NESTED
        }
        return review

    def _list_lost(
        self, now: StackTemplate, before: StackTemplate | None, deployed: Mapping[str, Deployed]
    ) -> list[DestructiveChange]:
        was, unseen = (before.resources, before.unseen) if before else (None, None)
        document = before.document if before else None
        changes = threats(self.outlook, now, was, deployed, unseen, document)
        return join_threats(changes, find_custom_deletions(self.outlook, now, was or {}, deployed))

    def _find_obstacles(
        self, stack: StackTemplate, stack_id: str, deployed: Mapping[str, Deployed]
    ) -> Iterator[Refusal]:
        """That a stack cannot be updated; its status is asked for only where that may be."""
        if not any(one.is_half_deleted or one.is_unsettled for one in deployed.values()):
            return
        try:
            status = self.aws.stack_status(stack_id)
        except LookupFailedError:
            return
        half_deleted = find_half_deleted(stack.name, status, deployed)
        unsettled = find_unsettled(stack, status, rolls_back=self.given.rolls_back)
        if half_deleted is not None:
            yield half_deleted
        elif unsettled is not None and self._hold_data(deployed):
            yield unsettled

    def _hold_data(self, deployed: Mapping[str, Deployed]) -> bool:
        kinds = [self.outlook.kinds.get(one.type) for one in deployed.values()]
        return any(kind is not None and kind.template.stateful for kind in kinds)

    def _evaluate(
        self,
        stack: StackTemplate,
        before: StackTemplate | None,
        values: DeployedStackValues,
        nested: _NestedParameters | None,
    ) -> StackTemplate:
        """The stack with its values; what rests on a changed parameter is not as before."""
        if nested is not None:
            stack = mark_changed(values.write_out_nested(stack, nested.passed), nested.changed)
            return values.evaluate_nested(stack, nested.passed)
        stack = values.write_out_update(stack, before, self.given)
        if self.given.concerns(stack.name):
            stack = mark_changed(stack, find_changed(self.given, stack, _ask_parameters(values)))
        return values.evaluate_update(stack, before, self.given)

    def _review_nested(
        self,
        stack: StackTemplate,
        logical_id: str,
        resource: Deployed,
        was: DeclaredResource | None,
    ) -> StackReview:
        """A nested stack; all of it is lost if it is not declared, or may not be.

        One that is retained stays a stack, with all that it has.
        """
        name, arn = f"{stack.name}/{logical_id}", resource.physical_id
        declared = stack.resources.get(logical_id)
        if declared is None and was and is_retained(was.evaluate(was.deletion_policy)):
            return StackReview(StackTemplate(name, {}), self._list(arn))
        if declared is None or declared.type != NESTED or may_be_left_out(was, declared):
            return self._review(StackTemplate(name, {}), arn, None)
        inner = stack.nested.get(logical_id)
        if inner is None:
            text = f"the guard cannot read nested stack {name}: its template is not a file"
            return StackReview(StackTemplate(name, {}), self._list(arn), unseen=[text])
        passed = declared.known_value("Parameters")
        parameters = _NestedParameters(find_changed_parameters(was, declared), passed)
        return self._review(inner, arn, parameters)

    def _list(self, stack_id: str) -> Mapping[str, Deployed]:
        """What a stack has that cannot be compared; nothing where that is not seen either."""
        try:
            return self.aws.stack_resources(stack_id)
        except LookupFailedError:
            return {}

    def _read_before(
        self,
        stack: StackTemplate,
        stack_id: str,
        deployed: Mapping[str, Deployed],
        values: DeployedStackValues,
    ) -> tuple[StackTemplate | None, list[str]]:
        """The template that was deployed; asked for only where something stateful is deployed."""
        declared = stack.resources
        conditional = {
            one
            for one, each in declared.items()
            if each.condition is not None or "Parameters" in each.properties
        }
        needed = any(
            one.type in self.outlook.kinds
            or (one.type == NESTED and (logical_id in conditional or logical_id not in declared))
            for logical_id, one in deployed.items()
        )
        if not needed:
            return None, []
        try:
            document = read_deployed(self.aws, stack_id)
        except (LookupFailedError, NotFoundError) as error:
            return None, [_names_only(stack_id, " ".join(str(error).split()))]
        if isinstance(document, str):
            return None, [_names_only(stack_id, document)]
        return values.read_before(stack_id, document), []


@dataclass(frozen=True, slots=True)
class _NestedParameters:
    """What the outer stack hands down: the names of those that change, and all values."""

    changed: frozenset[str]
    passed: Any


def _ask_parameters(values: DeployedStackValues) -> Mapping[str, str] | None:
    try:
        return values.parameters()
    except NotKnownError:
        return None


def _leave_out_own(
    before: StackTemplate | None, deployed: Mapping[str, Deployed]
) -> tuple[StackTemplate | None, Mapping[str, Deployed]]:
    """Both without what dataware put into the stack for its own use."""
    if before is None:
        return None, deployed
    others = {one: each for one, each in before.resources.items() if not each.is_own}
    own = before.resources.keys() - others.keys()
    remaining = {one: each for one, each in deployed.items() if one not in own}
    return replace(before, resources=others), remaining


def _names_only(stack_id: str, why: str) -> str:
    return (
        f"the guard compares names only, because the deployed template of {stack_id} is not "
        f"available: {why}"
    )
