"""Creates several resources by one holding stack, and reports each as soon as it is there.

How it works, for A, B and C that are filled as soon as they are there:

    CreateStack             all three, retained, and a failure takes nothing away
    A is CREATE_COMPLETE    A is reported, and copied into while the stack goes on
    B is CREATE_FAILED      reported once the stack has ended; A and C stay
    the stack has ended     C is reported; what was not even tried gets a stack of its own
    A and C are recorded    DeleteStack, which lets them go

Resources that nobody fills yet are created all or none, because what a failed creation leaves of
them could not be told from a whole one later. If one fails, each gets a stack of its own.

A killed run leaves the stack, whose name is that of the set: who creates the same set finds it by
name (`joint_name`), who has found one of the resources finds it by that (`LeftoverStacks`).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Protocol

from dataware.aws.holding_stack import (
    HOLDING_PREFIX,
    LOGICAL_ID,
    STANDS,
    TEMPLATE_LIMIT,
    HoldingStack,
    WaitIntervals,
    creation_error,
    declare_resource,
    holding_name,
    template_of,
)
from dataware.core.errors import DatawareError, InputError
from dataware.core.ports import Aws

MOST_TOGETHER = 100
"""Resources of one stack, which is what one page of ListStackResources holds; a template may have
500 (AWS CloudFormation User Guide, "Understand CloudFormation quotas")."""


@dataclass(frozen=True, slots=True)
class HeldResource:
    """A resource to create; `identifier` is the property that holds its name, and `hidden` are
    texts of its properties that must not be shown."""

    cfn_type: str
    identifier: str
    name: str
    properties: Mapping[str, Any] = field(compare=False)
    hidden: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def logical_id(self) -> str:
        """What it is called in a stack with others; the same in every run."""
        return joint_logical_id(self.cfn_type, self.name)

    def declare(self) -> Mapping[str, Any]:
        """The resource as a template declares it. Raises InputError if that is too large."""
        return declare_resource(self.cfn_type, self.identifier, self.name, self.properties)


class ResourceWatch(Protocol):
    """Hears what becomes of resources; for any thread."""

    def report_made(self, resource: HeldResource) -> None:
        """A resource is there to stay."""
        ...

    def report_failed(self, resource: HeldResource, error: DatawareError) -> None:
        """A resource cannot be created."""
        ...

    def await_recorded(self, resources: Sequence[HeldResource]) -> None:
        """Wait until nobody needs the stack any more to tell what it made."""
        ...


def create_together(
    aws: Aws,
    resources: Sequence[HeldResource],
    watch: ResourceWatch,
    *,
    filled: bool,
    patience: WaitIntervals | None = None,
) -> None:
    """Create resources by as few stacks as their size allows, and leave them unmanaged.

    What becomes of each is told to `watch`. Raises ServiceError where a stack cannot be deleted,
    and Incomplete when that takes longer than `patience` allows.
    """
    fitting = []
    for resource in resources:
        try:
            fitting.append((resource, len(template_of({LOGICAL_ID: resource.declare()}))))
        except InputError as error:
            watch.report_failed(resource, error)
    creations = _Creations(aws, watch, filled, patience or WaitIntervals())
    creations.run(list(_split(fitting)))


def joint_logical_id(cfn_type: str, name: str) -> str:
    """What a resource is called in a holding stack with others."""
    return LOGICAL_ID + _digest([(cfn_type, name)])


def joint_name(resources: Sequence[HeldResource]) -> str:
    """The name of the holding stack of a set of resources; the same for the same set."""
    if len(resources) == 1:
        return holding_name(resources[0].cfn_type, resources[0].name)
    return HOLDING_PREFIX + _digest([(one.cfn_type, one.name) for one in resources])


def _digest(names: Sequence[tuple[str, str]]) -> str:
    text = "\n\n".join(f"{cfn_type}\n{name}" for cfn_type, name in sorted(names))
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _split(sized: Sequence[tuple[HeldResource, int]]) -> Iterator[Sequence[HeldResource]]:
    """As few sets as fit into templates."""
    some: list[HeldResource] = []
    room = TEMPLATE_LIMIT
    for resource, size in sized:
        if some and (size > room or len(some) == MOST_TOGETHER):
            yield some
            some, room = [], TEMPLATE_LIMIT
        some.append(resource)
        # The id of one among others is longer than that of one alone.
        room -= size + len(resource.logical_id)
    if some:
        yield some


@dataclass(frozen=True, slots=True)
class _Creations:
    """Creates sets of resources at the same time, each by a stack."""

    aws: Aws
    watch: ResourceWatch
    filled: bool
    patience: WaitIntervals

    def run(self, sets: Sequence[Sequence[HeldResource]], *, again: bool = False) -> None:
        """Create them all. Raises the first error that is not that of a resource.

        With `again` there can be no left-over stack of them any more.
        """
        errors: list[BaseException] = []

        def work(resources: Sequence[HeldResource]) -> None:
            try:
                self._create(resources, again=again)
            except BaseException as error:
                errors.append(error)

        threads = [
            threading.Thread(target=copy_context().run, args=(work, one), daemon=True)
            for one in sets[1:]
        ]
        for thread in threads:
            thread.start()
        if sets:
            work(sets[0])
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _create(self, resources: Sequence[HeldResource], *, again: bool) -> None:
        stack = JointStack(self.aws, resources, self.watch, self.patience, filled=self.filled)
        try:
            left_over = not again and stack.settle_leftovers()
            if not left_over:
                stack.create()
        except DatawareError as error:
            self._give_up(stack, error)
            return
        if left_over:
            stack.remove()
            self.run([stack.waiting] if stack.waiting else [], again=True)
            return
        rest = [[one] for one in stack.waiting]
        removal = _Removal(stack)
        self.run(rest, again=True)
        removal.join()

    def _give_up(self, stack: JointStack, error: DatawareError) -> None:
        """Report an error to those it concerns that is not that of one resource."""
        if not stack.waiting:
            raise error
        for resource in stack.waiting:
            self.watch.report_failed(resource, error)


class _Removal:
    """Removes a stack meanwhile."""

    def __init__(self, stack: JointStack) -> None:
        self._error: BaseException | None = None
        self._stack = stack
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,), daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._stack.remove()
        except BaseException as error:
            self._error = error

    def join(self) -> None:
        """Wait for its end. Raises what ended it."""
        self._thread.join()
        if self._error is not None:
            raise self._error


class JointStack:
    """One holding stack around a set of resources; `waiting` are those not decided yet."""

    def __init__(
        self,
        aws: Aws,
        resources: Sequence[HeldResource],
        watch: ResourceWatch,
        patience: WaitIntervals,
        *,
        filled: bool,
    ) -> None:
        alone = len(resources) == 1
        name = joint_name(resources)
        what = resources[0].name if alone else f"{resources[0].name} and {len(resources) - 1} more"
        hidden = sorted({text for one in resources for text in one.hidden}, key=len, reverse=True)
        self._stack = HoldingStack(aws, name, what, patience, hidden)
        self._watch = watch
        self._alone = alone
        self._keeps_made = filled and not alone
        self._waiting = {LOGICAL_ID if alone else one.logical_id: one for one in resources}
        self._made: list[HeldResource] = []
        self._stack_id: str | None = None

    @property
    def waiting(self) -> Sequence[HeldResource]:
        """The resources of which nothing is decided yet."""
        return list(self._waiting.values())

    def settle_leftovers(self) -> bool:
        """Take what a killed run has made by the same stack; whether there is such a stack."""
        self._stack_id = self._stack.find()
        if self._stack_id is None:
            return False
        self._stack.find_decision(self._stack_id)
        self._report_made(self._stack_id)
        return True

    def create(self) -> None:
        """Create the stack, and tell of each resource as soon as it is there, or has failed.

        What was not tried, or taken away because of another one, stays `waiting`.
        """
        template = template_of({key: one.declare() for key, one in self._waiting.items()})
        stack_id = self._stack_id = self._stack.create(template, keeps_made=self._keeps_made)
        early = self._alone or self._keeps_made
        status = self._stack.find_decision(
            stack_id, (lambda: self._report_made(stack_id)) if early else lambda: None
        )
        if status == "CREATE_COMPLETE":
            for logical_id in list(self._waiting):
                self._report(logical_id)
        else:
            self._report_made(stack_id)
        if self._alone and self._waiting:
            self._fail(LOGICAL_ID, status, self._stack.failure(stack_id), half_made=False)
        elif self._keeps_made and self._waiting:
            for logical_id, failure in self._stack.failures(stack_id).items():
                if logical_id in self._waiting:
                    self._fail(logical_id, status, failure.reason, half_made=failure.half_made)

    def remove(self) -> None:
        """Delete the stack once nobody needs it, which lets go what it made."""
        self._watch.await_recorded(self._made)
        if self._stack_id is not None:
            self._stack.delete(self._stack_id)

    def _report_made(self, stack_id: str) -> None:
        for logical_id, status in self._stack.statuses(stack_id).items():
            if status in STANDS and logical_id in self._waiting:
                self._report(logical_id)

    def _report(self, logical_id: str) -> None:
        resource = self._waiting.pop(logical_id)
        self._made.append(resource)
        self._watch.report_made(resource)

    def _fail(self, logical_id: str, status: str, reason: str, *, half_made: bool) -> None:
        resource = self._waiting.pop(logical_id)
        self._watch.report_failed(
            resource, creation_error(resource.name, status, reason, half_made=half_made)
        )
