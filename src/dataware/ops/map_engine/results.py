"""What a Distributed Map has written of its batches, read back; pure.

Source: AWS Step Functions Developer Guide, "ResultWriter (Map)": ``PREFIX/RUN/manifest.json`` names
files by outcome, each an array of executions with Input, Output, Status, Error and Cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import LookupFailedError, NotFoundError
from dataware.migrate.shard import Shard
from dataware.verify.digests import DigestSlots
from dataware.verify.steps import VerifyStep
from dataware.verify.task_state import TaskState

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
"""What was done, and what failed, ran out of time or was stopped."""

UNREADABLE = "the results of the workers cannot be read"
GONE = "a file with results of the workers is gone"


@dataclass(slots=True)
class MapResults:
    """The shards that came back, and why others did not."""

    shards: list[Shard] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> list[str]:
        """Why something is not done, each reason once."""
        failed = [shard.failed for shard in self.shards if shard.failed]
        return list(dict.fromkeys([*failed, *self.failures]))


def read_results(manifest: bytes, read: Callable[[str], bytes]) -> MapResults:
    """The results that a manifest names; `read` gives a file. Raises LookupFailedError.

    A shard that stands in several files counts once, and one that is done wins.
    """
    shards: dict[str, Shard] = {}
    failures = []
    for outcome, execution in _read_executions(manifest, read):
        if outcome != SUCCEEDED:
            failures.append(_explain_failure(execution))
            continue
        for shard in map(Shard.from_json, _parse(execution["Output"])):
            known = shards.get(shard.partition)
            if known is None or (shard.done and not known.done):
                shards[shard.partition] = shard
    return MapResults(list(shards.values()), failures)


def read_tasks(
    manifest: bytes, read: Callable[[str], bytes], take: Callable[[TaskState], None]
) -> list[str]:
    """Give every task of a verification that a manifest names to `take`; why others failed.

    No more of them are held than one file has. Raises LookupFailedError.
    """
    failures = []
    for outcome, execution in _read_executions(manifest, read):
        if outcome != SUCCEEDED:
            failures.append(_explain_failure(execution))
            continue
        for data in _parse(execution["Output"]):
            take(_read_task(data))
    return failures


def _read_task(data: Mapping[str, Any]) -> TaskState:
    """A task as a worker left it. Raises LookupFailedError for what is none, or lacks its sums."""
    try:
        state = TaskState.from_json(data)
        if state.done and state.task.step is VerifyStep.DIGEST:
            # Sums of another number of slots cannot be those of the task.
            DigestSlots(state.task.slot_count).differing(_require(state.result.slots))
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise LookupFailedError(f"{UNREADABLE}: {error!r}") from error
    return state


def _require(slots: DigestSlots | None) -> DigestSlots:
    if slots is None:
        raise ValueError("a task that is done has no sums")
    return slots


def _explain_failure(execution: Mapping[str, Any]) -> str:
    error, cause = execution.get("Error", ""), execution.get("Cause", "")
    words = (str(execution.get("Status", "")).lower(), error, _plain(cause))
    return ": ".join(word for word in words if word)


def _read_executions(
    manifest: bytes, read: Callable[[str], bytes]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every execution with its outcome; a file that is gone is one that failed.

    What it told is not known any more, so it counts as not done: no later look would find it.
    """
    files = _parse(manifest)["ResultFiles"]
    for outcome in (SUCCEEDED, FAILED):
        for file in files.get(outcome, ()):
            try:
                content = read(file["Key"])
            except NotFoundError:
                yield FAILED, {"Error": GONE}
                continue
            for execution in _parse(content):
                yield outcome, execution


def _parse(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise LookupFailedError(f"{UNREADABLE}: {error}") from error


def _plain(cause: str) -> str:
    """The message in the cause of a function that failed, which is JSON."""
    try:
        data = json.loads(cause)
    except ValueError:
        return cause
    return str(data.get("errorMessage", cause)) if isinstance(data, dict) else cause
