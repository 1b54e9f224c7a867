"""Lets stacks adopt by physical ids, in change sets that do nothing but import.

CloudFormation's import by name cannot take what it knows by an id that nobody chooses: the ARN of a
secret, the URL of a queue, the id of a user pool. Here the stack's own template, with the one
resource more, is imported before the deployment, which then finds the resource in its stack. Every
step can be repeated: a change set that a killed run left is replaced, and an import that it began
is waited for. Sources: AWS CloudFormation API Reference, CreateChangeSet (`ResourcesToImport`) and
ExecuteChangeSet; User Guide, "Import AWS resources into a CloudFormation stack manually".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import uuid4

from dataware.aws.template_upload import TemplateUpload
from dataware.core.errors import (
    IncompleteError,
    LookupFailedError,
    NotFoundError,
    RefusedError,
    ServiceError,
)
from dataware.core.events import event
from dataware.core.model import Existence, Ownership
from dataware.core.names import place_of
from dataware.core.page_cursor import PageCursor
from dataware.core.plan import Planned
from dataware.core.values import find_function, list_hidden_texts, mask_texts
from dataware.kinds import load
from dataware.ops.adoption_check import list_fixed
from dataware.ops.change_set import ALREADY_THERE, CAPABILITIES, TEMPLATE_LIMIT
from dataware.ops.context import Context
from dataware.ops.deployed_template import read_deployed
from dataware.ops.probe import probe_name

NAME = "dataware-import"
CREATE, DESCRIBE, DELETE, EXECUTE, TEMPLATE, STACKS, EVENTS, ROWS = PERMISSIONS = (
    "cloudformation:CreateChangeSet",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:DescribeStacks",
    "cloudformation:DescribeStackEvents",
    "cloudformation:ListStackResources",
)
NEW = frozenset({"", "REVIEW_IN_PROGRESS"})
"""Statuses of a stack that is not there yet; an import makes it."""

BUSY = "_IN_PROGRESS"
STACK, BEGUN = "AWS::CloudFormation::Stack", "IMPORT_IN_PROGRESS"
PAUSES = (0.2, 0.5, 1.0, *(2.0 for _ in range(900)))
"""Seconds between two looks at a stack; after the last one the run is incomplete."""


def adopt_by_id(context: Context, resources: Sequence[Planned]) -> None:
    """Let each stack adopt what is decided so, all of one stack at once; reports each.

    What a stack has by now is left as it is. Raises RefusedError where nothing was changed, and
    IncompleteError where the same command goes on.
    """
    stacks: dict[str, list[Planned]] = {}
    for one in resources:
        if one.decision.by_id and one.wanted.stack is not None:
            stacks.setdefault(one.wanted.stack, []).append(one)
    for stack, some in stacks.items():
        _StackImport(context, stack).run(some)


def refuse_without_secrets(planned: Planned) -> None:
    """Refuse to make or import what a file describes without its secrets. Raises Refused."""
    wanted = planned.wanted
    missing = [name for name in wanted.hidden if name not in wanted.properties]
    if missing and (planned.creates or planned.decision.by_id):
        raise RefusedError(
            f"nothing was changed, because a saved plan leaves out {', '.join(missing)} of "
            f"{wanted.preferred}, which may be secret: run `dataware apply` on the app itself"
        )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A resource to import, by the id that was just seen."""

    planned: Planned
    physical_id: str

    @property
    def logical_id(self) -> str:
        """What its stack will call it."""
        return str(self.planned.wanted.logical_id)

    @property
    def request(self) -> dict[str, Any]:
        """How a change set names it."""
        template = load(self.planned.wanted.type).template
        key = template.import_identifier or template.identifier
        return {
            "ResourceType": self.planned.wanted.type,
            "LogicalResourceId": self.logical_id,
            "ResourceIdentifier": {key: self.physical_id},
        }

    @property
    def body(self) -> dict[str, Any]:
        """The resource as its stack gets it, retained; the deployment adds what is a function."""
        wanted = self.planned.wanted
        kind = load(wanted.type)
        fixed = list_fixed(kind)
        properties = {
            name: value
            for name, value in wanted.properties.items()
            if find_function(value) is None or name in fixed
        }
        named = kind.template.has_name and self.physical_id != wanted.preferred
        if named and not wanted.names_id:
            properties[kind.template.identifier] = wanted.preferred
        return {
            "Type": wanted.type,
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": properties,
        }


