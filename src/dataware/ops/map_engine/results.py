"""What a Distributed Map has written of its batches, read back; pure.

Source: AWS Step Functions Developer Guide, "ResultWriter (Map)": ``PREFIX/RUN/manifest.json`` names
files by outcome, each an array of executions with Input, Output, Status, Error and Cause.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dataware.core.errors import LookupFailedError
from dataware.migrate.shard import Shard

SUCCEEDED, FAILED = "SUCCEEDED", "FAILED"
"""What was done, and what failed, ran out of time or was stopped."""

UNREADABLE = "the results of the workers cannot be read"


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
    """The results that a manifest names; `read` gives a file. Raises LookupFailedError."""
    results = MapResults()
    for outcome, execution in _read_executions(manifest, read):
        if outcome == SUCCEEDED:
            shards = _parse(execution["Output"])
            results.shards += [Shard.from_json(one) for one in shards]
        else:
            error, cause = execution.get("Error", ""), execution.get("Cause", "")
            words = (str(execution.get("Status", "")).lower(), error, _plain(cause))
            results.failures.append(": ".join(word for word in words if word))
    return results


def _read_executions(
    manifest: bytes, read: Callable[[str], bytes]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    files = _parse(manifest)["ResultFiles"]
    for outcome in (SUCCEEDED, FAILED):
        for file in files.get(outcome, ()):
            for execution in _parse(read(file["Key"])):
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
