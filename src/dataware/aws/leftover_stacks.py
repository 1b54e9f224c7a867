"""Lets go what the holding stacks of killed runs still hold."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

from dataware.aws.errors import translate_errors
from dataware.aws.holding_stack import (
    HOLDING_PREFIX,
    STANDS,
    CreationFailure,
    HoldingStack,
    WaitIntervals,
    creation_error,
    release_leftovers,
)
from dataware.aws.joint_creation import joint_logical_id
from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.core.ports import Aws


class LeftoverStacks:
    """Settles each stack that a killed run has left once, whoever asks; for any thread."""

    def __init__(self, aws: Aws, patience: WaitIntervals | None = None) -> None:
        self._aws = aws
        self._patience = patience or WaitIntervals()
        self._lock = threading.Lock()
        self._settling: dict[str, threading.Lock] = {}
        self._settled: dict[str, tuple[Mapping[str, str], Mapping[str, CreationFailure]]] = {}

    def release(self, types: Collection[str], cfn_type: str, name: str) -> bool:
        """Delete the stack that holds `name`; whether it had made it, and it still stands.

        `types` are all that declare such a resource. Raises HalfMadeError for one whose creation
        failed on the way, and as `release_leftovers` does.
        """
        if release_leftovers(self._aws, cfn_type, name, patience=self._patience):
            return True
        stack_id = self._find(types, name)
        if stack_id is None:
            return False
        statuses, failures = self._settle(stack_id, name)
        logical_id = joint_logical_id(cfn_type, name)
        failure = failures.get(logical_id)
        if failure is not None and failure.half_made:
            raise creation_error(name, statuses.get(logical_id, ""), failure.reason, half_made=True)
        return statuses.get(logical_id) in STANDS

    def _find(self, types: Collection[str], name: str) -> str | None:
        """The holding stack that has a resource of this name, if one has."""
        api = self._aws.client("cloudformation")
        rows: list[Mapping[str, Any]] = []
        # Without an answer it counts as nobody's; CloudFormation refuses it where that is wrong.
        with (
            suppress(LookupFailedError, NotFoundError),
            translate_errors(f"the stack of {name}", "cloudformation:DescribeStackResources"),
        ):
            rows = api.describe_stack_resources(PhysicalResourceId=name)["StackResources"]
        for row in rows:
            mine = row["ResourceType"] in types and row.get("PhysicalResourceId") == name
            if mine and row["StackName"].startswith(HOLDING_PREFIX):
                return str(row["StackId"])
        return None

    def _settle(
        self, stack_id: str, name: str
    ) -> tuple[Mapping[str, str], Mapping[str, CreationFailure]]:
        """What a stack came to, which is then deleted; it is waited for if it is not done."""
        with self._lock:
            turn = self._settling.setdefault(stack_id, threading.Lock())
        with turn:
            if stack_id not in self._settled:
                self._settled[stack_id] = self._delete(stack_id, name)
            return self._settled[stack_id]

    def _delete(
        self, stack_id: str, name: str
    ) -> tuple[Mapping[str, str], Mapping[str, CreationFailure]]:
        stack = HoldingStack(self._aws, stack_id, name, self._patience)
        try:
            status = stack.find_decision(stack_id)
        except NotFoundError:
            return {}, {}
        if status == "DELETE_COMPLETE":
            return {}, {}  # the service answers for deleted stacks, too
        state = stack.statuses(stack_id), stack.failures(stack_id)
        stack.delete(stack_id)
        return state