class _StackImport:
    """The calls that let one stack adopt."""

    def __init__(self, context: Context, stack: str) -> None:
        self._context = context
        self._aws = context.aws
        self._api = context.aws.client("cloudformation")
        self._stack = stack
        self._what = f"the import into stack {stack}"
        self._hidden: Sequence[str] = ()

    def run(self, resources: Sequence[Planned]) -> None:
        """Import what the stack does not have by now."""
        status = self._await_rest()
        entries = [entry for one in resources if (entry := self._find(one)) is not None]
        if not entries:
            return
        declared = [one.planned.wanted for one in entries]
        hidden = (list_hidden_texts(one.properties, one.hidden) for one in declared)
        self._hidden = [*chain.from_iterable(hidden)]
        if status == "ROLLBACK_COMPLETE":
            raise RefusedError(
                f"stack {self._stack} is {status} and can only be deleted: `aws cloudformation "
                f"delete-stack --stack-name {self._stack}` keeps what it retains; then run again"
            )
        names = ", ".join(one.preferred for one in declared)
        self._context.emit(event("adopting", stack=self._stack, count=len(entries), names=names))
        change_set = self._make_change_set(entries, is_new=status in NEW)
        try:
            self._execute(change_set)
            self._check_end(entries, self._await_rest())
        except (LookupFailedError, NotFoundError) as error:
            raise IncompleteError(
                f"it is unknown whether stack {self._stack} has adopted {names}: "
                f"{error}; run the same command again to resume"
            ) from error

    def _find(self, planned: Planned) -> _Entry | None:
        """What is to be imported, as it is now; None for what the stack has by now."""
        wanted, kind = planned.wanted, load(planned.wanted.type)
        name = place_of(kind, wanted.preferred, self._aws.account, self._aws.region).name
        facts = probe_name(self._aws, kind, name)
        physical_id = facts.physical_id or name
        if facts.existence is not Existence.EXISTS or facts.obstacle:
            why = facts.obstacle or "; ".join(map(str, facts.problems)) or "it does not exist"
            raise RefusedError(f"{wanted.preferred} is not adopted: {why}")
        owner = self._aws.owner_of(kind.all_types, physical_id)
        if owner.ownership is not Ownership.OTHER_STACK:
            return _Entry(planned, physical_id)
        if self._stack not in {owner.stack, owner.alias}:
            raise RefusedError(
                f"{wanted.preferred} now belongs to stack {owner.stack}, which nothing is taken "
                "from: plan again"
            )
        if owner.logical_id != wanted.logical_id:
            raise RefusedError(
                f"stack {self._stack} now has {wanted.preferred} as {owner.logical_id}, not as "
                f"{wanted.logical_id}: plan again"
            )
        return None

    def _await_rest(self) -> str:
        """The status of the stack once nothing is in progress; empty without a stack."""
        status = ""
        for seconds in PAUSES:
            try:
                with self._aws.translate_errors(f"stack {self._stack}", STACKS):
                    (stack,) = self._api.describe_stacks(StackName=self._stack)["Stacks"]
            except NotFoundError:
                return ""
            status = str(stack["StackStatus"])
            if not status.endswith(BUSY) or status in NEW:
                return status
            self._aws.pause(seconds)
        raise IncompleteError(
            f"stack {self._stack} is still {status}; run the same command again to resume"
        )

    def _make_change_set(self, entries: Sequence[_Entry], *, is_new: bool) -> str:
        """Create it, and answer with its id once it is seen to import and do nothing else."""
        body, request = self._request(entries, is_new=is_new)
        with self._give_template(body, entries) as template:
            change_set = self._replace({**request, **template})
            planned = list(self._await_changes(change_set))
        expected = sorted(one.logical_id for one in entries)
        if sorted(planned) != sorted(("Import", one) for one in expected):
            self._discard(change_set)
            listed = ", ".join(f"{action} {one}" for action, one in planned) or "nothing at all"
            raise RefusedError(
                f"nothing was changed, because {self._what} would do something else ({listed}): "
                f"deploy the stack without {', '.join(expected)} first, then run again"
            )
        return change_set

    def _replace(self, request: Mapping[str, Any]) -> str:
        """Create the change set, in the place of one that a killed run left."""
        names = {"StackName": self._stack, "ChangeSetName": NAME}
        try:
            return self._create(names, request)
        except LookupFailedError as error:
            if error.code != ALREADY_THERE:
                raise
            # One that is alive finds its own gone, and is repeated.
            self._delete(names)
            return self._create(names, request)

    @contextmanager
    def _give_template(self, body: str, entries: Sequence[_Entry]) -> Iterator[dict[str, str]]:
        """How a request gives the template: as it is, or by where it is uploaded meanwhile."""
        if len(body.encode()) <= TEMPLATE_LIMIT:
            yield {"TemplateBody": body}
            return
        upload = TemplateUpload(self._aws, self._stack)
        try:
            try:
                url = upload.put(body)
            except (LookupFailedError, NotFoundError) as error:
                raise RefusedError(_explain_size(self._stack, entries, error)) from error
            yield {"TemplateURL": url}
        finally:
            self._remove(upload)

    def _remove(self, upload: TemplateUpload) -> None:
        """Remove an uploaded template; what stays is told, and undoes nothing."""
        try:
            upload.remove()
        except ServiceError as error:
            text = f"the uploaded template of stack {self._stack} stays: {error}; remove it by hand"
            self._context.emit(event("warning", text=text))

    def _request(self, entries: Sequence[_Entry], *, is_new: bool) -> tuple[str, dict[str, Any]]:
        """The template with the resources more, and the request beside it."""
        document = {"Resources": {}} if is_new else self._read_template()
        declared = document.get("Resources") or {}
        for one in entries:
            if one.logical_id in declared:
                name = one.planned.wanted.preferred
                raise RefusedError(
                    f"stack {self._stack} has another resource as {one.logical_id}, which {name} "
                    "cannot take the place of: declare it under another construct id"
                )
        resources = {**declared, **{one.logical_id: one.body for one in entries}}
        body = json.dumps({**document, "Resources": resources}, separators=(",", ":"), default=str)
        parameters = document.get("Parameters") or {}
        return body, {
            "ResourcesToImport": [one.request for one in entries],
            "Parameters": [{"ParameterKey": one, "UsePreviousValue": True} for one in parameters],
        }

    def _read_template(self) -> Mapping[str, Any]:
        document = read_deployed(self._aws, self._stack)
        if isinstance(document, str):
            raise RefusedError(
                f"the template of stack {self._stack} cannot be read, because {document}: deploy "
                "it again"
            )
        return document

    def _create(self, names: Mapping[str, str], request: Mapping[str, Any]) -> str:
        with self._aws.translate_errors(self._what, CREATE):
            answer = self._api.create_change_set(
                **names,
                **request,
                ChangeSetType="IMPORT",
                Capabilities=CAPABILITIES,
                ClientToken=uuid4().hex,
                Description="Made by dataware: imports, and changes nothing",
            )
        return str(answer["Id"])

    def _delete(self, names: Mapping[str, str]) -> None:
        with self._aws.translate_errors(self._what, DELETE):
            self._api.delete_change_set(**names)

    def _discard(self, change_set: str) -> None:
        """Delete a change set if that is possible; one that stays is replaced by the next run."""
        with suppress(LookupFailedError, NotFoundError):
            self._delete({"ChangeSetName": change_set})

    def _await_changes(self, change_set: str) -> Iterator[tuple[str, str]]:
        """What a complete change set would do: actions with logical ids."""
        for seconds in PAUSES:
            page = self._describe(change_set)
            status = page["Status"]
            if status == "CREATE_COMPLETE":
                break
            if status == "FAILED":
                reason = self._write_reason(page.get("StatusReason") or "no reason given")
                self._discard(change_set)
                raise RefusedError(f"CloudFormation refuses {self._what}: {reason}")
            self._aws.pause(seconds)
        else:
            raise IncompleteError(
                f"nothing was changed, because CloudFormation still prepares {self._what}; run the "
                "same command again to resume"
            )
        cursor = PageCursor("DescribeChangeSet", self._what)
        while True:
            for one in page.get("Changes", ()):
                if change := one.get("ResourceChange"):
                    yield change["Action"], change["LogicalResourceId"]
            if not (token := page.get("NextToken")):
                return
            cursor.advance(token)
            page = self._describe(change_set, NextToken=token)

    def _describe(self, change_set: str, **more: str) -> Mapping[str, Any]:
        with self._aws.translate_errors(self._what, DESCRIBE):
            return dict(self._api.describe_change_set(ChangeSetName=change_set, **more))

    def _execute(self, change_set: str) -> None:
        with self._aws.translate_errors(self._what, EXECUTE):
            self._api.execute_change_set(ChangeSetName=change_set, ClientRequestToken=uuid4().hex)

    def _check_end(self, entries: Sequence[_Entry], status: str) -> None:
        """Tell what the stack has now, whatever its status says. Raises why it has not all."""
        held = self._aws.stack_resources(self._stack)
        missing = []
        for one in entries:
            wanted = one.planned.wanted
            there = held.get(one.logical_id)
            if there is None or there.physical_id != one.physical_id:
                missing.append(wanted.preferred)
                continue
            kind = load(wanted.type)
            words = {"kind": kind.names.slug, "noun": kind.noun, "name": wanted.preferred}
            self._context.emit(event("adopted", stack=self._stack, **words))
        if missing:
            why = self._find_reason() or status
            raise ServiceError(
                f"CloudFormation rolled back the import of {', '.join(missing)} into stack "
                f"{self._stack} ({why}), and left {'it' if len(missing) == 1 else 'them'} as "
                "before: correct that, and run again"
            )

    def _write_reason(self, text: object) -> str:
        """A reason in one line, without the values that a service repeats and nobody may see."""
        return " ".join(mask_texts(str(text), self._hidden).split())

    def _find_reason(self) -> str:
        """Why the last import was rolled back, as far as the stack's events say.

        Events come the newest first. What failed first is the cause, and others are cancelled with
        it; what was before the import reports another one.
        """
        pages = self._api.get_paginator("describe_stack_events").paginate(StackName=self._stack)
        cause = ""
        with (
            suppress(LookupFailedError, NotFoundError),
            self._aws.translate_errors(f"stack {self._stack}", EVENTS),
        ):
            for happened in (one for page in pages for one in page["StackEvents"]):
                status, is_stack = happened["ResourceStatus"], happened["ResourceType"] == STACK
                if status == BEGUN and is_stack:
                    break
                if status == "IMPORT_FAILED":
                    cause = happened.get("ResourceStatusReason") or cause
        return self._write_reason(cause)


def _explain_size(stack: str, entries: Sequence[_Entry], error: Exception) -> str:
    """That the template cannot be uploaded, with the command of CDK that does it elsewhere."""
    mapping = {one.logical_id: one.request["ResourceIdentifier"] for one in entries}
    called = entries[0].planned.wanted.cdk_stack or stack
    return (
        f"nothing was changed, because the template of stack {stack} exceeds {TEMPLATE_LIMIT:,} "
        f"bytes and cannot be uploaded ({error}): grant that, or run `cdk import {called} "
        f"--resource-mapping-inline '{json.dumps(mapping)}'`, then run again"
    )
