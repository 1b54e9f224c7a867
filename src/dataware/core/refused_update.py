"""A change of what is deployed that CloudFormation refuses, so that the deployment fails; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dataware.core.kind import Kind
from dataware.core.model import Deployed
from dataware.core.stack_template import DeclaredResource, StackTemplate, is_changed

DELETE_FAILED, ROLLBACK_FAILED = "DELETE_FAILED", "ROLLBACK_FAILED"
UPDATE_ROLLBACK_FAILED, IN_PROGRESS = "UPDATE_ROLLBACK_FAILED", "_IN_PROGRESS"
PAUSED = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})
"""Where a deployment with `--no-rollback` may go on."""


@dataclass(frozen=True, slots=True)
class RefusedUpdate:
    """A property that a template changes, and that nothing can change."""

    stack: str
    logical_id: str
    noun: str
    short: str
    name: str

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        return (
            f"the deployment of stack {self.stack} would fail, because CloudFormation cannot "
            f"change {self.name} of {self.noun} {self.logical_id}; leave it as it is, or declare a "
            f"new {self.short} under another name"
        )


@dataclass(frozen=True, slots=True)
class HalfDeletedStack:
    """A stack whose deletion, or whose first deployment's rollback, could not end.

    Sources: CloudFormation User Guide, "Understand CloudFormation stack creation events" (stack
    status codes) and "Delete a stack" (`--retain-resources`); the CDK command line deletes a stack
    whose creation has failed before it deploys it.
    """

    stack: str
    status: str
    logical_ids: tuple[str, ...]

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        ids, parts = " ".join(self.logical_ids), ", ".join(self.logical_ids)
        happens = (
            "CDK would delete it before it deploys it again"
            if self.status == ROLLBACK_FAILED
            else "CloudFormation no longer updates it"
        )
        return (
            f"the deployment of stack {self.stack} would fail, or delete {parts}, because it is in "
            f"{self.status} and {happens}: run `aws cloudformation delete-stack --stack-name "
            f"{self.stack} --retain-resources {ids}`, then deploy"
        )


@dataclass(frozen=True, slots=True)
class UnsettledStack:
    """A stack whose last deployment was kept half done, or goes on.

    The CDK command line rolls one back before it deploys it, unless it is told `--no-rollback`, and
    that deletes what the deployment had created, also what is to be retained: it asks for
    `RetainExceptOnCreate` (AWS CloudFormation API Reference, RollbackStack). `id` is what CDK calls
    the stack, empty for a template by itself.
    """

    stack: str
    status: str
    id: str

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        if self.status.endswith(IN_PROGRESS):
            return (
                f"stack {self.stack} is being changed ({self.status}), so it is not known what its "
                "deployment would meet; run the same command again once that has ended"
            )
        return (
            f"the deployment of stack {self.stack} would roll it back first, because it is in "
            f"{self.status}, and so delete what its failed deployment has created, with its data; "
            f"run `{self._rollback}` if that may go{self._other_way}"
        )

    @property
    def _rollback(self) -> str:
        if self.id:
            return f"cdk rollback {self.id}"
        stays = self.status == UPDATE_ROLLBACK_FAILED
        command = "continue-update-rollback" if stays else "rollback-stack"
        return f"aws cloudformation {command} --stack-name {self.stack}"

    @property
    def _other_way(self) -> str:
        if self.status == UPDATE_ROLLBACK_FAILED:
            return ""
        return f", or deploy it with {'--no-rollback' if self.id else '--disable-rollback'}"


@dataclass(frozen=True, slots=True)
class SharedStackName:
    """Several stacks of an app that are one and the same stack of CloudFormation."""

    stack: str
    ids: tuple[str, ...]

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        return (
            f"{' and '.join(self.ids)} are all called {self.stack} in one account and region, so "
            "the deployment of one would remove what another has just deployed; give each a stack "
            "name of its own, or deploy one of them"
        )


@dataclass(frozen=True, slots=True)
class DeclaredReference:
    """A resource that is to be referred to, and that its template declares all the same.

    `owner` is the other stack that has it, None where no stack has.
    """

    stack: str
    logical_id: str
    name: str
    owner: str | None

    def __str__(self) -> str:
        """What would happen, and what to do, in one sentence."""
        refer = f"remove {self.logical_id} from the template and refer to {self.name}"
        if self.owner is None:
            return (
                f"the deployment of stack {self.stack} would not refer to {self.name}, but adopt "
                f"it or fail, because its template declares {self.logical_id}; let the stack adopt "
                f"it (import mode adopt), or {refer}"
            )
        return (
            f"the deployment of stack {self.stack} would fail, because its template declares "
            f"{self.logical_id}, and {self.name} is in stack {self.owner}; {refer}, or let "
            f"{self.owner} release it first (removal policy RETAIN, then out of its template)"
        )


Refusal = RefusedUpdate | HalfDeletedStack | UnsettledStack | SharedStackName | DeclaredReference
"""What CloudFormation would refuse, in one sentence."""


def find_half_deleted(
    stack: str, status: str | None, deployed: Mapping[str, Deployed]
) -> HalfDeletedStack | None:
    """What a stack is stuck with; None where its status lets it be updated."""
    if status not in (DELETE_FAILED, ROLLBACK_FAILED):
        return None
    stuck = tuple(one for one, each in deployed.items() if each.is_half_deleted)
    return HalfDeletedStack(stack, status, stuck)


def find_unsettled(
    stack: StackTemplate, status: str | None, *, rolls_back: bool
) -> UnsettledStack | None:
    """Why a stack cannot be deployed yet without a loss; None where its status lets it be."""
    text = status or ""
    stays = text == UPDATE_ROLLBACK_FAILED or text.endswith(IN_PROGRESS)
    if not (stays or (rolls_back and text in PAUSED)):
        return None
    return UnsettledStack(stack.name, text, stack.id)


def find_refused_updates(
    kinds: Mapping[str, Kind], now: StackTemplate, before: Mapping[str, DeclaredResource]
) -> Iterator[RefusedUpdate]:
    """The changes that CloudFormation refuses, among the resources that a stack keeps.

    A value that is left out is the default of the service, which each kind's form of it knows.
    """
    for logical_id, was in before.items():
        kind, declared = kinds.get(was.type), now.resources.get(logical_id)
        if kind is None or declared is None or declared.type != was.type:
            continue
        forms = kind.comparison.forms if kind.comparison else {}
        for name in kind.template.unchangeable:
            form = forms.get(name, lambda value: value)
            known = [form(one.known_values().get(name)) for one in (was, declared)]
            if is_changed(was, declared, name) and known[0] != known[1]:
                yield RefusedUpdate(now.name, logical_id, kind.noun, kind.short, name)
